"""Files that are written whole or not at all, also by two processes at a time."""

import contextlib
import fcntl
import os
import uuid
from collections.abc import Iterator
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all (see ``whole_file``)."""
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def whole_file(path: Path, suffix: str = "") -> Iterator[Path]:
    """Give a path beside ``path`` to write to; then flush the file to the disk and rename it.

    The temporary name is this call's own, so that two processes may write one file at a time: the
    later one replaces the earlier one's.

    Args:
        path: the file; its folder is made.
        suffix: ending of the temporary name, for writers that take certain endings only.

    Raises:
        OSError: the disk is full or read-only; what stood there before still does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part{suffix}")
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _flush(path.parent)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time read a file, change it and write it again.

    The lock is a file beside it, since the file itself is replaced; it ends with the process,
    however that ends.

    Args:
        path: the file; its folder is made.

    Raises:
        OSError: the folder can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _flush(path: Path) -> None:
    """Wait until a file or a folder's list of names is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
