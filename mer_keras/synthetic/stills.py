"""Synthetic RAF-DB and FER-2013: expressions of unknown people as single images."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mer_keras.synthetic.layout import Layout, RenderedClip
from mer_keras.synthetic.synthetic_clip import Role, SyntheticClip

#: Number of people that are drawn for a database that doesn't say who is in a picture.
UNKNOWN_PEOPLE = 400
#: Each part of FER-2013 and the row before which it ends.
FER_PARTS = ((28_709, "Training"), (32_298, "PublicTest"), (35_887, "PrivateTest"))
#: Rows that repeat the picture and the label of an earlier row.
FER_REPEATED = tuple(range(500, 30_500, 1000))
#: Rows that repeat the picture of an earlier row with another label.
FER_CONTRADICTED = (700, 20_700)
#: A repeated row stands this many rows before its repetition.
_FER_BEFORE = 100


class _UnknownPeople(Layout):
    """A layout of single images that don't say who is in them."""

    def draw_image(
        self, rng: np.random.Generator, index: int, emotion: str, name: str
    ) -> SyntheticClip:
        """Draw who shows an emotion, and the image."""
        role = Role(index, int(rng.integers(UNKNOWN_PEOPLE)), "unknown", emotion)
        return self.draw_declared(rng, role, name)


class RafDb(_UnknownPeople):
    """The layout of RAF-DB. ``emotions`` are those of its training part.

    Attributes:
        test_emotions: emotion -> number of images of the test part.
    """

    test_emotions: dict[str, int]

    def draw(self, rng: np.random.Generator) -> list[SyntheticClip]:
        """Draw all 15,339 images, the training part first."""
        clips: list[SyntheticClip] = []
        for part, counts in (("train", self.emotions), ("test", self.test_emotions)):
            for number, emotion in enumerate(_shuffled(rng, counts), start=1):
                clips.append(self.draw_image(rng, len(clips), emotion, f"{part}_{number:05d}"))
        return clips

    def write_tables(self, root: Path, clips: Sequence[SyntheticClip]) -> None:
        """Write the list of labels: the class numbers, from 1, are in the order of the emotions."""
        numbers = {emotion: number for number, emotion in enumerate(self.emotions, start=1)}
        lines = [f"{clip.name}.jpg {numbers[clip.emotion]}\n" for clip in clips]
        table = root / self.last
        table.parent.mkdir(parents=True, exist_ok=True)
        table.write_text("".join(lines), encoding="ascii")


class Fer2013(_UnknownPeople):
    """The layout of FER-2013."""

    def draw(self, rng: np.random.Generator) -> list[SyntheticClip]:
        """Draw all 35,887 rows; some repeat an earlier row's picture, two with another label."""
        emotions = _shuffled(rng, self.emotions)
        for row in FER_REPEATED:
            _exchange(emotions, row, emotions[row - _FER_BEFORE])
        for row in FER_CONTRADICTED:
            if emotions[row] == emotions[row - _FER_BEFORE]:
                _exchange(emotions, row, next(e for e in self.emotions if e != emotions[row]))
        clips: list[SyntheticClip] = []
        for index, emotion in enumerate(emotions):
            part = next(name for end, name in FER_PARTS if index < end)
            clip = self.draw_image(rng, index, emotion, f"{part}-{index:05d}")
            clips.append(replace(clip, cells={"Usage": part}))
        for row in (*FER_REPEATED, *FER_CONTRADICTED):
            picture, own = clips[row - _FER_BEFORE], clips[row]
            clips[row] = replace(picture, name=own.name, emotion=own.emotion, cells=own.cells)
        return clips

    def write_frames(self, root: Path, rendered: Iterable[RenderedClip]) -> None:
        """Write the one table, which holds the images."""
        numbers = {emotion: str(number) for number, emotion in enumerate(self.emotions)}
        with (root / self.last).open("w", encoding="ascii", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("emotion", "pixels", "Usage"))
            for clip, frames in rendered:
                pixels = " ".join(map(str, frames[0].ravel().tolist()))
                writer.writerow((numbers[clip.emotion], pixels, clip.cells["Usage"]))

    def write_tables(self, root: Path, clips: Sequence[SyntheticClip]) -> None:
        """Write nothing: the one table is written with its images."""


def _exchange(emotions: list[str], row: int, emotion: str) -> None:
    """Give a row an emotion without changing how often each emotion stands."""
    paired = (*FER_REPEATED, *FER_CONTRADICTED)
    fixed = {*paired, *(r - _FER_BEFORE for r in paired)}
    partner = next(k for k, e in enumerate(emotions) if e == emotion and k not in fixed)
    emotions[row], emotions[partner] = emotion, emotions[row]


def _shuffled(rng: np.random.Generator, counts: Mapping[str, int]) -> list[str]:
    """Return each emotion as often as it counts, in random order."""
    emotions = [emotion for emotion, count in counts.items() for _ in range(count)]
    return [emotions[k] for k in rng.permutation(len(emotions))]
