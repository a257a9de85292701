"""Tables below the results of a run: each database, each class, and what the networks cost."""

from collections.abc import Iterator

from mer_keras.config.experiment import Experiment
from mer_keras.evaluation.metrics import per_class_f1, per_class_recall
from mer_keras.report.scoring import SHOWN, confusion_of, score_row
from mer_keras.report.table import Table
from mer_keras.report.tables import WEIGHTS, describe, file_stem, marked_name
from mer_keras.report.view import RunView

Records = list[dict[str, str]]


def details_of(config: Experiment, view: RunView) -> Iterator[Table]:
    """Tables of one run below its results; rows without all folds are left out."""
    databases = "UF1 / UAR / WAR (%) of each database within the pooled run, over its own classes"
    classes = "Recall / F1 (%) of each class, seeds together"
    cost = f"The networks as run, on {view.manifest['device']}"
    for name, title, caption, records in (
        ("databases", "Each database", databases, _databases(view)),
        ("classes", "Each class", classes, _classes(view)),
        ("cost", "Cost", cost, _cost(view)),
    ):
        if records:
            stem, whole = f"{file_stem(config, view)}.{name}", f"{caption}; {describe(view)}"
            yield Table(stem, title, view.data_kind, whole, records, view=view)


def _databases(view: RunView) -> Records:
    """UF1, UAR and WAR of each database's slice of one pooled run; none of a single database."""
    clips = view.of_row(view.rows[0].key).drop_duplicates("sample_id")["database"].value_counts()
    records = []
    for state in view.rows:
        scores = score_row(view, state)
        if scores and scores.databases:
            records.append(
                {"method": marked_name(state, view)}
                | {
                    f"{database} ({clips.get(database, 0)} clips)": " / ".join(
                        f"{100 * values[name].pooled:.2f}" for name in SHOWN
                    )
                    for database, values in scores.databases.items()
                }
            )
    return records


def _classes(view: RunView) -> Records:
    """Recall and F1 of each class, of which UAR and UF1 are the means."""
    counts = view.manifest["class_counts"]
    records = []
    for state in view.rows:
        if state.complete:
            matrix = confusion_of(view.of_row(state.key), view.classes)
            of_classes = zip(
                view.classes, per_class_recall(matrix), per_class_f1(matrix), strict=True
            )
            records.append(
                {"method": marked_name(state, view)}
                | {
                    f"{name} ({counts.get(name, 0)} clips)": (
                        f"{100 * recall:.1f} / {100 * f1:.1f}" if counts.get(name, 0) else "-"
                    )
                    for name, recall, f1 in of_classes
                }
            )
    return records


def _cost(view: RunView) -> Records:
    """Parameters, operations and time of each network."""
    return [
        {
            "network": state.name,
            WEIGHTS: f"{state.parameters:,}" if state.parameters else "-",
            "million multiply-accumulates a clip": (
                f"{state.multiply_accumulates / 1e6:,.1f}" if state.multiply_accumulates else "-"
            ),
            "seconds of training and testing": f"{state.seconds:,.0f}",
            "trainings": f"{state.done}",
        }
        for state in view.rows
        if state.role == "row" and state.done
    ]
