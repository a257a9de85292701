"""A synthetic CASME II: its clips, its coding table and its table of objective classes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mer_keras.synthetic.layout import Layout, draw_number
from mer_keras.synthetic.synthetic_clip import (
    OTHER_CLASS,
    Cell,
    Role,
    SyntheticClip,
    assign_objective_classes,
    assign_roles,
    draw_clip,
    rename_clip,
    running_numbers,
)
from mer_keras.synthetic.workbooks import write_workbook

OBJECTIVE_WORKBOOK = "CASME2-ObjectiveClasses.xlsx"
#: Objective class -> emotion whose action units its clips show, where it isn't their own.
SHOWN = {3: "anger", 5: "sadness"}
#: Clips that have a folder but no row.
UNLISTED = (("sub09", "EP02_02f"), ("sub24", "EP02_07"))
#: Clips of two classes of the MEGC 2019 composite that it leaves out all the same.
NOT_IN_COMPOSITE = (("sub04", "EP12_01f"), ("sub05", "EP09_05f"))
#: The cropped frames of this clip end early; the table goes on.
CUT_SHORT = ("sub16", "EP01_08")


class Casme2(Layout):
    """The layout of CASME II."""

    def draw(self, rng: np.random.Generator) -> list[SyntheticClip]:
        """Draw all 255 clips and the two without a row, in order of subject and clip."""
        roles = assign_roles(rng, self.emotions, self.subjects, self.only)
        classes = assign_objective_classes(roles, self.objective_classes)
        for subject, _ in UNLISTED:
            roles.append(Role(len(roles), self.subjects.index(subject), subject, "others"))
            classes.append(OTHER_CLASS)
        takes = running_numbers()
        clips = []
        for role, objective_class in zip(roles, classes, strict=True):
            episode = int(rng.integers(3, 20))  # The clips without a row are of episode 2.
            name = f"EP{episode:02d}_{next(takes[role.person, episode]):02d}"
            onset, frames = draw_number(rng, self.onset), draw_number(rng, self.frames)
            clip = draw_clip(
                rng,
                role,
                name=f"{name}f" if role.index % 3 else name,
                onset=onset,
                frames=frames,
                prototype=SHOWN.get(objective_class),
            )
            clips.append(replace(clip, objective_class=objective_class))
        listed = _with_official_faults(clips[: -len(UNLISTED)])
        for (_, name), clip in zip(UNLISTED, clips[-len(UNLISTED) :], strict=True):
            listed.append(replace(clip, name=name, listed=False))
        return sorted(listed, key=lambda clip: (clip.subject, clip.name))

    def cells(self, clip: SyntheticClip) -> Mapping[str, Cell]:
        """Return the cells that are no field of the clip."""
        return {"Subject": clip.subject.removeprefix("sub"), **clip.cells}

    def sheets(self, clips: Sequence[SyntheticClip]) -> dict[str, Sequence[Sequence[Cell | None]]]:
        """Return the coding table and two empty sheets."""
        return {**super().sheets(clips), "Sheet2": [], "Sheet3": []}

    def write_tables(self, root: Path, clips: Sequence[SyntheticClip]) -> None:
        """Write both tables."""
        rows: list[Sequence[Cell]] = [("Subject", "Filename", "Objective Class")]
        rows += [
            (clip.subject.removeprefix("sub"), clip.name, clip.objective_class)
            for clip in clips
            if clip.listed
        ]
        write_workbook(root / OBJECTIVE_WORKBOOK, {"Sheet1": rows})
        super().write_tables(root, clips)


def _with_official_faults(clips: list[SyntheticClip]) -> list[SyntheticClip]:
    """Add an apex that nobody coded, one at the onset, and a clip whose cropped frames end early.

    The two clips that the MEGC 2019 composite leaves out of its classes are of those classes.
    """
    for subject, name in NOT_IN_COMPOSITE:
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
