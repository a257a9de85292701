"""Tables below the results of a run: each database, each class, and what the networks cost."""

from collections.abc import Iterator

from mer_keras.config.experiment import Experiment
from mer_keras.evaluation.metrics import per_class_f1, per_class_recall
from mer_keras.report.scoring import SHOWN, confusion_of, score_row
from mer_keras.report.tables import Table, describe, file_stem, marked_name
from mer_keras.report.view import RunView


def details_of(config: Experiment, view: RunView) -> Iterator[Table]:
    """Tables of one run below its results; rows without all folds are left out."""
    if view.predictions["database"].nunique() > 1:
        yield _databases(config, view)
    if any(row.complete for row in view.rows):
        yield _classes(config, view)
    if any(row.role == "row" and row.done for row in view.rows):
        yield _cost(config, view)


def _databases(config: Experiment, view: RunView) -> Table:
    """UF1, UAR and WAR of each database's slice of one pooled run."""
    databases = sorted(view.predictions["database"].unique())
    rows = []
    for state in view.rows:
        scores = score_row(view, state)
        if scores is None:
            continue
        cells = [
            " / ".join(f"{100 * scores.databases[database][name].pooled:.2f}" for name in SHOWN)
            for database in databases
        ]
        rows.append((marked_name(state, view), *cells))
    clips = view.of_row(view.rows[0].key).drop_duplicates("sample_id")["database"].value_counts()
    return Table(
        name=f"{file_stem(config, view)}.databases",
        title="Each database",
        data_kind=str(view.data_kind),
        caption=f"UF1 / UAR / WAR (%) of each database within the pooled run; {describe(view)}",
        header=(
            "method",
            *(f"{database} ({clips.get(database, 0)} clips)" for database in databases),
        ),
        rows=tuple(rows),
        view=view,
    )


def _classes(config: Experiment, view: RunView) -> Table:
    """Recall and F1 of each class, of which UAR and UF1 are the means."""
    rows = []
    for state in view.rows:
        if not state.complete:
            continue
        matrix = confusion_of(view.of_row(state.key), view.classes)
        of_classes = zip(per_class_recall(matrix), per_class_f1(matrix), strict=True)
        cells = (f"{100 * recall:.1f} / {100 * f1:.1f}" for recall, f1 in of_classes)
        rows.append((marked_name(state, view), *cells))
    counts = view.manifest["class_counts"]
    return Table(
        name=f"{file_stem(config, view)}.classes",
        title="Each class",
        data_kind=str(view.data_kind),
        caption=f"Recall / F1 (%) of each class, seeds together; {describe(view)}",
        header=("method", *(f"{name} ({counts.get(name, 0)} clips)" for name in view.classes)),
        rows=tuple(rows),
        view=view,
    )


def _cost(config: Experiment, view: RunView) -> Table:
    """Parameters, operations and time of each network."""
    rows = tuple(
        (
            state.name,
            f"{state.parameters:,}" if state.parameters else "-",
            f"{state.multiply_accumulates / 1e6:,.1f}" if state.multiply_accumulates else "-",
            f"{state.seconds:,.0f}",
            f"{state.done}",
        )
        for state in view.rows
        if state.role == "row" and state.done
    )
    return Table(
        name=f"{file_stem(config, view)}.cost",
        title="Cost",
        data_kind=str(view.data_kind),
        caption=f"The networks as run, on {view.manifest['device']}; {describe(view)}",
        header=(
            "network",
            "parameters",
            "million multiply-accumulates a clip",
            "seconds of training and testing",
            "trainings",
        ),
        rows=rows,
        view=view,
    )
