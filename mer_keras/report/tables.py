"""Runs of an experiment -> tables of text cells, by the display rules.

Published and real numbers stand in one table; synthetic ones in a table of their own that holds
no published number. A number never stands without its kind of data, protocol and selection.
"""

from collections.abc import Iterable, Mapping, Sequence

from mer_keras.config.experiment import Experiment, Published, Row, RowPlan
from mer_keras.config.inheritance import data_changes
from mer_keras.evaluation.metrics import FEW_SUBJECTS, TITLES
from mer_keras.models.registry import MODELS
from mer_keras.names import slug
from mer_keras.report.drawn_motion import chance_note, checked_rows, expected_check
from mer_keras.report.schedules import plateau_notes
from mer_keras.report.scoring import SHOWN, MetricValue, RowScores, score_row, verdict
from mer_keras.report.table import Table
from mer_keras.report.view import RowState, RunView
from mer_keras.terms import DAGGER, DOUBLE_DAGGER, DataKind, Selection

ABSENT = "n/a: database not present"
#: Stands for a number where there are runs, but on other data or clips than the table's.
OTHERWISE = "n/a: not run on these data and clips"

#: Column of the published numbers, in the unit of the others.
PUBLISHED = "published, %"
#: Column of the counts of a run, which hold more than what is trained.
WEIGHTS = "parameters as run, moving statistics included"
#: Column of what is known of the epochs that quoted numbers come from.
CHOSEN_BY = "epoch chosen in the method's own code by"
#: Column of the spread over folds. It stays empty where a fold is one person: a mean over people of
#: the one or two classes that each has is no UAR.
OVER_FOLDS = "UAR % over the classes of each fold, mean ± SD over folds"

#: Metrics that have no usual abbreviation.
_IN_WORDS = ("uap", "f1_of_means")

#: Selections that saw, or may have seen, the reported samples: their results are marked.
_MARKED = (Selection.TEST_FOLD, Selection.EXTERNAL)

#: What chose the epoch, in words.
SELECTIONS = {
    Selection.INNER_SUBJECTS: "epoch chosen on held-back training subjects",
    Selection.INNER_CLIPS: "epoch chosen on held-back clips of training subjects",
    Selection.LAST_EPOCH: "last epoch",
    Selection.TEST_FOLD: f"epoch chosen on the tested samples {DAGGER}",
    Selection.EXTERNAL: f"weights given, what chose them is unknown {DAGGER}",
}


def tables_of(config: Experiment, views: Sequence[RunView]) -> list[Table]:
    """The results of an experiment: real runs (or their absence) first, synthetic ones apart."""
    newest = _newest(views)
    real = [view for view in newest if view.data_kind is not DataKind.SYNTHETIC]
    synthetic = [view for view in newest if view.data_kind is DataKind.SYNTHETIC]
    tables = [_real_table(config, view) for view in real]
    if all(other_data(config, view) for view in real):
        tables.insert(0, _absent_table(config, OTHERWISE if real else ABSENT))
    return tables + [_synthetic_table(config, view) for view in synthetic]


def other_data(config: Experiment, view: RunView) -> tuple[str, ...]:
    """In which databases, labels and clips a run differs from its experiment; empty if in none.

    Numbers of the paper don't stand beside numbers of such a run.
    """
    return data_changes(config.model_dump(mode="json"), view.manifest["config"])


def not_inherited(config: Experiment, view: RunView) -> list[str]:
    """What a run's config did not take over of its experiment, and why; empty if it is all true."""
    changes = other_data(config, view)
    if not changes:
        return []
    lines = view.manifest["config"].get("not_inherited") or (
        f"published numbers don't stand here, since {', '.join(changes)}",
    )
    return [line for line in lines if line not in config.not_inherited]


