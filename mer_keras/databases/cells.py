"""One cell -> a checked value: a frame number, a whole number, a name; and cells to be written."""

import re

from mer_keras.databases.workbook import Cell
from mer_keras.errors import AnnotationError

_MISSING = frozenset({"", "/", "\\"})
_NUMBER = re.compile(r"([0-9]{1,9})(?:\.0*)?", re.ASCII)
_MAX_FRAME = 999_999_999
#: No name of a subject, clip or file may hold these, since folders are found by it.
_UNSAFE = re.compile(r"[/\\:\x00-\x1f\x7f]|\.\.")
_MAX_NAME_BYTES = 200
#: Signs at the beginning of a cell that make a spreadsheet run it; some accept full-width ones.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
#: A number with a sign, which is no formula, and perhaps its interval.
_SIGNED = re.compile(r"[+-]\d[\d.]*( \[[-+\d., naif]*\])?")


def parse_frame_number(value: Cell, where: str) -> int | None:
    """Return a frame number, or None for a missing one (empty, ``/`` or a backslash).

    Args:
        value: the cell; ``46``, ``46.0``, ``"46"`` and ``"00046"`` are all frame 46.
        where: says which cell it is, for errors (see ``tables.TableRow.where``).

    Raises:
        AnnotationError: it is anything else.
    """
    if value is None or (isinstance(value, str) and value.strip() in _MISSING):
        return None
    number = as_whole_number(value)
    if number is None or number > _MAX_FRAME:
        raise AnnotationError(
            f"{where}: {str(value)[:60]!r}, expected a frame number (a whole number from 0 on) or "
            "'/' for a missing one; correct the cell"
        )
    return number


def as_whole_number(value: Cell) -> int | None:
    """Return the whole number from 0 on that a cell holds as number or text, else None."""
    if isinstance(value, str):
        match = _NUMBER.fullmatch(value.strip())
        return int(match[1]) if match else None
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None
    return value if value is not None and value >= 0 else None


def check_name(name: str, where: str) -> str:
    """Return a subject's, clip's or file's name that can't lead out of its folder.

    Args:
        name: the text of the cell.
        where: says which cell it is, for errors.

    Raises:
        AnnotationError: it is empty, too long, or holds ``/``, a backslash, ``:``, ``..`` or a
            control character.
    """
    if not name:
        raise AnnotationError(f"{where}: empty, expected a name; fill it in")
    unusable = name == "." or len(name.encode("utf-8", "replace")) > _MAX_NAME_BYTES
    if unusable or _UNSAFE.search(name):
        raise AnnotationError(
            f"{where}: {name[:60]!r}, expected a plain name without '/', '\\', ':', '..' or "
            "control characters; correct the cell"
        )
    return name


def harmless(cell: str) -> str:
    """Make a cell harmless in a spreadsheet, which may skip unseen letters before a formula."""
    cell = cell.replace("\r\n", "\n").replace("\r", "\n")  # A bare CR would end the line.
    if cell == "-" or _SIGNED.fullmatch(cell):
        return cell
    is_skipped = cell[:1].isspace() or not cell[:1].isprintable()
    return f"'{cell}" if cell.startswith(_FORMULA) or is_skipped else cell
