"""The optimism gap: one method, tested in ways that know more and more of the tested clips."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from mer_keras.config.experiment import Experiment
from mer_keras.evaluation.epoch_rules import RULES, EpochRule
from mer_keras.evaluation.statistics import align, difference
from mer_keras.names import slug
from mer_keras.report.comparison import predictions_of
from mer_keras.report.epochs import predictions_by_rule
from mer_keras.report.scoring import SHOWN, MetricValue, values_of
from mer_keras.report.tables import SELECTIONS, Table, describe, with_interval
from mer_keras.report.view import RowState, RunView
from mer_keras.terms import DAGGER, Selection

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
    of the tested clips. A training to the last epoch that stored all of its epochs adds a setting
    for each epoch rule. Rows that are not complete in two settings are left out.
    """
    groups: dict[tuple[str, ...], list[RunView]] = {}
    for view in views:
        if Selection(view.manifest["selection"]) in _ORDER:
            key = (str(view.data_kind), view.profile, view.manifest["samples_digest"])
            groups.setdefault(key, []).append(view)
    for group in groups.values():
        ordered = sorted(
            group,
            key=lambda view: (
                _ORDER.index(view.manifest["selection"]),
                len(view.changes),
                not view.records_epochs,
            ),
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
    reference = predictions_of(first.of_row(row.key))
    lines: list[tuple[str, ...]] = []
    values: dict[str, dict[str, MetricValue]] = {}
    notes: list[str] = []

    def add(name: str, view: RunView, clips: pd.DataFrame, tested: str, gap: str) -> None:
        """Add a line for one setting."""
        values[name] = values_of(clips, view.classes)
        seeds = len(view.manifest["config"]["seeds"])
        cells = (with_interval(values[name][metric], seeds) for metric in SHOWN)
        lines.append((name, tested, *cells, gap))

    def gap_of(clips: pd.DataFrame) -> str:
        """Difference of UF1 from the first setting, with its interval."""
        predictions = align(reference, predictions_of(clips))
        uf1 = difference(reference, predictions, first.classes, "uf1")
        return f"{100 * uf1.value:+.2f} [{100 * uf1.low:+.1f}, {100 * uf1.high:+.1f}]"

    for view in complete:
        name = setting(view)
        if name in values:
            continue
        clips = view.of_row(row.key)
        tested = str(clips["sample_id"].nunique())
        add(name, view, clips, tested, "-" if view is first else gap_of(clips))
        for rule, of_rule in _other_rules(view, row):
            label = ", ".join([f"{rule.title} {DAGGER}", *_changes(view)])
            add(label, view, of_rule, tested, gap_of(of_rule))
            note = f"{rule.title}: the public code of {rule.source} does so"
            if rule.source and note not in notes:
                notes.append(note)
        copies = view.copies[view.copies["row"] == row.key] if len(view.copies) else view.copies
        if len(copies):
            with_copies = pd.concat([clips, copies], ignore_index=True)
            tested = f"{len(with_copies) // with_copies['seed'].nunique()} with copies"
            add(f"{name}, augmented copies tested too", view, with_copies, tested, "other samples")
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
        rows=tuple(lines),
        notes=tuple(notes),
        view=first,
    )
    return Gap(row.name, table, values, first)


def setting(view: RunView) -> str:
    """Selection and changed settings of a run, in words."""
    return ", ".join([SELECTIONS[Selection(view.manifest["selection"])], *_changes(view)])


def _changes(view: RunView) -> list[str]:
    """Changed settings of a run, the selection apart."""
    return [change for change in view.changes if not change.startswith("selection=")]


def _other_rules(view: RunView, row: RowState) -> Iterator[tuple[EpochRule, pd.DataFrame]]:
    """Rules other than the last epoch, with the predictions that each would have reported."""
    if view.records_epochs and view.manifest["selection"] == Selection.LAST_EPOCH:
        for name, table in predictions_by_rule(view, row.key).items():
            if name != "last_epoch":
                yield RULES[name], table
