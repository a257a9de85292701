"""Files that came from anybody: opened only if they are files, read only up to a bound.

A name may lead to a pipe, which is waited for without end, to a device, which has no end, or to a
file with holes, which claims any size. All are refused before a byte is read.
"""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path


class NoPlainFileError(OSError):
    """The path is that of a folder, a pipe or a device; ``strerror`` says so."""


class TooLargeError(OSError):
    """The file is larger than its reader allows; ``strerror`` says so."""


def open_plain(path: Path) -> BufferedReader:
    """Open a plain file for reading, or one that a link leads to.

    Raises:
        NoPlainFileError: it is a folder, a pipe or a device.
        OSError: it is absent or may not be read.
    """
    # A pipe that nobody writes would hold up an open that waits.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NoPlainFileError(errno.EINVAL, "no file but a folder, a pipe or a device", str(path))
    return os.fdopen(descriptor, "rb")


def read_bounded(path: Path, most: int) -> bytes:
    """Return the content of a plain file.

    Args:
        path: the file.
        most: bytes that it may have.

    Raises:
        NoPlainFileError: it is a folder, a pipe or a device.
        TooLargeError: it has more than ``most`` bytes, or claims so; nothing is read then.
        OSError: it is absent or can't be read.
    """
    with open_plain(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        # A file that grows meanwhile is told by the byte too many.
        content = stream.read(size + 1) if size <= most else b""
    if max(size, len(content)) > most:
        raise TooLargeError(errno.EFBIG, f"larger than {most:,} bytes", str(path))
    return content
