"""A folder for what processes of one run hand to each other, which doesn't outlive them."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mer_keras.whole_files import HeldError, hold_lock

_PREFIX, _LOCK = "mer-", ".lock"


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder that only this user can read, and remove it at the end.

    What is in it may be clips of faces. Where all processes of a run are killed at once, nobody is
    left to remove it: the next one that makes a folder does. It knows an abandoned one by its lock.

    Raises:
        OSError: the temporary folder can't be written.
    """
    _remove_abandoned(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        with hold_lock(folder / _LOCK, patience=1):
            yield folder
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, as far as possible.

    The lock goes last: what a process that is killed meanwhile leaves is still known as abandoned.
    """
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != _LOCK:
                path.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(temporary: Path) -> None:
    """Remove the folders whose processes have ended; those without a lock are somebody else's."""
    for lock_file in temporary.glob(f"{_PREFIX}*/{_LOCK}"):
        # One that is held, or is another user's, stays.
        with contextlib.suppress(OSError, HeldError), hold_lock(lock_file, patience=0):
            remove(lock_file.parent)
