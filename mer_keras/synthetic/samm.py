"""A synthetic SAMM: its clips, tree and coding table."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.synthetic_clip import (
    SyntheticClip,
    assign_roles,
    draw_clip,
    evenly_spaced,
    rename_clip,
)
from mer_keras.synthetic.workbooks import write_workbook

WORKBOOK = "SAMM_Micro_FACS_Codes_v2.xlsx"
#: Clips per emotion, as the database's authors count them.
EMOTIONS: dict[str, int] = {
    "anger": 57,
    "other": 26,
    "happiness": 26,
    "surprise": 15,
    "contempt": 12,
    "disgust": 9,
    "fear": 8,
    "sadness": 6,
}
#: The 29 of SAMM's 32 participants who stand in its table.
SUBJECTS: tuple[str, ...] = tuple(f"{n:03d}" for n in (6, 7, *range(9, 27), 28, *range(30, 38)))
#: Emotion -> objective class that its typical clips fill, and their number. The rest is class 7.
OBJECTIVE: dict[str, tuple[int, int]] = {
    "happiness": (1, 24),
    "surprise": (2, 13),
    "anger": (3, 20),
    "disgust": (4, 8),
    "sadness": (5, 3),
    "fear": (6, 7),
}
OTHERS = 7
#: The one subject who has no clip in the MEGC 2019 composite, which leaves "other" out.
OTHER_ONLY = "025"
#: Frames in a clip, from and to: a quarter to half a second at 200 frames a second.
FRAMES = (50, 101)
#: Clips whose frame numbers have four digits rather than five.
FOUR_DIGITS = 6
#: Clips whose apex lies outside onset..offset in one release of the real table.
STRAY_APEX = (("028", "028_4_1"), ("032", "032_3_1"))

_TEXT = (
    "Synthetic stand-in for the SAMM coding table",
    "Procedural faces: no person was recorded and no real annotation was copied.",
    "Subject: three digits, to be read as text.",
    "Filename: subject, inducement and running number.",
    "Inducement Code: which film was shown, 1 to 7.",
    "Onset, Apex, Offset Frame: frame numbers of the whole recording, both ends inclusive.",
    "Duration: number of frames from onset to offset.",
    "Frame rate: 200 frames per second.",
    "Micro: all rows are micro-expressions.",
    "Action Units: L and R mark movements of one side.",
    "Estimated Emotion: the emotion whose prototype was drawn.",
    "Objective Classes: 1 to 7, by action units.",
    "The table starts below.",
)
_HEADER = (
    "Subject",
    "Filename",
    "Inducement Code",
    "Onset Frame",
    "Apex Frame",
    "Offset Frame",
    "Duration",
    "Micro",
    "Action Units",
    "Estimated Emotion",
    "Objective Classes",
    "Notes",
)


def draw_clips(seed: int) -> list[SyntheticClip]:
    """Draw all 159 clips, in order of clip name."""
    rng = np.random.default_rng([seed, 1])
    roles = assign_roles(rng, EMOTIONS, SUBJECTS, {OTHER_ONLY: ("other",)})
    objective = _objective_classes([role.emotion for role in roles])
    short = set(rng.choice(len(roles), FOUR_DIGITS, replace=False).tolist())
    takes = Counter[tuple[int, int]]()
    clips = []
    for role in roles:
        stimulus = int(rng.integers(1, 8))
        takes[role.person, stimulus] += 1
        onset = int(rng.integers(300, 9000 if role.index in short else 18000))
        # Class 7 holds what an emotion's typical units don't explain: here, one unit more.
        atypical = objective[role.index] == OTHERS and role.emotion in OBJECTIVE
        clips.append(
            draw_clip(
                rng,
                role,
                name=f"{role.subject}_{stimulus}_{takes[role.person, stimulus]}",
                onset=onset,
                frames=int(rng.integers(*FRAMES)),
                extra_units={"17": 0.35} if atypical else None,
                digits=4 if role.index in short else 5,
                objective_class=objective[role.index],
                stimulus=stimulus,
            )
        )
    for subject, name in STRAY_APEX:
        stray = rename_clip(clips, subject, name)
        clips[stray] = replace(clips[stray], stimulus=int(name[4]), cells={"Apex Frame": 1})
    return sorted(clips, key=lambda clip: clip.name)


def _objective_classes(emotions: Sequence[str]) -> list[int]:
    """Give each clip an objective class so that the counts are the printed ones.

    An emotion's typical clips are spread evenly over its list, hence over the subjects.
    """
    classes = [OTHERS] * len(emotions)
    for emotion, (number, count) in OBJECTIVE.items():
        for index in evenly_spaced([k for k, e in enumerate(emotions) if e == emotion], count):
            classes[index] = number
    return classes


def _frame_path(clip: SyntheticClip, frame: int) -> Path:
    return Path(clip.subject, clip.name, f"{clip.subject}_{frame:0{clip.digits}d}.jpg")


def _write_tables(root: Path, clips: Sequence[SyntheticClip]) -> None:
    """Write lines of text, then the header in row 14, then one row a clip."""
    rows = [
        (
            clip.subject,
            clip.name,
            clip.stimulus,
            clip.onset,
            clip.cells.get("Apex Frame", clip.apex),
            clip.offset,
            clip.offset - clip.onset + 1,
            "Micro - 1/2",
            clip.action_unit_text,
            clip.emotion.capitalize(),
            clip.objective_class,
            None,
        )
        for clip in clips
    ]
    text = [(line,) for line in _TEXT]
    write_workbook(root / WORKBOOK, {"MICRO_ONLY": [*text, _HEADER, *rows]})


LAYOUT = Layout(
    name="samm",
    folder="SAMM",
    last=WORKBOOK,
    draw_clips=draw_clips,
    frame_path=_frame_path,
    native=(960, 650),
    cropped=False,
    write_tables=_write_tables,
)
