"""Which counts a printed figure can come from: integers against rounding."""

from collections.abc import Iterator, Sequence
from itertools import product
from math import ceil, floor

from scipy.stats import beta

#: halves are rounded up by some and to even by others: both are let through
_SLACK = 1e-9


def rounds_to(count: int, whole: int, value: float, decimals: int, *, scale: float = 100) -> bool:
    """Whether ``count`` of ``whole``, times ``scale``, is ``value`` to so many decimals."""
    return abs(scale * count / whole - value) <= 0.5 * 10**-decimals + _SLACK


def counts_of(
    whole: int, value: float, decimals: int, *, scale: float = 100, units: float = 0.5
) -> list[int]:
    """All counts of ``whole`` that are printed as ``value``; none, if it can't be that many.

    ``units``: how far the printed figure may be off, in units of its last digit: 0.5 if it was
    rounded, 1 if it may also have been cut off or made to add up.
    """
    half = units * 10**-decimals + _SLACK
    low, high = (value - half) * whole / scale, (value + half) * whole / scale
    return list(range(max(0, ceil(low - _SLACK)), min(whole, floor(high + _SLACK)) + 1))


def fitting_wholes(
    values: Sequence[float], decimals: int, most: int, *, scale: float = 100, units: float = 0.5
) -> list[int]:
    """Every number of samples up to ``most`` that a row of shares can be fractions of.

    The counts must add up to the number of samples.

    Args:
        values: shares of one row of a confusion matrix, as printed.
        decimals: that they are printed to.
        most: largest number that is tried.
        scale: 100 for per cent, 1 for fractions.
        units: see ``counts_of``.
    """
    found = []
    for whole in range(1, most + 1):
        ways = [counts_of(whole, value, decimals, scale=scale, units=units) for value in values]
        if all(ways) and sum(w[0] for w in ways) <= whole <= sum(w[-1] for w in ways):
            found.append(whole)
    return found


def row_counts(
    values: Sequence[float], decimals: int, whole: int, *, scale: float = 100, units: float = 0.5
) -> list[int] | None:
    """Counts of one row that add up to ``whole``; ``None`` if there are none."""
    ways = [counts_of(whole, value, decimals, scale=scale, units=units) for value in values]
    return next((list(way) for way in product(*ways) if sum(way) == whole), None)


def partitions(whole: int, parts: int, most: int | None = None) -> Iterator[tuple[int, ...]]:
    """Ways to write ``whole`` as a falling sum of ``parts`` numbers of at least 1."""
    if parts == 1:
        if 1 <= whole <= (most or whole):
            yield (whole,)
        return
    for first in range(min(whole - parts + 1, most or whole), 0, -1):
        for rest in partitions(whole - first, parts - 1, first):
            yield (first, *rest)


def is_mean_over_folds(
    value: float, decimals: int, clips: int, folds: int, *, scale: float = 100, units: float = 0.5
) -> bool:
    """Whether a share can be the plain mean of one share a fold.

    Every way in which the clips of a class fall into the folds is tried, folds without any being
    left out of the mean.

    Args:
        value: as printed.
        decimals: that it is printed to.
        clips: of the class.
        folds: at most so many hold clips of it.
        scale: 100 for per cent.
        units: see ``counts_of``.
    """
    half = units * 10**-decimals / scale + _SLACK
    target = value / scale
    for used in range(1, folds + 1):
        for sizes in partitions(clips, used):
            reached = {0.0}
            for size in sizes:
                reached = {
                    round(part + right / size / used, 12)
                    for part in reached
                    for right in range(size + 1)
                    if part + right / size / used <= target + half
                }
            if any(abs(part - target) <= half for part in reached):
                return True
    return False


def exact_interval(right: int, whole: int, level: float = 0.95) -> tuple[float, float]:
    """Exact binomial interval of a share (Clopper and Pearson, Biometrika 1934), in 0..1."""
    tail = (1 - level) / 2
    low = 0.0 if right == 0 else float(beta.ppf(tail, right, whole - right + 1))
    high = 1.0 if right == whole else float(beta.ppf(1 - tail, right + 1, whole - right))
    return low, high
