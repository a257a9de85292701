"""UF1, UAR, WAR and their intervals: pure functions of labels and predictions.

Every metric is a function of a confusion matrix over the full label set, so that a class absent
from the truth or from the predictions counts as zero and is never dropped. Definitions: See et
al., "MEGC 2019", FG 2019, section on evaluation: true positives, false positives and false
negatives are pooled over all folds first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mer_keras.errors import UserError

Matrix = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """Metrics of one set of predictions, each in 0..1, and the number of samples."""

    uf1: float
    uar: float
    war: float
    wf1: float
    n: int


def confusion_matrix(
    labels: Sequence[str], predicted: Sequence[str], classes: Sequence[str]
) -> Matrix:
    """Count predictions: (classes, classes) int64, rows are the truth.

    Args:
        labels: true classes.
        predicted: predicted classes, in the same order.
        classes: the full label set, which gives the order of rows and columns.

    Raises:
        UserError: no samples, lengths that differ, or a class that is not in ``classes``.

    Example:
        >>> confusion_matrix(["a", "b", "b"], ["a", "a", "b"], ["a", "b"]).tolist()
        [[1, 0], [1, 1]]
    """
    if len(labels) == 0 or len(labels) != len(predicted):
        raise UserError(
            f"{len(labels)} labels and {len(predicted)} predictions: expected as many of each, "
            "and at least one"
        )
    number = {name: i for i, name in enumerate(classes)}
    strangers = sorted((set(labels) | set(predicted)) - set(number))
    if strangers:
        raise UserError(f"class {strangers[0]!r} is not one of {list(classes)}")
    flat = [number[t] * len(number) + number[p] for t, p in zip(labels, predicted, strict=True)]
    counts = np.bincount(flat, minlength=len(number) ** 2)
    return counts.reshape(len(number), len(number)).astype(np.int64)


def per_class_recall(matrix: Matrix) -> Values:
    """Recall of each class: (..., C, C) -> (..., C) in 0..1; 0 for a class without samples."""
    return _ratio(_diagonal(matrix), matrix.sum(axis=-1))


def per_class_f1(matrix: Matrix) -> Values:
    """F1 of each class, 2 TP / (2 TP + FP + FN): (..., C, C) -> (..., C); 0 if undefined."""
    return _ratio(2 * _diagonal(matrix), matrix.sum(axis=-1) + matrix.sum(axis=-2))


def uf1(matrix: Matrix) -> Values:
    """Unweighted F1, the mean of the classes' F1: (..., C, C) -> (...).

    Example:
        >>> float(uf1(np.array([[1, 0], [1, 1]])).round(4))
        0.6667
    """
    return per_class_f1(matrix).mean(axis=-1)


def uar(matrix: Matrix) -> Values:
    """Unweighted average recall, the mean of the classes' recalls: (..., C, C) -> (...).

    Example:
        >>> float(uar(np.array([[1, 0], [1, 1]])))
        0.75
    """
    return per_class_recall(matrix).mean(axis=-1)


def war(matrix: Matrix) -> Values:
    """Weighted average recall, the share of correct samples: (..., C, C) -> (...)."""
    return _ratio(_diagonal(matrix).sum(axis=-1), matrix.sum(axis=(-2, -1)))


def wf1(matrix: Matrix) -> Values:
    """F1 weighted by class size: (..., C, C) -> (...). Some papers print it as "F1"."""
    sizes = matrix.sum(axis=-1)
    return _ratio((per_class_f1(matrix) * sizes).sum(axis=-1), sizes.sum(axis=-1))


METRICS: dict[str, Callable[[Matrix], Values]] = {"uf1": uf1, "uar": uar, "war": war, "wf1": wf1}


def scores(labels: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> Scores:
    """All metrics of one set of predictions; arguments and errors as ``confusion_matrix``."""
    matrix = confusion_matrix(labels, predicted, classes)
    values = {name: float(metric(matrix)) for name, metric in METRICS.items()}
    return Scores(**values, n=int(matrix.sum()))


def bootstrap_interval(
    labels: Sequence[str],
    predicted: Sequence[str],
    subjects: Sequence[str],
    classes: Sequence[str],
    metric: str,
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of a metric under resampling of whole subjects.

    Clips of one person are alike, so that resampling clips would make the interval too narrow.
    On simulated people of different skill the 95 % interval holds the true UF1 in 94 of 100 draws
    with 68 of them, in 92 with 20: with few people it is a little too narrow.

    Args:
        labels: true classes.
        predicted: predicted classes.
        subjects: whose clip each is.
        classes: the full label set.
        metric: a key of ``METRICS``.
        resamples: number of bootstrap samples.
        level: share of them inside the interval.
        seed: of the resampling.

    Returns:
        Lower and upper end, in 0..1.

    Raises:
        UserError: as ``confusion_matrix``.
    """
    people = subject_matrices(labels, predicted, subjects, classes)
    values = METRICS[metric](np.tensordot(draw_subjects(len(people), resamples, seed), people, 1))
    return percentiles(values, level)


def subject_matrices(
    labels: Sequence[str], predicted: Sequence[str], subjects: Sequence[str], classes: Sequence[str]
) -> Matrix:
    """One confusion matrix a subject: (subjects, classes, classes) int64, subjects sorted by name.

    Arguments and errors as ``bootstrap_interval``.
    """
    confusion_matrix(labels, predicted, classes)  # the same complaints as for the metric itself
    names, owner = np.unique(np.asarray(subjects, dtype=str), return_inverse=True)
    number = {name: i for i, name in enumerate(classes)}
    made = np.zeros((len(names), len(number), len(number)), np.int64)
    rows = np.array([number[name] for name in labels])
    columns = np.array([number[name] for name in predicted])
    np.add.at(made, (owner, rows, columns), 1)
    return made


def draw_subjects(subjects: int, resamples: int, seed: int) -> Matrix:
    """How often each subject stands in each bootstrap sample: (resamples, subjects) int64."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(subjects, np.full(subjects, 1 / subjects), size=resamples)


def percentiles(values: Values, level: float) -> tuple[float, float]:
    """The ends between which the middle ``level`` of some values lies."""
    tail = (1 - level) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def _diagonal(matrix: Matrix) -> Matrix:
    return np.diagonal(matrix, axis1=-2, axis2=-1)


def _ratio(part: NDArray, whole: NDArray) -> Values:
    """Quotient, 0 where the whole is 0."""
    whole = np.asarray(whole)
    return np.divide(part, whole, out=np.zeros(whole.shape), where=whole > 0)
