"""Drawn images that are like flow: the layout and counts of the MEGC 2019 flow set, nobody's faces.

An image has two channels of smooth noise and one of their strain. Each class moves a patch of its
own, in some clips more than in others, so that a network can tell the class of most clips.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mer_keras.evaluation import metrics

CLASSES = ("negative", "positive", "surprise")
#: Clips of each class in the MEGC 2019 composite.
COUNTS = (250, 109, 83)
#: Subjects of each database in the composite.
SUBJECTS = {"casme2": 24, "samm": 28, "smic": 16}
SIDE = 28
# Each class has a patch: its row and column, and how far it moves to the right and down.
_PATCHES = ((9.0, 9.0, 1.0, 0.6), (19.0, 18.0, -0.7, -1.0), (7.0, 19.0, 0.2, -1.2))
#: Movement of a patch, in standard deviations of the noise.
STRENGTH = 1.8


@dataclass(frozen=True, eq=False)
class FlowLike:
    """Drawn flow images.

    Attributes:
        images: uint8 (clips, 28, 28, 3), channels (u, v, strain): horizontal, vertical, strain.
        labels: int32 (clips,), indices into ``CLASSES``.
        subjects: (clips,), the subject of each clip.
        databases: (clips,), the database that each subject is said to be of.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int32]
    subjects: NDArray[np.str_]
    databases: NDArray[np.str_]

    def people(self) -> list[str]:
        """The subjects, each once, in order."""
        return list(dict.fromkeys(self.subjects.tolist()))


def uf1(labels: NDArray[np.integer], predicted: NDArray[np.integer]) -> float:
    """Return UF1 pooled over all clips.

    Args:
        labels: (clips,), indices into ``CLASSES``.
        predicted: (clips,), likewise; clips below 0 were not tested and are left out.
    """
    tested = predicted >= 0
    true_names, predicted_names = (
        [CLASSES[index] for index in indices[tested]] for indices in (labels, predicted)
    )
    return metrics.scores(true_names, predicted_names, CLASSES).uf1


def uneven_counts(total: int, parts: int, seed: int) -> list[int]:
    """Divide ``total`` clips unevenly among ``parts`` subjects, at least one each.

    Some subjects of the databases have one clip and some have thirty.
    """
    rng = np.random.default_rng(seed)
    shares = rng.lognormal(0.0, 0.9, parts)
    counts = 1 + rng.multinomial(total - parts, shares / shares.sum())
    return [int(count) for count in counts]


def draw(seed: int = 0, *, people: int | None = None, strength: float = STRENGTH) -> FlowLike:
    """Draw the set.

    Args:
        seed: decides everything that is drawn.
        people: only so many of the 68 subjects.
        strength: see ``STRENGTH``; 0 leaves noise.
    """
    rng = np.random.default_rng(seed)
    # Subjects are mere numbers, as in one of the databases.
    names = [(f"{i:03}", d) for d, count in SUBJECTS.items() for i in range(1, count + 1)]
    counts = uneven_counts(sum(COUNTS), len(names), seed)
    owners = [name for name, count in zip(names, counts, strict=True) for _ in range(count)]
    labels = rng.permutation(np.repeat(np.arange(len(CLASSES), dtype=np.int32), COUNTS))
    images = np.stack([_image(rng, int(label), strength) for label in labels])
    subjects = np.array([f"{database}-{name}" for name, database in owners])
    chosen = np.isin(subjects, list(dict.fromkeys(subjects.tolist()))[:people])
    databases = np.array([database for _, database in owners])
    return FlowLike(images[chosen], labels[chosen], subjects[chosen], databases[chosen])


def draw_crowd(people: int) -> FlowLike:
    """Draw a set of any number of people: as many sets of 68 as it takes, whose people are others.

    Up to 68 people it is ``draw(people=people)``.
    """
    amount = sum(SUBJECTS.values())
    sets = [
        draw(seed, people=min(amount, people - first))
        for seed, first in enumerate(range(0, people, amount))
    ]
    # Each set's people have further numbers.
    step = max(SUBJECTS.values())
    subjects = [
        np.array(
            [
                f"{database}-{int(subject.rpartition('-')[2]) + seed * step:03}"
                for subject, database in zip(drawn.subjects, drawn.databases, strict=True)
            ]
        )
        for seed, drawn in enumerate(sets)
    ]
    return FlowLike(
        np.concatenate([drawn.images for drawn in sets]),
        np.concatenate([drawn.labels for drawn in sets]),
        np.concatenate(subjects),
        np.concatenate([drawn.databases for drawn in sets]),
    )


def write(flow: FlowLike, root: Path) -> Path:
    """Write a set in the layout of the flow set, marked as drawn; return its folder.

    Args:
        flow: the images.
        root: the folder that ``MER_DATA`` names.
    """
    folder = root / "megc2019_flow"
    (folder / "images").mkdir(parents=True)
    table = pd.DataFrame({"database": flow.databases, "subject": flow.subjects})
    table["subject"] = table["subject"].str.partition("-")[2]
    table["clip"] = [f"c{number:03}" for number in range(len(table))]
    table["emotion"] = np.take(CLASSES, flow.labels)
    table["image"] = "images/" + table["clip"].str[1:] + ".png"
    for file, image in zip(table["image"], flow.images, strict=True):
        cv2.imwrite(str(folder / file), image[..., ::-1])  # OpenCV takes blue, green, red.
    table.to_csv(folder / "samples.csv", index=False)
    marker = json.dumps({"drawn by": "mer_keras.bench"})
    (folder / "SYNTHETIC.json").write_text(marker + "\n", encoding="utf-8")
    return folder


def _image(rng: np.random.Generator, label: int, strength: float) -> NDArray[np.uint8]:
    noise = rng.standard_normal((2, SIDE, SIDE)).astype(np.float32)
    across, down = (cv2.GaussianBlur(plane, (0, 0), 1.5) for plane in noise)
    across, down = across / across.std(), down / down.std()
    row, column, right, below = _PATCHES[label]
    row, column = (float(position + rng.normal(0, 1.5)) for position in (row, column))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    bump = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 18)
    moved = strength * rng.lognormal(0.0, 0.6)
    across, down = across + moved * right * bump, down + moved * below * bump
    stretch = np.gradient(across, axis=1) ** 2 + np.gradient(down, axis=0) ** 2
    shear = np.gradient(across, axis=0) + np.gradient(down, axis=1)
    strain = np.sqrt(stretch + shear**2 / 2)
    planes = [255 * (p - p.min()) / np.ptp(p) for p in (across, down, strain)]
    return np.rint(np.stack(planes, axis=-1)).astype(np.uint8)  # (28, 28, 3)
