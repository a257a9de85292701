"""A synthetic MEGC 2019 composite: the challenge's table over the three stand-ins beside it."""

from collections.abc import Sequence
from pathlib import Path

from mer_keras.synthetic import casme2, samm, smic
from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.plans import ClipPlan

TABLE = "combined_3class_gt.csv"
#: Class of each emotion; clips of the others are not in the composite.
CLASSES = {
    "samm": {
        **dict.fromkeys(("anger", "contempt", "disgust", "fear", "sadness"), 0),
        "happiness": 1,
        "surprise": 2,
    },
    "casme2": {"disgust": 0, "repression": 0, "happiness": 1, "surprise": 2},
    "smic": {"negative": 0, "positive": 1, "surprise": 2},
}
#: Clips of CASME II that have a class and are left out all the same.
LEFT_OUT = frozenset({("sub04", "EP12_01f"), ("sub05", "EP12_03f")})


def plan(seed: int) -> list[ClipPlan]:
    """The plans of all three databases."""
    return [clip for part in PARTS for clip in part.plan(seed)]


def _database(plan: ClipPlan) -> str:
    if plan.subject.isdigit():
        return "samm"
    return "casme2" if plan.subject.startswith("sub") else "smic"


def _write_tables(root: Path, clips: Sequence[ClipPlan]) -> None:
    """Write the table as the challenge does: no header, SAMM's subjects without their zeros."""
    lines = []
    for plan in clips:
        database = _database(plan)
        number = CLASSES[database].get(plan.emotion)
        listed = plan.cells.get("listed", True) and (plan.subject, plan.clip) not in LEFT_OUT
        if number is None or not listed:
            continue
        subject, clip = plan.subject, plan.clip
        if database == "samm":
            subject = str(int(subject))
        if database == "smic":
            padded = f"s{int(subject[1:]):02d}"
            subject, clip = padded, clip.replace(subject, padded, 1)
        lines.append(f"{database},{subject},{clip},{number}\r\n")
    (root / TABLE).write_bytes("".join(lines).encode())


PARTS = (smic.LAYOUT, casme2.LAYOUT, samm.LAYOUT)
LAYOUT = Layout(
    name="megc2019",
    folder="MEGC2019",
    last=TABLE,
    plan=plan,
    frame_path=lambda plan, frame: Path(plan.clip, f"{frame}.jpg"),
    native=(1, 1),
    write_tables=_write_tables,
    parts=PARTS,
)
