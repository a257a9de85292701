"""Rows of cells -> named, checked values. Every error names file, row, column, value and remedy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mer_keras.databases.cells import as_whole_number, check_name, parse_frame_number
from mer_keras.databases.links import require_inside
from mer_keras.databases.workbook import Cell
from mer_keras.errors import AnnotationError, did_you_mean

#: Official header -> other headers that other releases use for the same column.
Columns = Mapping[str, Sequence[str]]

#: No camera takes more frames a second.
MAX_FPS = 100_000
#: The header must stand within these first rows.
_HEADER_ROWS = 200
_REMEDY = "use the official table"
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7}


class Span(NamedTuple):
    """Frame numbers of a clip as its table gives them, both ends inclusive."""

    onset: int
    apex: int | None
    offset: int


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a table, its cells by official header.

    Attributes:
        source: the file, for errors.
        number: as a spreadsheet program shows it, from 1.
        cells: all cells of the row.
        columns: official header -> index of its cell.
    """

    source: Path
    number: int
    cells: Sequence[Cell]
    columns: Mapping[str, int]

    def cell(self, column: str) -> Cell:
        """Return a cell; None if it is empty or the table lacks the (optional) column."""
        index = self.columns.get(column)
        return self.cells[index] if index is not None and index < len(self.cells) else None

    def where(self, column: str) -> str:
        """Say which cell is meant, for errors."""
        return f"{self.source}: row {self.number}, column {column!r}"

    def text(self, column: str) -> str:
        """Return a cell as text, empty if the cell is."""
        value = self.cell(column)
        return "" if value is None else str(value)

    def required_text(self, column: str) -> str:
        """Return a cell as text.

        Raises:
            AnnotationError: the cell is empty.
        """
        text = self.text(column)
        if not text:
            raise AnnotationError(f"{self.where(column)}: empty, expected a text; fill it in")
        return text

    def name(self, column: str) -> str:
        """Return a cell that names a subject or clip; see ``check_name``."""
        return check_name(self.text(column), self.where(column))

    def path(self, column: str, root: Path, *, linked_trees: bool = False) -> Path:
        """Return the file or folder that a cell names, below ``root`` and not outside it.

        Folders may be divided by backslashes.

        Args:
            column: the cell's column.
            root: the folder of the table.
            linked_trees: see ``require_inside``.

        Raises:
            AnnotationError: a part is no plain name (see ``check_name``), or a link leads outside.
        """
        text = self.required_text(column).replace("\\", "/")
        for part in text.split("/"):
            check_name(part, self.where(column))
        return require_inside(root / text, root, self.where(column), linked_trees=linked_trees)

    def objective_class(self, column: str) -> int | None:
        """Return an objective class, 1 to 7 (also as a Roman numeral); None if the cell is empty.

        Raises:
            AnnotationError: it is anything else.
        """
        value = self.cell(column)
        if value is None:
            return None
        number = _ROMAN.get(str(value).upper(), as_whole_number(value))
        if number is None or not 1 <= number <= 7:
            raise AnnotationError(
                f"{self.where(column)}: {str(value)[:60]!r}, expected an objective class, 1 to 7; "
                "correct the cell"
            )
        return number

    def frame_rate(self, column: str) -> float | None:
        """Return frames a second; None if the cell is empty.

        Raises:
            AnnotationError: it is no number above 0 (or beyond what cameras do).
        """
        text = self.text(column)
        if not text:
            return None
        try:
            value = float(text.replace(",", "."))  # Some countries write a comma.
        except ValueError:
            value = 0.0
        if not 0 < value <= MAX_FPS:
            raise AnnotationError(
                f"{self.where(column)}: {text[:60]!r}, expected frames a second above 0; correct "
                "the cell or leave it empty"
            )
        return value

    def span(self, onset: str, apex: str, offset: str) -> Span:
        """Return the frame numbers from the columns of these names; only the apex may be missing.

        Raises:
            AnnotationError: a cell holds no frame number.
        """
        return Span(
            self._frame(onset),
            parse_frame_number(self.cell(apex), self.where(apex)),
            self._frame(offset),
        )

    def _frame(self, column: str) -> int:
        number = parse_frame_number(self.cell(column), self.where(column))
        if number is None:
            raise AnnotationError(
                f"{self.where(column)}: {self.text(column)!r}, expected a frame number; only an "
                "apex may be missing: fill it in"
            )
        return number


def columns_named(rows: Sequence[Sequence[Cell]], required: Columns) -> int:
    """Return how many of some columns a sheet's header names, at most."""
    return max((len(_match(row, required)) for row in rows[:_HEADER_ROWS]), default=0)


