"""A synthetic MMEW: its clips, tree and table."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.synthetic_clip import SyntheticClip, assign_roles, draw_clip
from mer_keras.synthetic.workbooks import write_workbook

WORKBOOK = "MMEW_Micro_Exp.xlsx"
#: Clips per emotion, as the database's authors count them.
EMOTIONS: dict[str, int] = {
    "happiness": 36,
    "anger": 8,
    "surprise": 89,
    "disgust": 72,
    "fear": 16,
    "sadness": 13,
    "others": 66,
}
SUBJECTS: tuple[str, ...] = tuple(f"S{n:02d}" for n in range(1, 37))
#: Frames in a clip, from and to: a quarter to half a second at 90 frames a second.
FRAMES = (22, 40)

_HEADER = (
    "Subject",
    "Filename",
    "OnsetFrame",
    "ApexFrame",
    "OffsetFrame",
    "Action Units",
    "Estimated Emotion",
    "remarks",
)


def draw_clips(seed: int) -> list[SyntheticClip]:
    """Draw all 300 clips, in order of clip name."""
    rng = np.random.default_rng([seed, 2])
    codes = {emotion: code for code, emotion in enumerate(EMOTIONS, start=1)}
    takes = Counter[tuple[str, str]]()
    clips = []
    for role in assign_roles(rng, EMOTIONS, SUBJECTS):
        takes[role.subject, role.emotion] += 1
        take = takes[role.subject, role.emotion]
        name = f"{role.subject}-{codes[role.emotion]:02d}-{take:03d}"
        frames = int(rng.integers(*FRAMES))
        clips.append(draw_clip(rng, role, name=name, onset=1, frames=frames))
    return sorted(clips, key=lambda clip: clip.name)


def _frame_path(clip: SyntheticClip, frame: int) -> Path:
    return Path("Micro_Expression", clip.emotion, clip.name, f"{frame}.jpg")


def _write_tables(root: Path, clips: Sequence[SyntheticClip]) -> None:
    rows = [
        (
            clip.subject,
            clip.name,
            clip.onset,
            clip.apex,
            clip.offset,
            clip.action_unit_text,
            clip.emotion,
            None,
        )
        for clip in clips
    ]
    write_workbook(root / WORKBOOK, {"Sheet1": [_HEADER, *rows]})


LAYOUT = Layout(
    name="mmew",
    folder="MMEW",
    last=WORKBOOK,
    draw_clips=draw_clips,
    frame_path=_frame_path,
    native=(231, 231),
    write_tables=_write_tables,
)
