"""Synthetic JAFFE, RAF-DB and FER-2013: posed expressions as single images."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mer_keras.synthetic import plans
from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.plans import ClipPlan

#: Pictures by expression, as the databases' authors count them.
JAFFE: dict[str, int] = {
    "anger": 30,
    "disgust": 29,
    "fear": 32,
    "happiness": 31,
    "neutral": 30,
    "sadness": 31,
    "surprise": 30,
}
JAFFE_SUBJECTS = ("KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM")
JAFFE_CODES = {
    "anger": "AN",
    "disgust": "DI",
    "fear": "FE",
    "happiness": "HA",
    "neutral": "NE",
    "sadness": "SA",
    "surprise": "SU",
}
#: In the order of the release's class numbers, from 1: the training and the test part.
RAFDB_TRAIN: dict[str, int] = {
    "surprise": 1290,
    "fear": 281,
    "disgust": 717,
    "happiness": 4772,
    "sadness": 1982,
    "anger": 705,
    "neutral": 2524,
}
RAFDB_TEST: dict[str, int] = {
    "surprise": 329,
    "fear": 74,
    "disgust": 160,
    "happiness": 1185,
    "sadness": 478,
    "anger": 162,
    "neutral": 680,
}
#: In the order of the file's class numbers, from 0.
FER: dict[str, int] = {
    "anger": 4953,
    "disgust": 547,
    "fear": 5121,
    "happiness": 8989,
    "sadness": 6077,
    "surprise": 4002,
    "neutral": 6198,
}
#: Rows of FER-2013 up to which each part goes.
FER_PARTS = ((28_709, "Training"), (32_298, "PublicTest"), (35_887, "PrivateTest"))
#: Rows that repeat the picture of the row so many before: with its own label, and with another.
FER_REPEATED = tuple(range(500, 30_500, 1000))
FER_CONTRADICTED = (700, 20_700)
#: People drawn for databases that don't say who is in a picture.
UNKNOWN_PEOPLE = 400


def _still(
    rng: np.random.Generator, emotion: str, index: int, person: int, **other: Any
) -> ClipPlan:
    """One picture: the apex of a clip of three frames."""
    clip = plans.draw_clip(
        rng,
        emotion=emotion,
        first=0,
        frames=3,
        peak=plans.PEAK_MACRO,
        index=index,
        person=person,
        **other,
    )
    return replace(clip, apex=1, first=1, last=1)


def plan_jaffe(seed: int) -> list[ClipPlan]:
    """All 213 pictures."""
    rng = np.random.default_rng([seed, 10])
    taken: dict[tuple[int, str], int] = {}
    made = []
    for index, (person, emotion) in enumerate(plans.cast(rng, JAFFE, len(JAFFE_SUBJECTS))):
        number = taken[person, emotion] = taken.get((person, emotion), 0) + 1
        name = f"{JAFFE_CODES[emotion]}{number}.{index + 1}"
        made.append(_still(rng, emotion, index, person, subject=JAFFE_SUBJECTS[person], clip=name))
    return made


def _jaffe_path(plan: ClipPlan, frame: int) -> Path:
    return Path(f"{plan.subject}.{plan.clip}.tiff")


def _write_readme(root: Path, clips: Sequence[ClipPlan]) -> None:
    text = "Procedural drawings in the layout of JAFFE: no licence is needed.\n"
    (root / "README").write_text(text, encoding="utf-8")


def plan_rafdb(seed: int) -> list[ClipPlan]:
    """All 15,339 pictures, the training part first."""
    rng = np.random.default_rng([seed, 11])
    made: list[ClipPlan] = []
    for part, counts in (("train", RAFDB_TRAIN), ("test", RAFDB_TEST)):
        for number, emotion in enumerate(_shuffled(rng, counts), start=1):
            person = int(rng.integers(UNKNOWN_PEOPLE))
            clip = f"{part}_{number:05d}"
            made.append(_still(rng, emotion, len(made), person, subject="unknown", clip=clip))
    return made


def _rafdb_path(plan: ClipPlan, frame: int) -> Path:
    return Path("basic", "Image", "aligned", f"{plan.clip}_aligned.jpg")


def _write_rafdb(root: Path, clips: Sequence[ClipPlan]) -> None:
    numbers = {emotion: number for number, emotion in enumerate(RAFDB_TRAIN, start=1)}
    lines = [f"{plan.clip}.jpg {numbers[plan.emotion]}\n" for plan in clips]
    table = root / "basic" / "EmoLabel" / "list_patition_label.txt"
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_text("".join(lines), encoding="ascii")


def plan_fer(seed: int) -> list[ClipPlan]:
    """All 35,887 rows; some repeat an earlier row's picture, two of them with another label."""
    rng = np.random.default_rng([seed, 12])
    emotions = list(_shuffled(rng, FER))
    for row in FER_REPEATED:
        _exchange(emotions, row, emotions[row - 100])
    for row in FER_CONTRADICTED:
        if emotions[row] == emotions[row - 100]:
            _exchange(emotions, row, next(e for e in FER if e != emotions[row]))
    made: list[ClipPlan] = []
    for index, emotion in enumerate(emotions):
        part = next(name for end, name in FER_PARTS if index < end)
        name = {"subject": "unknown", "clip": f"{part}-{index:05d}"}
        person = int(rng.integers(UNKNOWN_PEOPLE))
        made.append(_still(rng, emotion, index, person, cells={"Usage": part}, **name))
    for row in (*FER_REPEATED, *FER_CONTRADICTED):
        source, own = made[row - 100], made[row]
        made[row] = replace(source, clip=own.clip, emotion=own.emotion, cells=own.cells)
    return made


