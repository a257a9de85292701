"""Largest memory of a process, and of those that it starts.

Not by ``getrusage``: the peak that it tells of a process includes that of the one that started it.
"""

import resource
import threading
from pathlib import Path
from types import TracebackType

_PROC = Path("/proc")
#: seconds between two looks at the processes that were started
_EVERY = 0.25


def peak_memory(process: str = "self") -> int:
    """Largest resident memory of a process so far, in MiB; 0 if it is gone.

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
    if process == "self":  # a system without this file
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return 0


class FamilyMemory:
    """Follows the peaks of this process and of those that it starts, while it is entered.

    Peaks are added up, which is more than what was taken at one time if they fall apart; pages
    that processes share count for each of them.
    """

    def __init__(self) -> None:
        self._peaks: dict[str, int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "FamilyMemory":
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def peak(self, processes: int) -> int:
        """Return MiB of this process and the largest ``processes`` of its children so far."""
        largest = sorted(self._peaks.values(), reverse=True)[:processes]
        return peak_memory() + sum(largest)

    def _look(self) -> None:
        while not self._over.wait(_EVERY):
            for child in _children():
                self._peaks[child] = max(self._peaks.get(child, 0), peak_memory(child))


def _children() -> set[str]:
    """Numbers of the processes that this one started and that run."""
    found: set[str] = set()
    for file in _PROC.glob("self/task/*/children"):
        try:
            found |= set(file.read_text(encoding="utf-8").split())
        except OSError:  # a thread that has ended
            continue
    return found
