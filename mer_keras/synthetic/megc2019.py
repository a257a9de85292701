"""A synthetic MEGC 2019 composite: the challenge's table over the three stand-ins beside it."""

from collections.abc import Sequence
from pathlib import Path

from mer_keras.synthetic import casme2, samm, smic
from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.synthetic_clip import SyntheticClip

TABLE = "combined_3class_gt.csv"
#: Class of each emotion; clips of other emotions are not in the composite.
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


def draw_clips(seed: int) -> list[SyntheticClip]:
    """Draw the clips of all three databases."""
    return [clip for part in PARTS for clip in part.draw_clips(seed)]


def _database(clip: SyntheticClip) -> str:
    if clip.subject.isdigit():
        return "samm"
    return "casme2" if clip.subject.startswith("sub") else "smic"


def _write_tables(root: Path, clips: Sequence[SyntheticClip]) -> None:
    """Write the table as the challenge does: no header, SAMM's subjects without their zeros."""
    lines = []
    for clip in clips:
        database = _database(clip)
        label = CLASSES[database].get(clip.emotion)
        if label is None or not clip.listed or (clip.subject, clip.name) in LEFT_OUT:
            continue
        subject, name = clip.subject, clip.name
        if database == "samm":
            subject = str(int(subject))
        if database == "smic":
            padded = f"s{int(subject[1:]):02d}"
            subject, name = padded, name.replace(subject, padded, 1)
        lines.append(f"{database},{subject},{name},{label}\r\n")
    (root / TABLE).write_bytes("".join(lines).encode())


PARTS = (smic.LAYOUT, casme2.LAYOUT, samm.LAYOUT)
LAYOUT = Layout(
    name="megc2019",
    folder="MEGC2019",
    last=TABLE,
    draw_clips=draw_clips,
    frame_path=lambda clip, frame: Path(clip.name, f"{frame}.jpg"),
    native=(1, 1),
    write_tables=_write_tables,
    parts=PARTS,
)
