"""Two rows of stored runs, compared clip by clip."""

from typing import TypedDict

import pandas as pd

from mer_keras.errors import UserError
from mer_keras.evaluation.statistics import Predictions, align, difference, mcnemar
from mer_keras.report.scoring import SHOWN
from mer_keras.report.shown_runs import remark_on
from mer_keras.report.view import RowState, RunView, read_view
from mer_keras.runs.naming import find_run_and_row, row_key


class MetricDifference(TypedDict):
    """A metric of both rows, 0..1; ``interval``: 95 % over subjects, of second minus first.

    ``warning``: why the interval says less than it seems to; empty if it doesn't.
    """

    metric: str
    first: float
    second: float
    difference: float
    interval: tuple[float, float]
    warning: str


class Comparison(TypedDict):
    """What ``mer-keras compare --json`` prints.

    ``first`` and ``second``: run, name of the row, protocol and selection. ``mcnemar``, the exact
    test: clips that one row alone predicts correctly (``only_first``, ``only_second``), and ``p``.
    """

    first: dict[str, str]
    second: dict[str, str]
    data_kind: str
    n_samples: int
    n_subjects: int
    differences: list[MetricDifference]
    mcnemar: dict[str, float]


def compare(first: str, second: str) -> Comparison:
    """Compare two rows, each given as ``RUN:ROW`` (``RUN`` alone if it has one row).

    ``RUN`` is as in ``runs.naming``; ``ROW`` a row's name or key.

    Raises:
        UserError: no such run or row, folds are missing, or the two tested different clips or
            kinds of data.
    """
    (first_view, first_row), (second_view, second_row) = _row(first), _row(second)
    if first_view.data_kind != second_view.data_kind:
        raise UserError(
            f"one run is on {first_view.data_kind} data, the other on {second_view.data_kind} "
            "data: these are never compared"
        )
    classes = first_view.classes
    if classes != second_view.classes:
        raise UserError(
            f"the runs have different classes, {', '.join(classes)} and "
            f"{', '.join(second_view.classes)}"
        )
    before = predictions_of(first_view.of_row(first_row.key))
    after = align(before, predictions_of(second_view.of_row(second_row.key)))
    only_first, only_second, p = mcnemar(before, after)
    differences = [difference(before, after, classes, metric) for metric in SHOWN]
    return {
        "first": _describe(first_view, first_row),
        "second": _describe(second_view, second_row),
        "data_kind": first_view.data_kind,
        "n_samples": len(before.sample_ids),
        "n_subjects": len(set(before.subject_ids)),
        "differences": [
            {
                "metric": gap.metric,
                "first": gap.first,
                "second": gap.second,
                "difference": gap.value,
                "interval": (gap.low, gap.high),
                "warning": gap.interval_warning,
            }
            for gap in differences
        ],
        "mcnemar": {"only_first": only_first, "only_second": only_second, "p": p},
    }


def _row(text: str) -> tuple[RunView, RowState]:
    """The run and the row that ``RUN:ROW`` names."""
    path, row = find_run_and_row(text)
    view = read_view(path)
    keys = [state.key for state in view.rows if state.role == "row"]
    if row is None and len(keys) != 1:
        raise UserError(f"{text} has several rows: add one of :{', :'.join(keys)}")
    names = [(state.key, state.name) for state in view.rows]
    key = keys[0] if row is None else row_key(path.name, row, names)
    state = next(state for state in view.rows if state.key == key)
    if not state.complete:
        remark = remark_on(view)
        reason = remark.reason if remark else ""
        raise UserError(
            f"{path.name}: {state.name} is INCOMPLETE {state.done}/{state.expected}: {reason}"
        )
    return view, state


def predictions_of(table: pd.DataFrame) -> Predictions:
    """Predictions of a complete row, as ``RunView.of_row`` gives them, sorted by sample id."""
    ordered = table.sort_values("sample_id", kind="stable")
    by_seed = [of_seed for _, of_seed in ordered.groupby("seed")]
    ids, subjects, labels = (
        tuple(by_seed[0][name]) for name in ("sample_id", "subject_id", "label")
    )
    predicted = tuple(tuple(of_seed["predicted"]) for of_seed in by_seed)
    return Predictions(ids, subjects, labels, predicted)


def _describe(view: RunView, row: RowState) -> dict[str, str]:
    return {
        "run": view.run_id,
        "row": row.name,
        "protocol": view.manifest["protocol"],
        "selection": row.selection,
    }
