"""Drawings of a report as SVG text.

Text stays text: small files, and readable by a screen reader. The same run gives the same text.
A title says which data and protocol; synthetic figures carry the watermark. People have no names:
only how many of their clips are right is drawn.
"""

import io
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mer_keras.audit.published import PrintedMatrix
from mer_keras.report.scoring import MetricValue, confusion_of
from mer_keras.report.view import RowState, RunView
from mer_keras.terms import WATERMARK, DataKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Colours that the colour-blind can tell apart too (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")


def confusion_svg(view: RunView, row: RowState) -> str:
    """Draw a complete row's confusion matrix, pooled over folds and seeds.

    Cells show the share of the true class in per cent and the count.
    """
    counts = confusion_of(view.of_row(row.key), view.classes)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)  # (classes, classes)
    cells = [
        [f"{100 * share:.0f} %\n({count})" for share, count in zip(*of_class, strict=True)]
        for of_class in zip(shares, counts, strict=True)
    ]
    with _drawing(f"confusion.{view.run_id}.{row.key}", view) as drawing:
        _draw_matrix(drawing.figure, shares, cells, view.classes, f"{row.name}\n{_data(view)}")
    return drawing.svg


def published_confusion_svg(matrix: PrintedMatrix, title: str) -> str:
    """Draw a confusion matrix as its paper prints it, in shares of the true class."""
    shares = np.array(matrix.rows) / 100  # (classes, classes)
    cells = [[f"{value:.{matrix.decimals}f}" for value in row] for row in matrix.rows]
    with _drawing(f"published.{title}") as drawing:
        _draw_matrix(
            drawing.figure, shares, cells, matrix.classes, f"{title}\npublished, {matrix.where}, %"
        )
    return drawing.svg


def curves_svg(view: RunView, row: RowState) -> str:
    """Draw loss and accuracy over epochs: the median over folds and seeds, and the middle 80 %.

    The curve ``fit`` is of the training clips, augmented; ``watched`` of the clips that chose the
    epoch, where there are any.
    """
    histories = view.histories[row.key]
    with _drawing(f"curves.{view.run_id}.{row.key}", view) as drawing:
        drawing.figure.set_size_inches(6.4, 3)
        for column, name in enumerate(("loss", "accuracy"), start=1):
            axes = drawing.figure.add_subplot(1, 2, column)
            for key, label, colour in ((name, "fit", 0), (f"val_{name}", "watched", 1)):
                curves = [history[key] for history in histories if history.get(key)]
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
        drawing.figure.suptitle(
            f"{row.name}, {len(histories)} trainings\n{_data(view)}", fontsize=9
        )
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
    with _drawing(f"subjects.{view.run_id}.{row.key}", view) as drawing:
        drawing.figure.set_size_inches(6.4, 1.3 + 0.55 * len(databases))
        axes = drawing.figure.add_subplot()
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
        axes.set_ylim(-0.6, len(databases) - 0.4)
        axes.set_xlim(-0.03, 1.03)
        axes.set_xlabel("share of a person's clips that is right")
        axes.set_title(f"{row.name}: {len(people)} people\n{_data(view)}", fontsize=9)
    return drawing.svg


def intervals_svg(
    values: Mapping[str, Mapping[str, MetricValue]], view: RunView, title: str
) -> str:
    """Draw metrics with their intervals: ``values`` is label -> metric -> value, top to bottom."""
    labels = list(values)
    metrics = list(next(iter(values.values())))
    with _drawing(f"intervals.{view.run_id}.{title}", view) as drawing:
        drawing.figure.set_size_inches(6.4, 1.4 + 0.65 * len(labels))
        axes = drawing.figure.add_subplot()
        for number, metric in enumerate(metrics):
            of_metric = [values[label][metric] for label in labels]
            pooled = np.array([value.pooled for value in of_metric])
            below = np.array([value.pooled - value.low for value in of_metric])
            above = np.array([value.high - value.pooled for value in of_metric])
            axes.errorbar(
                pooled,
                np.arange(len(labels)) + 0.2 * (number - (len(metrics) - 1) / 2),
                xerr=np.maximum([below, above], 0),
                fmt="o",
                markersize=4,
                color=COLOURS[number],
                label=metric.upper(),
            )
        axes.set_yticks(range(len(labels)), [textwrap.fill(label, 34) for label in labels])
        axes.invert_yaxis()
        axes.set_xlabel("value, with the 95 % interval over subjects")
        axes.legend(frameon=False, fontsize=8)
        axes.set_title(f"{title}\n{_data(view)}", fontsize=9)
    return drawing.svg


@dataclass
class _Drawing:
    """A figure to draw on; ``svg`` is its text once the drawing has ended."""

    figure: "Figure"
    svg: str = ""


def _data(view: RunView) -> str:
    """Kind of data and protocol, as titles say them."""
    return f"{view.data_kind} data, {view.manifest['protocol']}"


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


def _draw_matrix(
    figure: "Figure",
    shares: NDArray[np.float64],
    cells: Sequence[Sequence[str]],
    classes: Sequence[str],
    title: str,
) -> None:
    """Draw a confusion matrix: ``shares`` (classes, classes) in 0..1 colour the ``cells``."""
    figure.set_size_inches(1.6 + 0.85 * len(classes), 1.7 + 0.7 * len(classes))
    axes = figure.add_subplot()
    # Cells are drawn as shapes, which are sharp at any size; an image would be embedded.
    edges = np.arange(len(classes) + 1) - 0.5
    axes.pcolormesh(edges, edges, shares, cmap="Blues", vmin=0, vmax=1)
    axes.invert_yaxis()
    axes.set_aspect("equal")
    for row, column in np.ndindex(*shares.shape):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, cells[row][column], ha="center", va="center", color=colour)
    axes.set_xticks(range(len(classes)), classes, rotation=30, ha="right")
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(title, fontsize=9)


@contextmanager
def _drawing(salt: str, view: RunView | None = None) -> Iterator[_Drawing]:
    """Give an empty figure; its SVG text is there after the block.

    ``salt`` makes the ids within a drawing differ from those of other drawings in a page.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none", "font.size": 9}):
        drawing = _Drawing(Figure())
        yield drawing
        if view is not None and view.data_kind is DataKind.SYNTHETIC:
            drawing.figure.text(0.5, 0.005, WATERMARK, ha="center", fontsize=7, color="#a00")
        drawing.figure.tight_layout(rect=(0, 0.03, 1, 1))
        buffer = io.StringIO()
        drawing.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    drawing.svg = text[text.index("<svg") :]
