"""A synthetic MMEW: its plan, tree and table."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mer_keras.synthetic import plans
from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.plans import ClipPlan
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


def plan(seed: int) -> list[ClipPlan]:
    """All 300 clips, in order of clip name."""
    rng = np.random.default_rng([seed, 2])
    taken: dict[tuple[int, str], int] = {}
    codes = {emotion: code for code, emotion in enumerate(EMOTIONS, start=1)}
    made = []
    for index, (person, emotion) in enumerate(plans.cast(rng, EMOTIONS, len(SUBJECTS))):
        number = taken[person, emotion] = taken.get((person, emotion), 0) + 1
        subject = SUBJECTS[person]
        made.append(
            plans.draw_clip(
                rng,
                emotion=emotion,
                first=1,
                frames=int(rng.integers(*FRAMES)),
                index=index,
                subject=subject,
                person=person,
                clip=f"{subject}-{codes[emotion]:02d}-{number:03d}",
            )
        )
    return sorted(made, key=lambda plan: plan.clip)


def _frame_path(plan: ClipPlan, frame: int) -> Path:
    return Path("Micro_Expression", plan.emotion, plan.clip, f"{frame}.jpg")


def _write_tables(root: Path, clips: Sequence[ClipPlan]) -> None:
    rows = [
        (
            plan.subject,
            plan.clip,
            plan.onset,
            plan.apex,
            plan.offset,
            plan.units_text,
            plan.emotion,
            None,
        )
        for plan in clips
    ]
    write_workbook(root / WORKBOOK, {"Sheet1": [_HEADER, *rows]})


LAYOUT = Layout(
    name="mmew",
    folder="MMEW",
    last=WORKBOOK,
    plan=plan,
    frame_path=_frame_path,
    native=(231, 231),
    write_tables=_write_tables,
)
