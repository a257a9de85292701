"""A synthetic CASME II: its clips, trees, coding table and table of objective classes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.synthetic_clip import (
    Role,
    SyntheticClip,
    assign_roles,
    draw_clip,
    evenly_spaced,
    rename_clip,
)
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
#: Objective class -> emotion whose action units its clips show, where it isn't their own.
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


def draw_clips(seed: int) -> list[SyntheticClip]:
    """Draw all 255 clips and the two without a row, in order of subject and clip."""
    rng = np.random.default_rng([seed, 3])
    roles = assign_roles(rng, EMOTIONS, SUBJECTS, dict.fromkeys(NOT_IN_COMPOSITE, LEFT_OUT))
    objective = _objective_classes([role.emotion for role in roles])
    for subject, _ in UNLISTED:
        roles.append(Role(len(roles), SUBJECTS.index(subject), subject, "others"))
        objective.append(OTHERS)
    takes = Counter[tuple[int, int]]()
    clips = []
    for role in roles:
        episode = int(rng.integers(3, 20))  # The clips without a row are of episode 2.
        takes[role.person, episode] += 1
        name = f"EP{episode:02d}_{takes[role.person, episode]:02d}"
        clips.append(
            draw_clip(
                rng,
                role,
                name=f"{name}f" if role.index % 3 else name,
                onset=int(rng.integers(1, 400)),
                frames=int(rng.integers(*FRAMES)),
                prototype=SHOWN.get(objective[role.index]),
                objective_class=objective[role.index],
            )
        )
    listed = _with_official_faults(clips[: -len(UNLISTED)])
    for (_, name), clip in zip(UNLISTED, clips[-len(UNLISTED) :], strict=True):
        listed.append(replace(clip, name=name, listed=False))
    return sorted(listed, key=lambda clip: (clip.subject, clip.name))


def _with_official_faults(clips: list[SyntheticClip]) -> list[SyntheticClip]:
    """Add an apex that nobody coded, one at the onset, and a clip whose cropped frames end early.

    The two clips that the MEGC 2019 composite leaves out of its classes are of those classes.
    """
    for subject, name in (("sub04", "EP12_01f"), ("sub05", "EP12_03f")):
        classes = ("disgust", "repression")
        own = [c for c in clips if c.subject == subject and c.emotion in classes]
        others = [c for c in clips if c.subject != subject or c.emotion not in classes]
        rename_clip(own, subject, name)
        clips = others + own
    uncoded = rename_clip(clips, "sub04", "EP12_01f")
    clips[uncoded] = replace(clips[uncoded], cells={"ApexFrame": "/"})
    at_onset = rename_clip(clips, "sub05", "EP09_05f")
    clips[at_onset] = replace(clips[at_onset], cells={"ApexFrame": clips[at_onset].onset})
    cut = rename_clip(clips, *CUT_SHORT)
    clips[cut] = replace(
        clips[cut], onset=73, apex=94, offset=110, first_frame=73, last_frame=96, cells={}
    )
    return clips


def _objective_classes(emotions: Sequence[str]) -> list[int]:
    """Give each clip an objective class so that the counts are the printed ones."""
    classes = [OTHERS] * len(emotions)
    for number, shares in OBJECTIVE:
        for emotion, count in shares.items():
            free = [k for k, e in enumerate(emotions) if e == emotion and classes[k] == OTHERS]
            for index in evenly_spaced(free, count):
                classes[index] = number
    return classes


def _cropped(clip: SyntheticClip, frame: int) -> Path:
    return Path("Cropped", clip.subject, clip.name, f"reg_img{frame}.jpg")


def _raw(clip: SyntheticClip, frame: int) -> Path:
    return Path("CASME2_RAW_selected", clip.subject, clip.name, f"img{frame}.jpg")


def _write_tables(root: Path, clips: Sequence[SyntheticClip]) -> None:
    listed = [clip for clip in clips if clip.listed]
    rows = [
        (
            clip.subject.removeprefix("sub"),
            clip.name,
            None,
            clip.onset,
            clip.cells.get("ApexFrame", clip.apex),
            clip.offset,
            None,
            clip.action_unit_cell,
            clip.emotion,
        )
        for clip in listed
    ]
    objective = [(c.subject.removeprefix("sub"), c.name, c.objective_class) for c in listed]
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
    draw_clips=draw_clips,
    frame_path=_cropped,
    native=(280, 340),
    write_tables=_write_tables,
    camera_path=_raw,
    camera=(640, 480),
)
