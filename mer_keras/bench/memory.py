"""Peak memory of a process, and of the processes that it starts.

``getrusage`` is of no use here: the peak that it gives of a process includes that of the process
that started it.
"""

import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PROC = Path("/proc")
#: Seconds between two looks at the child processes.
_INTERVAL = 0.25


def peak_memory(process: str = "self") -> int:
    """Largest resident memory of a process so far, in MiB; 0 if the process has ended.

    Args:
        process: its number.
    """
    try:
        lines = (_PROC / process / "status").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    if process == "self":  # Only Linux has this file.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return 0


@contextmanager
def family_memory() -> Iterator[Callable[[int], int]]:
    """Follow the peaks of this process and of its children, inside a ``with`` block.

    Yields a function: the sum in MiB of the peaks of this process and of so many of its children,
    the largest. This is more than was used at any moment if the peaks were at different times, and
    pages that processes share count for each of them.
    """
    peaks: dict[str, int] = {}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_INTERVAL):
            for child in _children():
                peaks[child] = max(peaks.get(child, 0), peak_memory(child))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lambda children: peak_memory() + sum(sorted(peaks.values())[::-1][:children])
    finally:
        ended.set()
        thread.join()


def _children() -> set[str]:
    """Numbers of the running child processes."""
    children: set[str] = set()
    for file in _PROC.glob("self/task/*/children"):
        try:
            children |= set(file.read_text(encoding="utf-8").split())
        except OSError:  # The thread has ended since.
            continue
    return children