def describe(view: RunView) -> str:
    """One line: kind of data, amounts, protocol, selection, seeds, profile."""
    manifest = view.manifest
    selection = Selection(manifest["selection"])
    phrases = [
        f"{view.data_kind} data",
        f"{manifest['n_samples']} clips of {manifest['n_subjects']} subjects",
        manifest["protocol"],
        _without_epochs(view) or SELECTIONS[selection],
        f"{len(manifest['config']['seeds'])} seed(s)",
        f"profile {view.profile}"
        + ("" if view.profile == "full" else ": not the paper's settings"),
    ]
    phrases += [
        f"pretrained on {stage['images']:,} images ({stage['stage']}), "
        f"{100 * stage['accuracy']:.1f} % of {stage['validation_images']:,} held back by "
        f"{stage['validation_split_by']} right"
        if stage["images"]
        else "networks that they fit start from weights of a file"
        for stage in manifest.get("stages", ())
    ]
    if not manifest.get("subject_exclusive", True):
        phrases.append(f"{DOUBLE_DAGGER} tested subjects were trained on")
    if not view.moves:
        phrases.append("motion switched off: every method must be at chance")
    changes = [change for change in view.changes if not change.startswith("data.synthetic_motion=")]
    if changes:
        phrases.append(f"changed for this run: {', '.join(changes)}")
    return "; ".join(phrases)


def _without_epochs(view: RunView) -> str:
    """What chooses in a run none of whose rows has epochs, in words; empty where one has some."""
    begun = [row for row in view.rows if row.role == "row" and row.done]
    if not begun or any(row.parameters is not None for row in begun):
        return ""
    chosen = any(row.selection == Selection.INNER_SUBJECTS for row in begun)
    return f"no epochs{', hyper-parameters chosen by training subjects' if chosen else ''}"


def file_stem(config: Experiment, view: RunView) -> str:
    """The beginning of the names of a run's files; it differs between the runs of a report."""
    changed = any(not change.startswith("selection=") for change in view.changes)
    digest = f".{view.run_id.rpartition('-')[2]}" if changed else ""
    selection = view.manifest["selection"]
    return f"{slug(config.name)}.{view.profile}.{selection}{digest}.{view.data_kind}"


def published_text(numbers: Iterable[Published], notes: list[str]) -> str:
    """Published numbers of a row in per cent, each with its metric; reasons go to ``notes``.

    Papers print fractions or per cent; a row of ours has one unit.
    """
    return _joined(published_parts(numbers, notes))


def _joined(parts: Mapping[str, str]) -> str:
    """Published numbers of a row in one cell."""
    return "; ".join(f"{name} {cell}" for name, cell in parts.items()) or "-"


def published_parts(numbers: Iterable[Published], notes: list[str]) -> dict[str, str]:
    """Name of each published number of a row -> its cell; reasons go to ``notes``."""
    parts: dict[str, str] = {}
    for number in numbers:
        if number.metric == "parameters":
            continue
        text = number.per_cent
        if number.metric == "unknown":
            text += " (which average: unknown)"
        elif number.name.partition(",")[0].lower() != number.metric:
            text += f" (= {metric_title(number)})"
        if number.why:
            if number.why not in notes:
                notes.append(number.why)
            text += f" [{notes.index(number.why) + 1}]"
        # A name that a paper prints twice has both of its numbers in one cell.
        parts[number.name] = f"{parts[number.name]}, {text}" if number.name in parts else text
    return parts


def chosen_by(config: Experiment, row: Row) -> str:
    """What chooses the epoch in the public code of a row's method, in words.

    By the method's claims with a published number of the row; without such claims by all of them,
    where they agree. ``-`` where nothing is known.
    """
    claims = config.describe(row.method).claims if row.method and row.published else ()
    of_row = {number.fraction for number in row.published}
    same = [c for c in claims if any(abs(c.fraction - value) < 5e-7 for value in of_row)]
    chosen = {claim.chosen_by for claim in same or claims if claim.chosen_epoch != "unknown"}
    return chosen.pop() if len(chosen) == 1 else "-"


def metric_title(number: Published) -> str:
    """What a number is, in few words: an abbreviation, or such as ``mean precision``."""
    return TITLES[number.metric] if number.metric in _IN_WORDS else number.metric.upper()


def compared_name(number: Published) -> str:
    """The number's name before a verdict, with its metric where the name says another."""
    in_words = number.metric in _IN_WORDS
    return f"{number.name} ({TITLES[number.metric]})" if in_words else number.name


