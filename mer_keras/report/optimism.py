"""The optimism gap: one method, tested in ways that know more and more of the tested clips."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from mer_keras.config.experiment import Experiment
from mer_keras.evaluation.statistics import align, difference
from mer_keras.names import slug
from mer_keras.report.comparison import predictions_of
from mer_keras.report.scoring import SHOWN, Value, values_of
from mer_keras.report.tables import SELECTIONS, Table, describe, with_interval
from mer_keras.report.view import RowState, RunView
from mer_keras.terms import Selection

#: from what knows least of the tested clips to what knows most
_ORDER = (
    Selection.INNER_SUBJECTS,
    Selection.LAST_EPOCH,
    Selection.INNER_CLIPS,
    Selection.TEST_FOLD,
)


@dataclass(frozen=True)
class Gap:
    """One row of an experiment under several settings.

    Attributes:
        row: its name.
        table: settings downwards, metrics and the difference from the first to the right.
        values: the same as numbers: setting -> metric -> value.
        view: the run of the first setting.
    """

    row: str
    table: Table
    values: dict[str, dict[str, Value]]
    view: RunView


def gaps_of(config: Experiment, views: Sequence[RunView]) -> Iterator[Gap]:
    """Compare runs that differ in what chose the epoch, or in what was tested.

    Runs are grouped by data, folds and profile; the first setting of a group is the one that knows
    least. Rows that are not complete in two settings are left out.
    """
    groups: dict[tuple[str, ...], list[RunView]] = {}
    for view in views:
        if Selection(view.manifest["selection"]) in _ORDER:
            key = (str(view.data_kind), view.profile, view.manifest["samples_digest"])
            groups.setdefault(key, []).append(view)
    for of_group in groups.values():
        ordered = sorted(
            of_group, key=lambda v: (_ORDER.index(v.manifest["selection"]), len(v.changes))
        )
        for row in ordered[0].rows:
            gap = _gap(config, ordered, row) if row.role == "row" else None
            if gap:
                yield gap


def _gap(config: Experiment, views: Sequence[RunView], row: RowState) -> Gap | None:
    complete = [
        view
        for view in views
        if any(state.key == row.key and state.complete for state in view.rows)
    ]
    first = complete[0] if complete else None
    if first is None:
        return None
    reference = predictions_of(first, row.key)
    rows: list[tuple[str, ...]] = []
    values: dict[str, dict[str, Value]] = {}
    for view in complete:
        name = setting(view)
        if name in values:
            continue
        part = view.of_row(row.key)
        values[name] = values_of(part, view.classes)
        if view is first:
            gap = "-"
        else:
            other = align(reference, predictions_of(view, row.key))
            d = difference(reference, other, view.classes, "uf1")
            gap = f"{100 * d.value:+.2f} [{100 * d.low:+.1f}, {100 * d.high:+.1f}]"
        rows.append((name, str(part["sample_id"].nunique()), *_cells(view, values[name]), gap))
        copies = view.copies[view.copies["row"] == row.key] if len(view.copies) else view.copies
        if len(copies):
            both = pd.concat([part, copies], ignore_index=True)
            name += ", augmented copies tested too"
            values[name] = values_of(both, view.classes)
            tested = len(both) // both["seed"].nunique()
            rows.append(
                (name, f"{tested} with copies", *_cells(view, values[name]), "other samples")
            )
    if len(values) < 2:
        return None
    table = Table(
        name=f"{slug(config.name)}.{first.profile}.{first.data_kind}.{slug(row.name)}.optimism",
        title=f"What choosing and testing add: {row.name}",
        data_kind=str(first.data_kind),
        caption=(
            "The same method on the same people. Differences are of UF1 from the first line, with "
            "95 % intervals over subjects. Where subjects or clips are held back to choose the "
            f"epoch, fewer are trained on. First line: {describe(first)}"
        ),
        header=(
            "setting",
            "tested",
            *(f"{name.upper()} % [95 % over subjects]" for name in SHOWN),
            "UF1 points more than the first",
        ),
        rows=tuple(rows),
        view=first,
    )
    return Gap(row.name, table, values, first)


def setting(view: RunView) -> str:
    """What sets a run apart from others of its experiment, in words."""
    others = [text for text in view.changes if not text.startswith("selection=")]
    return ", ".join([SELECTIONS[Selection(view.manifest["selection"])], *others])


def _cells(view: RunView, values: dict[str, Value]) -> list[str]:
    seeds = len(view.manifest["config"]["seeds"])
    return [with_interval(values[name], seeds) for name in SHOWN]
