"""An .xlsx file -> rows of clean cells.

Nothing in the file is run, and its size is bounded first.

A workbook is a zip archive of XML, so a small file can hold a huge one, or two cells a million rows
apart, for which a parser would allocate everything in between. So the archive is unpacked here
under limits, looked through, and only what was looked through is given to the parser.
"""

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from python_calamine import CalamineWorkbook, SheetTypeEnum

from mer_keras.bounded_files import TooLargeError, read_bounded
from mer_keras.errors import AnnotationError, did_you_mean

#: A cell: text without surrounding blanks, a number (whole ones as int), or None if empty.
Cell = str | int | float | None

# Each limit is at least ten times what an annotation table of this field needs.
MAX_FILE_BYTES = 16_000_000
MAX_UNPACKED_BYTES = 32_000_000
MAX_ENTRIES = 500
MAX_RATIO = 200
MAX_ROWS = 20_000
MAX_COLUMNS = 200
#: Most bytes of text that the book could hold if each cell held its longest shared string.
MAX_TEXT_BYTES = 512_000_000
_RATIO_FROM_BYTES = 1_000_000

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_RESAVE = "open it in a spreadsheet program and save it as .xlsx, or get the official file again"

_CELL = re.compile(rb"<(?:[^\s<>/]*:)?c[\s/>]")
#: A plainly written cell: whatever is written otherwise is refused, not interpreted. Its repeats
#: are possessive, so that no text makes the search slow.
_PLAIN_CELL = re.compile(
    rb'<(?:\w++:)?c(?P<attributes>(?:\s++[\w:]++="[^"<>]*+")*+)\s*+(?P<closed>/?)>'
)
_ADDRESS = re.compile(rb'\sr="(?P<column>[A-Z]{1,3})(?P<row>[0-9]{1,7})"')
_CONTENT_TYPE = re.compile(rb"\st=")
_SHARED_STRING_END = re.compile(rb"</(?:[^\s<>/]*:)?si\s*>")

#: Full-width forms of ASCII, other blanks and the comma of Chinese enumerations become ASCII.
_TO_ASCII: dict[int, int | str | None] = {c: c - 0xFEE0 for c in range(0xFF01, 0xFF5F)}
_TO_ASCII |= {0x3000: " ", 0x00A0: " ", 0x3001: ",", 0xFEFF: None, 0x200B: None}


def clean_cell(value: object) -> Cell:
    """Return a cell's value in one form, whatever program wrote it.

    Full-width characters and blanks become ASCII, byte-order marks vanish, surrounding blanks are
    cut, and an empty text is None. ``6.0`` becomes 6. Dates, times and truth values become text.
    """
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if value is None or isinstance(value, int):
        return value
    return str(value).translate(_TO_ASCII).strip() or None


def read_sheet(path: Path, sheet: str | int | None = None) -> list[list[Cell]]:
    """Read one sheet of an .xlsx file.

    Args:
        path: the file.
        sheet: name or index from 0; None takes the first sheet that holds anything.

    Returns:
        Rows from the spreadsheet's row 1 on, so that ``rows[i]`` is row i + 1; cells as
        ``clean_cell`` gives them. A formula's cell holds the value saved with it.

    Raises:
        AnnotationError: the file is absent, no .xlsx, encrypted, damaged or beyond the limits of
            this module, or has no such sheet.
    """
    if sheet is None:
        return next(iter(read_sheets(path).values()))
    with _opened(path) as book:
        return _rows(book, _sheet_name(path, book.sheet_names, sheet))


