"""Files and drafts that are written whole or not at all, also by two processes at a time."""

import contextlib
import errno
import fcntl
import os
import shutil
import stat
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

#: Seconds that a change of a file waits for another process' change, which takes a moment.
PATIENCE_SECONDS = 10.0
#: The lock of a folder that its process removes.
_DRAFT_LOCK = ".lock"
#: What file systems answer that have no way to flush a folder, or a file.
_CANT_FLUSH = (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all (see ``whole_file``)."""
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def write_users_file(path: Path, content: bytes) -> None:
    """Write a file that a user keeps, whole or not at all; a link to it stays a link.

    Raises:
        OSError: see ``whole_file``.
    """
    write_whole(Path(os.path.realpath(path)), content)


@contextlib.contextmanager
def whole_file(path: Path, suffix: str = "") -> Iterator[Path]:
    """Give a path beside ``path`` to write to; then flush the file to the disk and rename it.

    The temporary name is this call's own, so that two processes may write one file at a time: the
    later one replaces the earlier one's. Who may read and write the file stays as it was.

    Args:
        path: the file; its folder is made. Where it is a link, the file stands in its place.
        suffix: ending of the temporary name, for writers that take certain endings only.

    Raises:
        OSError: the disk is full or read-only; what stood there before still does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part{suffix}")
    try:
        yield temporary
        _flush(temporary)
        _keep_mode(path, temporary)
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):  # The error that led here says more.
            temporary.unlink(missing_ok=True)
    _flush(path.parent)


class HeldError(Exception):
    """Another process holds a lock; its number is the message, ``?`` where it is not known."""


class Lock:
    """A lock file that this process holds."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Wrap an open lock file; nothing is locked yet."""
        self.path = path
        self._descriptor = descriptor

    def is_in_place(self) -> bool:
        """Whether the file lies where others look for it: somebody may have removed it."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), self.path.lstat())
        except OSError:
            return False


@contextlib.contextmanager
def hold_lock(path: Path, patience: float) -> Iterator[Lock]:
    """Hold a lock file, which holds this process' number; it is let go with the process at last.

    Args:
        path: the lock file, which is made; its folder is there.
        patience: seconds to wait for another holder.

    Raises:
        HeldError: another process holds it.
        OSError: the folder can't be written, its file system has no locks, or the path is that of
            a link or of no regular file.
    """
    until = time.monotonic() + patience
    while True:
        descriptor = _open_lock(path, os.O_RDWR | os.O_CREAT)
        try:
            lock = Lock(path, descriptor)
            # The holder before may have removed the file while this process waited for it.
            if _take(descriptor, fcntl.LOCK_EX) and lock.is_in_place():
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, str(os.getpid()).encode(), 0)
                yield lock
                return
            if time.monotonic() >= until:
                raise HeldError(_holder(descriptor))
        finally:
            os.close(descriptor)
        time.sleep(0.05)


def holder_of(path: Path) -> str | None:
    """Return the number of the process that holds a lock file, ``?`` where it isn't known.

    ``None`` where nobody holds it, or it can't be read.
    """
    try:
        descriptor = _open_lock(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return None if _take(descriptor, fcntl.LOCK_SH) else _holder(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time read a file, change it and write it again.

    The lock is a file beside it, since the file itself is replaced. It ends with the process,
    however that ends, and is removed afterwards.

    Args:
        path: the file; its folder is there.

    Raises:
        OSError: the folder can't be written, or another process doesn't end its change.
    """
    try:
        with hold_lock(path.with_name(f".{path.name}.lock"), PATIENCE_SECONDS) as lock:
            try:
                yield
            finally:
                if lock.is_in_place():
                    lock.path.unlink(missing_ok=True)
    except HeldError as holder:
        raise OSError(errno.EAGAIN, f"process {holder} is changing it", str(path)) from holder


@contextlib.contextmanager
def draft_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a folder that only this user can read, and remove it at the end.

    A process that is killed leaves its folder; the next one that makes one with this prefix removes
    it, and knows it by its lock, which nobody holds. Clocks don't matter.

    Args:
        parent: the folder in which it is made.
        prefix: how its name begins.

    Raises:
        OSError: ``parent`` can't be written.
    """
    for lock_file in parent.glob(f"{prefix}*/{_DRAFT_LOCK}"):
        # One that is held, or is another user's, stays.
        with contextlib.suppress(OSError, HeldError), hold_lock(lock_file, patience=0):
            remove_draft(lock_file.parent)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        with hold_lock(folder / _DRAFT_LOCK, patience=1):
            yield folder
    finally:
        remove_draft(folder)


def remove_draft(folder: Path) -> None:
    """Remove a folder that ``draft_folder`` made, as far as possible.

    The lock goes last: what a process that is killed meanwhile leaves is still known as abandoned.
    """
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != _DRAFT_LOCK:
                path.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _open_lock(path: Path, access: int) -> int:
    """Open a lock file, which may lie in a folder of somebody else: no link, pipe or device."""
    descriptor = os.open(path, access | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is no regular file", str(path))
    return descriptor


def _take(descriptor: int, kind: int) -> bool:
    """Lock an open file unless another process holds it."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        reason = f"its file system can't lock files ({error.strerror})"
        raise OSError(error.errno, reason) from error
    return True


def _holder(descriptor: int) -> str:
    """The number that a lock file holds."""
    number = os.pread(descriptor, 20, 0).decode("ascii", "replace")
    return number if number.isdecimal() else "?"


def _keep_mode(path: Path, temporary: Path) -> None:
    """Give a new file the mode of the one that it replaces, if there is one."""
    with contextlib.suppress(OSError):  # A file system may have no modes.
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode != stat.S_IMODE(temporary.stat().st_mode):
            temporary.chmod(mode)


def _flush(path: Path) -> None:
    """Wait until a file or a folder's list of names is on the disk, where the disk can say so."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _CANT_FLUSH:
            raise
    finally:
        os.close(handle)
