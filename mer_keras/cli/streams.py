"""Standard streams that a caller closed, that end, or that are full."""

import contextlib
import io
import os
import sys

_STREAMS = {"stdin": os.O_RDONLY, "stdout": os.O_WRONLY, "stderr": os.O_WRONLY}


def open_closed_streams() -> None:
    """Let standard streams that were closed lead nowhere.

    Python has ``None`` in their place, on which each use fails; and the next file that is opened
    would get their number, so that a library's remarks were written into it.
    """
    for descriptor, (name, access) in enumerate(_STREAMS.items()):
        if getattr(sys, name) is not None:
            continue
        nowhere = os.open(os.devnull, access)
        if not _is_open(descriptor):
            os.dup2(nowhere, descriptor)
            os.close(nowhere)
            nowhere = descriptor
        mode = "r" if access == os.O_RDONLY else "w"
        setattr(sys, name, open(nowhere, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def make_all_printable() -> None:
    """Print letters that the terminal's encoding lacks as escapes, instead of failing on them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def flush() -> None:
    """Write what was printed and is still held back.

    Raises:
        OSError: the reader is gone, or the disk is full; what is left is dropped.
    """
    try:
        sys.stdout.flush()
    except OSError:
        drop_output()
        raise


def complain(text: str) -> None:
    """Print to standard error, which may be full or closed as well."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def drop_output() -> None:
    """Let standard output lead nowhere, so that the end of the process doesn't write it again."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
