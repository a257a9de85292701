"""Exact bounds: which UF1 a UAR allows, for classes of known sizes.

With ``n`` clips of a class, ``t`` of them right, and ``f`` clips of other classes taken for it,
its F1 is 2t / (n + t + f) and its recall t / n. All wrong clips, E in number, must be taken for
some class other than their own. Such a confusion matrix exists exactly if the f add up to E and no
class is given more than the wrong clips of the other classes: f <= E - (n - t), by Hall's
condition. For each choice of t the smallest and the largest UF1 are then those of a convex
separable function over integers: the smallest is reached step by step, the largest at a vertex.
"""

from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mer_keras.errors import UserError

#: Most combinations of right clips of each class that are tried.
MOST_COMBINATIONS = 5_000_000
_SLACK = 1e-9
Counts = NDArray[np.int64]


class Bounds(NamedTuple):
    """Smallest and largest UF1, in 0..1."""

    low: float
    high: float


@cache
def uf1_bounds(
    sizes: tuple[int, ...], uar: float, decimals: int, *, units: float = 0.5
) -> Bounds | None:
    """Find between which UF1 predictions with a printed UAR lie.

    Args:
        sizes: number of clips of each class, each at least 1.
        uar: the printed UAR, in 0..1.
        decimals: number of its decimals.
        units: how far the printed UAR may be off, in units of its last digit: 0.5 if it was
            rounded, 1 if it may also have been cut off.

    Returns:
        The exact bounds, over all confusion matrices whose UAR is printed so; ``None`` where no
        matrix has such a UAR.

    Raises:
        UserError: there are too many combinations of right clips to try them all.
    """
    if np.prod([size + 1.0 for size in sizes]) > MOST_COMBINATIONS:
        raise UserError(
            f"classes of {list(sizes)} clips have more than {MOST_COMBINATIONS:,} combinations of "
            "right clips: expected fewer or smaller classes"
        )
    right = _right_with(np.array(sizes), uar, units * 10**-decimals + _SLACK)
    if not len(right):
        return None
    return Bounds(float(_smallest(np.array(sizes), right)), float(_largest(np.array(sizes), right)))


def is_possible(sizes: tuple[int, ...], uf1: float, uar: float, decimals: int) -> bool:
    """Whether a printed pair lies within the bounds, were it rounded or cut off.

    Both scores have so many decimals.
    """
    bounds = uf1_bounds(sizes, uar, decimals, units=1)
    unit = 10**-decimals + _SLACK
    return bounds is not None and bounds.low - unit <= uf1 <= bounds.high + unit


def _right_with(sizes: Counts, uar: float, half: float) -> Counts:
    """All counts of right clips with about this mean recall: (combinations, classes)."""
    axes = np.ix_(*(np.arange(size + 1) / size for size in sizes))
    recall = sum(axes[1:], start=axes[0]) / len(sizes)  # (n1 + 1, n2 + 1, ...)
    return np.argwhere(np.abs(recall - uar) <= half)


def _limits(sizes: Counts, right: Counts) -> tuple[Counts, Counts]:
    """Wrong clips of each combination, and the most that each class can be given of them.

    Shapes: (combinations,) and (combinations, classes).
    """
    missed = sizes - right
    wrong = missed.sum(axis=1)
    return wrong, wrong[:, None] - missed


def _uf1(sizes: Counts, right: Counts, given: Counts) -> NDArray[np.float64]:
    """UF1 of each combination: (combinations, classes) -> (combinations,)."""
    return (2 * right / (sizes + right + given)).mean(axis=1)


def _smallest(sizes: Counts, right: Counts) -> float:
    """Smallest UF1: each wrong clip in turn is given to the class that loses most by it."""
    wrong, most = _limits(sizes, right)
    given = np.zeros_like(right)
    rows = np.arange(len(right))
    for step in range(int(wrong.max(initial=0))):
        before = 2 * right / (sizes + right + given)
        loss = before - 2 * right / (sizes + right + given + 1)
        loss[given >= most] = -1
        chosen = loss.argmax(axis=1)
        open_rows = rows[step < wrong]
        given[open_rows, chosen[open_rows]] += 1
    return float(_uf1(sizes, right, given).min())


def _largest(sizes: Counts, right: Counts) -> float:
    """Largest UF1: all classes but one are given nothing or the most that they can be given."""
    wrong, most = _limits(sizes, right)
    classes = len(sizes)
    largest = -1.0
    for free, filled in product(range(classes), product((0, 1), repeat=classes - 1)):
        full = np.insert(np.array(filled, np.int64), free, 0)
        given = most * full
        given[:, free] = wrong - given.sum(axis=1)
        fits = (given[:, free] >= 0) & (given[:, free] <= most[:, free])
        if fits.any():
            largest = max(largest, float(_uf1(sizes, right[fits], given[fits]).max()))
    return largest
