"""A synthetic CASME: its plan, trees and coding table.

No printed table gives the emotions of all 195 clips. The counts here agree with what the papers
that use it print: disgust, repression and tense have 34, 36 and 45 clips of at least 16 frames.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mer_keras.synthetic import plans
from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.plans import ClipPlan
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


def plan(seed: int) -> list[ClipPlan]:
    """All 195 clips, in order of subject and clip."""
    rng = np.random.default_rng([seed, 4])
    cast = plans.cast(rng, EMOTIONS, len(SUBJECTS))
    long_ones = {
        place
        for emotion, count in LONG_CLIPS.items()
        for place in plans.spread([k for k, (_, e) in enumerate(cast) if e == emotion], count)
    }
    taken: dict[tuple[int, int], int] = {}
    made = []
    for index, (person, emotion) in enumerate(cast):
        film = int(rng.integers(1, 18))
        number = taken[person, film] = taken.get((person, film), 0) + 1
        short = emotion in LONG_CLIPS and index not in long_ones
        frames = int(rng.integers(9, LONG) if short else rng.integers(LONG, 30))
        made.append(
            plans.draw_clip(
                rng,
                emotion=emotion,
                first=int(rng.integers(20, 160)),
                frames=frames,
                index=index,
                subject=SUBJECTS[person],
                person=person,
                clip=f"EP{film:02d}_{number}",
            )
        )
    wrong = {plan.index for plan in made if plan.emotion == "surprise"}
    wrong = set(sorted(wrong)[:WRONG_OFFSETS])
    made = [
        replace(plan, cells={"OffsetF": plan.offset + 4}) if plan.index in wrong else plan
        for plan in made
    ]
    made.sort(key=lambda plan: (plan.subject, plan.clip))
    half = len(made) // 2
    return made[:half] + [replace(plan, digits=3) for plan in made[half:]]


def _cropped(plan: ClipPlan, frame: int) -> Path:
    name = f"reg_{plan.clip}-{frame:0{plan.digits}d}.jpg"
    return Path("Cropped", plan.subject, plan.clip, name)


def _raw(plan: ClipPlan, frame: int) -> Path:
    name = f"{plan.clip}-{frame:0{plan.digits}d}.jpg"
    return Path("CASME_raw_selected", plan.subject, plan.clip, name)


def _write_tables(root: Path, clips: Sequence[ClipPlan]) -> None:
    rows = [
        (
            int(plan.subject.removeprefix("sub")),
            plan.clip,
            None,
            plan.onset,
            plan.apex,
            plan.apex + 1 if plan.index % 3 == 0 else "\\",
            plan.cells.get("OffsetF", plan.offset),
            None,
            round((plan.apex - plan.onset) / 60 * 1000, 2),
            round((plan.offset - plan.onset + 1) / 60 * 1000, 2),
            int(plan.units_text) if plan.units_text.isdigit() else plan.units_text,
            plan.emotion,
        )
        for plan in clips
    ]
    write_workbook(root / WORKBOOK, {"Sheet1": [_HEADER, *rows]})


LAYOUT = Layout(
    name="casme",
    folder="CASME",
    last=WORKBOOK,
    plan=plan,
    frame_path=_cropped,
    native=(150, 190),
    write_tables=_write_tables,
    camera_path=_raw,
    camera=(640, 480),
)
