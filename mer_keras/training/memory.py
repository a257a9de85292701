"""Memory that training steps free and ask for again is kept by the process."""

import contextlib
import ctypes

#: Two settings of the C library's ``mallopt``: sizes from which freed memory goes back.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


def keep_freed_memory() -> None:
    """Have the C library keep up to 1 GiB of freed memory instead of giving it back each time.

    A training step frees and asks for the same tensors over and over, and so does a feature from
    clip to clip. Fresh pages, which the system fills with zeros, cost a small network a third of
    its step. Where the library isn't glibc, nothing happens.
    """
    with contextlib.suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        for setting in (_TRIM_THRESHOLD, _MMAP_THRESHOLD):
            library.mallopt(setting, 1 << 30)
