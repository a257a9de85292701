"""Coding tables with one clip a row: what most databases of micro-expressions have in common."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from mer_keras.databases.folders import (
    find_table,
    require_inside,
    subfolders,
    unlisted_warnings,
)
from mer_keras.databases.samples import Reading
from mer_keras.databases.tables import Columns, Row, span_warnings, table_rows
from mer_keras.databases.workbook import read_sheet

ACTION_UNITS: Columns = {"Action Units": ("Action Unit", "AU", "AUs")}


class Place(NamedTuple):
    """Whose clip a row is, and where its frames are; ``more`` are further columns of the row."""

    subject: str
    clip: str
    folder: Path
    more: Mapping[str, Any] = {}


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
        others: column -> what other releases call it.
        required: further columns that must be there.
        optional: further columns that may be.
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
        place: Callable[[Row], Place],
        present: Iterable[Path],
        *,
        frames: str = "any",
        release: str = "",
        remarks: Callable[[Path], list[str]] = lambda _: [],
    ) -> Reading:
        """Read the table.

        Args:
            root: the folder that holds it.
            place: row -> whose clip it is and where.
            present: clip folders on disk, to count those without a row.
            frames: see ``samples.Reading``.
            release: what the edition is beside the table's name.
            remarks: table -> lines for the report, asked for when all rows are read.

        Returns:
            One row a clip. Emotions are in lower case; a missing apex is empty, with a warning.

        Raises:
            AnnotationError: the table is absent, unreadable or breaks its format.
        """
        table, warnings = find_table(root, self.workbooks, self.pattern)
        lines, notes = table_rows(read_sheet(table), self._columns(), table, self._optional())
        rows, spans = [], []
        for line in lines:
            subject, clip, folder, more = place(line)
            span = line.span(self.onset, self.apex, self.offset)
            spans.append((line, span))
            rows.append(
                {
                    "row": line.number,
                    "database": self.database,
                    "subject": subject,
                    "clip": clip,
                    "path": require_inside(folder, root, line.where(self.clip)),
                    **span._asdict(),
                    "fps": self.fps,
                    "emotion": line.required_text(self.emotion).lower(),
                    "action_units": line.text("Action Units"),
                    **more,
                }
            )
        warnings += notes + remarks(table) + span_warnings(table, spans)
        warnings += unlisted_warnings(present, [row["path"] for row in rows], table)
        edition = f"{table.name}, {release}" if release else table.name
        return Reading(table, rows, self.tree, edition=edition, frames=frames, warnings=warnings)

    def _columns(self) -> Columns:
        marks = (self.clip, self.onset, self.apex, self.offset, self.emotion)
        return {**{name: self.others.get(name, ()) for name in marks}, **self.required}

    def _optional(self) -> Columns:
        return {**ACTION_UNITS, **self.optional}


def clips_below(frames: Path) -> list[Path]:
    """Return the clip folders of a tree ``<subject>/<clip>``."""
    return [clip for subject in subfolders(frames) for clip in subfolders(subject)]
