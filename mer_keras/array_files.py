"""Arrays in ``.npy`` and ``.npz`` files from anybody: no size is believed before it is compared."""

import io
import struct
import zipfile
import zlib
from math import prod
from tokenize import TokenError

import numpy as np
from numpy.typing import NDArray

#: The end of a zip: signature, two numbers of disks, members on the last disk and in all, size
#: and start of the list of members, length of a comment.
ZIP_END, ZIP_END_MARK = struct.Struct("<4s4H2LH"), b"PK\x05\x06"
#: Most bytes of an entry of that list.
MOST_ENTRY = 1000
#: Most arrays of a file; the largest network has some hundred variables.
MOST_ARRAYS = 20_000
#: What NumPy and the zip reader raise on damaged content.
DAMAGE = (
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


def read_array(content: bytes, kinds: str) -> NDArray:
    """Read one ``.npy``; its header must claim exactly the bytes that follow it.

    Args:
        content: of the file.
        kinds: NumPy's letters for the kinds of values that are read.

    Raises:
        ValueError: it is none, claims other bytes, or has values of another kind.
        Exception: of ``DAMAGE``; its header is damaged.
    """
    stream = io.BytesIO(content)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    version = np.lib.format.read_magic(stream)
    if version not in readers:
        raise ValueError(f"version {version} of the format, expected (1, 0)")
    shape, _, dtype = readers[version](stream)
    if dtype.hasobject or dtype.kind not in kinds:
        raise ValueError(
            f"values of type {dtype}, expected numbers: objects, which could run code, are not read"
        )
    if min(shape, default=0) < 0 or prod(shape) * dtype.itemsize != len(content) - stream.tell():
        raise ValueError(f"an array of shape {shape} is claimed, and is not there")
    stream.seek(0)
    array: NDArray = np.lib.format.read_array(stream, allow_pickle=False)
    return array
