"""The numbers of a stored run that a bundle carries: those that the run's report shows."""

import numpy as np

from mer_keras.bundles.card import ClassEstimate, Estimate, Interval, OtherRow
from mer_keras.evaluation.metrics import per_class_f1, per_class_recall
from mer_keras.report.scoring import MetricValue, RowScores, confusion_of, score_row
from mer_keras.report.view import RowState, RunView
from mer_keras.terms import Selection

_OF_ALL = (
    "networks or classifiers that were fitted to other people's clips; this one was fitted to the "
    "clips of all of them, and nobody is left to test it on"
)
_OF_FOLDS = (
    "the members of this bundle one by one, each on the people that it had not seen; their mean on "
    "other people was not measured"
)
#: What an estimate says where the tested people were trained on.
_SEEN = "; other clips of the tested people were trained on, so that it says little of new people"
#: What it says where the tested clips chose.
_BY_TESTED = "; the tested clips took part in the choice, so that it is too high"


def estimate_of(view: RunView, key: str, *, of_folds: bool) -> Estimate | None:
    """Return what a run measured of a row.

    Args:
        view: the run.
        key: the row's key.
        of_folds: whether the bundle holds the networks of the folds.

    Returns:
        None where a fold of the row is missing.
    """
    row = next((row for row in view.rows if row.key == key), None)
    scores = score_row(view, row) if row is not None else None
    if row is None or scores is None:
        return None
    predictions = view.of_row(key)
    matrix = confusion_of(predictions, view.classes)  # (classes, classes)
    exclusive = bool(view.manifest.get("subject_exclusive", True))
    selection = Selection(row.selection)
    of = _OF_FOLDS if of_folds else _OF_ALL
    of += "" if exclusive else _SEEN
    of += _BY_TESTED if selection in (Selection.TEST_FOLD, Selection.EXTERNAL) else ""
    return Estimate(
        of=of,
        of_these=of_folds,
        run_id=view.run_id,
        protocol=str(view.manifest["protocol"]),
        subject_exclusive=exclusive,
        selection=selection,
        clips=int(predictions["sample_id"].nunique()),
        subjects=int(predictions["subject_id"].nunique()),
        seeds=scores.seeds,
        metrics={name: _interval(value) for name, value in scores.values.items()},
        databases={
            database: {name: _interval(value) for name, value in values.items()}
            for database, values in scores.databases.items()
        },
        classes=_classes(view.classes, matrix),
        confusion=tuple(tuple(int(count) for count in line) for line in matrix),
        baselines=tuple(_baselines(view)),
        warning=scores.values["uf1"].interval_warning,
    )


def _interval(value: MetricValue) -> Interval:
    return Interval(value=value.pooled, low=value.low, high=value.high)


def _classes(names: list[str], matrix: np.ndarray) -> tuple[ClassEstimate, ...]:
    decided = np.maximum(matrix.sum(axis=0), 1)  # (classes,)
    recalls, f1s = per_class_recall(matrix), per_class_f1(matrix)
    return tuple(
        ClassEstimate(
            name=name,
            clips=int(matrix[number].sum()),
            recall=float(recalls[number]),
            precision=float(matrix[number, number] / decided[number]),
            f1=float(f1s[number]),
        )
        for number, name in enumerate(names)
    )


def _baselines(view: RunView) -> list[OtherRow]:
    scored = [(row, score_row(view, row)) for row in view.rows if row.role == "baseline"]
    return [_other(row, scores) for row, scores in scored if scores is not None]


def _other(row: RowState, scores: RowScores) -> OtherRow:
    return OtherRow(name=row.name, uf1=scores.values["uf1"].pooled, uar=scores.values["uar"].pooled)
