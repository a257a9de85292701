"""Drawings of a report as SVG text.

Text stays text: small files, and readable by a screen reader. The same run gives the same text.
A title says which data and protocol; synthetic figures carry the watermark. People have no names:
only how many of their clips are right is drawn.
"""

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mer_keras.audit.published import PrintedMatrix
from mer_keras.report.drawing import CELL, CELL_INK, COLOURS, drawing_of
from mer_keras.report.scoring import MetricValue, confusion_of
from mer_keras.report.view import RowState, RunView

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Width of a cell of a matrix in inches, of few classes and of more than ``FEW_CLASSES``.
_CELL_WIDTHS, FEW_CLASSES = (0.5, 0.42), 3
#: Shares of the light theme's full cell colour below which black text is read more easily.
_DARK_TEXT_BELOW = 0.8


def confusion_svg(view: RunView, row: RowState) -> str:
    """Draw a complete row's confusion matrix, pooled over folds and seeds.

    Cells show the share of the true class in per cent and the count.
    """
    shares, cells = _shares_and_cells(view.of_row(row.key), view.classes)
    return _matrix_svg(
        f"confusion.{view.run_id}.{row.key}", row.name, shares, cells, view.classes, view
    )


def database_confusions_svg(view: RunView, row: RowState) -> str:
    """Draw a complete row's confusion matrix of each database within a pooled run, side by side."""
    databases = list(view.of_row(row.key).groupby("database"))
    width, height = _matrix_size(view.classes)
    size = (len(databases) * width, height + 0.2)
    salt = f"databases.{view.run_id}.{row.key}"
    with drawing_of(salt, row.name, size, view) as drawing:
        plots = drawing.figure.subplots(1, len(databases), squeeze=False)[0]
        for axes, (database, predictions) in zip(plots, databases, strict=True):
            _draw_matrix(axes, *_shares_and_cells(predictions, view.classes), view.classes)
            axes.set(title=str(database), xlabel="predicted", ylabel="true")
    return drawing.svg


def _shares_and_cells(
    predictions: pd.DataFrame, classes: Sequence[str]
) -> tuple[NDArray[np.float64], list[list[str]]]:
    """Shares of each true class, (classes, classes) in 0..1, and the texts of the cells."""
    counts = confusion_of(predictions, classes)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cells = [
        [f"{100 * share:.0f} %\n({count})" for share, count in zip(*of_class, strict=True)]
        for of_class in zip(shares, counts, strict=True)
    ]
    return shares, cells


def published_confusion_svg(matrix: PrintedMatrix, title: str) -> str:
    """Draw a confusion matrix as its paper prints it, in shares of the true class."""
    shares = np.array(matrix.rows) / 100  # (classes, classes)
    cells = [[f"{value:.{matrix.decimals}f}" for value in row] for row in matrix.rows]
    heading = f"{title}\npublished, {matrix.where}, %"
    return _matrix_svg(f"published.{title}", heading, shares, cells, matrix.classes)