def read_sheets(path: Path) -> dict[str, list[list[Cell]]]:
    """Read all sheets of an .xlsx file that hold anything.

    Returns:
        Name of the sheet -> its rows (see ``read_sheet``), in the order of the workbook.

    Raises:
        AnnotationError: as ``read_sheet`` does, or every sheet is empty.
    """
    with _opened(path) as book:
        # A sheet that is only a chart has no cells.
        names = [s.name for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
        sheets = {name: _rows(book, name) for name in names}
    filled = {
        name: rows
        for name, rows in sheets.items()
        if any(cell is not None for row in rows for cell in row)
    }
    if not filled:
        raise AnnotationError(
            f"{path}: every sheet is empty: expected an annotation table; {_RESAVE}"
        )
    return filled


@contextmanager
def _opened(path: Path) -> Iterator[CalamineWorkbook]:
    """Open a workbook that was looked through; whatever the parser raises is the file's fault."""
    archive = _unpack_checked(path)
    try:
        with CalamineWorkbook.from_filelike(archive) as book:
            yield book
    except (AnnotationError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # The parser's panic is no Exception.
        raise AnnotationError(
            f"{path}: not a readable .xlsx workbook ({error}): {_RESAVE}"
        ) from error


def _rows(book: CalamineWorkbook, name: str) -> list[list[Cell]]:
    raw = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    return [[clean_cell(value) for value in row] for row in raw]


def read_limited(path: Path, most: int = MAX_FILE_BYTES) -> bytes:
    """Read a whole file of at most ``most`` bytes.

    Raises:
        AnnotationError: it is absent, unreadable or larger.
    """
    try:
        return read_bounded(path, most)
    except TooLargeError as error:
        raise AnnotationError(
            f"{path}: {error.strerror}, expected an annotation table of less; "
            "get the official file again"
        ) from error
    except OSError as error:
        raise AnnotationError(
            f"{path}: can't be read ({error.strerror}): expected an annotation table; "
            "check that it exists and that you may read it"
        ) from error


def _unpack_checked(path: Path) -> io.BytesIO:
    """Unpack under limits and return an archive that holds only what was looked at."""
    data = read_limited(path)
    if data.startswith(_OLE):
        raise AnnotationError(
            f"{path}: an old .xls or a password-protected workbook, expected a plain .xlsx: "
            "open it in a spreadsheet program and save it as .xlsx without a password"
        )
    if not data.startswith(_ZIP):
        raise AnnotationError(
            f"{path}: not an .xlsx workbook (it begins with {data[:8]!r}), perhaps a CSV or web "
            f"page under another name: {_RESAVE}"
        )
    try:
        parts = _unpack(path, data)
    except AnnotationError:
        raise
    except Exception as error:  # Damaged archives raise a dozen kinds of errors.
        raise AnnotationError(f"{path}: a damaged .xlsx workbook ({error}): {_RESAVE}") from error
    _check_parts(path, parts)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as clean:
        for name, content in parts.items():
            clean.writestr(zipfile.ZipInfo(name), content)
    out.seek(0)
    return out


def _unpack(path: Path, data: bytes) -> dict[str, bytes]:
    """Return the archive's XML parts by name."""
    parts: dict[str, bytes] = {}
    total = 0
    with warnings.catch_warnings(), zipfile.ZipFile(io.BytesIO(data)) as archive:
        warnings.simplefilter("ignore")
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES:
            raise _bomb(path, f"{len(entries):,} entries", f"{MAX_ENTRIES}")
        _check_size(path, sum(entry.file_size for entry in entries), len(data))
        for entry in entries:
            if entry.flag_bits & 1 or entry.filename in parts:
                raise AnnotationError(f"{path}: encrypted or ambiguous archive: {_RESAVE}")
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise AnnotationError(f"{path}: an unusual kind of compression: {_RESAVE}")
            # The size that an entry claims may be wrong, so the bytes are counted as they come out.
            with archive.open(entry) as file:
                content = file.read(MAX_UNPACKED_BYTES - total + 1)
            total += len(content)
            _check_size(path, total, len(data))
            # Pictures, printer settings and macros are not passed on.
            if entry.filename.lower().endswith((".xml", ".rels")):
                parts[entry.filename] = content
    return parts


def _check_size(path: Path, unpacked: int, packed: int) -> None:
    if unpacked > MAX_UNPACKED_BYTES:
        raise _bomb(path, f"{unpacked:,} bytes unpacked", f"{MAX_UNPACKED_BYTES:,}")
    if unpacked > _RATIO_FROM_BYTES and unpacked > MAX_RATIO * packed:
        raise _bomb(path, f"{unpacked // packed} times its size unpacked", f"{MAX_RATIO}")


def _check_parts(path: Path, parts: dict[str, bytes]) -> None:
    """Check that no part could make the parser allocate more than the limits."""
    longest = tags = 0
    for content in parts.values():
        # A spreadsheet program writes none of these, and the checks below would misread them.
        if b"<!" in content:
            raise AnnotationError(
                f"{path}: holds an XML document type, entity, comment or raw section: {_RESAVE}"
            )
        longest = max(longest, *map(len, _SHARED_STRING_END.split(content)[:-1] or [b""]))
        tags += content.count(b"<")
        if b"sheetData" in content:
            _check_cells(path, content)
    if longest * tags > MAX_TEXT_BYTES:
        raise _bomb(path, f"texts of {longest:,} bytes and {tags:,} tags", "far less")


def _check_cells(path: Path, content: bytes) -> None:
    """Check that every cell of a sheet has a plain address within the limits."""
    plain = 0
    for cell in _PLAIN_CELL.finditer(content):
        address = _ADDRESS.search(cell["attributes"])
        if address is None:
            break
        plain += 1
        if cell["closed"] and not _CONTENT_TYPE.search(cell["attributes"]):
            continue  # The parser reserves nothing for formatting without content.
        row, column = int(address["row"]), _column_number(address["column"])
        if row > MAX_ROWS or column > MAX_COLUMNS:
            raise _bomb(
                path,
                f"a cell in row {row:,}, column {column:,}",
                f"{MAX_ROWS:,} rows and {MAX_COLUMNS} columns",
            )
    if plain < len(_CELL.findall(content)):
        raise AnnotationError(f"{path}: holds cells without a plain address: {_RESAVE}")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _bomb(path: Path, found: str, most: str) -> AnnotationError:
    return AnnotationError(
        f"{path}: {found}, expected an annotation table of at most {most}: "
        "the file was made to exhaust memory or is no annotation table; get the official file again"
    )


def _sheet_name(path: Path, names: list[str], sheet: str | int) -> str:
    if isinstance(sheet, int):
        if 0 <= sheet < len(names):
            return names[sheet]
        raise AnnotationError(f"{path}: no sheet number {sheet}: it has {len(names)}, from 0 on")
    same = [name for name in names if name.strip().casefold() == sheet.strip().casefold()]
    if not same:
        raise AnnotationError(
            f"{path}: no sheet {sheet!r}{did_you_mean(sheet, names)}: it has {', '.join(names)}"
        )
    return same[0]
