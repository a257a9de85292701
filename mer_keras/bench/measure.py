"""Timing one way of doing a thing beside another."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Measured:
    """One way of doing a piece of work.

    Attributes:
        work: what is done.
        way: how.
        seconds: for all of it.
        rate: pieces a second.
        ratio: of the seconds of the first way of this work to these: above 1 is faster.
    """

    work: str
    way: str
    seconds: float
    rate: float
    ratio: float


def best_of(repeats: int, act: Callable[[], Any]) -> float:
    """Return the seconds that a call takes, the least of some repeats."""
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        act()
        taken.append(time.perf_counter() - started)
    return min(taken)


def compared(
    work: str, ways: dict[Any, Callable[[], Any]], pieces: int, repeats: int
) -> list[Measured]:
    """Time several ways of doing ``pieces`` of the same work; ratios are to the first."""
    seconds = {way: best_of(repeats, act) for way, act in ways.items()}
    first = next(iter(seconds.values()))
    return [
        Measured(work, str(way), round(s, 4), round(pieces / s, 2), round(first / s, 2))
        for way, s in seconds.items()
    ]


def print_measured(rows: Sequence[Measured]) -> None:
    """Print the measurements as a table."""
    print(f"{'work':38}{'way':28}{'seconds':>10}{'per second':>12}{'ratio':>8}")
    for row in rows:
        print(f"{row.work:38}{row.way:28}{row.seconds:10.3f}{row.rate:12.1f}{row.ratio:8.2f}")
