"""The smallest difference between two methods that so many people can show.

Two methods are taken whose predictions are stored. People are drawn from those that were tested,
and the second method is given a true advantage: each of its wrong clips is mended with a fixed
probability. How often the paired interval over people then lies above zero is the power of the
comparison at that advantage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mer_keras.evaluation.metrics import Matrices, draw_subjects, of_present_classes

#: Probabilities that a wrong clip is mended.
MENDED = tuple(np.round(np.linspace(0, 0.45, 16), 3).tolist())
#: Simulated studies at each advantage.
STUDIES = 300
#: The power that makes an advantage one that can be shown.
ENOUGH = 0.8


@dataclass(frozen=True)
class PowerPoint:
    """Power at one advantage.

    Attributes:
        difference: true advantage of the second method, in the metric.
        power: share of samples of people whose 95 % interval lies above zero.
    """

    difference: float
    power: float


def power_curve(
    first: Matrices,
    second: Matrices,
    metric: str = "uf1",
    *,
    people: int | None = None,
    mended: Sequence[float] = MENDED,
    studies: int = STUDIES,
    resamples: int = 300,
    seed: int = 0,
) -> list[PowerPoint]:
    """Power at advantages from none upwards, ordered by the advantage.

    Args:
        first: confusion matrices of one method, (people, classes, classes).
        second: those of another of the same people.
        metric: a key of ``metrics.METRICS``.
        people: how many are drawn; as many as were tested if ``None``.
        mended: probabilities that a wrong clip of the second method is mended.
        studies: number of drawn studies at each advantage.
        resamples: bootstrap samples of each study's interval.
        seed: seed of all draws.
    """
    tested = len(first)
    drawn_people = tested if people is None else people
    rng = np.random.default_rng(seed)
    weights = draw_subjects(drawn_people, resamples, seed)  # (resamples, people)
    points = []
    for probability in mended:
        own = rng.integers(0, tested, (studies, drawn_people))  # (studies, people)
        before = first[own]  # (studies, people, classes, classes)
        after = _mend(second[own], probability, rng)
        differences = _resampled(after, weights, metric) - _resampled(before, weights, metric)
        low = np.quantile(differences, 0.025, axis=1)  # (studies,)
        expected = _scores(_expected(second, probability), metric) - _scores(first, metric)
        points.append(PowerPoint(float(expected), float((low > 0).mean())))
    return sorted(points, key=lambda point: point.difference)


def smallest_shown(points: list[PowerPoint], enough: float = ENOUGH) -> float | None:
    """The smallest true difference whose power is enough, by linear interpolation.

    ``None`` where no advantage that was tried has it.
    """
    for before, after in pairwise(points):
        if before.power < enough <= after.power:
            share = (enough - before.power) / (after.power - before.power)
            return before.difference + share * (after.difference - before.difference)
    return None


def _mend(matrices: Matrices, probability: float, rng: np.random.Generator) -> Matrices:
    """Make each wrong clip right with a probability: (..., classes, classes), rows the truth."""
    classes = matrices.shape[-1]
    wrong = np.asarray(matrices * ~np.eye(classes, dtype=bool), np.int64)
    mended = rng.binomial(wrong, probability)
    return matrices - mended + mended.sum(axis=-1, keepdims=True) * np.eye(classes, dtype=np.int64)


def _expected(matrices: Matrices, probability: float) -> NDArray[np.float64]:
    """What ``_mend`` gives on the average."""
    identity = np.eye(matrices.shape[-1])
    mended = probability * matrices * (1 - identity)
    return matrices - mended + mended.sum(axis=-1, keepdims=True) * identity


def _scores(matrices: NDArray[np.number], metric: str) -> NDArray[np.float64]:
    """The metric of all people: (people, classes, classes) -> ()."""
    return of_present_classes(metric, matrices.sum(axis=0))


def _resampled(matrices: Matrices, weights: NDArray[np.int64], metric: str) -> NDArray[np.float64]:
    """Metric of each study's bootstrap samples: (studies, people, C, C) -> (studies, resamples)."""
    studies, people, classes, _ = matrices.shape
    flat = matrices.reshape(studies, people, classes * classes).astype(np.float32)
    pooled = weights.astype(np.float32) @ flat  # (studies, resamples, classes * classes)
    return of_present_classes(metric, pooled.reshape(studies, -1, classes, classes))
