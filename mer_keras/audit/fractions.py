"""Which counts a printed share can come from: integers against rounding.

In all functions a share is printed as ``value`` with so many ``decimals``, in per cent unless there
is a ``scale``: 100 for per cent or 1 for a fraction.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from math import ceil, floor
from typing import NamedTuple

from scipy.stats import binomtest

#: Added to half a unit of the last digit, since some round halves up and some to even.
_SLACK = 1e-9


class Fraction(NamedTuple):
    """So many right clips of so many."""

    right: int
    clips: int

    def __str__(self) -> str:
        return f"{self.right}/{self.clips}"


def rounds_to(count: int, whole: int, value: float, decimals: int, *, scale: float = 100) -> bool:
    """Whether ``count`` of ``whole``, times ``scale``, rounds to ``value``."""
    return abs(scale * count / whole - value) <= 0.5 * 10**-decimals + _SLACK


def counts_of(
    whole: int, value: float, decimals: int, *, scale: float = 100, units: float = 0.5
) -> list[int]:
    """All counts of ``whole`` that are printed as ``value``, rising; empty if there is none.

    Args:
        whole: number of clips.
        value: the share as printed.
        decimals: its number of decimals.
        scale: 100 for per cent, 1 for fractions.
        units: how far the printed share may be off, in units of its last digit: 0.5 if it was
            rounded, 1 if it may also have been cut off or made to add up.
    """
    half = units * 10**-decimals + _SLACK
    low, high = (value - half) * whole / scale, (value + half) * whole / scale
    return list(range(max(0, ceil(low - _SLACK)), min(whole, floor(high + _SLACK)) + 1))


def fractions_of(
    wholes: Iterable[int], value: float, decimals: int, *, scale: float = 100
) -> list[Fraction]:
    """All fractions of so many clips that round to ``value``, in the order of ``wholes``."""
    return [
        Fraction(right, whole)
        for whole in wholes
        for right in counts_of(whole, value, decimals, scale=scale)
    ]


def fitting_wholes(
    values: Sequence[float], decimals: int, most: int, *, units: float = 0.5
) -> list[int]:
    """Every number of samples up to ``most`` that a row of shares can be fractions of.

    The counts must add up to the number of samples.

    Args:
        values: shares of one row of a confusion matrix, in per cent as printed.
        decimals: number of their decimals.
        most: largest number of samples that is tried.
        units: see ``counts_of``.
    """
    wholes = []
    for whole in range(1, most + 1):
        counts = [counts_of(whole, value, decimals, units=units) for value in values]
        if all(counts) and sum(c[0] for c in counts) <= whole <= sum(c[-1] for c in counts):
            wholes.append(whole)
    return wholes


def row_counts(
    values: Sequence[float], decimals: int, whole: int, *, units: float = 0.5
) -> list[int] | None:
    """Counts of one row that add up to ``whole``; ``None`` if there are none."""
    counts = [counts_of(whole, value, decimals, units=units) for value in values]
    return next((list(row) for row in product(*counts) if sum(row) == whole), None)


def partitions(whole: int, parts: int, most: int | None = None) -> Iterator[tuple[int, ...]]:
    """Ways to write ``whole`` as a falling sum of ``parts`` numbers of 1 to ``most``."""
    if parts == 1:
        if 1 <= whole <= (most or whole):
            yield (whole,)
        return
    for first in range(min(whole - parts + 1, most or whole), 0, -1):
        for rest in partitions(whole - first, parts - 1, first):
            yield (first, *rest)


def is_mean_over_folds(
    value: float, decimals: int, clips: int, folds: int, *, units: float = 0.5
) -> bool:
    """Whether a share in per cent can be the plain mean of one share a fold.

    Every way in which the clips of a class fall into the folds is tried; folds without any are
    left out of the mean.

    Args:
        value: the share as printed.
        decimals: its number of decimals.
        clips: number of clips of the class.
        folds: at most so many folds hold clips of it.
        units: see ``counts_of``.
    """
    half = units * 10**-decimals / 100 + _SLACK
    target = value / 100
    for used in range(1, folds + 1):
        for sizes in partitions(clips, used):
            means = {0.0}
            for size in sizes:
                means = {
                    round(mean + right / size / used, 12)
                    for mean in means
                    for right in range(size + 1)
                    if mean + right / size / used <= target + half
                }
            if any(abs(mean - target) <= half for mean in means):
                return True
    return False


def exact_interval(right: int, whole: int, level: float = 0.95) -> tuple[float, float]:
    """Exact binomial interval of a share (Clopper and Pearson, Biometrika 1934), in 0..1."""
    interval = binomtest(right, whole).proportion_ci(level, method="exact")
    return float(interval.low), float(interval.high)
