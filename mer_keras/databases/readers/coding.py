"""Coding tables with one clip a row: what most databases of micro-expressions have in common."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from mer_keras.databases.folders import (
    find_table,
    require_inside,
    subfolders,
    unlisted_warnings,
)
from mer_keras.databases.samples import ClipAnnotation, Reading
from mer_keras.databases.tables import Columns, TableRow, span_warnings, table_rows
from mer_keras.databases.workbook import read_sheet

ACTION_UNITS: Columns = {"Action Units": ("Action Unit", "AU", "AUs")}


class LocatedClip(NamedTuple):
    """Whose clip a row is about, and where its frames are."""

    subject: str
    clip: str
    folder: Path
    objective_class: int | None = None


@dataclass(frozen=True)
class CodingTable:
    """A table with one clip a row, by the names of its columns.

    Attributes:
        database: name of the database.
        fps: frames a second.
        workbooks: known releases of the file, the preferred one first.
        pattern: what other releases may be called (see ``folders.find_table``).
        tree: the expected files, for errors.
        clip: column with the clip's name.
        onset: column with the first frame.
        apex: column with the strongest frame; the one whose cells may be empty.
        offset: column with the last frame.
        emotion: column with the emotion as the coders named it.
        others: column -> its headers in other releases.
        required: further columns that must be there.
        optional: further columns that may be there.
    """

    database: str
    fps: float
    workbooks: tuple[str, ...]
    pattern: str
    tree: str
    clip: str = "Filename"
    onset: str = "OnsetFrame"
    apex: str = "ApexFrame"
    offset: str = "OffsetFrame"
    emotion: str = "Estimated Emotion"
    others: Columns = field(default_factory=dict)
    required: Columns = field(default_factory=dict)
    optional: Columns = field(default_factory=dict)

    def read(
        self,
        root: Path,
        locate: Callable[[TableRow], LocatedClip],
        present: Iterable[Path],
        *,
        frame_source: str = "any",
        release: str = "",
        remarks: Callable[[Path], list[str]] = lambda _: [],
    ) -> Reading:
        """Read the table.

        Args:
            root: the folder that holds it.
            locate: row -> whose clip it is about, and where its frames are.
            present: clip folders on disk, to count those without a row.
            frame_source: see ``samples.Reading``.
            release: what tells the edition beside the table's name.
            remarks: table -> lines for the report, called when all rows are read.

        Returns:
            One annotation a clip. Emotions are in lower case; a missing apex gives a warning.

        Raises:
            AnnotationError: the table is absent, unreadable or breaks its format.
        """
        table, warnings = find_table(root, self.workbooks, self.pattern)
        rows, notes = table_rows(read_sheet(table), self._columns(), table, self._optional())
        clips, spans = [], []
        for row in rows:
            subject, clip, folder, objective_class = locate(row)
            span = row.span(self.onset, self.apex, self.offset)
            spans.append((row, span))
            clips.append(
                ClipAnnotation(
                    self.database,
                    subject,
                    clip,
                    require_inside(folder, root, row.where(self.clip)),
                    row.required_text(self.emotion).lower(),
                    row=row.number,
                    **span._asdict(),
                    fps=self.fps,
                    action_units=row.text("Action Units"),
                    objective_class=objective_class,
                )
            )
        warnings += notes + remarks(table) + span_warnings(table, spans)
        warnings += unlisted_warnings(present, [clip.path for clip in clips], table)
        return Reading(
            table,
            clips,
            self.tree,
            edition=f"{table.name}, {release}" if release else table.name,
            frame_source=frame_source,
            warnings=warnings,
        )

    def _columns(self) -> Columns:
        marks = (self.clip, self.onset, self.apex, self.offset, self.emotion)
        return {**{name: self.others.get(name, ()) for name in marks}, **self.required}

    def _optional(self) -> Columns:
        return {**ACTION_UNITS, **self.optional}


def clips_below(frames: Path) -> list[Path]:
    """Return the clip folders of a tree ``<subject>/<clip>``."""
    return [clip for subject in subfolders(frames) for clip in subfolders(subject)]
