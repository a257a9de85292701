"""FER-2013 (Goodfellow et al., ICONIP 2013): 35,887 gray faces of 48x48 pixels from the web.

One CSV file whose rows hold the pixels, or folders of images. Some 1,800 pictures stand in it more
than once, some with different labels: they are taken out here, before anything can be divided. Who
is in a picture is not known. Header and counts are those of the real table; no row's values are
known.
"""

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mer_keras.databases.delimited import find_dialect
from mer_keras.databases.entry import Database, describe
from mer_keras.databases.folders import (
    find_file,
    has_images,
    images,
    near_tables,
    subfolders,
    wrappers,
)
from mer_keras.databases.links import require_inside
from mer_keras.databases.samples import ClipAnnotation, Excluded, Reading
from mer_keras.errors import AnnotationError

NAME = "fer2013"
TABLE = "fer2013.csv"
#: What releases call the table, the preferred name first.
TABLES = (TABLE, "icml_face_data.csv")
SIDE = 48
ROWS = 35_887
EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
_COLUMNS = ("emotion", "pixels", "usage")
_FOLDERS = {"angry": "anger", "happy": "happiness", "sad": "sadness"} | {e: e for e in EMOTIONS}
PARTS = ("Training", "PublicTest", "PrivateTest")

NO_SUBJECTS = "no subjects are known: nothing can be divided by subject"
#: So many first bytes tell how the table is written; its header is shorter.
_BYTES_OF_HEADER = 4000
#: Longest cell in bytes: 48 x 48 numbers of up to three digits and a blank each, and some room.
_MAX_CELL = SIDE * SIDE * 4 + 1000
_MAX_ROWS = 10 * ROWS


def read(root: Path) -> Reading:
    """Read the table, or find the images.

    Args:
        root: the folder that holds ``fer2013.csv`` or the folders, or wraps it.

    Returns:
        One annotation a picture. From the table, ``path`` is the table and ``apex`` the picture's
        row in it, from 0. Exact duplicates and pictures with two labels are excluded.

    Raises:
        AnnotationError: neither is there, or a row breaks the format.
    """
    table = find_file(root, TABLES)
    pictures = list(_from_folders(root) if table is None else _from_table(table))
    if not pictures:
        tables = near_tables(root)
        nearest = f", found {', '.join(tables[:10])}" if tables else ""
        raise AnnotationError(f"{root}: no picture{nearest}: expected the tree\n{DATABASE.tree}")
    count = len(pictures)
    clips, excluded = _without_duplicates(pictures)
    warnings = [NO_SUBJECTS]
    if count != ROWS:
        warnings.append(f"{count:,} pictures (printed: {ROWS:,})")
    if excluded:
        warnings.append(f"{len(excluded):,} duplicate pictures are left out")
    source, edition = (root, "folders") if table is None else (table, table.name)
    return Reading(
        source, clips, DATABASE.tree, edition=edition, warnings=warnings, excluded=excluded
    )


def read_pixels(path: Path) -> NDArray[np.uint8]:
    """Read all pictures of a table.

    Args:
        path: ``fer2013.csv``.

    Returns:
        uint8 (rows, 48, 48).

    Raises:
        AnnotationError: a row breaks the format.
    """
    pictures = [pixels for _, _, pixels in _lines(path)]
    return np.stack(pictures) if pictures else np.empty((0, SIDE, SIDE), np.uint8)


def _from_table(table: Path) -> Iterator[tuple[ClipAnnotation, bytes]]:
    """Yield the pictures of the table, each with a digest of its pixels."""
    path = table.absolute()
    for number, (emotion, part, pixels) in enumerate(_lines(table)):
        clip = ClipAnnotation(
            NAME,
            "unknown",
            f"{part}-{number:05d}",
            path,
            emotion,
            row=number + 2,
            onset=number,
            apex=number,
            offset=number,
        )
        yield clip, _digest(pixels.tobytes())


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def _lines(table: Path) -> Iterator[tuple[str, str, NDArray[np.uint8]]]:
    """Yield emotion, part and pixels (48, 48), one row at a time: the file has 300 MB."""
    before = csv.field_size_limit(_MAX_CELL)
    try:
        with table.open("rb") as start:
            dialect = find_dialect(table, start.read(_BYTES_OF_HEADER))
        with table.open(encoding=dialect.encoding, newline="") as file:
            lines = csv.reader(file, delimiter=dialect.delimiter)
            columns = _columns(table, next(lines, []))
            for number, line in enumerate(lines, start=2):
                if number > _MAX_ROWS:
                    raise AnnotationError(f"{table}: more than {_MAX_ROWS:,} rows")
                if line:
                    cells = [line[column] if column < len(line) else "" for column in columns]
                    yield _line(table, number, *cells)
    except (OSError, UnicodeError, csv.Error) as error:
        raise AnnotationError(f"{table}: can't be read ({error}): get the file again") from error
    finally:
        csv.field_size_limit(before)


