"""A synthetic CASME: its clips, trees and coding table.

No printed table gives the emotions of all 195 clips. The counts here agree with what the papers
that use it print: disgust, repression and tense have 34, 36 and 45 clips of at least 16 frames.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.synthetic_clip import SyntheticClip, assign_roles, draw_clip, evenly_spaced
from mer_keras.synthetic.workbooks import write_workbook

WORKBOOK = "CASME.xlsx"
EMOTIONS: dict[str, int] = {
    "tense": 71,
    "disgust": 44,
    "repression": 40,
    "surprise": 20,
    "happiness": 9,
    "sadness": 6,
    "contempt": 3,
    "fear": 2,
}
#: Clips of at least ``LONG`` frames in the classes that MERANet uses.
LONG_CLIPS = {"disgust": 34, "repression": 36, "tense": 45}
LONG = 16
SUBJECTS: tuple[str, ...] = tuple(f"sub{n:02d}" for n in range(1, 20))
#: Rows whose offset lies beyond the frames on disk.
WRONG_OFFSETS = 5

_HEADER = (
    "Subject",
    "Filename",
    None,
    "OnsetF",
    "ApexF1",
    "ApexF2",
    "OffsetF",
    None,
    "Onset",
    "Total",
    "AU",
    "Emotion",
)


def draw_clips(seed: int) -> list[SyntheticClip]:
    """Draw all 195 clips, in order of subject and clip."""
    rng = np.random.default_rng([seed, 4])
    roles = assign_roles(rng, EMOTIONS, SUBJECTS)
    long_clips = {
        index
        for emotion, count in LONG_CLIPS.items()
        for index in evenly_spaced([r.index for r in roles if r.emotion == emotion], count)
    }
    takes = Counter[tuple[int, int]]()
    clips = []
    for role in roles:
        episode = int(rng.integers(1, 18))
        takes[role.person, episode] += 1
        name = f"EP{episode:02d}_{takes[role.person, episode]}"
        short = role.emotion in LONG_CLIPS and role.index not in long_clips
        frames = int(rng.integers(9, LONG) if short else rng.integers(LONG, 30))
        onset = int(rng.integers(20, 160))
        clips.append(draw_clip(rng, role, name=name, onset=onset, frames=frames))
    surprised = sorted(clip.index for clip in clips if clip.emotion == "surprise")
    misprinted = surprised[:WRONG_OFFSETS]
    clips = [
        replace(clip, cells={"OffsetF": clip.offset + 4}) if clip.index in misprinted else clip
        for clip in clips
    ]
    clips.sort(key=lambda clip: (clip.subject, clip.name))
    half = len(clips) // 2
    return clips[:half] + [replace(clip, digits=3) for clip in clips[half:]]


def _cropped(clip: SyntheticClip, frame: int) -> Path:
    name = f"reg_{clip.name}-{frame:0{clip.digits}d}.jpg"
    return Path("Cropped", clip.subject, clip.name, name)


def _raw(clip: SyntheticClip, frame: int) -> Path:
    name = f"{clip.name}-{frame:0{clip.digits}d}.jpg"
    return Path("CASME_raw_selected", clip.subject, clip.name, name)


def _write_tables(root: Path, clips: Sequence[SyntheticClip]) -> None:
    rows = [
        (
            int(clip.subject.removeprefix("sub")),
            clip.name,
            None,
            clip.onset,
            clip.apex,
            clip.apex + 1 if clip.index % 3 == 0 else "\\",
            clip.cells.get("OffsetF", clip.offset),
            None,
            round((clip.apex - clip.onset) / 60 * 1000, 2),
            round((clip.offset - clip.onset + 1) / 60 * 1000, 2),
            clip.action_unit_cell,
            clip.emotion,
        )
        for clip in clips
    ]
    write_workbook(root / WORKBOOK, {"Sheet1": [_HEADER, *rows]})


LAYOUT = Layout(
    name="casme",
    folder="CASME",
    last=WORKBOOK,
    draw_clips=draw_clips,
    frame_path=_cropped,
    native=(150, 190),
    write_tables=_write_tables,
    camera_path=_raw,
    camera=(640, 480),
)
