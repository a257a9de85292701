"""Files of weights from anybody: looked through before an array of them is read.

A file may claim more than it holds, lead to other files, or hold what is no array. Both forms are
read within bounds; nothing in them is executed.
"""

import io
import zipfile
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from numpy.typing import NDArray

from mer_keras.array_files import (
    DAMAGE,
    MOST_ARRAYS,
    MOST_ENTRY,
    ZIP_END,
    ZIP_END_MARK,
    read_array,
)
from mer_keras.bounded_files import open_plain
from mer_keras.errors import UserError

if TYPE_CHECKING:
    import h5py

#: Size of the largest file that is read.
MAX_BYTES = 2_000_000_000
#: Trained weights are nearly random numbers: packed, they take more than this share of their bytes.
_MOST_RATIO = 4
#: So many bytes are unpacked whatever the ratio.
_ANY_RATIO = 2**26
#: Length and beginning of the second end that a huge archive has before its end.
_HUGE, _HUGE_MARK = 20, b"PK\x06\x07"
#: Longest path of an array in an HDF5 file; a group that holds itself makes endless ones.
_LONGEST_PATH = 500
#: Kinds of values: logical, whole, unsigned, real; and texts, of which an entry may be made.
_KINDS = "biufU"


def read_npz(file: Path) -> dict[str, NDArray]:
    """Read the arrays of an ``.npz``, by name.

    Raises:
        UserError: it is no such file, is too large, holds objects, or claims more than it has.
    """
    try:
        with open_plain(file) as stream:
            packed = _checked_size_of_zip(stream)
            archive = zipfile.ZipFile(stream)
            entries = archive.infolist()
            size = sum(entry.file_size for entry in entries)
            if size > max(_MOST_RATIO * packed, _ANY_RATIO):
                raise ValueError(f"{packed:,} bytes claim to unpack to {size:,}")
            if len({entry.filename for entry in entries}) < len(entries):
                raise ValueError("an array stands twice")
            # No more bytes than an entry claims come out of it.
            return {
                entry.filename.removesuffix(".npy"): read_array(archive.read(entry), _KINDS)
                for entry in entries
            }
    except DAMAGE as error:
        raise UserError(
            f"{file}: not a plain .npz of numeric arrays ({error}): write it with numpy.savez"
        ) from error


def _checked_size_of_zip(stream: BinaryIO) -> int:
    """Bytes of a zip, after the size of its list of members was bounded.

    Raises:
        ValueError: it is none, or too large.
    """
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - ZIP_END.size - _HUGE))
    end = stream.read()
    if not end[-ZIP_END.size :].startswith(ZIP_END_MARK) or end.startswith(_HUGE_MARK):
        raise ValueError("no list of arrays at its end")
    *_, directory, _, _ = ZIP_END.unpack(end[-ZIP_END.size :])
    if size > MAX_BYTES or directory > MOST_ARRAYS * MOST_ENTRY:
        raise ValueError(
            f"{size:,} bytes, expected {MAX_BYTES:,} and {MOST_ARRAYS:,} arrays at most"
        )
    return size


def check_h5(file: Path, most: int) -> None:
    """Look through an HDF5 file before Keras reads it.

    Args:
        file: the file.
        most: bytes that its arrays may have when they are unpacked.

    Raises:
        UserError: it is no HDF5 file, leads to other files or places, or declares more.
    """
    import h5py

    try:
        with open_plain(file):
            pass
        with h5py.File(file, "r") as tree:
            size = _checked_size(tree)
    except UserError:
        raise
    except Exception as error:  # h5py raises many kinds for a file that is damaged.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{file}: can't be read as HDF5: {reason}") from error
    if size > most:
        raise UserError(
            f"{file}: declares arrays of {size:,} bytes, expected {most:,} at most: not the "
            "weights of this network"
        )


def _checked_size(tree: "h5py.File") -> int:
    """Bytes that all arrays of a file declare.

    Raises:
        UserError: it holds a link, an array whose bytes lie elsewhere, or very many of them.
    """
    import h5py

    size = count = 0
    groups: list[h5py.Group] = [tree]
    while groups:
        group = groups.pop()
        for name in group:
            count += 1
            path = f"{tree.filename}: {group.name.rstrip('/')}/{name}"[:500]
            if count > MOST_ARRAYS or len(group.name) + len(name) > _LONGEST_PATH:
                raise UserError(f"{path}: very many arrays or groups, or a group that holds itself")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise UserError(f"{path} is a link: expected arrays alone")
            node = group[name]
            if isinstance(node, h5py.Group):
                groups.append(node)
            elif not isinstance(node, h5py.Dataset) or node.dtype.kind not in _KINDS:
                raise UserError(f"{path} is no array of numbers")
            elif node.external or node.is_virtual:
                raise UserError(f"{path}: its values lie in other files")
            else:
                size += prod(node.shape) * node.dtype.itemsize
    return size
