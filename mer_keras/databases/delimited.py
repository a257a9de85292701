"""A table as text, in whatever dialect a program wrote it -> rows of clean cells.

Spreadsheet programs write commas, semicolons or tabs, UTF-8 or UTF-16, by the country and the menu.
"""

import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from mer_keras.databases.workbook import MAX_ROWS, Cell, clean_cell, read_limited
from mer_keras.errors import AnnotationError

#: Separators of cells, the preferred one first.
DELIMITERS = (",", ";", "\t", "|")
#: So many first bytes tell the encoding.
_BYTES_LOOKED_AT = 4000
#: Programs write this line to tell each other the separator.
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)


class Dialect(NamedTuple):
    """How a table is written.

    Attributes:
        encoding: name of its encoding, as Python knows it.
        delimiter: what separates its cells.
    """

    encoding: str
    delimiter: str


def read_csv(path: Path) -> list[list[Cell]]:
    """Read a table of values that are separated by commas, semicolons, tabs or bars.

    It may be in UTF-8 or UTF-16, with or without a byte-order mark.

    Returns:
        Rows as ``workbook.read_sheet`` gives them; every cell is text or None.

    Raises:
        AnnotationError: the file is absent, no such table, or beyond the limits of ``workbook``.
    """
    data = read_limited(path)
    if data.startswith(b"PK\x03\x04"):
        raise AnnotationError(
            f"{path}: a workbook or an archive under another name, expected a table of "
            "comma-separated values: rename a workbook to .xlsx"
        )
    encoding = find_encoding(data)
    try:
        lines = _rows(data.decode(encoding))
    except (UnicodeDecodeError, csv.Error) as error:
        raise AnnotationError(
            f"{path}: not a table of comma-separated values in UTF-8 or UTF-16 ({error}): "
            "save it again as CSV (UTF-8)"
        ) from error
    if len(lines) > MAX_ROWS:
        raise AnnotationError(f"{path}: {len(lines):,} rows, expected at most {MAX_ROWS:,}")
    return [[clean_cell(value) for value in line] for line in lines]


def find_encoding(start: bytes) -> str:
    """Return the encoding of a text by its first bytes: UTF-16 has a mark or many zeros."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    zeros = [start[first:_BYTES_LOOKED_AT:2].count(0) for first in (0, 1)]
    pairs = len(start[:_BYTES_LOOKED_AT]) // 2
    if pairs and max(zeros) > pairs / 2:
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    return "utf-8-sig"


def find_dialect(path: Path, start: bytes) -> Dialect:
    """Return how a table is written, by its first lines.

    Args:
        path: the file, for errors.
        start: its first bytes, which may end within a line.

    Raises:
        AnnotationError: they are no text.
    """
    encoding = find_encoding(start)
    try:
        text = start.decode(encoding, "strict" if len(start) < _BYTES_LOOKED_AT else "ignore")
    except UnicodeDecodeError as error:
        raise AnnotationError(
            f"{path}: not text in UTF-8 or UTF-16 ({error}): save it again as CSV (UTF-8)"
        ) from error
    first_line = text.splitlines()[0] if text.strip() else ""
    delimiter = max(DELIMITERS, key=first_line.count)
    return Dialect(encoding, delimiter)


def _rows(text: str) -> list[list[str]]:
    """Return the cells by the separator that divides most rows alike.

    Raises:
        csv.Error: the quotes are broken, whatever the separator.
    """
    named = _SEPARATOR_LINE.match(text)
    if named is not None:
        # The line stays as an empty one, so that rows keep their numbers.
        return _parse("\n" + text[named.end() :], named[1])
    parsed: dict[str, list[list[str]]] = {}
    problem = csv.Error("no row")
    for delimiter in DELIMITERS:
        try:
            parsed[delimiter] = _parse(text, delimiter)
        except csv.Error as error:
            # What a comma says of a table that is none by any separator is the usual message.
            problem = error if delimiter == DELIMITERS[0] else problem
    agreement = {delimiter: _agreement(rows) for delimiter, rows in parsed.items()}
    if DELIMITERS[0] not in parsed and not any(rows for rows, _ in agreement.values()):
        raise problem
    return parsed[max(agreement, key=lambda delimiter: agreement[delimiter])]


def _parse(text: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def _agreement(rows: list[list[str]]) -> tuple[int, int]:
    """Return how many rows have the commonest number of cells above one, and that number."""
    lengths = Counter(len(row) for row in rows if len(row) > 1)
    return max(((count, cells) for cells, count in lengths.items()), default=(0, 0))
