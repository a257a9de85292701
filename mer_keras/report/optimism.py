"""The optimism gap: one method, tested in ways that know more and more of the tested clips."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from mer_keras.config.experiment import Experiment
from mer_keras.evaluation.epoch_rules import RULES
from mer_keras.evaluation.statistics import align, difference
from mer_keras.names import slug
from mer_keras.report.comparison import predictions_of
from mer_keras.report.epochs import predictions_by_rule
from mer_keras.report.schedules import plateau_sentence
from mer_keras.report.scoring import SHOWN, MetricValue, values_of
from mer_keras.report.table import Table
from mer_keras.report.tables import SELECTIONS, describe, with_interval
from mer_keras.report.view import RowState, RunView
from mer_keras.terms import DAGGER, Selection

#: Selections from the one that knows least of the tested clips to the one that knows most.
_ORDER = (
    Selection.INNER_SUBJECTS,
    Selection.LAST_EPOCH,
    Selection.INNER_CLIPS,
    Selection.TEST_FOLD,
)


#: Other rules are read from the stored epochs of these trainings. The words tell their lines from
#: those of a training to the last epoch on all training subjects.
_HELD_BACK = {
    Selection.LAST_EPOCH: "",
    Selection.INNER_SUBJECTS: "subjects held back",
    Selection.INNER_CLIPS: "clips held back",
}


class _Setting(NamedTuple):
    """One line of a comparison: what was predicted, and the run whose training it is read from."""

    view: RunView
    clips: pd.DataFrame


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
    """Compare settings that differ in what chose the epoch, or in what was tested.

    Runs are grouped by data and profile; the first setting of a group is the one that knows least
    of the tested clips. A training that stored all of its epochs adds a setting for each epoch
    rule: these differ in the choice of the epoch alone. Rows that are not complete in two settings
    are left out.
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
            settings = _settings_of(group, row.key) if row.role == "row" else {}
            if len(settings) > 1:
                yield _gap(config, row, settings)


def _gap(config: Experiment, row: RowState, settings: Mapping[str, _Setting]) -> Gap:
    """The gap of one row in at least two settings."""
    first, first_clips = next(iter(settings.values()))
    reference = predictions_of(first_clips)
    trainings = _trainings(settings)
    records = []
    values: dict[str, dict[str, MetricValue]] = {}
    for name, (view, clips) in settings.items():
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
        number = str(1 + list(trainings).index(view.run_id))
        records.append(
            {"setting": name, "tested": tested, "training": number, **metrics}
            | {"UF1 points more than the first": gap}
        )
    table = Table(
        name=f"{slug(config.name)}.{first.profile}.{first.data_kind}.{slug(row.name)}.optimism",
        title=f"What choosing and testing add: {row.name}",
        data_kind=first.data_kind,
        caption=(
            "The same method on the same people. Differences are of UF1 from the first line, with "
            "95 % intervals over subjects. Lines of one training are read from the same stored "
            "epochs and differ in the choice of the epoch alone. Where subjects or clips are held "
            f"back to choose the epoch, fewer are trained on. First line: {describe(first)}"
        ),
        records=records,
        notes=[
            *_schedule_notes(trainings.values(), row.key),
            *_end_notes(values, trainings.values()),
            *_sources(values),
        ],
        view=first,
    )
    return Gap(row.name, table, values, first)


def _trainings(settings: Mapping[str, _Setting]) -> dict[str, RunView]:
    """The runs that settings are read from by their ids, in the order of the settings."""
    return {setting.view.run_id: setting.view for setting in settings.values()}


def _schedule_notes(trainings: Iterable[RunView], key: str) -> list[str]:
    """What lowers each training's learning rate, where that is not the same for all."""
    sentences = [plateau_sentence(view, key) for view in trainings]
    if len(set(sentences)) == 1:
        return []
    return [
        "lines of different trainings differ in the learning rate too, not in the choice of the "
        "epoch alone",
        *(
            f"training {number}: {sentence or 'there is no train.plateau'}"
            for number, sentence in enumerate(sentences, start=1)
        ),
    ]


def _end_notes(settings: Iterable[str], trainings: Iterable[RunView]) -> list[str]:
    """Say that the last epoch of a training may be one at which held-back clips ended it."""
    ended = any(view.manifest["config"]["train"].get("early_stopping") for view in trainings)
    titles = [f"last epoch, {words}" for words in _HELD_BACK.values() if words]
    return [
        f"{title}: the last before train.early_stopping ended the training"
        for title in titles
        if ended and any(name.startswith(title) for name in settings)
    ]


def _sources(settings: Iterable[str]) -> list[str]:
    """Public codes that choose the epoch as one of the settings does."""
    return [
        f"{rule.title}: the public code of {rule.source} does so"
        for rule in RULES.values()
        if rule.source and any(name.startswith(f"{rule.title} {DAGGER}") for name in settings)
    ]


def _settings_of(views: Sequence[RunView], key: str) -> dict[str, _Setting]:
    """Setting in words -> what is predicted; of runs whose row is complete.

    What was changed in all runs alike stands in the table's caption alone.
    """
    settings: dict[str, _Setting] = {}
    common = set.intersection(*(set(view.changes) for view in views))
    for view in views:
        selection = Selection(view.manifest["selection"])
        changes = [
            change
            for change in view.changes
            if change not in common and not change.startswith("selection=")
        ]
        name = ", ".join([SELECTIONS[selection], *changes])
        complete = any(state.key == key and state.complete for state in view.rows)
        if name in settings or not complete:
            continue
        clips = view.of_row(key)
        settings[name] = _Setting(view, clips)
        if view.records_epochs and selection in _HELD_BACK:
            words = [text for text in (_HELD_BACK[selection], *changes) if text]
            for rule_name, of_rule in predictions_by_rule(view, key).items():
                title = RULES[rule_name].title
                title += "" if rule_name == "last_epoch" else f" {DAGGER}"
                settings.setdefault(", ".join([title, *words]), _Setting(view, of_rule))
        if view.copies.get("row", pd.Series(dtype=str)).eq(key).any():
            with_copies = pd.concat([clips, view.copies[view.copies["row"] == key]])
            settings[f"{name}, augmented copies tested too"] = _Setting(view, with_copies)
    return settings
