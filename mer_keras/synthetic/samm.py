"""A synthetic SAMM: its plan, tree and coding table."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mer_keras.synthetic import plans
from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.plans import ClipPlan
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
#: Objective classes 1 to 6: which emotion's typical clips fill them. The rest is class 7.
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


def plan(seed: int) -> list[ClipPlan]:
    """All 159 clips, in order of clip name."""
    rng = np.random.default_rng([seed, 1])
    cast = plans.cast(rng, EMOTIONS, len(SUBJECTS), {SUBJECTS.index(OTHER_ONLY): ("other",)})
    objective = _objective_classes([emotion for _, emotion in cast])
    short = set(rng.choice(len(cast), FOUR_DIGITS, replace=False).tolist())
    taken: dict[tuple[int, int], int] = {}
    made = []
    for index, (person, emotion) in enumerate(cast):
        film = int(rng.integers(1, 8))
        number = taken[person, film] = taken.get((person, film), 0) + 1
        subject = SUBJECTS[person]
        onset = int(rng.integers(300, 9000) if index in short else rng.integers(300, 18000))
        # what an emotion's typical units don't explain is class 7: here, one unit more
        odd = objective[index] == OTHERS and emotion in OBJECTIVE
        made.append(
            plans.draw_clip(
                rng,
                emotion=emotion,
                first=onset,
                frames=int(rng.integers(*FRAMES)),
                extra={"17": 0.35} if odd else None,
                index=index,
                subject=subject,
                person=person,
                clip=f"{subject}_{film}_{number}",
                digits=4 if index in short else 5,
                objective=objective[index],
                code=film,
            )
        )
    for subject, clip in STRAY_APEX:
        made = plans.rename(made, subject, clip, code=int(clip[4]), cells={"Apex Frame": 1})
    return sorted(made, key=lambda plan: plan.clip)


def _objective_classes(emotions: Sequence[str]) -> list[int]:
    """Give each clip an objective class so that the counts are the printed ones.

    An emotion's typical clips are spread evenly over its list, hence over the subjects.
    """
    classes = [OTHERS] * len(emotions)
    for emotion, (number, count) in OBJECTIVE.items():
        for place in plans.spread([k for k, e in enumerate(emotions) if e == emotion], count):
            classes[place] = number
    return classes


def _frame_path(plan: ClipPlan, frame: int) -> Path:
    return Path(plan.subject, plan.clip, f"{plan.subject}_{frame:0{plan.digits}d}.jpg")


def _write_tables(root: Path, clips: Sequence[ClipPlan]) -> None:
    """Lines of text, then the header in row 14, then one row a clip."""
    rows = [
        (
            plan.subject,
            plan.clip,
            plan.code,
            plan.onset,
            plan.cells.get("Apex Frame", plan.apex),
            plan.offset,
            plan.offset - plan.onset + 1,
            "Micro - 1/2",
            plan.units_text,
            plan.emotion.capitalize(),
            plan.objective,
            None,
        )
        for plan in clips
    ]
    text = [(line,) for line in _TEXT]
    write_workbook(root / WORKBOOK, {"MICRO_ONLY": [*text, _HEADER, *rows]})


LAYOUT = Layout(
    name="samm",
    folder="SAMM",
    last=WORKBOOK,
    plan=plan,
    frame_path=_frame_path,
    native=(960, 650),
    cropped=False,
    write_tables=_write_tables,
)
