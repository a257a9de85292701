"""Coding tables with one clip a row: what most databases of micro-expressions have in common."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from mer_keras.databases.entry import Database
from mer_keras.databases.folders import find_table, subfolders, unlisted_warnings, wrappers
from mer_keras.databases.links import require_inside
from mer_keras.databases.samples import ClipAnnotation, Excluded, Reading
from mer_keras.databases.sheets import read_table
from mer_keras.databases.tables import Span, TableRow, listed_rows, span_warnings
from mer_keras.terms import UNLABELLED


class LocatedClip(NamedTuple):
    """Whose clip a row is about, and where its frames are."""

    subject: str
    clip: str
    folder: Path
    objective_class: int | None = None


class CodedDatabase(Database):
    """A database whose table has one clip a row.

    Attributes:
        fps: frames a second; None where the table gives it for each clip (column ``fps``).
        workbooks: known releases of the table, the preferred one first.
        workbook_pattern: what other releases may be called (see ``folders.find_table``).
        columns: what stands in a column (``clip``, ``onset``, ``apex``, ``offset``, ``emotion`` and
            others) -> its official header, then those of other releases.
        optional_columns: the same for columns that may be absent.
        sheet: the table's sheet; None: the one that has the columns.
        unlabelled: whether a row without an emotion is a clip all the same (a challenge's test
            part), not an error.
        names_repeat: whether a subject's clips share names, so that the onset tells them apart.
        offset_zero: whether an offset of 0 means that there is none, so that the apex stands in.
    """

    fps: float | None
    workbooks: tuple[str, ...]
    workbook_pattern: str
    columns: dict[str, tuple[str, ...]]
    optional_columns: dict[str, tuple[str, ...]]
    sheet: str | None = None
    unlabelled: bool = False
    names_repeat: bool = False
    offset_zero: bool = False

    def read_table(
        self,
        root: Path,
        locate: Callable[[TableRow], LocatedClip],
        present: Iterable[Path],
        *,
        frame_source: str = "any",
        release: str = "",
        remarks: Callable[[Path], list[str]] = lambda _: [],
        table: Path | None = None,
    ) -> Reading:
        """Read the table.

        Args:
            root: the folder that holds it, in it or further below.
            locate: row -> whose clip it is about, and where its frames are.
            present: clip folders on disk, to count those without a row.
            frame_source: see ``samples.Reading``.
            release: what tells the edition beside the table's name.
            remarks: table -> lines for the report, called when all rows are read.
            table: the table, where it isn't to be looked for.

        Returns:
            One annotation a clip. Emotions are in lower case; a missing apex gives a warning.

        Raises:
            AnnotationError: the table is absent, unreadable or breaks its format.
        """
        warnings: list[str] = []
        if table is None:
            table, warnings = find_table(root, self.workbooks, self.workbook_pattern)
        required = {official: others for official, *others in self.columns.values()}
        optional = {official: others for official, *others in self.optional_columns.values()}
        rows, notes = read_table(table, required, optional, sheet=self.sheet)
        clips, spans, no_offset = [], [], list[int]()
        for row in rows:
            subject, clip, folder, objective_class = locate(row)
            span = self._span(row)
            if self.offset_zero and span.offset == 0 and span.apex is not None:
                span = span._replace(offset=span.apex)
                no_offset.append(row.number)
            spans.append((row, span))
            clips.append(
                ClipAnnotation(
                    self.name,
                    subject,
                    clip,
                    require_inside(folder, root, row.where(self.columns["clip"][0])),
                    self._emotion(row),
                    row=row.number,
                    **span._asdict(),
                    fps=self.fps if "fps" not in self.optional_columns else self._fps(row),
                    action_units=row.text(self.optional_columns["action_units"][0]),
                    objective_class=objective_class,
                )
            )
        paths = [clip.path for clip in clips]
        clips, excluded = tell_apart_by_onset(clips) if self.names_repeat else (clips, [])
        warnings += notes + remarks(table)
        if no_offset:
            rows_without = listed_rows(no_offset)
            warnings.append(f"{table.name}: offset 0, the apex stands in, in {rows_without}")
        warnings += span_warnings(table, spans) + unlisted_warnings(present, paths, table)
        return Reading(
            table,
            clips,
            self.tree,
            edition=f"{table.name}, {release}" if release else table.name,
            frame_source=frame_source,
            warnings=warnings,
            excluded=excluded,
        )

    def _span(self, row: TableRow) -> Span:
        return row.span(*(self.columns[mark][0] for mark in ("onset", "apex", "offset")))

    def _emotion(self, row: TableRow) -> str:
        column = (self.columns.get("emotion") or self.optional_columns["emotion"])[0]
        if self.unlabelled:
            return row.text(column).lower() or UNLABELLED
        return row.required_text(column).lower()

    def _fps(self, row: TableRow) -> float | None:
        fps = row.frame_rate(self.optional_columns["fps"][0])
        return self.fps if fps is None else fps


def tell_apart_by_onset(
    clips: Sequence[ClipAnnotation],
) -> tuple[list[ClipAnnotation], list[Excluded]]:
    """Tell apart clips of one name by their onset; a row that stands twice is left out once."""
    onsets_of: dict[tuple[str, str], list[int | None]] = {}
    unique, excluded = [], []
    for clip in clips:
        onsets = onsets_of.setdefault((clip.subject, clip.clip), [])
        if clip.onset in onsets:
            excluded.append(clip.left_out("row stands twice"))
            continue
        onsets.append(clip.onset)
        name = clip.clip if len(onsets) == 1 else f"{clip.clip}@{clip.onset}"
        unique.append(replace(clip, clip=name))
    return unique, excluded


def folders_by_number(frames: Path, name: str) -> dict[int, Path]:
    """Return subject's number -> its folder, of two the one with a zero before its number.

    Copies differ in zeros and in case.

    Args:
        frames: the folder that holds one folder a subject.
        name: pattern of their names with the number as its one group, compared without case.
    """
    pattern = re.compile(name, re.IGNORECASE | re.ASCII)
    folders: dict[int, Path] = {}
    for folder in subfolders(frames):
        match = pattern.fullmatch(folder.name)
        if match:
            folders.setdefault(int(match[1]), folder)
    return folders


def clips_below(frames: Path) -> list[Path]:
    """Return the clip folders of a tree ``<subject>/<clip>``."""
    return [clip for subject in subfolders(frames) for clip in subfolders(subject)]


def subject_folders(root: Path, name: str) -> dict[str, list[Path]]:
    """Return the folders of each subject, wherever the parts of a database were unpacked.

    Args:
        root: the database's folder.
        name: pattern of their names, compared without case.

    Returns:
        Name in lower case -> its folders.
    """
    pattern = re.compile(name, re.IGNORECASE)
    folders: dict[str, list[Path]] = defaultdict(list)
    for wrapper in wrappers(root):
        for folder in subfolders(wrapper):
            if pattern.fullmatch(folder.name):
                folders[folder.name.lower()].append(folder)
    return folders


def first_existing(folders: Sequence[Path], name: str) -> Path | None:
    """Return the folder of this name in the first of some folders that has it."""
    inside = (folder / name for folder in folders)
    return next((path for path in inside if path.is_dir()), None)
