"""Numbers of one row of one run, and the verdict on a published number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mer_keras.config.experiment import Published
from mer_keras.evaluation import metrics
from mer_keras.report.view import RowState, RunView
from mer_keras.terms import DataKind

#: metrics that every row shows, in order
SHOWN = ("uf1", "uar", "war")


@dataclass(frozen=True)
class Value:
    """A metric with its interval over subjects and its course over folds, all in 0..1.

    ``pooled`` is computed on all test samples at once, and averaged over seeds where there are
    several; ``fold_mean`` and ``fold_sd`` come from one value a fold.
    """

    pooled: float
    low: float
    high: float
    fold_mean: float
    fold_sd: float
    seed_sd: float


@dataclass(frozen=True)
class RowScores:
    """All metrics of a complete row, of all its samples and of each database's alone."""

    values: dict[str, Value]
    databases: dict[str, dict[str, Value]]
    clips: int
    subjects: int
    seeds: int

    def of(self, published: Published) -> Value | None:
        """The value that a published number is compared with; ``None`` where there is none."""
        values = (
            self.values
            if published.database is None
            else self.databases.get(published.database, {})
        )
        return values.get(published.metric)


def score_row(view: RunView, row: RowState) -> RowScores | None:
    """Score a row from its stored predictions; ``None`` while a fold is missing."""
    if not row.complete:
        return None
    predictions = view.of_row(row.key)
    by_seed = [part for _, part in predictions.groupby("seed")]
    one = by_seed[0]
    databases = sorted(one["database"].unique())
    return RowScores(
        values=_values(by_seed, view.classes),
        databases={
            name: _values([part[part["database"] == name] for part in by_seed], view.classes)
            for name in databases
        }
        if len(databases) > 1
        else {},
        clips=len(one),
        subjects=int(one["subject_id"].nunique()),
        seeds=len(by_seed),
    )


def verdict(published: Published, view: RunView, row: RowState, scores: RowScores | None) -> str:
    """Compare a published number with a real one, by a rule that was fixed beforehand.

    ``consistent``: inside the 95 % interval over subjects; ``lower`` and ``higher``: the number
    here is that; ``not comparable``: the paper's metric is unknown, the data are synthetic, or
    the settings are not the paper's; ``not run``: a fold is missing.
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
    """Whether the settings are those of the full profile, seeds and selection apart."""
    free = ("seeds.", "selection=")
    return view.profile == "full" and all(text.startswith(free) for text in view.changes)


def values_of(predictions: pd.DataFrame, classes: Sequence[str]) -> dict[str, Value]:
    """All metrics of predictions of one row, over however many seeds."""
    return _values([part for _, part in predictions.groupby("seed")], classes)


def _values(by_seed: Sequence[pd.DataFrame], classes: Sequence[str]) -> dict[str, Value]:
    return {name: _value(by_seed, classes, name) for name in metrics.METRICS}


def _value(by_seed: Sequence[pd.DataFrame], classes: Sequence[str], metric: str) -> Value:
    pooled = [_pooled(part, classes, metric) for part in by_seed]
    ends = [
        metrics.bootstrap_interval(
            list(part["label"]), list(part["predicted"]), list(part["subject_id"]), classes, metric
        )
        for part in by_seed
    ]
    folds = [_pooled(f, classes, metric) for part in by_seed for _, f in part.groupby("fold")]
    return Value(
        pooled=float(np.mean(pooled)),
        low=float(np.mean([low for low, _ in ends])),
        high=float(np.mean([high for _, high in ends])),
        fold_mean=float(np.mean(folds)),
        fold_sd=float(np.std(folds)),
        seed_sd=float(np.std(pooled)),
    )


def _pooled(part: pd.DataFrame, classes: Sequence[str], metric: str) -> float:
    matrix = metrics.confusion_matrix(list(part["label"]), list(part["predicted"]), classes)
    return float(metrics.METRICS[metric](matrix))
