"""Two rows of stored runs, compared clip by clip."""

from typing import Any

from mer_keras.errors import UserError, did_you_mean
from mer_keras.evaluation.statistics import Predictions, align, difference, mcnemar
from mer_keras.names import slug
from mer_keras.report.scoring import SHOWN
from mer_keras.report.view import RunView, find_run


def compare(first: str, second: str) -> dict[str, Any]:
    """Compare two rows, each given as ``RUN:ROW`` (``RUN`` alone if it has one network).

    ``RUN`` is a run id or a folder; ``ROW`` a row's name or key.

    Returns:
        JSON-ready: the rows, their clips and people, each metric's difference with its interval,
        and McNemar's test.

    Raises:
        UserError: no such run or row, folds are missing, or the two tested different clips or
            kinds of data.
    """
    found = [_row(text) for text in (first, second)]
    kinds = {str(view.data_kind) for view, _ in found}
    if len(kinds) > 1:
        raise UserError("one run is on synthetic data, the other is not: these are never compared")
    classes = [view.classes for view, _ in found]
    if classes[0] != classes[1]:
        raise UserError(
            f"the runs have different classes, {', '.join(classes[0])} and {', '.join(classes[1])}"
        )
    a, b = (predictions_of(view, key) for view, key in found)
    b = align(a, b)
    only_first, only_second, p = mcnemar(a, b)
    return {
        "first": _describe(*found[0]),
        "second": _describe(*found[1]),
        "data_kind": kinds.pop(),
        "n_samples": len(a.sample_ids),
        "n_subjects": len(set(a.subject_ids)),
        "differences": [
            {
                "metric": d.metric,
                "first": d.first,
                "second": d.second,
                "difference": d.value,
                "interval": [d.low, d.high],
            }
            for d in (difference(a, b, classes[0], metric) for metric in SHOWN)
        ],
        "mcnemar": {"only_first": only_first, "only_second": only_second, "p": p},
    }


def _row(text: str) -> tuple[RunView, str]:
    run, _, row = text.partition(":")
    view = find_run(run)
    states = {state.key: state for state in view.rows}
    if not row:
        networks = [state.key for state in view.rows if state.role == "row"]
        if len(networks) != 1:
            raise UserError(f"{run} has several networks: add one of :{', :'.join(networks)}")
        row = networks[0]
    key = row if row in states else slug(row)
    if key not in states:
        raise UserError(f"{run} has no row {row!r}{did_you_mean(row, states)}: {', '.join(states)}")
    if not states[key].complete:
        state = states[key]
        raise UserError(f"{run}: {state.name} is INCOMPLETE {state.done}/{state.expected}")
    return view, key


def predictions_of(view: RunView, key: str) -> Predictions:
    """A complete row's predictions in the order of the sample ids."""
    table = view.of_row(key).sort_values("sample_id", kind="stable")
    by_seed = [part for _, part in table.groupby("seed")]
    one = by_seed[0]
    return Predictions(
        tuple(one["sample_id"]),
        tuple(one["subject_id"]),
        tuple(one["label"]),
        tuple(tuple(part["predicted"]) for part in by_seed),
    )


def _describe(view: RunView, key: str) -> dict[str, str]:
    state = next(state for state in view.rows if state.key == key)
    return {
        "run": view.run_id,
        "row": state.name,
        "protocol": str(view.manifest["protocol"]),
        "selection": state.selection,
    }
