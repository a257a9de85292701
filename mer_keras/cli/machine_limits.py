"""What a machine refuses to any command, in words: disk, memory, files, processes, rights."""

import errno
from collections.abc import Iterator

#: What helps, by the number of the system's error.
_REMEDIES = {
    errno.ENOSPC: "make room, then run the same command",
    errno.EDQUOT: "your share of the disk is used up: make room, then run the same command",
    errno.EFBIG: "files may not be so large here: raise the limit (ulimit -f)",
    errno.EROFS: "name another folder (MER_CACHE, MER_RESULTS, MER_CONFIG or TMPDIR)",
    errno.EACCES: "change its permissions, or name another file or folder",
    errno.EPERM: "change its permissions, or name another file or folder",
    errno.EMFILE: "raise the limit of open files (ulimit -n), or give fewer --workers",
    errno.ENFILE: "the whole machine has too many open files: end other programs",
    errno.EAGAIN: "raise the limits of processes and memory (ulimit -u, -v), or fewer --workers",
    errno.ENOMEM: "fewer --workers or a smaller train.batch_size take less memory",
}
#: Words in errors that are raised without the system's number, and the number that they stand for.
_WORDS = {
    "can't start new thread": errno.EAGAIN,
    "resource temporarily unavailable": errno.EAGAIN,
    "too many open files": errno.EMFILE,
    "cannot allocate memory": errno.ENOMEM,
    "failed to map segment": errno.ENOMEM,
    "failed to allocate": errno.ENOMEM,
    "bad_alloc": errno.ENOMEM,
}
#: Longest chain of errors that is followed to the one that began it.
_MOST_CAUSES = 10


def what_is_refused(error: BaseException) -> str | None:
    """Say what the machine refused, and what helps; ``None`` if another cause led to the error."""
    for cause in _causes(error):
        if isinstance(cause, OSError):
            where = f"{cause.filename}: " if cause.filename else ""
            return _described(f"{where}{cause.strerror or cause}", cause.errno)
        if isinstance(cause, MemoryError):
            return _described(f"memory ran out ({cause})".replace(" ()", ""), errno.ENOMEM)
        if isinstance(cause, RuntimeError | ImportError | SystemError):
            text = str(cause).lower()
            number = next((number for words, number in _WORDS.items() if words in text), None)
            if number is not None:
                return _described(str(cause).splitlines()[0], number)
    return None


def _described(refused: str, number: int | None) -> str:
    remedy = _REMEDIES.get(number) if number is not None else None
    return f"{refused}: {remedy}" if remedy else refused


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error, then what led to it."""
    cause: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__