def _columns(table: Path, header: list[str]) -> list[int]:
    """Return where emotion, pixels and part stand, by the header; releases order them otherwise."""
    titles = [name.strip().casefold() for name in header]
    if any(titles.count(name) != 1 for name in _COLUMNS):
        raise AnnotationError(
            f"{table}: header {header[:5]}, expected emotion,pixels,Usage in any order; use the "
            "official file"
        )
    return [titles.index(name) for name in _COLUMNS]


def _line(
    table: Path, number: int, emotion: str, pixels: str, part: str
) -> tuple[str, str, NDArray[np.uint8]]:
    """Return emotion, part and pixels (48, 48) of one line."""
    where = f"{table}: row {number}"
    if emotion.strip() not in set("0123456"):
        raise AnnotationError(
            f"{where}, column 'emotion': {emotion[:40]!r}, expected 0 (angry) to 6 (neutral); get "
            "the file again"
        )
    if part.strip() not in PARTS:
        raise AnnotationError(
            f"{where}, column 'Usage': {part[:40]!r}, expected {', '.join(PARTS)}"
        )
    try:
        values = np.array(pixels.split(), dtype=np.int64)
    except (ValueError, OverflowError):
        values = np.empty(0, np.int64)
    if values.size != SIDE * SIDE or values.min() < 0 or values.max() > 255:
        raise AnnotationError(
            f"{where}, column 'pixels': expected {SIDE * SIDE} whole numbers from 0 to 255, found "
            f"{values.size}; get the file again"
        )
    picture = values.astype(np.uint8).reshape(SIDE, SIDE)
    return EMOTIONS[int(emotion)], part.strip(), picture


def _from_folders(root: Path) -> Iterator[tuple[ClipAnnotation, bytes]]:
    """Yield the pictures of the folders, each with a digest of its file."""
    for part in subfolders(_parts_folder(root)):
        for folder in subfolders(part):
            emotion = _FOLDERS.get(folder.name.lower())
            if emotion is None:
                continue
            for picture in images(folder):
                name = f"{part.name}-{folder.name}-{picture.stem}"
                path = require_inside(picture, root, str(folder))
                clip = ClipAnnotation(NAME, "unknown", name, path, emotion)
                yield clip, _digest(_content(picture))


def _parts_folder(root: Path) -> Path:
    """Return the folder that holds one folder a part: the root, or one that it wraps."""
    for wrapper in wrappers(root):
        inside = [folder for part in subfolders(wrapper) for folder in subfolders(part)]
        if any(folder.name.lower() in _FOLDERS and has_images(folder) for folder in inside):
            return wrapper
    return root


def _content(picture: Path) -> bytes:
    try:
        return picture.read_bytes()
    except OSError as error:
        raise AnnotationError(
            f"{picture}: can't be read ({error.strerror}): expected an image; check that you may "
            "read it"
        ) from error


def _without_duplicates(
    pictures: Iterable[tuple[ClipAnnotation, bytes]],
) -> tuple[list[ClipAnnotation], list[Excluded]]:
    """Return each picture once; one that stands under two labels is left out altogether."""
    same: dict[bytes, list[ClipAnnotation]] = defaultdict(list)
    for clip, digest in pictures:
        same[digest].append(clip)
    unique, excluded = [], []
    for group in same.values():
        if len({clip.emotion for clip in group}) > 1:
            reason, left_out = "one picture, two labels", group
        else:
            unique.append(group[0])
            reason, left_out = "the same picture stands in an earlier row", group[1:]
        excluded += [Excluded(NAME, clip.clip, reason) for clip in left_out]
    return unique, excluded


DATABASE = describe(NAME, read, Database)
