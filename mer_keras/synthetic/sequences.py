"""Synthetic CK+, Oulu-CASIA and MUG: posed expressions as sequences of images."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mer_keras.synthetic import plans
from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.plans import ClipPlan

#: Labelled sequences of CK+ by emotion, as its authors count them; 266 more have no label.
CKPLUS: dict[str, int] = {
    "anger": 45,
    "contempt": 18,
    "disgust": 59,
    "fear": 25,
    "happiness": 69,
    "sadness": 28,
    "surprise": 83,
}
CKPLUS_UNLABELLED = 266
CKPLUS_SUBJECTS = tuple(f"S{n:03d}" for n in (5, *range(10, 132)))
CKPLUS_NUMBERS = {
    "anger": 1,
    "contempt": 2,
    "disgust": 3,
    "fear": 4,
    "happiness": 5,
    "sadness": 6,
    "surprise": 7,
}
BASIC = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
OULU_SUBJECTS = tuple(f"P{n:03d}" for n in range(1, 81))
#: Whom MUG gives to other researchers.
MUG_SUBJECTS = tuple(f"{n:03d}" for n in range(1, 53))
_NOTE = "LICENCE-SYNTHETIC.txt"


def plan_ckplus(seed: int) -> list[ClipPlan]:
    """All 593 sequences, from neutral to apex, in order of subject and number."""
    rng = np.random.default_rng([seed, 7])
    cast = plans.cast(rng, {**CKPLUS, "other": CKPLUS_UNLABELLED}, len(CKPLUS_SUBJECTS))
    taken: dict[int, int] = {}
    made = []
    for index, (person, emotion) in enumerate(cast):
        number = taken[person] = taken.get(person, 0) + 1
        clip = plans.draw_clip(
            rng,
            emotion=emotion,
            first=1,
            frames=int(rng.integers(10, 31)),
            peak=plans.PEAK_MACRO,
            index=index,
            subject=CKPLUS_SUBJECTS[person],
            person=person,
            clip=f"{number:03d}",
            digits=8,
        )
        made.append(replace(clip, apex=clip.offset))
    return made


def _ckplus_path(plan: ClipPlan, frame: int) -> Path:
    name = f"{plan.subject}_{plan.clip}_{frame:0{plan.digits}d}.png"
    return Path("cohn-kanade-images", plan.subject, plan.clip, name)


def _write_ckplus(root: Path, clips: Sequence[ClipPlan]) -> None:
    """Write one file a labelled sequence; half of the others have an empty folder."""
    for plan in clips:
        number = CKPLUS_NUMBERS.get(plan.emotion)
        folder = root / "Emotion" / plan.subject / plan.clip
        if number is not None or plan.index % 2:
            folder.mkdir(parents=True, exist_ok=True)
        if number is not None:
            name = f"{plan.subject}_{plan.clip}_{plan.offset:08d}_emotion.txt"
            (folder / name).write_text(f"   {number:.7e}\n", encoding="ascii")
    (root / "cohn-kanade-images" / ".DS_Store").write_bytes(b"\x00")
    _write_note(root, clips)


def plan_oulu(seed: int) -> list[ClipPlan]:
    """480 sequences of the visible-light camera under strong light, from neutral to apex."""
    rng = np.random.default_rng([seed, 8])
    made: list[ClipPlan] = []
    for person, subject in enumerate(OULU_SUBJECTS):
        for emotion in BASIC:
            clip = plans.draw_clip(
                rng,
                emotion=emotion,
                first=0,
                frames=int(rng.integers(9, 20)),
                peak=plans.PEAK_MACRO,
                index=len(made),
                subject=subject,
                person=person,
                clip=emotion.capitalize(),
                digits=3,
            )
            made.append(replace(clip, apex=clip.offset))
    return made


def _oulu_path(plan: ClipPlan, frame: int) -> Path:
    folder = Path("OriginalImg", "VL", "Strong", plan.subject, plan.clip)
    return folder / f"{frame:0{plan.digits}d}.jpeg"


def _write_oulu(root: Path, clips: Sequence[ClipPlan]) -> None:
    strong = root / "OriginalImg" / "VL" / "Strong"
    (strong / clips[0].subject / clips[0].clip / "Thumbs.db").write_bytes(b"\x00")
    _write_note(root, clips)


def plan_mug(seed: int) -> list[ClipPlan]:
    """One take of each of seven expressions by 52 people: the printed sources give no more."""
    rng = np.random.default_rng([seed, 9])
    return [
        plans.draw_clip(
            rng,
            emotion=emotion,
            first=0,
            frames=int(rng.integers(20, 31)),
            peak=plans.PEAK_MACRO,
            index=person * 7 + number,
            subject=subject,
            person=person,
            clip="take000",
            digits=4,
        )
        for person, subject in enumerate(MUG_SUBJECTS)
        for number, emotion in enumerate((*BASIC, "neutral"))
    ]


def _mug_path(plan: ClipPlan, frame: int) -> Path:
    return Path(plan.subject, plan.emotion, plan.clip, f"img_{frame:0{plan.digits}d}.jpg")


def _write_note(root: Path, clips: Sequence[ClipPlan]) -> None:
    """Write the last file: no table of these databases could be it."""
    text = "Procedural drawings in the layout of this database: no licence is needed.\n"
    (root / _NOTE).write_text(text, encoding="utf-8")


LAYOUTS = (
    Layout(
        name="ckplus",
        folder="CK+",
        last=_NOTE,
        plan=plan_ckplus,
        frame_path=_ckplus_path,
        native=(640, 490),
        cropped=False,
        write_tables=_write_ckplus,
    ),
    Layout(
        name="oulu_casia",
        folder="Oulu-CASIA",
        last=_NOTE,
        plan=plan_oulu,
        frame_path=_oulu_path,
        native=(320, 240),
        cropped=False,
        write_tables=_write_oulu,
    ),
    Layout(
        name="mug",
        folder="MUG",
        last=_NOTE,
        plan=plan_mug,
        frame_path=_mug_path,
        native=(896, 896),
        cropped=False,
        write_tables=_write_note,
    ),
)
