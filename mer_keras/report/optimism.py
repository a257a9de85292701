"""The optimism gap: one method, tested in ways that know more and more of the tested clips."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from mer_keras.config.experiment import Experiment
from mer_keras.evaluation.statistics import align, difference
from mer_keras.names import slug
from mer_keras.report.comparison import predictions_of
from mer_keras.report.scoring import SHOWN, MetricValue, values_of
from mer_keras.report.tables import SELECTIONS, Table, describe, with_interval
from mer_keras.report.view import RowState, RunView
from mer_keras.terms import Selection

#: Selections from the one that knows least of the tested clips to the one that knows most.
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
        row: name of the row.
        table: a line for each setting, with metrics and the difference from the first setting.
        values: the numbers of the table: setting -> metric -> value.
        view: the run of the first setting.
    """

    row: str
    table: Table
    values: dict[str, dict[str, MetricValue]]
    view: RunView


def gaps_of(config: Experiment, views: Sequence[RunView]) -> Iterator[Gap]:
    """Compare runs that differ in what chose the epoch, or in what was tested.

    Runs are grouped by data and profile; the first setting of a group is the one that knows least
    of the tested clips. Rows that are not complete in two settings are left out.
    """
    groups: dict[tuple[str, ...], list[RunView]] = {}
    for view in views:
        if Selection(view.manifest["selection"]) in _ORDER:
            key = (str(view.data_kind), view.profile, view.manifest["samples_digest"])
            groups.setdefault(key, []).append(view)
    for group in groups.values():
        ordered = sorted(
            group,
            key=lambda view: (_ORDER.index(view.manifest["selection"]), len(view.changes)),
        )
        for row in ordered[0].rows:
            gap = _gap(config, ordered, row) if row.role == "row" else None
            if gap:
                yield gap


def _gap(config: Experiment, views: Sequence[RunView], row: RowState) -> Gap | None:
    """The gap of one row; ``None`` where fewer than two settings are complete."""
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
    values: dict[str, dict[str, MetricValue]] = {}
    for view in complete:
        name = setting(view)
        if name in values:
            continue
        clips = view.of_row(row.key)
        values[name] = values_of(clips, view.classes)
        gap = "-"
        if view is not first:
            predictions = align(reference, predictions_of(view, row.key))
            uf1 = difference(reference, predictions, view.classes, "uf1")
            gap = f"{100 * uf1.value:+.2f} [{100 * uf1.low:+.1f}, {100 * uf1.high:+.1f}]"
        rows.append((name, str(clips["sample_id"].nunique()), *_cells(view, values[name]), gap))
        copies = view.copies[view.copies["row"] == row.key] if len(view.copies) else view.copies
        if len(copies):
            with_copies = pd.concat([clips, copies], ignore_index=True)
            name += ", augmented copies tested too"
            values[name] = values_of(with_copies, view.classes)
            tested = len(with_copies) // with_copies["seed"].nunique()
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
    """Selection and changed settings of a run, in words."""
    changes = [change for change in view.changes if not change.startswith("selection=")]
    return ", ".join([SELECTIONS[Selection(view.manifest["selection"])], *changes])


def _cells(view: RunView, values: dict[str, MetricValue]) -> list[str]:
    seeds = len(view.manifest["config"]["seeds"])
    return [with_interval(values[name], seeds) for name in SHOWN]
