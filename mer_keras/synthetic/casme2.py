"""A synthetic CASME II: its plan, trees, coding table and table of objective classes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mer_keras.synthetic import plans
from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.plans import ClipPlan
from mer_keras.synthetic.workbooks import write_workbook

WORKBOOK = "CASME2-coding-20140508.xlsx"
OBJECTIVE_WORKBOOK = "CASME2-ObjectiveClasses.xlsx"
#: Clips per emotion, as the database's authors count them.
EMOTIONS: dict[str, int] = {
    "others": 99,
    "disgust": 63,
    "happiness": 32,
    "repression": 27,
    "surprise": 25,
    "sadness": 7,
    "fear": 2,
}
SUBJECTS: tuple[str, ...] = tuple(f"sub{n:02d}" for n in range(1, 27))
#: Subjects who have no clip in the MEGC 2019 composite, which leaves these emotions out.
NOT_IN_COMPOSITE = ("sub10", "sub18")
LEFT_OUT = ("others", "sadness", "fear")
#: (objective class, clips of it from each emotion); the rest is class 7.
OBJECTIVE = (
    (1, {"happiness": 25}),
    (2, {"surprise": 15}),
    (3, {"others": 62, "disgust": 37}),
    (4, {"disgust": 26}),
    (5, {"repression": 20}),
    (6, {"fear": 1}),
)
OTHERS = 7
#: What shows in clips of an objective class, where it isn't what their emotion shows.
SHOWN = {3: "anger", 5: "sadness"}
#: Frames in a clip, from and to: a quarter to half a second at 200 frames a second.
FRAMES = (50, 101)
#: Clips that have a folder but no row.
UNLISTED = (("sub09", "EP02_02f"), ("sub24", "EP02_07"))
#: The cropped frames of this clip end early; the table goes on.
CUT_SHORT = ("sub16", "EP01_08")

_HEADER = (
    "Subject",
    "Filename",
    None,
    "OnsetFrame",
    "ApexFrame",
    "OffsetFrame",
    None,
    "Action Units",
    "Estimated Emotion",
)


def plan(seed: int) -> list[ClipPlan]:
    """All 255 clips and the two without a row, in order of subject and clip."""
    rng = np.random.default_rng([seed, 3])
    only = {SUBJECTS.index(subject): LEFT_OUT for subject in NOT_IN_COMPOSITE}
    cast = plans.cast(rng, EMOTIONS, len(SUBJECTS), only)
    cast += [(SUBJECTS.index(subject), "others") for subject, _ in UNLISTED]
    objective = _objective_classes([emotion for _, emotion in cast[: -len(UNLISTED)]])
    objective += [OTHERS] * len(UNLISTED)
    taken: dict[tuple[int, int], int] = {}
    made = []
    for index, (person, emotion) in enumerate(cast):
        film = int(rng.integers(3, 20))  # not 2, of which are the clips without a row
        number = taken[person, film] = taken.get((person, film), 0) + 1
        made.append(
            plans.draw_clip(
                rng,
                emotion=emotion,
                first=int(rng.integers(1, 400)),
                frames=int(rng.integers(*FRAMES)),
                prototype=SHOWN.get(objective[index]),
                index=index,
                subject=SUBJECTS[person],
                person=person,
                clip=f"EP{film:02d}_{number:02d}{'f' if index % 3 else ''}",
                objective=objective[index],
            )
        )
    listed, unlisted = made[: -len(UNLISTED)], made[-len(UNLISTED) :]
    listed = _with_official_faults(listed)
    for (subject, clip), spare in zip(UNLISTED, unlisted, strict=True):
        listed += plans.rename([spare], subject, clip, cells={"listed": False})
    return sorted(listed, key=lambda plan: (plan.subject, plan.clip))


def _with_official_faults(made: list[ClipPlan]) -> list[ClipPlan]:
    """One apex that nobody coded, one that is the onset, one clip whose cropped frames end early.

    The two clips that the MEGC 2019 composite leaves out of its classes are of those classes.
    """

    def named(subject: str, clip: str, emotions: Sequence[str], **changes: object) -> None:
        nonlocal made
        own = [p for p in made if p.subject == subject and p.emotion in emotions]
        others = [p for p in made if p.subject != subject or p.emotion not in emotions]
        made = others + plans.rename(own, subject, clip, **changes)

    negative = ("disgust", "repression")
    named("sub04", "EP12_01f", negative, cells={"ApexFrame": "/"})
    named("sub05", "EP12_03f", negative)
    made = plans.rename(made, "sub05", "EP09_05f")
    made = [
        p if (p.subject, p.clip) != ("sub05", "EP09_05f") else _with(p, {"ApexFrame": p.onset})
        for p in made
    ]
    subject, clip = CUT_SHORT
    return plans.rename(
        made, subject, clip, onset=73, apex=94, offset=110, first=73, last=96, cells={}
    )


def _with(plan: ClipPlan, cells: dict[str, object]) -> ClipPlan:
    return plans.rename([plan], plan.subject, plan.clip, cells={**plan.cells, **cells})[0]


def _objective_classes(emotions: Sequence[str]) -> list[int]:
    """Give each clip an objective class so that the counts are the printed ones."""
    classes = [OTHERS] * len(emotions)
    for number, shares in OBJECTIVE:
        for emotion, count in shares.items():
            free = [k for k, e in enumerate(emotions) if e == emotion and classes[k] == OTHERS]
            for place in plans.spread(free, count):
                classes[place] = number
    return classes


def _cropped(plan: ClipPlan, frame: int) -> Path:
    return Path("Cropped", plan.subject, plan.clip, f"reg_img{frame}.jpg")


def _raw(plan: ClipPlan, frame: int) -> Path:
    return Path("CASME2_RAW_selected", plan.subject, plan.clip, f"img{frame}.jpg")


def _write_tables(root: Path, clips: Sequence[ClipPlan]) -> None:
    listed = [plan for plan in clips if plan.cells.get("listed", True)]
    rows = [
        (
            plan.subject.removeprefix("sub"),
            plan.clip,
            None,
            plan.onset,
            plan.cells.get("ApexFrame", plan.apex),
            plan.offset,
            None,
            int(plan.units_text) if plan.units_text.isdigit() else plan.units_text,
            plan.emotion,
        )
        for plan in listed
    ]
    objective = [(plan.subject.removeprefix("sub"), plan.clip, plan.objective) for plan in listed]
    header = ("Subject", "Filename", "Objective Class")
    stray = root / "Cropped" / "sub01"
    if stray.is_dir():
        (stray / "Desktop - Shortcut.lnk").write_bytes(b"L\x00\x00\x00")
    write_workbook(root / OBJECTIVE_WORKBOOK, {"Sheet1": [header, *objective]})
    write_workbook(root / WORKBOOK, {"Sheet1": [_HEADER, *rows], "Sheet2": [], "Sheet3": []})


LAYOUT = Layout(
    name="casme2",
    folder="CASME2",
    last=WORKBOOK,
    plan=plan,
    frame_path=_cropped,
    native=(280, 340),
    write_tables=_write_tables,
    camera_path=_raw,
    camera=(640, 480),
)
