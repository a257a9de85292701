"""Two sets of predictions of the same clips: do they differ by more than chance?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from mer_keras.errors import UserError
from mer_keras.evaluation import metrics
from mer_keras.evaluation.metrics import Matrices, of_present_classes


@dataclass(frozen=True)
class Difference:
    """A metric of two sets of predictions, in 0..1, and second minus first with its interval.

    Attributes:
        metric: a key of ``metrics.METRICS``.
        first: value of the first set.
        second: value of the second set.
        low: lower end of the interval of the difference, in -1..1.
        high: upper end of the interval of the difference, in -1..1.
        subjects: number of people that the interval is over.
    """

    metric: str
    first: float
    second: float
    low: float
    high: float
    subjects: int

    @property
    def value(self) -> float:
        """Second minus first."""
        return self.second - self.first

    @property
    def interval_warning(self) -> str:
        """Why the interval says less than it seems to; empty if it doesn't."""
        return metrics.few_subjects_warning(self.subjects)


@dataclass(frozen=True)
class Predictions:
    """Predicted classes of clips; all attributes have the same order of clips.

    Attributes:
        sample_ids: each clip once.
        subject_ids: the subject of each clip.
        labels: the true class of each clip.
        predicted: the predicted class of each clip, one tuple a seed.
    """

    sample_ids: tuple[str, ...]
    subject_ids: tuple[str, ...]
    labels: tuple[str, ...]
    predicted: tuple[tuple[str, ...], ...]

    def subject_matrices(self, classes: Sequence[str]) -> Matrices:
        """Confusion matrices: (seeds, subjects, classes, classes) int64, subjects sorted."""
        matrices = [
            metrics.subject_matrices(self.labels, of_seed, self.subject_ids, classes)
            for of_seed in self.predicted
        ]
        return np.stack(matrices)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each clip is predicted right by the first seed: (clips,)."""
        return np.array(self.predicted[0]) == np.array(self.labels)


def align(first: Predictions, second: Predictions) -> Predictions:
    """Return the second predictions in the order of the first, joined by ``sample_id``.

    Raises:
        UserError: they are not of the same clips with the same labels.
    """
    unshared = set(first.sample_ids) ^ set(second.sample_ids)
    if unshared:
        raise UserError(
            f"the runs tested different clips ({len(unshared)} stand in one only): predictions are "
            "compared clip by clip, so take two runs on the same samples"
        )
    index_of = {sample_id: index for index, sample_id in enumerate(second.sample_ids)}
    order = [index_of[sample_id] for sample_id in first.sample_ids]
    labels = tuple(second.labels[index] for index in order)
    if labels != first.labels:
        raise UserError("the runs have different labels for the same clips: another label scheme")
    subject_ids = tuple(second.subject_ids[index] for index in order)
    predicted = tuple(tuple(of_seed[index] for index in order) for of_seed in second.predicted)
    return Predictions(first.sample_ids, subject_ids, labels, predicted)


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
        second: predictions of the same clips in the same order (see ``align``).
        classes: the full label set.
        metric: a key of ``metrics.METRICS``.
        resamples: number of bootstrap samples.
        level: share of the bootstrap samples inside the interval.
        seed: seed of the resampling.
    """

    def mean_over_seeds(matrices: Matrices, weights: NDArray[np.int64]) -> NDArray[np.float64]:
        """The metric where subjects count so often: (..., subjects) -> (...)."""
        of_seeds = [
            of_present_classes(metric, np.tensordot(weights, of_seed, 1)) for of_seed in matrices
        ]
        return np.asarray(np.mean(of_seeds, axis=0))

    before, after = first.subject_matrices(classes), second.subject_matrices(classes)
    subjects = before.shape[1]
    drawn = metrics.draw_subjects(subjects, resamples, seed)  # (resamples, subjects)
    differences = mean_over_seeds(after, drawn) - mean_over_seeds(before, drawn)
    once = np.ones(subjects, np.int64)
    first_value, second_value = (float(mean_over_seeds(m, once)) for m in (before, after))
    low, high = metrics.percentiles(differences, level)
    return Difference(metric, first_value, second_value, low, high, subjects)


def mcnemar(first: Predictions, second: Predictions) -> tuple[int, int, float]:
    """Clips that only one of the two gets right, and how likely such an imbalance is by chance.

    The exact test (McNemar, Psychometrika 1947, with binomial probabilities), of the first seed of
    each. It takes clips for independent, which those of one person are not: with few people the
    interval of ``difference`` is the more honest answer.

    Args:
        first: predictions.
        second: predictions of the same clips in the same order (see ``align``).

    Returns:
        Number of clips that only the first gets right, number that only the second does, and the
        two-sided p.
    """
    only_first = int((first.right & ~second.right).sum())
    only_second = int((~first.right & second.right).sum())
    if only_first + only_second == 0:
        return 0, 0, 1.0
    test = binomtest(only_second, only_first + only_second, 0.5)
    return only_first, only_second, float(test.pvalue)
