"""The table of a file: text in any dialect, or the sheet of a workbook that has its columns."""

from collections.abc import Mapping
from pathlib import Path

from mer_keras.databases.delimited import OFFICIAL, Limits, read_csv
from mer_keras.databases.tables import Columns, TableRow, columns_named, table_rows
from mer_keras.databases.workbook import Cell, read_sheets
from mer_keras.errors import AnnotationError


def read_table(
    path: Path,
    required: Columns,
    optional: Columns | None = None,
    *,
    sheet: str | None = None,
    remedy: str = "use the official table",
    limits: Limits = OFFICIAL,
) -> tuple[list[TableRow], list[str]]:
    """Read the rows of a table.

    Args:
        path: an .xlsx workbook, or text.
        required: columns that must stand in its header (see ``tables.find_header``).
        optional: columns that may be absent.
        sheet: name of the sheet that officially holds it. Where there is no such sheet or none is
            named, it is the one whose header has the most of the columns, the first of several.
        remedy: what to do about a table without these columns, for errors.
        limits: how large a text may be; a workbook's limits are always those of ``workbook``.

    Returns:
        Its rows, and remarks: rows that are no data (see ``tables.table_rows``), which sheet was
        read if it isn't the first or the official one, and other sheets that have the columns too.

    Raises:
        AnnotationError: the file can't be read or breaks its format; the sheets that were looked at
            are named where there are several.
    """
    if path.suffix.lower() != ".xlsx":
        return table_rows(read_csv(path, limits), required, path, optional, remedy=remedy)
    sheets = read_sheets(path)
    chosen = _choose(sheets, required, sheet)
    try:
        rows, notes = table_rows(sheets[chosen], required, path, optional, remedy=remedy)
    except AnnotationError as error:
        if len(sheets) == 1:
            raise
        names = ", ".join(map(repr, sheets))
        raise AnnotationError(f"{error} (sheet {chosen!r}; the workbook has {names})") from error
    return rows, [*_remarks(path, sheets, required, chosen, sheet), *notes]


def _choose(sheets: Mapping[str, list[list[Cell]]], required: Columns, official: str | None) -> str:
    """Return the name of the sheet that holds the table."""
    called = [name for name in sheets if official is not None and _is_called(name, official)]
    return called[0] if called else max(sheets, key=lambda n: columns_named(sheets[n], required))


def _remarks(
    path: Path,
    sheets: Mapping[str, list[list[Cell]]],
    required: Columns,
    chosen: str,
    official: str | None,
) -> list[str]:
    """Say which sheet was read, where somebody may expect another one."""
    if len(sheets) == 1 or (official is not None and _is_called(chosen, official)):
        return []
    alike = [name for name in sheets if columns_named(sheets[name], required) == len(required)]
    others = ", ".join(repr(name) for name in alike if name != chosen)
    if others:
        return [
            f"{path.name}: read from its sheet {chosen!r} alone; not read, with the same columns: "
            f"{others}"
        ]
    is_first = official is None and chosen == next(iter(sheets))
    return [] if is_first else [f"{path.name}: read from its sheet {chosen!r}"]


def _is_called(name: str, official: str) -> bool:
    return name.strip().casefold() == official.strip().casefold()
