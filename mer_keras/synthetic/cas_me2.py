"""A synthetic CAS(ME)^2: expressions one after another in long videos, a table of three sheets."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.synthetic_clip import PEAK_MACRO, SyntheticClip, assign_roles, draw_clip
from mer_keras.synthetic.workbooks import write_workbook

WORKBOOK = "CAS(ME)^2code_final(Updated).xlsx"
#: Micro-expressions per emotion, as the papers that use the database regroup them.
MICRO: dict[str, int] = {"happiness": 18, "anger": 22, "disgust": 17}
#: Macro-expressions per emotion; only their sum is printed.
MACRO: dict[str, int] = {"happiness": 120, "anger": 80, "disgust": 100}
#: Stimulus videos: name in the table, code and name in the folders, emotion they are to evoke.
STIMULI = (
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
#: Subject, code and number of a recording whose folder bears another person's number.
MISNAMED = ("s19", "0502", "23")


def draw_clips(seed: int) -> list[SyntheticClip]:
    """Draw all 57 micro- and 300 macro-expressions, recording by recording in their order."""
    rng = np.random.default_rng([seed, 5])
    micro, macro = (assign_roles(rng, emotions, FOLDERS) for emotions in (MICRO, MACRO))
    roles = micro + [replace(role, index=len(micro) + role.index) for role in macro]
    recordings = defaultdict(list)
    for role in roles:
        stimuli = [k for k, (*_, emotion) in enumerate(STIMULI) if emotion == role.emotion]
        recordings[role.person, int(rng.choice(stimuli))].append(role)
    clips = []
    for (_, stimulus), expressions in sorted(recordings.items()):
        first_frame = 1
        for number, role in enumerate(expressions, start=1):
            is_micro = role.index < len(micro)
            clip = draw_clip(
                rng,
                role,
                name=f"{STIMULI[stimulus][0]}_{number}",
                onset=first_frame + GAP,
                frames=int(rng.integers(9, 16) if is_micro else rng.integers(20, 45)),
                peak=None if is_micro else PEAK_MACRO,
                stimulus=stimulus,
            )
            cells = {"kind": "micro-expression" if is_micro else "macro-expression"}
            clips.append(replace(clip, first_frame=first_frame, cells=cells))
            first_frame = clip.offset + 1
    return _with_official_faults(clips)


def _with_official_faults(clips: list[SyntheticClip]) -> list[SyntheticClip]:
    """Give one micro-expression no offset, and two of one recording the same name."""
    micro = [k for k, clip in enumerate(clips) if clip.cells["kind"] == "micro-expression"]
    last = micro[-1]
    clips[last] = replace(clips[last], cells={**clips[last].cells, "offset": 0})
    for first, second in pairwise(micro):
        recordings = [(clips[k].subject, clips[k].stimulus) for k in (first, second)]
        if recordings[0] == recordings[1]:
            clips[second] = replace(clips[second], name=clips[first].name)
            break
    return clips


def _frame_path(clip: SyntheticClip, frame: int) -> Path:
    _, code, name, _ = STIMULI[clip.stimulus]
    number = clip.subject.removeprefix("s")
    if (clip.subject, code) == MISNAMED[:2]:
        number = MISNAMED[2]
    return Path("rawpic", clip.subject, f"{number}_{code}{name}", f"img{frame}.jpg")


def _write_tables(root: Path, clips: Sequence[SyntheticClip]) -> None:
    expressions = [
        (
            clip.person + 1,
            clip.name,
            clip.onset,
            clip.apex,
            clip.cells.get("offset", clip.offset),
            # Some coders wrote a full-width comma between action units.
            clip.action_unit_text.replace("+", "+" if clip.index % 5 else "\uff0c"),
            clip.emotion,
            clip.cells["kind"],
            clip.emotion,
        )
        for clip in clips
    ]
    folders = [(int(name[1:]), name, number) for number, name in enumerate(FOLDERS, start=1)]
    stimuli = [(code, stimulus) for stimulus, code, _, _ in STIMULI]
    write_workbook(
        root / WORKBOOK,
        {"CASFEcode_final": expressions, "naming rule1": folders, "naming rule2": stimuli},
    )


LAYOUT = Layout(
    name="cas_me2",
    folder="CAS(ME)^2",
    last=WORKBOOK,
    draw_clips=draw_clips,
    frame_path=_frame_path,
    native=(640, 480),
    cropped=False,
    write_tables=_write_tables,
)
