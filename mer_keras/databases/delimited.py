"""A table as text, in whatever dialect a program wrote it -> rows of clean cells.

Spreadsheet programs write commas, semicolons or tabs, UTF-8 or UTF-16, by the country and the menu.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from mer_keras.databases.workbook import (
    MAX_FILE_BYTES,
    MAX_ROWS,
    Cell,
    clean_cell,
    read_limited,
)
from mer_keras.errors import AnnotationError

#: Separators of cells, the preferred one first.
DELIMITERS = (",", ";", "\t", "|")
#: So many first bytes tell the encoding.
_BYTES_LOOKED_AT = 4000
#: Programs write this line to tell each other the separator.
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
#: One line with its end, as ``csv`` expects it.
_LINE = re.compile(r"[^\r\n]*+(?:\r\n|\r|\n)|[^\r\n]++")
#: Most characters of one row, whose cells may hold line ends.
_MOST_CHARACTERS_OF_ROW = 10_000_000
#: So many different cells are remembered, so that a text which many rows share is one object.
_MOST_SHARED = 100_000


class Limits(NamedTuple):
    """How large a table may be.

    Attributes:
        file_bytes: most bytes of its file.
        rows: most rows, the header among them.
    """

    file_bytes: int = MAX_FILE_BYTES
    rows: int = MAX_ROWS


#: Of an official table, which has no more than a workbook may have.
OFFICIAL = Limits()
#: Of a user's own list of clips, which may have a row for every few frames of long recordings.
LONG_LIST = Limits(file_bytes=256_000_000, rows=2_000_000)


class Dialect(NamedTuple):
    """How a table is written.

    Attributes:
        encoding: name of its encoding, as Python knows it.
        delimiter: what separates its cells.
    """

    encoding: str
    delimiter: str


def read_csv(path: Path, limits: Limits = OFFICIAL) -> list[list[Cell]]:
    """Read a table of values that are separated by commas, semicolons, tabs or bars.

    It may be in UTF-8 or UTF-16, with or without a byte-order mark.

    Args:
        path: the table.
        limits: how large it may be; by default as large as a workbook.

    Returns:
        Rows as ``workbook.read_sheet`` gives them; every cell is text or None.

    Raises:
        AnnotationError: the file is absent, no such table, or beyond the limits.
    """
    data = read_limited(path, limits.file_bytes)
    if data.startswith(b"PK\x03\x04"):
        raise AnnotationError(
            f"{path}: a workbook or an archive under another name, expected a table of "
            "comma-separated values: rename a workbook to .xlsx"
        )
    encoding = find_encoding(data)
    try:
        text = data.decode(encoding)
        del data  # A long list would be in memory twice.
        parsed = _parse(text, *_find_delimiter(text))
        rows = list(_cleaned(islice(parsed, limits.rows + 1)))
    except (UnicodeDecodeError, csv.Error) as error:
        raise AnnotationError(
            f"{path}: not a table of comma-separated values in UTF-8 or UTF-16 ({error}): "
            "save it again as CSV (UTF-8)"
        ) from error
    if len(rows) > limits.rows:
        raise AnnotationError(f"{path}: more than {limits.rows:,} rows, expected at most so many")
    return rows


def _cleaned(rows: Iterable[list[str]]) -> Iterator[list[Cell]]:
    """Yield rows of clean cells; a text that many rows share is one object."""
    known: dict[str, Cell] = {}
    for row in rows:
        cells = []
        for text in row:
            if text in known:
                cells.append(known[text])
                continue
            cells.append(clean_cell(text))
            if len(known) < _MOST_SHARED:
                known[text] = cells[-1]
        yield cells


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


def _find_delimiter(text: str) -> tuple[str, int]:
    """Return the separator that divides most rows alike, and where the rows begin.

    Raises:
        csv.Error: the quotes are broken, whatever the separator.
    """
    named = _SEPARATOR_LINE.match(text)
    if named is not None:
        return named[1], named.end()
    agreement: dict[str, tuple[int, int]] = {}
    problem = csv.Error("no row")
    # A separator that doesn't stand in the text divides no row.
    for delimiter in (DELIMITERS[0], *(other for other in DELIMITERS[1:] if other in text)):
        try:
            agreement[delimiter] = _agreement(_parse(text, delimiter))
        except csv.Error as error:
            # What a comma says of a table that is none by any separator is the usual message.
            problem = error if delimiter == DELIMITERS[0] else problem
    if DELIMITERS[0] not in agreement and not any(rows for rows, _ in agreement.values()):
        raise problem
    return max(agreement, key=lambda delimiter: agreement[delimiter]), 0


class _Lines:
    """The lines of a text, of which a row takes one or, where cells hold line ends, several.

    Attributes:
        characters: how many were read since a row was complete; whoever reads rows sets it to 0.
    """

    def __init__(self, text: str, start: int) -> None:
        self._matches = _LINE.finditer(text, start)
        self._begins_late = start > 0
        self.characters = 0

    def __iter__(self) -> Iterator[str]:
        if self._begins_late:
            yield "\n"  # The line before counts as an empty one, so that rows keep their numbers.
        for match in self._matches:
            self.characters += match.end() - match.start()
            if self.characters > _MOST_CHARACTERS_OF_ROW:
                raise csv.Error(f"a row of more than {_MOST_CHARACTERS_OF_ROW:,} characters")
            yield match[0]


def _parse(text: str, delimiter: str, start: int = 0) -> Iterator[list[str]]:
    lines = _Lines(text, start)
    for row in csv.reader(lines, delimiter=delimiter, strict=True):
        lines.characters = 0
        yield row


def _agreement(rows: Iterable[list[str]]) -> tuple[int, int]:
    """Return how many rows have the commonest number of cells above one, and that number."""
    lengths = Counter(len(row) for row in rows if len(row) > 1)
    return max(((count, cells) for cells, count in lengths.items()), default=(0, 0))
