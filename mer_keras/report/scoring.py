"""Numbers of one row of one run, and the verdict on a published number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mer_keras.config.experiment import Published
from mer_keras.evaluation import metrics
from mer_keras.report.view import RowState, RunView
from mer_keras.terms import DataKind

#: Metrics that every row shows, in order.
SHOWN = ("uf1", "uar", "war")
#: Beginnings of the changes with which a run is still the published experiment: how often it is
#: repeated, what chooses the epoch (which is told beside the result), and how folds are computed.
FREE_SETTINGS = ("seeds=", "selection=", "train.folds_at_once=")
#: Digits of a share whose interval is shown in per cent, with one decimal.
SHOWN_DIGITS = 3
#: Share of the bootstrap samples that an interval holds.
LEVEL = 0.95


@dataclass(frozen=True)
class MetricValue:
    """A metric of one row's predictions, all values in 0..1.

    Attributes:
        pooled: the metric of all tested clips at once, averaged over seeds.
        low: lower end of its 95 % interval over subjects, averaged over seeds.
        high: upper end of that interval.
        fold_mean: mean over folds and seeds of the metric of one fold, over the classes that the
            fold has.
        fold_sd: standard deviation over folds and seeds.
        seed_sd: standard deviation of the pooled metric over seeds.
        subjects: number of people that the interval is over.
    """

    pooled: float
    low: float
    high: float
    fold_mean: float
    fold_sd: float
    seed_sd: float
    subjects: int

    @property
    def interval_warning(self) -> str:
        """Why the interval says less than it seems to, in a few words; empty if it doesn't."""
        few = metrics.few_subjects_warning(self.subjects)
        low, high = round(self.low, SHOWN_DIGITS), round(self.high, SHOWN_DIGITS)
        if not few and low == high and low in (0, 1):
            return "resampling equal results: too narrow"
        return few


@dataclass(frozen=True)
class RowScores:
    """All metrics of a complete row.

    Attributes:
        values: metric -> value, over all tested clips.
        databases: database -> metric -> value, over its clips alone; empty if there is only one.
        seeds: number of seeds.
    """

    values: dict[str, MetricValue]
    databases: dict[str, dict[str, MetricValue]]
    seeds: int

    def of(self, published: Published) -> MetricValue | None:
        """The value that a published number is compared with; ``None`` where there is none."""
        if published.database is None:
            return self.values.get(published.metric)
        return self.databases.get(published.database, {}).get(published.metric)


def score_row(view: RunView, row: RowState) -> RowScores | None:
    """Score a row from its stored predictions; ``None`` while a fold is missing."""
    if not row.complete:
        return None
    if row.key not in view.scores:  # Several tables show the same scores.
        view.scores[row.key] = _score(view, row)
    return view.scores[row.key]


def _score(view: RunView, row: RowState) -> RowScores:
    predictions = view.of_row(row.key)
    by_database = dict(list(predictions.groupby("database")))
    return RowScores(
        values=values_of(predictions, view.classes),
        databases={
            str(database): values_of(of_database, view.classes)
            for database, of_database in by_database.items()
            if len(by_database) > 1
        },
        seeds=int(predictions["seed"].nunique()),
    )


def verdict(published: Published, view: RunView, scores: RowScores | None) -> str:
    """Compare a published number with a real one, by a rule that was fixed beforehand.

    Returns:
        ``consistent``: the published number lies inside the 95 % interval over subjects.
        ``lower`` or ``higher``: the real number is lower or higher than the published one.
        ``not comparable``: the paper's metric is unknown, the data are synthetic, or the settings
        are not the paper's. ``not run``: a fold is missing.
    """
    if scores is None:
        return "not run"
    value = scores.of(published)
    if value is None or view.data_kind is DataKind.SYNTHETIC or not _as_in_the_paper(view):
        return "not comparable"
    if value.low <= published.fraction <= value.high:
        return "consistent"
    return "lower" if value.high < published.fraction else "higher"


def _as_in_the_paper(view: RunView) -> bool:
    """Whether the settings are those of the full profile, ``FREE_SETTINGS`` apart."""
    return view.profile == "full" and all(
        change.startswith(FREE_SETTINGS) for change in view.changes
    )


def values_of(predictions: pd.DataFrame, classes: Sequence[str]) -> dict[str, MetricValue]:
    """All metrics of predictions of one row, over however many seeds."""
    matrices = _matrices_of(predictions, classes)
    return {metric: _value(matrices, metric) for metric in metrics.METRICS}


def confusion_of(predictions: pd.DataFrame, classes: Sequence[str]) -> metrics.Matrices:
    """Confusion matrix of some predictions: (classes, classes), rows are the truth."""
    return metrics.confusion_matrix(
        list(predictions["label"]), list(predictions["predicted"]), classes
    )


def pooled_over(
    predictions: pd.DataFrame, classes: Sequence[str], metric: str, keys: Sequence[str]
) -> list[float]:
    """The metric of each part of predictions of one row that columns such as ``seed`` tell apart.

    Each is over the classes that the part has: a fold of one subject rarely has them all.
    The mean over ``seed`` is the number that stands in every table.
    """
    matrices = _matrices_over(predictions, classes, keys)
    return [float(value) for value in metrics.of_present_classes(metric, matrices)]


def _matrices_over(
    predictions: pd.DataFrame, classes: Sequence[str], keys: Sequence[str]
) -> metrics.Matrices:
    """Confusion matrices of the parts that columns tell apart: (parts, classes, classes)."""
    return metrics.matrices_of_parts(
        list(predictions["label"]),
        list(predictions["predicted"]),
        predictions.groupby(list(keys)).ngroup().to_numpy(),
        classes,
    )


@dataclass(frozen=True)
class _Matrices:
    """Confusion matrices of one row, which all of its metrics are computed of.

    Attributes:
        of_seeds: (seeds, classes, classes).
        of_folds: of each seed and fold, (seeds * folds, classes, classes).
        resampled: for each seed, of bootstrap samples of people, (samples, classes, classes).
        subjects: number of people.
    """

    of_seeds: metrics.Matrices
    of_folds: metrics.Matrices
    resampled: Sequence[metrics.Matrices]
    subjects: int


def _matrices_of(predictions: pd.DataFrame, classes: Sequence[str]) -> _Matrices:
    return _Matrices(
        of_seeds=_matrices_over(predictions, classes, ["seed"]),
        of_folds=_matrices_over(predictions, classes, ["seed", "fold"]),
        resampled=[
            metrics.resampled_matrices(
                metrics.subject_matrices(
                    list(of_seed["label"]),
                    list(of_seed["predicted"]),
                    list(of_seed["subject_id"]),
                    classes,
                )
            )
            for _, of_seed in predictions.groupby("seed")
        ],
        subjects=int(predictions["subject_id"].nunique()),
    )


def _value(matrices: _Matrices, metric: str) -> MetricValue:
    of_seeds = metrics.of_present_classes(metric, matrices.of_seeds)  # (seeds,)
    of_folds = metrics.of_present_classes(metric, matrices.of_folds)  # (seeds * folds,)
    intervals = [
        metrics.percentiles(metrics.of_present_classes(metric, resampled), LEVEL)
        for resampled in matrices.resampled
    ]
    lows, highs = zip(*intervals, strict=True)
    return MetricValue(
        pooled=float(np.mean(of_seeds)),
        low=float(np.mean(lows)),
        high=float(np.mean(highs)),
        fold_mean=float(np.mean(of_folds)),
        fold_sd=float(np.std(of_folds)),
        seed_sd=float(np.std(of_seeds)),
        subjects=matrices.subjects,
    )
