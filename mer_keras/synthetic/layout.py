"""The official layout of a database as its stand-in needs it: its clips, its tree, its tables.

What a layout declares stands in ``layouts/<database>.yaml``. A database whose clips or tables
follow rules of their own has a subclass.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from mer_keras.synthetic.synthetic_clip import (
    PEAK_MACRO,
    Cell,
    Role,
    SyntheticClip,
    assign_roles,
    draw_clip,
    repeat_roles,
    running_numbers,
)
from mer_keras.synthetic.workbooks import write_workbook

#: A clip and its frames, uint8 (frames, size, size).
RenderedClip = tuple[SyntheticClip, NDArray[np.uint8]]
#: A number, or the range from which it is drawn (the end isn't part of it).
Number = int | tuple[int, int]


class Layout(BaseModel):
    """The official layout of one database.

    Attributes:
        name: the database's name.
        folder: name of the root folder.
        last: the file that is written last: a root that has it is whole.
        native: width and height of the faces in the real database, in pixels.
        cropped: whether those are cropped faces, not the camera's whole pictures.
        camera: width and height of the camera's pictures, in pixels.
        size: side of the square frames unless the options say another, in pixels.
        frame_file: path of a frame, among those that the database offers as faces, with the fields
            ``clip`` and ``frame``; None where images stand in the table.
        camera_file: path of the camera's own picture, if the database has such pictures. They are
            written only at native size.
        parts: names of other databases that are written beside this one.
        note: text of the last file, where that is no table.
        stray_files: path -> content of files that are no data, as real databases have some.
        columns: header and field of the clip for each column of the table in the last file; without
            a field, the column is empty or ``cells`` fills it.
        sheet: name of the table's sheet.
        text_above: lines of text above the table's header.
        stream: number that seeds the clips beside the options' seed.
        emotions: emotion -> number of clips, as the database's authors count them.
        subjects: as the database writes them.
        each_subject: whether ``emotions`` counts the clips of each subject, not of all.
        only: subject -> the only emotions that this subject shows.
        codes: emotion -> how clip names write it.
        clip_name: name of a clip, with the fields ``role``, ``code``, ``take`` (running number
            among the subject's clips of one code) and ``number`` (running number among all clips).
        shown: class -> emotions whose action units its clips show, where it is none itself.
        onset: first frame number of a clip.
        frames: number of frames from onset to offset, both included.
        digits: number of digits that a frame number is padded to (1: not at all).
        macro: whether its expressions are macro-expressions.
        course: whether a clip rises to the apex and falls, ends at the apex, or is the apex alone.
        objective_classes: class by action units -> number of its clips by emotion.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    folder: str
    last: str
    native: tuple[int, int]
    cropped: bool = True
    camera: tuple[int, int] | None = None
    size: int = 96
    frame_file: str | None = None
    camera_file: str | None = None
    parts: tuple[str, ...] = ()
    note: str | None = None
    stray_files: dict[str, str] = {}
    columns: tuple[tuple[str | None, str | None], ...] = ()
    sheet: str = "Sheet1"
    text_above: tuple[str, ...] = ()
    stream: int = 0
    emotions: dict[str, int] = {}
    subjects: tuple[str, ...] = ()
    each_subject: bool = False
    only: dict[str, tuple[str, ...]] = {}
    codes: dict[str, str] = {}
    clip_name: str = ""
    shown: dict[str, tuple[str, ...]] = {}
    onset: Number = 1
    frames: Number = 1
    digits: int = 1
    macro: bool = False
    course: Literal["whole", "to_apex", "apex_alone"] = "whole"
    objective_classes: dict[int, dict[str, int]] = {}

    def frame_path(self, clip: SyntheticClip, frame: int) -> Path:
        """Return the file of a frame, relative to the database's root."""
        return Path((self.frame_file or "").format(clip=clip, frame=frame))

    def camera_path(self, clip: SyntheticClip, frame: int) -> Path:
        """Return the file of the camera's picture of a frame, relative to the database's root."""
        return Path((self.camera_file or "").format(clip=clip, frame=frame))

    def draw_clips(self, seed: int) -> list[SyntheticClip]:
        """Draw all clips of the database."""
        return self.draw(np.random.default_rng([seed, self.stream]))

    def draw(self, rng: np.random.Generator) -> list[SyntheticClip]:
        """Draw all clips of the database, in order of the subject."""
        if self.each_subject:
            roles = repeat_roles(
                [[*self.emotions.values()]] * len(self.subjects), self.emotions, self.subjects
            )
        else:
            roles = assign_roles(rng, self.emotions, self.subjects, self.only)
        takes = running_numbers()
        clips = []
        for role in roles:
            code = self.codes.get(role.emotion, "")
            take = next(takes[role.subject, code])
            name = self.clip_name.format(role=role, code=code, take=take, number=role.index + 1)
            clips.append(self.draw_declared(rng, role, name))
        return sorted(clips, key=lambda clip: clip.subject)

    def draw_declared(self, rng: np.random.Generator, role: Role, name: str) -> SyntheticClip:
        """Draw the clip of one role as the layout declares it."""
        onset, frames = draw_number(rng, self.onset), draw_number(rng, self.frames)
        shown = self.shown.get(role.emotion)
        clip = draw_clip(
            rng,
            role,
            name=name,
            onset=onset,
            frames=frames,
            peak=PEAK_MACRO if self.macro else None,
            prototype=str(rng.choice(shown)) if shown else None,
        )
        if self.course == "to_apex":
            clip = replace(clip, apex=clip.offset)
        if self.course == "apex_alone":
            clip = replace(clip, apex=onset + 1, first_frame=onset + 1, last_frame=onset + 1)
        return replace(clip, digits=self.digits)

    def labels_of(self, clip: SyntheticClip) -> dict[str, str] | None:
        """Return the labels that a reader of the database gives a clip; None: it is not read.

        So the clips of a stand-in can be counted before it is drawn.

        Returns:
            ``emotion``, and others under the names of columns of the samples table.
        """
        if not clip.listed:
            return None
        labels = {"emotion": clip.emotion}
        if clip.objective_class:
            labels["objective_class"] = str(clip.objective_class)
        return labels

    def cells(self, clip: SyntheticClip) -> Mapping[str, Cell]:
        """Return what the table says of a clip where a column has no field, or says otherwise."""
        return clip.cells

    def rows(self, clips: Sequence[SyntheticClip]) -> list[list[Cell | None]]:
        """Return the table's rows: one for each clip that is listed."""
        return [self._row(clip) for clip in clips if clip.listed]

    def _row(self, clip: SyntheticClip) -> list[Cell | None]:
        cells = self.cells(clip)
        fields = [(header, field and getattr(clip, field)) for header, field in self.columns]
        return [cells.get(header or "", value) for header, value in fields]

    def sheets(self, clips: Sequence[SyntheticClip]) -> dict[str, Sequence[Sequence[Cell | None]]]:
        """Return the sheets of the last file, where that is a workbook."""
        text = [(line,) for line in self.text_above]
        header = [header for header, _ in self.columns]
        return {self.sheet: [*text, header, *self.rows(clips)]}

    def write_frames(self, root: Path, rendered: Iterable[RenderedClip]) -> None:
        """Render all clips; the files of their frames are written meanwhile."""
        for _ in rendered:
            pass

    def write_tables(self, root: Path, clips: Sequence[SyntheticClip]) -> None:
        """Write the annotation tables and stray files."""
        for path, content in self.stray_files.items():
            (root / path).write_text(content, encoding="utf-8")
        if self.note is not None:
            (root / self.last).write_text(f"{self.note}\n", encoding="utf-8")
        else:
            write_workbook(root / self.last, self.sheets(clips))


def draw_number(rng: np.random.Generator, number: Number) -> int:
    """Draw a number from its range, if it isn't fixed."""
    return number if isinstance(number, int) else int(rng.integers(*number))
