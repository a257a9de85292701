"""Timing, and what is measured: medians of repeats, ratios to the first way of a work."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mer_keras.errors import MerKerasError


class NotMeasuredError(MerKerasError):
    """A case can't run here; the message says why. Others are not concerned."""


@dataclass(frozen=True)
class Measured:
    """One way of doing a piece of work.

    Attributes:
        work: what is done.
        way: how.
        seconds: of each repeat; empty where something else is told in ``facts``.
        pieces: of work in one repeat.
        peak_mib: largest memory of the process, or of the device where the backend tells.
        facts: what else was found, by name.
    """

    work: str
    way: str
    seconds: tuple[float, ...] = ()
    pieces: float = 1.0
    peak_mib: int | None = None
    facts: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def median(self) -> float | None:
        """Median of the repeats."""
        return statistics.median(self.seconds) if self.seconds else None

    @property
    def rate(self) -> float | None:
        """Pieces a second, by the median."""
        return self.pieces / self.median if self.median and self.median > 0 else None

    def to_json(self, ratio: float | None) -> dict[str, Any]:
        """Return it JSON-ready, its ratio (see ``ratios``) included."""
        return {
            "work": self.work,
            "way": self.way,
            "seconds": [_short(s) for s in self.seconds],
            "median": _short(self.median),
            "least": _short(min(self.seconds, default=None)),
            "largest": _short(max(self.seconds, default=None)),
            "pieces": self.pieces,
            "per_second": _short(self.rate),
            "ratio": _short(ratio),
            "peak_mib": self.peak_mib,
            "facts": dict(self.facts),
        }


def from_json(tree: Mapping[str, Any]) -> Measured:
    """Return what ``Measured.to_json`` made JSON-ready."""
    names = ("work", "way", "pieces", "peak_mib", "facts")
    return Measured(seconds=tuple(tree["seconds"]), **{name: tree[name] for name in names})


def timed(
    act: Callable[[], Any], repeats: int, *, budget: float = float("inf")
) -> tuple[float, ...]:
    """Return the seconds that each of some calls takes.

    Args:
        act: what is called.
        repeats: at most so many calls.
        budget: no further call is begun after so many seconds; one is made at least.
    """
    taken: list[float] = []
    while len(taken) < repeats and (not taken or sum(taken) < budget):
        started = time.perf_counter()
        act()
        taken.append(time.perf_counter() - started)
    return tuple(taken)


def compared(
    work: str, ways: Mapping[Any, Callable[[], Any]], pieces: float, repeats: int
) -> list[Measured]:
    """Time several ways of doing ``pieces`` of the same work."""
    return [Measured(work, str(way), timed(act, repeats), pieces) for way, act in ways.items()]


def ratios(rows: Sequence[Measured]) -> list[float | None]:
    """Of each row: the median of the first way of its work, divided by its own.

    Above 1 is faster than the first. None where there are no seconds, or none above zero (a
    difference of two times may be none).
    """
    first: dict[str, float] = {}
    found: list[float | None] = []
    for row in rows:
        own = row.median
        if own is None or own <= 0:
            found.append(None)
            continue
        found.append(first.setdefault(row.work, own) / own)
    return found


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Fit ``seconds = c * sizes ** exponent``: the slope of a line through the logarithms.

    1 is linear. A part that doesn't grow with the size, such as a start, makes it smaller.

    Raises:
        ValueError: fewer than two sizes, or a number that is not positive.
    """
    if len(sizes) != len(seconds) or len(set(sizes)) < 2:
        raise ValueError("a slope needs two sizes at least, and seconds of each")
    if min(*sizes, *seconds) <= 0:
        raise ValueError("sizes and seconds must be positive")
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def _short(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.5g}")
