"""Coding tables with one clip a row: what most databases of micro-expressions have in common."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from mer_keras.databases.entry import Database
from mer_keras.databases.folders import find_table, subfolders, unlisted_warnings
from mer_keras.databases.links import require_inside
from mer_keras.databases.samples import ClipAnnotation, Reading
from mer_keras.databases.tables import TableRow, span_warnings, table_rows
from mer_keras.databases.workbook import read_sheet


class LocatedClip(NamedTuple):
    """Whose clip a row is about, and where its frames are."""

    subject: str
    clip: str
    folder: Path
    objective_class: int | None = None


class CodedDatabase(Database):
    """A database whose table has one clip a row.

    Attributes:
        fps: frames a second.
        workbooks: known releases of the table, the preferred one first.
        workbook_pattern: what other releases may be called (see ``folders.find_table``).
        columns: what stands in a column (``clip``, ``onset``, ``apex``, ``offset``, ``emotion`` and
            others) -> its official header, then those of other releases.
        optional_columns: the same for columns that may be absent.
    """

    fps: float
    workbooks: tuple[str, ...]
    workbook_pattern: str
    columns: dict[str, tuple[str, ...]]
    optional_columns: dict[str, tuple[str, ...]]

    def read_table(
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
        table, warnings = find_table(root, self.workbooks, self.workbook_pattern)
        required = {official: others for official, *others in self.columns.values()}
        optional = {official: others for official, *others in self.optional_columns.values()}
        rows, notes = table_rows(read_sheet(table), required, table, optional)
        onset, apex, offset = (self.columns[name][0] for name in ("onset", "apex", "offset"))
        clips, spans = [], []
        for row in rows:
            subject, clip, folder, objective_class = locate(row)
            span = row.span(onset, apex, offset)
            spans.append((row, span))
            clips.append(
                ClipAnnotation(
                    self.name,
                    subject,
                    clip,
                    require_inside(folder, root, row.where(self.columns["clip"][0])),
                    row.required_text(self.columns["emotion"][0]).lower(),
                    row=row.number,
                    **span._asdict(),
                    fps=self.fps,
                    action_units=row.text(self.optional_columns["action_units"][0]),
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


def clips_below(frames: Path) -> list[Path]:
    """Return the clip folders of a tree ``<subject>/<clip>``."""
    return [clip for subject in subfolders(frames) for clip in subfolders(subject)]
