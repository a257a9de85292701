"""The optimism gap: one method, tested in ways that know more and more of the tested clips."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from mer_keras.config.experiment import Experiment
from mer_keras.evaluation.epoch_rules import RULES
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
        group.sort(
            key=lambda view: (
                _ORDER.index(view.manifest["selection"]),
                len(view.changes),
                not view.records_epochs,
            )
        )
        for row in group[0].rows:
            predictions = _predictions_by_setting(group, row.key) if row.role == "row" else {}
            if len(predictions) > 1:
                yield _gap(config, row, predictions)


def _gap(
    config: Experiment, row: RowState, predictions: Mapping[str, tuple[RunView, pd.DataFrame]]
) -> Gap:
    """The gap of one row in at least two settings."""
    first, first_clips = next(iter(predictions.values()))
    reference = predictions_of(first_clips)
    records = []
    values: dict[str, dict[str, MetricValue]] = {}
    for name, (view, clips) in predictions.items():
        values[name] = values_of(clips, view.classes)
        tested, gap = str(clips["sample_id"].nunique()), "-"
        if clips["is_copy"].any():
            tested, gap = f"{len(clips) // clips['seed'].nunique()} with copies", "other samples"
        elif clips is not first_clips:
            others = align(reference, predictions_of(clips))
            uf1 = difference(reference, others, first.classes, "uf1")
            gap = f"{100 * uf1.value:+.2f} [{100 * uf1.low:+.1f}, {100 * uf1.high:+.1f}]"
            if uf1.interval_warning:
                gap += f" ({uf1.interval_warning})"
        seeds = len(view.manifest["config"]["seeds"])
        metrics = {
            f"{metric.upper()} % [95 % over subjects]": with_interval(values[name][metric], seeds)
            for metric in SHOWN
        }
        records.append(
            {"setting": name, "tested": tested, **metrics, "UF1 points more than the first": gap}
        )
    table = Table(
        name=f"{slug(config.name)}.{first.profile}.{first.data_kind}.{slug(row.name)}.optimism",
        title=f"What choosing and testing add: {row.name}",
        data_kind=first.data_kind,
        caption=(
            "The same method on the same people. Differences are of UF1 from the first line, with "
            "95 % intervals over subjects. Where subjects or clips are held back to choose the "
            f"epoch, fewer are trained on. First line: {describe(first)}"
        ),
        records=records,
        notes=[
            f"{rule.title}: the public code of {rule.source} does so"
            for rule in RULES.values()
            if rule.source and any(name.startswith(f"{rule.title} {DAGGER}") for name in values)
        ],
        view=first,
    )
    return Gap(row.name, table, values, first)


def _predictions_by_setting(
    views: Sequence[RunView], key: str
) -> dict[str, tuple[RunView, pd.DataFrame]]:
    """Setting in words -> the run and what it predicts; runs whose row is complete."""
    settings: dict[str, tuple[RunView, pd.DataFrame]] = {}
    for view in views:
        changes = [change for change in view.changes if not change.startswith("selection=")]
        name = ", ".join([SELECTIONS[Selection(view.manifest["selection"])], *changes])
        complete = any(state.key == key and state.complete for state in view.rows)
        if name in settings or not complete:
            continue
        clips = view.of_row(key)
        settings[name] = view, clips
        if view.records_epochs and view.manifest["selection"] == Selection.LAST_EPOCH:
            for rule_name, of_rule in predictions_by_rule(view, key).items():
                if rule_name != "last_epoch":
                    label = ", ".join([f"{RULES[rule_name].title} {DAGGER}", *changes])
                    settings[label] = view, of_rule
        if view.copies.get("row", pd.Series(dtype=str)).eq(key).any():
            with_copies = pd.concat([clips, view.copies[view.copies["row"] == key]])
            settings[f"{name}, augmented copies tested too"] = view, with_copies
    return settings
