"""Which figures stand in a report, and what they say to those who can't see them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mer_keras.audit import published
from mer_keras.config.experiment import Experiment
from mer_keras.evaluation.metrics import per_class_recall
from mer_keras.names import slug
from mer_keras.report.figures import (
    confusion_svg,
    curves_svg,
    database_confusions_svg,
    intervals_svg,
    published_confusion_svg,
    subjects_svg,
)
from mer_keras.report.forest import forest_lines, forest_svg, forest_text
from mer_keras.report.optimism import Gap
from mer_keras.report.scoring import confusion_of
from mer_keras.report.table import Table
from mer_keras.report.view import RowState, RunView


@dataclass(frozen=True)
class Illustration:
    """A drawing of a report.

    Attributes:
        name: names its file.
        svg: the drawing as SVG text.
        text: its description for those who can't see it.
        data_kind: value of ``terms.DataKind``, or ``published``.
        kind: figures of one kind stand together: ``forest``, ``confusion``, ``databases``,
            ``people``, ``curves`` or ``settings``.
        quoted: whether it is of a method that the paper quotes from others.
    """

    name: str
    svg: str
    text: str
    data_kind: str
    kind: str
    quoted: bool = False


def figures_of(view: RunView) -> Iterator[Illustration]:
    """Confusion matrices, learning curves and people of each complete row of a run."""
    quoted = {row.name for row in view.config.rows if row.quoted}
    for row in view.rows:
        if row.role == "row" and row.complete:
            drawn = {
                "databases": view.of_row(row.key)["database"].nunique() > 1,
                "curves": bool(row.histories),
            }
            for name, draw, describe in (
                ("confusion", confusion_svg, _confusion_text),
                ("databases", database_confusions_svg, _databases_text),
                ("people", subjects_svg, _people_text),
                ("curves", curves_svg, _curves_text),
            ):
                if drawn.get(name, True):
                    stem = f"{view.run_id}.{row.key}.{name}"
                    svg, text = draw(view, row), describe(view, row)
                    yield Illustration(
                        stem, svg, text, view.data_kind, name, quoted=row.name in quoted
                    )


def published_matrices(config: Experiment) -> Iterator[Illustration]:
    """Confusion matrices that the paper prints of the experiment's rows."""
    paper = config.name.partition("/")[0]
    matrices = published.load(paper).matrices if paper in published.papers() else ()
    for matrix in matrices:
        if matrix.experiment == config.name:
            title = str(matrix.row)
            recalls = ", ".join(
                f"{name} {matrix.rows[i][i]:g} %" for i, name in enumerate(matrix.classes)
            )
            yield Illustration(
                f"{slug(config.name)}.{slug(matrix.where)}.published",
                published_confusion_svg(matrix, title),
                f"Confusion matrix of {title} as printed in {matrix.where}; right: {recalls}",
                "published",
                "confusion",
            )


def forest_figure(config: Experiment, table: Table) -> Illustration | None:
    """What is published and what came out of each method of a run; ``None`` without a result."""
    view = table.view
    lines = forest_lines(config, view) if view is not None else []
    if view is None or not any(line.values for line in lines):
        return None
    svg = forest_svg(lines, view, f"{config.heading}: {table.title.lower()}")
    text = forest_text(lines, table)
    return Illustration(f"{table.name}.forest", svg, text, table.data_kind, "forest")


def gap_figure(gap: Gap) -> Illustration:
    """Metrics with intervals of every setting of one method."""
    metrics = ("uf1", "uar")
    text = "; ".join(
        f"{setting}: " + ", ".join(f"{m.upper()} {100 * values[m].pooled:.1f} %" for m in metrics)
        for setting, values in gap.values.items()
    )
    svg = intervals_svg(gap.values, metrics, gap.view, gap.row)
    return Illustration(gap.table.name, svg, text, gap.view.data_kind, "settings")


def _confusion_text(view: RunView, row: RowState) -> str:
    matrix = confusion_of(view.of_row(row.key), view.classes)
    recalls = zip(view.classes, per_class_recall(matrix), strict=True)
    listed = ", ".join(f"{name} {100 * recall:.0f} %" for name, recall in recalls)
    return f"Confusion matrix of {row.name} on {view.data_kind} data; right: {listed}"


def _databases_text(view: RunView, row: RowState) -> str:
    clips = view.of_row(row.key)
    shares = (clips["predicted"] == clips["label"]).groupby(clips["database"]).mean()
    listed = ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares.items())
    return (
        f"Confusion matrices of {row.name} on the clips of each database, {view.data_kind} data; "
        f"right: {listed}"
    )


def _people_text(view: RunView, row: RowState) -> str:
    clips = view.of_row(row.key)
    share = (clips["predicted"] == clips["label"]).groupby(clips["subject_id"]).mean()
    low, middle, high = (100 * share.quantile([0.25, 0.5, 0.75])).round()
    return (
        f"Share of each person's clips that {row.name} gets right on {view.data_kind} data: half "
        f"of {len(share)} people lie between {low:.0f} and {high:.0f} %, the median is "
        f"{middle:.0f} %"
    )


def _curves_text(view: RunView, row: RowState) -> str:
    losses = [history["loss"][-1] for history in row.histories]
    return (
        f"Learning curves of {row.name} on {view.data_kind} data, {len(losses)} trainings: the "
        f"loss ends at {np.median(losses):.3f} in the middle"
    )