def _newest(views: Sequence[RunView]) -> list[RunView]:
    """The newest run of each kind, profile, selection and set of changes; full profiles first."""
    newest: dict[tuple[object, ...], RunView] = {}
    for view in views:
        setting = (view.data_kind, view.profile, view.manifest["selection"], view.changes)
        newest.setdefault(setting, view)
    return sorted(
        newest.values(), key=lambda view: (view.profile != "full", not view.moves, view.changes)
    )


def _real_table(config: Experiment, view: RunView) -> Table:
    notes = not_inherited(config, view)
    is_other = bool(other_data(config, view))
    rows = [_without_numbers(row) for row in config.rows] if is_other else config.rows
    states = {state.key: state for state in view.rows}
    records, published, counts = [], [], []
    for row in rows:
        plan = config.plan_of(row)
        state = states.get(slug(row.name)) if plan else None
        if is_other and plan is None:
            continue
        scores = score_row(view, state) if state else None
        name = marked_name(state, view) if state else row.name
        published.append(published_parts(row.published, notes))
        counts.append(_counts(row, plan, state))
        records.append(
            {
                "method": f"{name} (quoted)" if row.quoted else name,
                PUBLISHED: _joined(published[-1]),
                CHOSEN_BY: chosen_by(config, row),
                **_numbers(view, state, scores, absent="not in this run" if plan else "-"),
                "parameters": _parameters(counts[-1]),
                "verdict": ("-" if is_other or not plan else _verdicts(row, view, state, scores)),
            }
        )
    for state in view.rows:
        if state.role == "baseline":
            numbers = _numbers(view, state, score_row(view, state))
            name = f"{state.name} (baseline)"
            record = {"method": name, PUBLISHED: "-", CHOSEN_BY: "-", **numbers}
            records.append(record | {"parameters": "-", "verdict": "-"})
            published.append({})
            counts.append({})
    notes += [*_absent_classes(view), *_few_people(view), *plateau_notes(view)]
    name = file_stem(config, view)
    title = "Real, on other data or clips" if is_other else "Published and real"
    parts = {PUBLISHED: published, "parameters": counts}
    return Table(name, title, view.data_kind, describe(view), records, notes, view, parts)


def _without_numbers(row: Row) -> Row:
    return row.model_copy(update={"published": ()})


def _absent_table(config: Experiment, absent: str) -> Table:
    notes: list[str] = []
    published = [published_parts(row.published, notes) for row in config.rows]
    counts = [_counts(row, config.plan_of(row)) for row in config.rows]
    records = [
        {
            "method": f"{row.name} (quoted)" if row.quoted else row.name,
            PUBLISHED: _joined(numbers),
            CHOSEN_BY: chosen_by(config, row),
            "real": absent if config.plan_of(row) else "-",
            "parameters": _parameters(of_row),
        }
        for row, numbers, of_row in zip(config.rows, published, counts, strict=True)
    ]
    name, caption = f"{slug(config.name)}.published", f"published numbers; real data: {absent}"
    parts = {PUBLISHED: published, "parameters": counts}
    return Table(name, "Published", "published", caption, records, notes, parts=parts)


def _synthetic_table(config: Experiment, view: RunView) -> Table:
    records = [
        {
            "method": marked_name(s, view) if s.role == "row" else f"{s.name} (baseline)",
            "drawn motion": str(checked.check),
            "expected": expected_check(checked, view),
            **_numbers(view, s, score_row(view, s)),
            WEIGHTS: f"{s.parameters:,}" if s.parameters else "-",
        }
        for s, checked in zip(view.rows, checked_rows(config, view), strict=True)
    ]
    name, notes = file_stem(config, view), [chance_note(view), *not_inherited(config, view)]
    notes += [*_absent_classes(view), *_few_people(view), *plateau_notes(view)]
    return Table(name, "Synthetic", view.data_kind, describe(view), records, notes, view)


