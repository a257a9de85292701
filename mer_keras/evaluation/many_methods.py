"""Many methods tested on the same people: which of them differ by more than chance?

Arguments named ``matrices`` have one array a method: confusion matrices, (seeds, people, classes,
classes), people in the same order for all methods. A method's score is the mean over its seeds of a
metric of all clips. The same people are drawn for all methods, since all were tested on the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from mer_keras.errors import UserError
from mer_keras.evaluation.metrics import (
    Matrices,
    draw_subjects,
    of_present_classes,
    percentiles,
)

#: Fewest bootstrap samples of a comparison of many pairs.
RESAMPLES = 20_000
#: Fewest for each pair: Holm multiplies the smallest p, 2 of all samples, by the number of pairs.
RESAMPLES_A_PAIR = 50
#: Most bootstrap samples, for the sake of memory; they serve the pairs of 89 methods.
MOST_RESAMPLES = 200_000


@dataclass(frozen=True)
class PairDifference:
    """Second minus first method of a pair.

    Attributes:
        first: position of the first method.
        second: position of the second method.
        value: difference of their scores, in -1..1.
        low: lower end of its 95 % interval over people, not corrected for the number of pairs.
        high: upper end of that interval.
        p: two-sided p of no difference, not corrected.
        corrected_p: p by Holm over all pairs.
    """

    first: int
    second: int
    value: float
    low: float
    high: float
    p: float
    corrected_p: float

    def differs(self, level: float = 0.05) -> bool:
        """Whether the two differ where all pairs are looked at."""
        return self.corrected_p <= level


def resampled_scores(
    matrices: Matrices, metric: str, weights: NDArray[np.int64] | NDArray[np.float64]
) -> NDArray[np.float64]:
    """Score of one method where people count so often: (resamples, people) -> (resamples,).

    Args:
        matrices: of one method, (seeds, people, classes, classes).
        metric: a key of ``metrics.METRICS``.
        weights: how often each person stands in each sample.
    """
    of_seeds = [
        of_present_classes(metric, np.tensordot(weights, of_seed, 1)) for of_seed in matrices
    ]
    return np.asarray(np.mean(of_seeds, axis=0))


def score(matrices: Matrices, metric: str) -> float:
    """Score of one method: the mean over seeds of a metric of all clips, 0..1."""
    everyone = np.ones((1, matrices.shape[1]), np.int64)
    return float(resampled_scores(matrices, metric, everyone)[0])


def compare_all(
    matrices: Sequence[Matrices], metric: str, *, resamples: int | None = None, seed: int = 0
) -> list[PairDifference]:
    """Compare every pair of methods: paired bootstrap over people, p corrected by Holm.

    The p of a pair is twice the share of bootstrap differences on the other side of zero, the
    sample itself counted as one of them (Davison and Hinkley, Bootstrap Methods, 1997, section
    4.2). Correction: Holm, Scandinavian Journal of Statistics 6, 1979.

    Args:
        matrices: one array a method, see above.
        metric: a key of ``metrics.METRICS``.
        resamples: number of bootstrap samples; if ``None``, ``RESAMPLES`` or as many more as a
            difference of so many pairs needs to be shown, up to ``MOST_RESAMPLES``.
        seed: seed of the resampling.

    Raises:
        UserError: methods have different numbers of people.
    """
    people = {of_method.shape[1] for of_method in matrices}
    if len(people) > 1:
        raise UserError(f"methods were tested on {min(people)} to {max(people)} people: no pairs")
    if len(matrices) < 2:
        return []
    pairs = list(combinations(range(len(matrices)), 2))
    wanted = max(RESAMPLES, RESAMPLES_A_PAIR * len(pairs))
    resamples = resamples or min(wanted, MOST_RESAMPLES)
    # Products of floating-point numbers are several times as fast, and exact of such counts.
    weights = draw_subjects(people.pop(), resamples, seed).astype(np.float64)
    drawn = [resampled_scores(of_method, metric, weights) for of_method in matrices]
    values = [score(of_method, metric) for of_method in matrices]
    ps, intervals = [], []
    for i, j in pairs:
        # A hundred methods have 5,000 pairs: the differences of one at a time are in memory.
        differences = drawn[j] - drawn[i]  # (resamples,)
        ps.append(_two_sided(differences))
        # The more pairs there are, the more samples does p need; an interval does not.
        intervals.append(percentiles(differences[:RESAMPLES], 0.95))
    return [
        PairDifference(i, j, values[j] - values[i], *interval, p, corrected)
        for (i, j), interval, p, corrected in zip(pairs, intervals, ps, holm(ps), strict=True)
    ]


def holm(ps: Sequence[float]) -> list[float]:
    """Correct p-values for their number: Holm's step-down method.

    Example:
        >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]
    """
    order = np.argsort(ps, kind="stable")
    factors = np.arange(len(ps), 0, -1)
    corrected = np.minimum(np.maximum.accumulate(factors * np.asarray(ps)[order]), 1)
    in_place = np.empty(len(ps))
    in_place[order] = corrected
    return [float(p) for p in in_place]


def indistinct_groups(
    methods: int, pairs: Sequence[PairDifference], level: float = 0.05
) -> list[tuple[int, ...]]:
    """Groups of methods of which no two differ; to none of them another method can be added.

    Two methods have a group in common where they don't differ, and only there, as with the letters
    of Piepho, Journal of Computational and Graphical Statistics 13, 2004. Not all such groups are
    needed for that: there are at most as many as pairs and methods.

    Args:
        methods: number of methods.
        pairs: what ``compare_all`` returned.
        level: bound of the corrected p.

    Returns:
        Positions of each group's methods, rising; the group of the first method first.
    """
    alike = [set(range(methods)) for _ in range(methods)]
    for pair in pairs:
        if pair.differs(level):
            alike[pair.first].discard(pair.second)
            alike[pair.second].discard(pair.first)
    groups: set[tuple[int, ...]] = set()
    # Those of each method that have no group in common with it yet.
    missing = [set(partners) for partners in alike]
    for first in range(methods):
        while missing[first]:
            group = {first, min(missing[first])}
            for method in range(methods):
                if group <= alike[method]:
                    group.add(method)
            groups.add(tuple(sorted(group)))
            for method in group:
                missing[method] -= group
    return sorted(groups)


def _two_sided(differences: NDArray[np.float64]) -> float:
    """Two-sided p of no difference from bootstrap differences, (resamples,)."""
    below, above = np.count_nonzero(differences <= 0), np.count_nonzero(differences >= 0)
    return float(min(1, 2 * (1 + min(below, above)) / (1 + len(differences))))