def curves_svg(view: RunView, row: RowState) -> str:
    """Draw loss and accuracy over epochs: the median over folds and seeds, and the middle 80 %.

    The curve ``fit`` is of the training clips, augmented; ``watched`` of the clips that chose the
    epoch, where there are any.
    """
    title = f"{row.name}, {len(row.histories)} trainings"
    with drawing_of(f"curves.{view.run_id}.{row.key}", title, (6.4, 3), view) as drawing:
        for axes, name in zip(drawing.figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
            for key, label, colour in ((name, "fit", 0), (f"val_{name}", "watched", 1)):
                curves = [history[key] for history in row.histories if history.get(key)]
                if curves:
                    _draw_band(axes, curves, label, COLOURS[colour])
            if name == "loss":
                axes.set_yscale("log")
            else:
                axes.set_ylim(0, 1)
            axes.locator_params(axis="x", integer=True)
            axes.set_xlabel("epoch")
            axes.set_title(name, fontsize=9)
            axes.legend(frameon=False, fontsize=8)
    return drawing.svg


def subjects_svg(view: RunView, row: RowState) -> str:
    """Draw a dot for each person, at the share of that person's clips that is right.

    A dot's area grows with the number of clips. Each database has a line.
    """
    clips = view.of_row(row.key)
    right = clips["predicted"] == clips["label"]
    of_people = right.groupby([clips["database"], clips["subject_id"]])
    people = of_people.agg(["mean", "size"]).reset_index()
    databases = sorted(people["database"].unique(), reverse=True)
    title, size = f"{row.name}: {len(people)} people", (6.4, 1.3 + 0.55 * len(databases))
    with drawing_of(f"subjects.{view.run_id}.{row.key}", title, size, view) as drawing:
        axes = drawing.figure.add_subplot(
            xlabel="share of a person's clips that is right",
            xlim=(-0.03, 1.03),
            ylim=(-0.6, len(databases) - 0.4),
        )
        for line, database in enumerate(databases):
            # People are sorted by what is drawn, so that a position tells nothing of who it is.
            shown = people[people["database"] == database].sort_values(["mean", "size"])
            spread = 0.3 * np.sin(2.4 * np.arange(len(shown)))
            axes.scatter(
                shown["mean"],
                line + spread,
                s=6 + 3 * shown["size"],
                color=COLOURS[line % len(COLOURS)],
                alpha=0.6,
                linewidths=0,
            )
        axes.set_yticks(range(len(databases)), databases)
    return drawing.svg


def intervals_svg(
    values: Mapping[str, Mapping[str, MetricValue]],
    metrics: Sequence[str],
    view: RunView,
    title: str,
) -> str:
    """Draw metrics with their intervals: ``values`` is label -> metric -> value, top to bottom."""
    labels = list(values)
    size = (6.4, 1.4 + 0.65 * len(labels))
    with drawing_of(f"intervals.{view.run_id}.{title}", title, size, view) as drawing:
        shown = [values[label][metric] for label in labels for metric in metrics]
        warning = next((f" ({v.interval_warning})" for v in shown if v.interval_warning), "")
        xlabel = f"value, with the 95 % interval over subjects{warning}"
        axes = drawing.figure.add_subplot(xlabel=xlabel)
        for number, metric in enumerate(metrics):
            of_metric = [values[label][metric] for label in labels]
            pooled, low, high = np.array([(v.pooled, v.low, v.high) for v in of_metric]).T
            axes.errorbar(
                pooled,
                np.arange(len(labels)) + 0.2 * (number - (len(metrics) - 1) / 2),
                xerr=np.maximum([pooled - low, high - pooled], 0),
                fmt="o",
                markersize=4,
                color=COLOURS[number],
                label=metric.upper(),
            )
        axes.set_yticks(range(len(labels)), [textwrap.fill(label, 34) for label in labels])
        axes.invert_yaxis()
        axes.legend(frameon=False, fontsize=8)
    return drawing.svg


def _draw_band(axes: "Axes", curves: Sequence[Sequence[float]], label: str, colour: str) -> None:
    """Draw median and middle 80 % at each epoch, over the trainings that have so many epochs."""
    longest = max(map(len, curves))
    padded = np.full((len(curves), longest), np.nan)
    for number, curve in enumerate(curves):
        padded[number, : len(curve)] = curve
    epochs = np.arange(1, longest + 1)
    low, middle, high = np.nanquantile(padded, [0.1, 0.5, 0.9], axis=0)
    mark = "." if longest == 1 else None
    axes.plot(epochs, middle, color=colour, label=label, marker=mark)
    axes.fill_between(epochs, low, high, color=colour, alpha=0.2, linewidth=0)


def _matrix_svg(
    salt: str,
    title: str,
    shares: NDArray[np.float64],
    cells: Sequence[Sequence[str]],
    classes: Sequence[str],
    view: RunView | None = None,
) -> str:
    """Draw a confusion matrix: ``shares`` (classes, classes) in 0..1 colour the ``cells``."""
    with drawing_of(salt, title, _matrix_size(classes), view) as drawing:
        axes = drawing.figure.add_subplot(xlabel="predicted", ylabel="true")
        _draw_matrix(axes, shares, cells, classes)
    return drawing.svg


def _draw_matrix(
    axes: "Axes",
    shares: NDArray[np.float64],
    cells: Sequence[Sequence[str]],
    classes: Sequence[str],
) -> None:
    """Draw ``cells`` (classes, classes) as coloured squares with the classes' names beside them."""
    from matplotlib.patches import Rectangle

    axes.set(aspect="equal", xlim=(-0.5, len(classes) - 0.5), ylim=(len(classes) - 0.5, -0.5))
    # A cell is a shape as opaque as its share is large, on whatever the page is coloured.
    for row, column in np.ndindex(*shares.shape):
        share = float(shares[row, column])
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, facecolor=CELL, alpha=share, linewidth=0))
        axes.text(
            column,
            row,
            cells[row][column],
            ha="center",
            va="center",
            color=text_colour(share),
            fontsize=9 if len(classes) <= FEW_CLASSES else 7.5,
        )
    axes.set_xticks(range(len(classes)), classes, rotation=30, ha="right")
    axes.set_yticks(range(len(classes)), classes)


def _matrix_size(classes: Sequence[str]) -> tuple[float, float]:
    """Width and height in inches of the drawing of one matrix with its titles and names."""
    cell = _CELL_WIDTHS[len(classes) > FEW_CLASSES]
    return 1.1 + cell * len(classes), 1.25 + cell * len(classes)


def text_colour(share: float) -> str:
    """Colour of a cell's text that is read easily: black in light cells, white in dark ones."""
    return CELL_INK if share < _DARK_TEXT_BELOW else "#ffffff"
