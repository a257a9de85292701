"""Synthetic CK+, Oulu-CASIA and MUG: posed expressions as sequences of images."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.synthetic_clip import (
    PEAK_MACRO,
    Role,
    SyntheticClip,
    assign_roles,
    draw_clip,
)

#: Labelled sequences of CK+ by emotion, as its authors count them; 266 more have no label.
CKPLUS: dict[str, int] = {
    "anger": 45,
    "contempt": 18,
    "disgust": 59,
    "fear": 25,
    "happiness": 69,
    "sadness": 28,
    "surprise": 83,
}
CKPLUS_UNLABELLED = 266
CKPLUS_SUBJECTS = tuple(f"S{n:03d}" for n in (5, *range(10, 132)))
CKPLUS_NUMBERS = {
    "anger": 1,
    "contempt": 2,
    "disgust": 3,
    "fear": 4,
    "happiness": 5,
    "sadness": 6,
    "surprise": 7,
}
BASIC = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
OULU_SUBJECTS = tuple(f"P{n:03d}" for n in range(1, 81))
#: Those subjects of MUG whose pictures are handed out.
MUG_SUBJECTS = tuple(f"{n:03d}" for n in range(1, 53))
_NOTE = "LICENCE-SYNTHETIC.txt"


def draw_ckplus(seed: int) -> list[SyntheticClip]:
    """Draw all 593 sequences, from neutral to apex, in order of subject and number."""
    rng = np.random.default_rng([seed, 7])
    emotions = {**CKPLUS, "other": CKPLUS_UNLABELLED}
    takes = Counter[int]()
    clips = []
    for role in assign_roles(rng, emotions, CKPLUS_SUBJECTS):
        takes[role.person] += 1
        clip = draw_clip(
            rng,
            role,
            name=f"{takes[role.person]:03d}",
            onset=1,
            frames=int(rng.integers(10, 31)),
            peak=PEAK_MACRO,
            digits=8,
        )
        clips.append(replace(clip, apex=clip.offset))
    return clips


def _ckplus_path(clip: SyntheticClip, frame: int) -> Path:
    name = f"{clip.subject}_{clip.name}_{frame:0{clip.digits}d}.png"
    return Path("cohn-kanade-images", clip.subject, clip.name, name)


def _write_ckplus(root: Path, clips: Sequence[SyntheticClip]) -> None:
    """Write one file a labelled sequence; half of the others have an empty folder."""
    for clip in clips:
        number = CKPLUS_NUMBERS.get(clip.emotion)
        folder = root / "Emotion" / clip.subject / clip.name
        if number is not None or clip.index % 2:
            folder.mkdir(parents=True, exist_ok=True)
        if number is not None:
            name = f"{clip.subject}_{clip.name}_{clip.offset:08d}_emotion.txt"
            (folder / name).write_text(f"   {number:.7e}\n", encoding="ascii")
    (root / "cohn-kanade-images" / ".DS_Store").write_bytes(b"\x00")
    _write_note(root, clips)


def draw_oulu(seed: int) -> list[SyntheticClip]:
    """Draw 480 sequences of the visible-light camera under strong light, from neutral to apex."""
    rng = np.random.default_rng([seed, 8])
    clips: list[SyntheticClip] = []
    for person, subject in enumerate(OULU_SUBJECTS):
        for emotion in BASIC:
            clip = draw_clip(
                rng,
                Role(len(clips), person, subject, emotion),
                name=emotion.capitalize(),
                onset=0,
                frames=int(rng.integers(9, 20)),
                peak=PEAK_MACRO,
                digits=3,
            )
            clips.append(replace(clip, apex=clip.offset))
    return clips


def _oulu_path(clip: SyntheticClip, frame: int) -> Path:
    folder = Path("OriginalImg", "VL", "Strong", clip.subject, clip.name)
    return folder / f"{frame:0{clip.digits}d}.jpeg"


def _write_oulu(root: Path, clips: Sequence[SyntheticClip]) -> None:
    strong = root / "OriginalImg" / "VL" / "Strong"
    (strong / clips[0].subject / clips[0].name / "Thumbs.db").write_bytes(b"\x00")
    _write_note(root, clips)


def draw_mug(seed: int) -> list[SyntheticClip]:
    """Draw one take of each of seven expressions by 52 people: the printed sources give no more."""
    rng = np.random.default_rng([seed, 9])
    return [
        draw_clip(
            rng,
            Role(person * 7 + number, person, subject, emotion),
            name="take000",
            onset=0,
            frames=int(rng.integers(20, 31)),
            peak=PEAK_MACRO,
            digits=4,
        )
        for person, subject in enumerate(MUG_SUBJECTS)
        for number, emotion in enumerate((*BASIC, "neutral"))
    ]


def _mug_path(clip: SyntheticClip, frame: int) -> Path:
    return Path(clip.subject, clip.emotion, clip.name, f"img_{frame:0{clip.digits}d}.jpg")


def _write_note(root: Path, clips: Sequence[SyntheticClip]) -> None:
    """Write the last file: no table of these databases could be it."""
    text = "Procedural drawings in the layout of this database: no licence is needed.\n"
    (root / _NOTE).write_text(text, encoding="utf-8")


LAYOUTS = (
    Layout(
        name="ckplus",
        folder="CK+",
        last=_NOTE,
        draw_clips=draw_ckplus,
        frame_path=_ckplus_path,
        native=(640, 490),
        cropped=False,
        write_tables=_write_ckplus,
    ),
    Layout(
        name="oulu_casia",
        folder="Oulu-CASIA",
        last=_NOTE,
        draw_clips=draw_oulu,
        frame_path=_oulu_path,
        native=(320, 240),
        cropped=False,
        write_tables=_write_oulu,
    ),
    Layout(
        name="mug",
        folder="MUG",
        last=_NOTE,
        draw_clips=draw_mug,
        frame_path=_mug_path,
        native=(896, 896),
        cropped=False,
        write_tables=_write_note,
    ),
)