def _numbers(
    view: RunView, state: RowState | None, scores: RowScores | None, absent: str = "-"
) -> dict[str, str]:
    """Metrics of a row by their columns' names; ``absent`` where the run has no such row."""
    kind = "synthetic" if view.data_kind is DataKind.SYNTHETIC else "real"
    columns = [f"{name.upper()} %, {kind} [95 % over subjects]" for name in SHOWN]
    columns.append(OVER_FOLDS)
    if scores:
        uar = scores.values["uar"]
        cells = [with_interval(scores.values[name], scores.seeds) for name in SHOWN]
        over_folds = f"{100 * uar.fold_mean:.2f} ± {100 * uar.fold_sd:.2f}"
        cells.append(over_folds)
    elif state:
        failed = f", {len(state.failures)} failed" if state.failures else ""
        cells = [f"INCOMPLETE {state.done}/{state.expected}{failed}", "-", "-", "-"]
    else:
        cells = [absent] * len(columns)
    if _folds_are_people(view):
        cells[-1] = "-"
    return dict(zip(columns, cells, strict=True))


def with_interval(value: MetricValue, seeds: int) -> str:
    """A metric in per cent with its interval and, if there are several seeds, their spread."""
    text = f"{100 * value.pooled:.2f} [{100 * value.low:.1f}, {100 * value.high:.1f}]"
    if value.interval_warning:
        text += f" ({value.interval_warning})"
    return text if seeds == 1 else f"{text}, SD over seeds {100 * value.seed_sd:.2f}"


def _absent_classes(view: RunView) -> list[str]:
    """Say which classes no clip of the run has, since means are over the others."""
    absent = [name for name in view.classes if not view.manifest["class_counts"].get(name)]
    if not absent:
        return []
    return [f"no clip of {', '.join(absent)}: UF1 and UAR are means over the other classes"]


def _few_people(view: RunView) -> list[str]:
    """Say what an interval over few people is worth."""
    subjects = view.manifest["n_subjects"]
    if subjects >= FEW_SUBJECTS:
        return []
    return [
        f"an interval over {subjects} people is too narrow: of such intervals fewer than 90 in 100 "
        "hold the true value, not 95"
    ]


def _folds_are_people(view: RunView) -> bool:
    """Whether a fold tests one person, whose few clips have one or two of the classes."""
    return view.manifest["config"]["protocol"]["name"] in ("loso", "cde", "sde")


def marked_name(state: RowState, view: RunView) -> str:
    """A row's name, marked if tested clips chose its epoch or tested subjects were trained on."""
    marks = DAGGER if Selection(state.selection) in _MARKED else ""
    if not view.manifest.get("subject_exclusive", True):
        marks += DOUBLE_DAGGER
    return f"{state.name} {marks}".rstrip()


def _counts(row: Row, plan: RowPlan | None, state: RowState | None = None) -> dict[str, str]:
    """Counts of a network's weights: published, built at the paper's input, and as run.

    Papers mostly print what is trained. Ours stands beside it, and what moving statistics add.
    """
    printed = next((int(n.value) for n in row.published if n.metric == "parameters"), None)
    counts = {"published": f"{printed:,}"} if printed else {}
    network = plan.config.network if plan else None
    # A network with arguments of its own is another reading than the registry's.
    spec = MODELS[network.model] if network and not network.arguments else None
    built = spec.built_parameters if spec else None
    if spec and built:
        trainable = spec.trainable_parameters or built
        counts["trainable"] = f"{trainable:,}"
        if trainable != built:
            counts["with moving statistics"] = f"{built:,}"
    if state and state.parameters and state.parameters != built:
        counts["as run"] = f"{state.parameters:,}"
    return counts


#: What a count of weights is -> the sentence that holds it in a table's one cell.
_COUNT_TEXTS = {
    "published": "published {}",
    "trainable": "built at the paper's input: {} trainable",
    "with moving statistics": "{} with moving statistics",
    "as run": "{} as run, with moving statistics",
}


def _parameters(counts: Mapping[str, str]) -> str:
    """All counts of a network's weights in one cell."""
    return "; ".join(_COUNT_TEXTS[name].format(count) for name, count in counts.items()) or "-"


def _verdicts(row: Row, view: RunView, state: RowState | None, scores: RowScores | None) -> str:
    if state is None:
        return "not run"
    verdicts = [
        f"{compared_name(number)}: {verdict(number, view, scores)}"
        for number in row.published
        if number.metric != "parameters"
    ]
    return "; ".join(verdicts) or "-"