def _exchange(emotions: list[str], row: int, wanted: str) -> None:
    """Give a row a label without changing how often each stands."""
    paired = (*FER_REPEATED, *FER_CONTRADICTED)
    touched = {*paired, *(r - 100 for r in paired)}
    other = next(k for k in range(len(emotions)) if emotions[k] == wanted and k not in touched)
    emotions[row], emotions[other] = wanted, emotions[row]


def _write_fer(root: Path, pairs: Iterable[tuple[ClipPlan, np.ndarray]]) -> None:
    numbers = {emotion: str(number) for number, emotion in enumerate(FER)}
    with (root / "fer2013.csv").open("w", encoding="ascii", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("emotion", "pixels", "Usage"))
        for plan, frames in pairs:
            pixels = " ".join(map(str, frames[0].ravel().tolist()))
            writer.writerow((numbers[plan.emotion], pixels, plan.cells["Usage"]))


def _shuffled(rng: np.random.Generator, counts: Mapping[str, int]) -> list[str]:
    every = [emotion for emotion, count in counts.items() for _ in range(count)]
    return [every[k] for k in rng.permutation(len(every))]


def _nothing(root: Path, clips: Sequence[ClipPlan]) -> None:
    """FER-2013 is one file, which is written with its pictures."""


LAYOUTS = (
    Layout(
        name="jaffe",
        folder="JAFFE",
        last="README",
        plan=plan_jaffe,
        frame_path=_jaffe_path,
        native=(256, 256),
        write_tables=_write_readme,
    ),
    Layout(
        name="rafdb",
        folder="RAF-DB",
        last="basic/EmoLabel/list_patition_label.txt",
        plan=plan_rafdb,
        frame_path=_rafdb_path,
        native=(100, 100),
        write_tables=_write_rafdb,
        size=100,
    ),
    Layout(
        name="fer2013",
        folder="FER2013",
        last="fer2013.csv",
        plan=plan_fer,
        frame_path=lambda plan, frame: Path(f"{plan.clip}.jpg"),
        native=(48, 48),
        write_tables=_nothing,
        write_pixels=_write_fer,
        size=48,
    ),
)
