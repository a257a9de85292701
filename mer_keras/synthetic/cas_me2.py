"""A synthetic CAS(ME)^2: expressions one after another in long videos, a table of three sheets."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from mer_keras.synthetic import plans
from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.plans import ClipPlan
from mer_keras.synthetic.workbooks import write_workbook

WORKBOOK = "CAS(ME)^2code_final(Updated).xlsx"
#: Micro-expressions per emotion, as the papers that use the database regroup them.
MICRO: dict[str, int] = {"happiness": 18, "anger": 22, "disgust": 17}
#: Macro-expressions; only their sum is printed.
MACRO: dict[str, int] = {"happiness": 120, "anger": 80, "disgust": 100}
#: Films: name in the table, code and name in the folders, emotion they are to evoke.
FILMS = (
    ("disgust1", "0101", "disgustingteeth", "disgust"),
    ("disgust2", "0102", "eatingworms", "disgust"),
    ("anger1", "0401", "girlcrashing", "anger"),
    ("anger2", "0402", "beatingpregnantwoman", "anger"),
    ("happy1", "0502", "funnyerrors", "happiness"),
    ("happy2", "0503", "unnyfarting", "happiness"),
    ("happy3", "0505", "funnyinnovations", "happiness"),
    ("happy4", "0507", "climbingthewall", "happiness"),
    ("happy5", "0508", "funnydunkey", "happiness"),
)
#: The participants' folders are numbered otherwise than the participants.
FOLDERS: tuple[str, ...] = tuple(f"s{n}" for n in (15, 16, *range(19, 39)))
#: Frames at rest before each expression.
GAP = 6
#: The folder of this film under s19 bears another person's number.
MISNAMED = ("s19", "0502", "23")


def plan(seed: int) -> list[ClipPlan]:
    """All 57 micro- and 300 macro-expressions, video by video in their order."""
    rng = np.random.default_rng([seed, 5])
    cast = [(person, emotion, "micro") for person, emotion in plans.cast(rng, MICRO, len(FOLDERS))]
    cast += [(person, emotion, "macro") for person, emotion in plans.cast(rng, MACRO, len(FOLDERS))]
    videos = defaultdict(list)
    for index, (person, emotion, kind) in enumerate(cast):
        films = [number for number, film in enumerate(FILMS) if film[3] == emotion]
        videos[person, int(rng.choice(films))].append((index, emotion, kind))
    made = []
    for (person, film), expressions in sorted(videos.items()):
        position = 1
        for number, (index, emotion, kind) in enumerate(expressions, start=1):
            micro = kind == "micro"
            clip = plans.draw_clip(
                rng,
                emotion=emotion,
                first=position + GAP,
                frames=int(rng.integers(9, 16) if micro else rng.integers(20, 45)),
                peak=None if micro else plans.PEAK_MACRO,
                index=index,
                subject=FOLDERS[person],
                person=person,
                clip=f"{FILMS[film][0]}_{number}",
                code=film,
                cells={"kind": f"{kind}-expression"},
            )
            made.append(replace(clip, first=position))
            position = clip.offset + 1
    return _with_official_faults(made)


def _with_official_faults(made: list[ClipPlan]) -> list[ClipPlan]:
    """Give one micro-expression no offset, and two of one video the same name."""
    micro = [place for place, plan in enumerate(made) if plan.cells["kind"].startswith("micro")]
    last = micro[-1]
    made[last] = replace(made[last], cells={**made[last].cells, "offset": 0})
    for one, other in pairwise(micro):
        if (made[one].subject, made[one].code) == (made[other].subject, made[other].code):
            made[other] = replace(made[other], clip=made[one].clip)
            break
    return made


def _frame_path(plan: ClipPlan, frame: int) -> Path:
    _, code, name, _ = FILMS[plan.code]
    number = plan.subject.removeprefix("s")
    if (plan.subject, code) == MISNAMED[:2]:
        number = MISNAMED[2]
    return Path("rawpic", plan.subject, f"{number}_{code}{name}", f"img{frame}.jpg")


def _write_tables(root: Path, clips: Sequence[ClipPlan]) -> None:
    expressions = [
        (
            plan.person + 1,
            plan.clip,
            plan.onset,
            plan.apex,
            plan.cells.get("offset", plan.offset),
            plan.units_text.replace("+", "\uff0c") if plan.index % 5 == 0 else plan.units_text,
            plan.emotion,
            plan.cells["kind"],
            plan.emotion,
        )
        for plan in clips
    ]
    naming = [(int(name[1:]), name, number) for number, name in enumerate(FOLDERS, start=1)]
    films = [(code, film) for film, code, _, _ in FILMS]
    write_workbook(
        root / WORKBOOK,
        {"CASFEcode_final": expressions, "naming rule1": naming, "naming rule2": films},
    )


LAYOUT = Layout(
    name="cas_me2",
    folder="CAS(ME)^2",
    last=WORKBOOK,
    plan=plan,
    frame_path=_frame_path,
    native=(640, 480),
    cropped=False,
    write_tables=_write_tables,
)