def find_header(
    rows: Sequence[Sequence[Cell]],
    required: Columns,
    source: Path,
    optional: Columns | None = None,
    *,
    remedy: str = _REMEDY,
) -> tuple[int, dict[str, int]]:
    """Find the header row and its columns, after any rows of text.

    Headers are compared without case, blanks and punctuation.

    Args:
        rows: rows of the sheet.
        required: columns that must stand in it.
        source: the file, for errors.
        optional: columns that may be absent.
        remedy: what to do about a table without these columns, for errors.

    Returns:
        Index of the header row, and official header -> index of its column.

    Raises:
        AnnotationError: no row has all required columns, or it has one of them twice.
    """
    best, best_columns = 0, dict[str, int]()
    for index, row in enumerate(rows[:_HEADER_ROWS]):
        columns = _match(row, required)
        if len(columns) > len(best_columns):
            best, best_columns = index, columns
        if len(columns) == len(required):
            break
    titles = [str(cell) for cell in rows[best] if cell is not None] if rows else []
    missing = [name for name in required if name not in best_columns]
    # One matching cell may be a line of text that happens to be a column's name.
    if missing and len(best_columns) < min(2, len(required)):
        raise AnnotationError(
            f"{source}: no header row found in the first {_HEADER_ROWS} rows: expected the columns "
            f"{', '.join(map(repr, required))}; {remedy}"
        )
    if missing:
        near = did_you_mean(missing[0], titles)
        raise AnnotationError(
            f"{source}: no column {', '.join(map(repr, missing))}{near} in the header in row "
            f"{best + 1}: found {', '.join(repr(name[:40]) for name in titles[:30])}; "
            f"rename the column, or {remedy}"
        )
    header = [_plain(cell) for cell in rows[best]]
    for name, column in best_columns.items():
        if header.count(header[column]) > 1:
            raise AnnotationError(
                f"{source}: column {name!r} stands twice in the header in row {best + 1}; "
                "remove or rename one of them"
            )
    return best, best_columns | _match(rows[best], optional or {})


def table_rows(
    rows: Sequence[Sequence[Cell]],
    required: Columns,
    source: Path,
    optional: Columns | None = None,
    *,
    remedy: str = _REMEDY,
) -> tuple[list[TableRow], list[str]]:
    """Return the rows below the header, and remarks on those that are no data.

    Blank rows are ignored. A row that fills at most one of the required columns is a note below or
    within the table: it is left out with a remark.

    Args and errors are those of ``find_header``.
    """
    header, columns = find_header(rows, required, source, optional, remedy=remedy)
    data, remarks = [], []
    for number, cells in enumerate(rows[header + 1 :], start=header + 2):
        if all(cell is None for cell in cells):
            continue
        row = TableRow(source, number, cells, columns)
        if sum(row.cell(name) is not None for name in required) > 1:
            data.append(row)
        else:
            remarks.append(f"{source.name}: row {number} is a note, not a clip, and is ignored")
    if not data:
        raise AnnotationError(
            f"{source}: no row below the header in row {header + 1}: expected one row a clip; "
            f"{remedy}"
        )
    return data, remarks


def rows_without_header(
    rows: Sequence[Sequence[Cell]],
    columns: Sequence[str] | Columns,
    source: Path,
    optional: Sequence[str] = (),
) -> list[TableRow]:
    """Return the rows of a table that officially has no header; blank ones are ignored.

    Somebody may have written one all the same: where the first row names two or more of the
    columns, cells are found by it, in whatever order.

    Args:
        rows: rows of the sheet.
        columns: what its cells are, from the first on; a row may be shorter. A mapping gives other
            names that a header may have for each.
        source: the file, for errors.
        optional: columns that a header may lack.

    Raises:
        AnnotationError: it holds no row, or a header that lacks a column.
    """
    names = columns if isinstance(columns, Mapping) else dict.fromkeys(columns, ())
    numbered = [
        (number, cells)
        for number, cells in enumerate(rows, start=1)
        if any(cell is not None for cell in cells)
    ]
    indices = {name: index for index, name in enumerate(names)}
    if numbered and len(_match(numbered[0][1], names)) >= 2:
        required = {name: others for name, others in names.items() if name not in optional}
        others = {name: names[name] for name in optional}
        _, indices = find_header([numbered[0][1]], required, source, others)
        numbered = numbered[1:]
    if not numbered:
        raise AnnotationError(
            f"{source}: no row: expected the columns {', '.join(names)} without a header; use "
            "the official table"
        )
    return [TableRow(source, number, cells, indices) for number, cells in numbered]


def span_warnings(source: Path, spans: Sequence[tuple[TableRow, Span]]) -> list[str]:
    """Return one line a peculiarity of the frame numbers, with its rows.

    Clips are named by their row, since lines go into reports and a clip's name holds its subject.
    """
    no_apex = [row.number for row, span in spans if span.apex is None]
    still = [row.number for row, span in spans if span.onset == span.offset]
    lines = []
    if no_apex:
        lines.append(f"{source.name}: no apex frame in {listed_rows(no_apex)}")
    if still:
        lines.append(f"{source.name}: onset and offset are one frame in {listed_rows(still)}")
    return lines


def listed_rows(numbers: Sequence[int], most: int = 10) -> str:
    """Return ``"2 row(s): 15, 20"``, cut after ``most`` numbers."""
    shown = ", ".join(map(str, numbers[:most])) + (", ..." if len(numbers) > most else "")
    return f"{len(numbers)} row(s): {shown}"


def _plain(cell: Cell) -> str:
    """Return a header without case, blanks and punctuation."""
    return "".join(c for c in str(cell).casefold() if c.isalnum()) if cell is not None else ""


def _match(row: Sequence[Cell], columns: Columns) -> dict[str, int]:
    """Return official header -> index, for the columns that a row names."""
    header = [_plain(cell) for cell in row]
    indices = {}
    for official, others in columns.items():
        for name in (official, *others):
            if _plain(name) in header:
                indices[official] = header.index(_plain(name))
                break
    return indices
