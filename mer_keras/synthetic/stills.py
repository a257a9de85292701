"""Synthetic JAFFE, RAF-DB and FER-2013: posed expressions as single images."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mer_keras.synthetic.layout import Layout, RenderedClip
from mer_keras.synthetic.synthetic_clip import (
    PEAK_MACRO,
    Role,
    SyntheticClip,
    assign_roles,
    draw_clip,
)

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
#: Pictures of the training part by expression, in the order of the class numbers, from 1.
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
#: Pictures by expression, in the order of the file's class numbers, from 0.
FER: dict[str, int] = {
    "anger": 4953,
    "disgust": 547,
    "fear": 5121,
    "happiness": 8989,
    "sadness": 6077,
    "surprise": 4002,
    "neutral": 6198,
}
#: Each part of FER-2013 and the row before which it ends.
FER_PARTS = ((28_709, "Training"), (32_298, "PublicTest"), (35_887, "PrivateTest"))
#: Rows that repeat the picture and the label of an earlier row.
FER_REPEATED = tuple(range(500, 30_500, 1000))
#: Rows that repeat the picture of an earlier row with another label.
FER_CONTRADICTED = (700, 20_700)
#: A repeated row stands this many rows before its repetition.
_FER_BEFORE = 100
#: Number of people that are drawn for a database that doesn't say who is in a picture.
UNKNOWN_PEOPLE = 400


def _draw_still(rng: np.random.Generator, role: Role, name: str) -> SyntheticClip:
    """Draw one picture: the apex of a clip of three frames."""
    clip = draw_clip(rng, role, name=name, onset=0, frames=3, peak=PEAK_MACRO)
    return replace(clip, apex=1, first_frame=1, last_frame=1)


def draw_jaffe(seed: int) -> list[SyntheticClip]:
    """Draw all 213 pictures."""
    rng = np.random.default_rng([seed, 10])
    takes = Counter[tuple[str, str]]()
    clips = []
    for role in assign_roles(rng, JAFFE, JAFFE_SUBJECTS):
        takes[role.subject, role.emotion] += 1
        take = takes[role.subject, role.emotion]
        clips.append(_draw_still(rng, role, f"{JAFFE_CODES[role.emotion]}{take}.{role.index + 1}"))
    return clips


def _jaffe_path(clip: SyntheticClip, frame: int) -> Path:
    return Path(f"{clip.subject}.{clip.name}.tiff")


def _write_readme(root: Path, clips: Sequence[SyntheticClip]) -> None:
    text = "Procedural drawings in the layout of JAFFE: no licence is needed.\n"
    (root / "README").write_text(text, encoding="utf-8")


def draw_rafdb(seed: int) -> list[SyntheticClip]:
    """Draw all 15,339 pictures, the training part first."""
    rng = np.random.default_rng([seed, 11])
    clips: list[SyntheticClip] = []
    for part, counts in (("train", RAFDB_TRAIN), ("test", RAFDB_TEST)):
        for number, emotion in enumerate(_shuffled(rng, counts), start=1):
            role = Role(len(clips), int(rng.integers(UNKNOWN_PEOPLE)), "unknown", emotion)
            clips.append(_draw_still(rng, role, f"{part}_{number:05d}"))
    return clips


def _rafdb_path(clip: SyntheticClip, frame: int) -> Path:
    return Path("basic", "Image", "aligned", f"{clip.name}_aligned.jpg")


def _write_rafdb(root: Path, clips: Sequence[SyntheticClip]) -> None:
    numbers = {emotion: number for number, emotion in enumerate(RAFDB_TRAIN, start=1)}
    lines = [f"{clip.name}.jpg {numbers[clip.emotion]}\n" for clip in clips]
    table = root / "basic" / "EmoLabel" / "list_patition_label.txt"
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_text("".join(lines), encoding="ascii")


def draw_fer(seed: int) -> list[SyntheticClip]:
    """Draw all 35,887 rows; some repeat an earlier row's picture, two with another label."""
    rng = np.random.default_rng([seed, 12])
    emotions = list(_shuffled(rng, FER))
    for row in FER_REPEATED:
        _exchange(emotions, row, emotions[row - _FER_BEFORE])
    for row in FER_CONTRADICTED:
        if emotions[row] == emotions[row - _FER_BEFORE]:
            _exchange(emotions, row, next(e for e in FER if e != emotions[row]))
    clips: list[SyntheticClip] = []
    for index, emotion in enumerate(emotions):
        part = next(name for end, name in FER_PARTS if index < end)
        role = Role(index, int(rng.integers(UNKNOWN_PEOPLE)), "unknown", emotion)
        clip = _draw_still(rng, role, f"{part}-{index:05d}")
        clips.append(replace(clip, cells={"Usage": part}))
    for row in (*FER_REPEATED, *FER_CONTRADICTED):
        picture, own = clips[row - _FER_BEFORE], clips[row]
        clips[row] = replace(picture, name=own.name, emotion=own.emotion, cells=own.cells)
    return clips


def _exchange(emotions: list[str], row: int, emotion: str) -> None:
    """Give a row an emotion without changing how often each emotion stands."""
    paired = (*FER_REPEATED, *FER_CONTRADICTED)
    fixed = {*paired, *(r - _FER_BEFORE for r in paired)}
    partner = next(k for k, e in enumerate(emotions) if e == emotion and k not in fixed)
    emotions[row], emotions[partner] = emotion, emotions[row]


def _write_fer(root: Path, rendered: Iterable[RenderedClip]) -> None:
    numbers = {emotion: str(number) for number, emotion in enumerate(FER)}
    with (root / "fer2013.csv").open("w", encoding="ascii", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("emotion", "pixels", "Usage"))
        for clip, frames in rendered:
            pixels = " ".join(map(str, frames[0].ravel().tolist()))
            writer.writerow((numbers[clip.emotion], pixels, clip.cells["Usage"]))


def _shuffled(rng: np.random.Generator, counts: Mapping[str, int]) -> list[str]:
    """Return each emotion as often as it counts, in random order."""
    emotions = [emotion for emotion, count in counts.items() for _ in range(count)]
    return [emotions[k] for k in rng.permutation(len(emotions))]


def _write_nothing(root: Path, clips: Sequence[SyntheticClip]) -> None:
    """FER-2013 is one file, which is written with its pictures."""


LAYOUTS = (
    Layout(
        name="jaffe",
        folder="JAFFE",
        last="README",
        draw_clips=draw_jaffe,
        frame_path=_jaffe_path,
        native=(256, 256),
        write_tables=_write_readme,
    ),
    Layout(
        name="rafdb",
        folder="RAF-DB",
        last="basic/EmoLabel/list_patition_label.txt",
        draw_clips=draw_rafdb,
        frame_path=_rafdb_path,
        native=(100, 100),
        write_tables=_write_rafdb,
        size=100,
    ),
    Layout(
        name="fer2013",
        folder="FER2013",
        last="fer2013.csv",
        draw_clips=draw_fer,
        frame_path=lambda clip, frame: Path(f"{clip.name}.jpg"),
        native=(48, 48),
        write_tables=_write_nothing,
        write_pixels=_write_fer,
        size=48,
    ),
)
