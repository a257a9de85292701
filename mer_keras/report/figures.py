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
from typing import Any

import numpy as np

from mer_keras.audit.published import PrintedMatrix
from mer_keras.evaluation.metrics import confusion_matrix
from mer_keras.report.scoring import MetricValue
from mer_keras.report.view import RowState, RunView
from mer_keras.terms import WATERMARK, DataKind

#: colours that differ for the colour-blind too (Okabe and Ito)
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")


def confusion_svg(view: RunView, row: RowState) -> str:
    """Draw a complete row's confusion matrix, pooled over folds and seeds.

    Cells show the share of the true class in per cent and the count.
    """
    part = view.of_row(row.key)
    counts = confusion_matrix(list(part["label"]), list(part["predicted"]), view.classes)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cells = [
        [f"{100 * s:.0f} %\n({n})" for s, n in zip(*pair, strict=True)]
        for pair in zip(share, counts, strict=True)
    ]
    with _drawing(f"confusion.{view.run_id}.{row.key}", view) as drawing:
        _draw_matrix(drawing.figure, share, cells, view.classes, f"{row.name}\n{_data(view)}")
    return drawing.svg


def published_confusion_svg(matrix: PrintedMatrix, title: str) -> str:
    """Draw a confusion matrix as its paper prints it, in shares of the true class."""
    share = np.array(matrix.rows) / 100
    cells = [[f"{value:.{matrix.decimals}f}" for value in line] for line in matrix.rows]
    with _drawing(f"published.{title}") as drawing:
        _draw_matrix(
            drawing.figure, share, cells, matrix.classes, f"{title}\npublished, {matrix.where}, %"
        )
    return drawing.svg


def curves_svg(view: RunView, row: RowState) -> str:
    """Draw loss and accuracy over epochs: the median over folds and seeds, and the middle 80 %.

    ``fit`` is what was trained on, augmented; ``watched`` what the selection looked at, where it
    looked at something.
    """
    histories = view.histories[row.key]
    with _drawing(f"curves.{view.run_id}.{row.key}", view) as drawing:
        drawing.figure.set_size_inches(6.4, 3)
        for place, (name, log) in enumerate((("loss", True), ("accuracy", False)), start=1):
            axes = drawing.figure.add_subplot(1, 2, place)
            for key, label, colour in ((name, "fit", 0), (f"val_{name}", "watched", 1)):
                known = [history[key] for history in histories if history.get(key)]
                if known:
                    _draw_band(axes, known, label, COLOURS[colour])
            if log:
                axes.set_yscale("log")
            else:
                axes.set_ylim(0, 1)
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.set_xlabel("epoch")
            axes.set_title(name, fontsize=9)
            axes.legend(frameon=False, fontsize=8)
        drawing.figure.suptitle(
            f"{row.name}, {len(histories)} trainings\n{_data(view)}", fontsize=9
        )
    return drawing.svg


def subjects_svg(view: RunView, row: RowState) -> str:
    """Draw a strip: each dot is a person, its place the share of that person's clips that is right.

    A dot's area grows with the number of clips. One line a database.
    """
    part = view.of_row(row.key)
    right = (part["predicted"] == part["label"]).groupby([part["database"], part["subject_id"]])
    people = right.agg(["mean", "size"]).reset_index()
    names = sorted(people["database"].unique(), reverse=True)
    with _drawing(f"subjects.{view.run_id}.{row.key}", view) as drawing:
        drawing.figure.set_size_inches(6.4, 1.3 + 0.55 * len(names))
        axes = drawing.figure.add_subplot()
        for line, name in enumerate(names):
            # in the order of what is drawn, so that a place tells nothing about who it is
            of = people[people["database"] == name].sort_values(["mean", "size"])
            spread = 0.3 * np.sin(2.4 * np.arange(len(of)))
            axes.scatter(
                of["mean"],
                line + spread,
                s=6 + 3 * of["size"],
                color=COLOURS[line % len(COLOURS)],
                alpha=0.6,
                linewidths=0,
            )
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.set_xlim(-0.03, 1.03)
        axes.set_xlabel("share of a person's clips that is right")
        axes.set_title(f"{row.name}: {len(people)} people\n{_data(view)}", fontsize=9)
    return drawing.svg


def intervals_svg(
    values: Mapping[str, Mapping[str, MetricValue]], view: RunView, title: str
) -> str:
    """Draw metrics with their intervals: ``values`` is label -> metric -> value, from the top."""
    labels = list(values)
    metrics = list(next(iter(values.values())))
    with _drawing(f"intervals.{view.run_id}.{title}", view) as drawing:
        drawing.figure.set_size_inches(6.4, 1.4 + 0.65 * len(labels))
        axes = drawing.figure.add_subplot()
        for i, metric in enumerate(metrics):
            found = [values[label][metric] for label in labels]
            middle = np.array([value.pooled for value in found])
            ends = np.array([[v.pooled - v.low, v.high - v.pooled] for v in found]).T
            axes.errorbar(
                middle,
                np.arange(len(labels)) + 0.2 * (i - (len(metrics) - 1) / 2),
                xerr=np.maximum(ends, 0),
                fmt="o",
                markersize=4,
                color=COLOURS[i],
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
    figure: Any
    svg: str = ""


def _data(view: RunView) -> str:
    return f"{view.data_kind} data, {view.manifest['protocol']}"


def _draw_band(axes: Any, curves: Sequence[Sequence[float]], label: str, colour: str) -> None:
    """Median and middle 80 % at each epoch, over the trainings that got so far."""
    longest = max(map(len, curves))
    padded = np.full((len(curves), longest), np.nan)
    for i, curve in enumerate(curves):
        padded[i, : len(curve)] = curve
    epochs = np.arange(1, longest + 1)
    low, middle, high = np.nanquantile(padded, [0.1, 0.5, 0.9], axis=0)
    mark = "." if longest == 1 else None
    axes.plot(epochs, middle, color=colour, label=label, marker=mark)
    axes.fill_between(epochs, low, high, color=colour, alpha=0.2, linewidth=0)


def _draw_matrix(
    figure: Any,
    share: np.ndarray,
    cells: Sequence[Sequence[str]],
    classes: Sequence[str],
    title: str,
) -> None:
    figure.set_size_inches(1.6 + 0.85 * len(classes), 1.7 + 0.7 * len(classes))
    axes = figure.add_subplot()
    # drawn cells, not an image: sharp at any size, and nothing is embedded
    edges = np.arange(len(classes) + 1) - 0.5
    axes.pcolormesh(edges, edges, share, cmap="Blues", vmin=0, vmax=1)
    axes.invert_yaxis()
    axes.set_aspect("equal")
    for i, j in np.ndindex(*share.shape):
        colour = "white" if share[i, j] > 0.5 else "black"
        axes.text(j, i, cells[i][j], ha="center", va="center", color=colour)
    axes.set_xticks(range(len(classes)), classes, rotation=30, ha="right")
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(title, fontsize=9)


@contextmanager
def _drawing(salt: str, view: RunView | None = None) -> Iterator[_Drawing]:
    """Give an empty figure; its text is there afterwards.

    ``salt`` keeps the ids of several drawings in one page apart.
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
