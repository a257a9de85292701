"""Two sets of predictions of the same clips: do they differ by more than chance?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from mer_keras.errors import UserError
from mer_keras.evaluation.metrics import METRICS, draw_subjects, percentiles, subject_matrices


@dataclass(frozen=True)
class Difference:
    """A metric of two sets of predictions, in 0..1, and second minus first with its interval."""

    metric: str
    first: float
    second: float
    low: float
    high: float

    @property
    def value(self) -> float:
        """Second minus first."""
        return self.second - self.first


@dataclass(frozen=True)
class Predictions:
    """Predictions of clips, row by row.

    Attributes:
        sample_ids: each once.
        subject_ids: whose clip each is.
        labels: the truth.
        predicted: what was said, one list a seed.
    """

    sample_ids: tuple[str, ...]
    subject_ids: tuple[str, ...]
    labels: tuple[str, ...]
    predicted: tuple[tuple[str, ...], ...]

    def in_order(self, sample_ids: Sequence[str]) -> "Predictions":
        """The same predictions in another order of clips."""
        place = {sample: i for i, sample in enumerate(self.sample_ids)}
        order = [place[sample] for sample in sample_ids]
        return Predictions(
            tuple(sample_ids),
            tuple(self.subject_ids[i] for i in order),
            tuple(self.labels[i] for i in order),
            tuple(tuple(one[i] for i in order) for one in self.predicted),
        )


def align(first: Predictions, second: Predictions) -> Predictions:
    """Return the second predictions in the order of the first, joined by ``sample_id``.

    Raises:
        UserError: they are not of the same clips with the same labels.
    """
    apart = sorted(set(first.sample_ids) ^ set(second.sample_ids))
    if apart:
        raise UserError(
            f"the runs tested different clips ({len(apart)} stand in one only): predictions are "
            "compared clip by clip, so take two runs on the same samples"
        )
    ordered = second.in_order(first.sample_ids)
    if ordered.labels != first.labels:
        raise UserError("the runs have different labels for the same clips: another label scheme")
    return ordered


def difference(
    first: Predictions,
    second: Predictions,
    classes: Sequence[str],
    metric: str,
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Difference:
    """How much better the second is, with a percentile interval over subjects.

    The same subjects are drawn for both, since both were tested on the same people. Where there are
    several seeds, each set's metric is averaged over its own. On simulated predictions of equal
    skill the 95 % interval holds zero in 94 of 100 draws with 70 subjects, in 92 with 40: with few
    people it is a little too narrow.

    Args:
        first: predictions.
        second: of the same clips in the same order (see ``align``).
        classes: the full label set.
        metric: a key of ``metrics.METRICS``.
        resamples: number of bootstrap samples.
        level: share of them inside the interval.
        seed: of the resampling.
    """
    people = [
        np.stack([subject_matrices(one.labels, p, one.subject_ids, classes) for p in one.predicted])
        for one in (first, second)
    ]
    drawn = draw_subjects(people[0].shape[1], resamples, seed)

    def averaged(made: np.ndarray, weights: np.ndarray) -> np.ndarray:
        of_seeds = [METRICS[metric](np.tensordot(weights, one, 1)) for one in made]
        return np.asarray(np.mean(of_seeds, axis=0))

    whole = np.ones(people[0].shape[1], np.int64)
    a, b = (float(averaged(made, whole)) for made in people)
    low, high = percentiles(averaged(people[1], drawn) - averaged(people[0], drawn), level)
    return Difference(metric, a, b, low, high)


def mcnemar(first: Predictions, second: Predictions) -> tuple[int, int, float]:
    """Clips that only one of the two gets right, and how likely such an imbalance is by chance.

    The exact test (McNemar, Psychometrika 1947, with binomial probabilities), of the first seed of
    each. It takes clips for independent, which those of one person are not: with few people the
    interval of ``difference`` is the more honest answer.

    Returns:
        Clips that only the first gets right, that only the second does, and the two-sided p.
    """
    right = [np.array(one.predicted[0]) == np.array(one.labels) for one in (first, second)]
    only_first = int((right[0] & ~right[1]).sum())
    only_second = int((~right[0] & right[1]).sum())
    if only_first + only_second == 0:
        return 0, 0, 1.0
    test = binomtest(only_second, only_first + only_second, 0.5)
    return only_first, only_second, float(test.pvalue)
