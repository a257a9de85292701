"""Files of weights from anybody: looked through before an array of them is read.

A file may claim more than it holds, lead to other files, or hold what is no array. Both forms are
read within bounds; nothing in them is executed.
"""

import io
import struct
import zipfile
import zlib
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mer_keras.bounded_files import open_plain
from mer_keras.errors import UserError

if TYPE_CHECKING:
    import h5py

#: Size of the largest file that is read.
MAX_BYTES = 2_000_000_000
#: Most arrays of a file; the largest network has some hundred variables.
MOST_ARRAYS = 20_000
#: Trained weights are nearly random numbers: packed, they take more than this share of their bytes.
_MOST_RATIO = 4
#: So many bytes are unpacked whatever the ratio.
_ANY_RATIO = 2**26
#: A zip's end: signature, two numbers of disks, members on the last disk and in all, size and
#: start of the list of members, length of a comment. A second end, of huge archives, is before it.
_END, _END_MARK, _HUGE, _HUGE_MARK = struct.Struct("<4s4H2LH"), b"PK\x05\x06", 20, b"PK\x06\x07"
#: Longest path of an array in an HDF5 file; a group that holds itself makes endless ones.
_LONGEST_PATH = 500
#: Most bytes of an entry of that list.
_MOST_ENTRY = 1000
#: Kinds of values: logical, whole, unsigned, real; and texts, of which an entry may be made.
_KINDS = "biufU"
#: What NumPy and the zip reader raise on damaged content.
_DAMAGE = (
    ValueError,
    KeyError,
    EOFError,
    OSError,
    RecursionError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    TokenError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
)


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
                entry.filename.removesuffix(".npy"): _array(archive.read(entry))
                for entry in entries
            }
    except _DAMAGE as error:
        raise UserError(
            f"{file}: not a plain .npz of numeric arrays ({error}): write it with numpy.savez"
        ) from error


def _checked_size_of_zip(stream: BinaryIO) -> int:
    """Bytes of a zip, after the size of its list of members was bounded.

    Raises:
        ValueError: it is none, or too large.
    """
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - _END.size - _HUGE))
    end = stream.read()
    if not end[-_END.size :].startswith(_END_MARK) or end.startswith(_HUGE_MARK):
        raise ValueError("no list of arrays at its end")
    *_, directory, _, _ = _END.unpack(end[-_END.size :])
    if size > MAX_BYTES or directory > MOST_ARRAYS * _MOST_ENTRY:
        raise ValueError(
            f"{size:,} bytes, expected {MAX_BYTES:,} and {MOST_ARRAYS:,} arrays at most"
        )
    return size


def _array(content: bytes) -> NDArray:
    """Read one ``.npy``; its header must claim exactly the bytes that follow it.

    Raises:
        ValueError: it is none, or claims others.
    """
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version} of the format")
    readers = (np.lib.format.read_array_header_1_0, np.lib.format.read_array_header_2_0)
    shape, _, dtype = readers[version[0] - 1](stream)
    if dtype.hasobject or dtype.kind not in _KINDS:
        raise ValueError(f"values of type {dtype}: objects, which could run code, are not read")
    if min(shape, default=0) < 0 or prod(shape) * dtype.itemsize != len(content) - stream.tell():
        raise ValueError(f"an array of shape {shape} is claimed, and is not there")
    stream.seek(0)
    array: NDArray = np.lib.format.read_array(stream, allow_pickle=False)
    return array


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
