"""A synthetic SMIC-HS: its plan and trees. The folders are the annotation."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mer_keras.synthetic import plans
from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.plans import ClipPlan

#: Clips per class, as the database's authors count them.
EMOTIONS: dict[str, int] = {"negative": 70, "positive": 51, "surprise": 43}
#: What is drawn for a class.
SHOWN = {"negative": ("disgust", "sadness", "fear"), "positive": ("happiness",)}
_CODES = {"negative": "ne", "positive": "po", "surprise": "sur"}
SUBJECTS: tuple[str, ...] = tuple(
    f"s{n}" for n in (*range(1, 7), 8, 9, *range(11, 16), *range(18, 21))
)
#: Frames in a clip, from and to: a quarter to half a second at 100 frames a second.
FRAMES = (22, 51)
README = "readme.txt"


def plan(seed: int) -> list[ClipPlan]:
    """All 164 clips, in order of subject and clip."""
    rng = np.random.default_rng([seed, 6])
    taken: dict[tuple[int, str], int] = {}
    made = []
    for index, (person, emotion) in enumerate(plans.cast(rng, EMOTIONS, len(SUBJECTS))):
        number = taken[person, emotion] = taken.get((person, emotion), 0) + 1
        subject = SUBJECTS[person]
        made.append(
            plans.draw_clip(
                rng,
                emotion=emotion,
                first=200_000 + int(rng.integers(1, 900)),
                frames=int(rng.integers(*FRAMES)),
                prototype=str(rng.choice(SHOWN.get(emotion, (emotion,)))),
                index=index,
                subject=subject,
                person=person,
                clip=f"{subject}_{_CODES[emotion]}_{number:02d}",
            )
        )
    return sorted(made, key=lambda plan: (plan.subject, plan.clip))


def _cropped(plan: ClipPlan, frame: int) -> Path:
    folder = Path("SMIC_all_cropped", "HS", plan.subject, "micro", plan.emotion, plan.clip)
    return folder / f"reg_image{frame}.bmp"


def _raw(plan: ClipPlan, frame: int) -> Path:
    subject = f"s{int(plan.subject[1:]):02d}"
    folder = Path("SMIC_all_raw", "HS", subject, "micro", plan.emotion, plan.clip)
    return folder / f"image{frame}.jpg"


def _write_tables(root: Path, clips: Sequence[ClipPlan]) -> None:
    text = "Synthetic stand-in for SMIC-HS. The folders are the labels.\n"
    (root / README).write_text(text, encoding="utf-8")


LAYOUT = Layout(
    name="smic",
    folder="SMIC",
    last=README,
    plan=plan,
    frame_path=_cropped,
    native=(170, 140),
    write_tables=_write_tables,
    camera_path=_raw,
    camera=(640, 480),
)
