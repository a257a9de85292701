"""The lock of a run folder: one process at a time writes a run, and others can see that it does."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

_LOCK = ".lock"
#: Whoever asks whether a run is written holds its lock for a moment: a writer tries again so long.
_PATIENCE_SECONDS = 0.5


class HeldError(Exception):
    """Another process writes the run; its number is the message, ``?`` where it is not known."""


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold a run folder, which is made, for writing; the hold ends with the process.

    Raises:
        HeldError: another process holds it.
        OSError: the folder can't be written.
    """
    path.mkdir(parents=True, exist_ok=True)
    with (path / _LOCK).open("a+") as handle:
        until = time.monotonic() + _PATIENCE_SECONDS
        while not _take(handle.fileno(), fcntl.LOCK_EX):
            if time.monotonic() > until:
                handle.seek(0)
                raise HeldError(handle.read() or "?")
            time.sleep(0.05)
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def writer_of(path: Path) -> str | None:
    """Return the number of the process that writes a run; ``None`` where none does."""
    try:
        with (path / _LOCK).open() as handle:
            return None if _take(handle.fileno(), fcntl.LOCK_SH) else handle.read() or "?"
    except OSError:  # Nobody has written it, or it may not be read.
        return None


def _take(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
