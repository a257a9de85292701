"""Peak memory of a process, and of the processes that it starts.

``getrusage`` is of no use here: the peak that it gives of a process includes that of the process
that started it.
"""

import resource
import threading
from pathlib import Path
from types import TracebackType

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


class FamilyMemory:
    """Follows the peaks of this process and of its children, inside a ``with`` block.

    The peaks are added up. This is more than was used at any moment if they were at different
    times, and pages that processes share count for each of them.
    """

    def __init__(self) -> None:
        self._peaks: dict[str, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "FamilyMemory":
        """Begin to watch."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Watch no longer."""
        self._ended.set()
        self._thread.join()

    def peak(self, children: int) -> int:
        """Return the sum in MiB of this process and the ``children`` largest of its children."""
        largest = sorted(self._peaks.values(), reverse=True)[:children]
        return peak_memory() + sum(largest)

    def _watch(self) -> None:
        while not self._ended.wait(_INTERVAL):
            for child in _children():
                self._peaks[child] = max(self._peaks.get(child, 0), peak_memory(child))


def _children() -> set[str]:
    """Numbers of the running child processes."""
    children: set[str] = set()
    for file in _PROC.glob("self/task/*/children"):
        try:
            children |= set(file.read_text(encoding="utf-8").split())
        except OSError:  # The thread has ended since.
            continue
    return children
