"""The lock of a run folder: one process at a time writes a run, and others can see that it does."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from mer_keras.whole_files import Lock, hold_lock, holder_of

_LOCK = ".lock"
#: Whoever asks whether a run is written holds its lock for a moment: a writer tries again so long.
_PATIENCE_SECONDS = 0.5


@contextlib.contextmanager
def hold(path: Path) -> Iterator[Lock]:
    """Hold a run folder, which is made, for writing; the hold ends with the process.

    Raises:
        HeldError: another process holds it.
        OSError: the folder can't be written or locked.
    """
    path.mkdir(parents=True, exist_ok=True)
    with hold_lock(path / _LOCK, _PATIENCE_SECONDS) as lock:
        yield lock


def writer_of(path: Path) -> str | None:
    """Return the number of the process that writes a run; ``None`` where none does."""
    return holder_of(path / _LOCK)
