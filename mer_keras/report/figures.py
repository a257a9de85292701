"""Confusion matrices as SVG text."""

import io
from collections.abc import Sequence

import numpy as np

from mer_keras.metrics import confusion_matrix
from mer_keras.report.tables import WATERMARK
from mer_keras.report.view import RowState, RunView
from mer_keras.terms import DataKind


def confusion_svg(view: RunView, row: RowState) -> str:
    """Draw a complete row's confusion matrix, pooled over folds and seeds.

    Cells show the share of the true class in per cent and the count. The title says which data
    and protocol; synthetic figures carry the watermark. The same run gives the same text.
    """
    part = view.of_row(row.key)
    matrix = confusion_matrix(list(part["label"]), list(part["predicted"]), view.classes)
    title = f"{row.name}\n{view.data_kind} data, {view.manifest['protocol']}"
    watermark = WATERMARK if view.data_kind is DataKind.SYNTHETIC else ""
    return _draw(matrix, view.classes, title, watermark, salt=f"{view.run_id}.{row.key}")


def _draw(matrix: np.ndarray, classes: Sequence[str], title: str, watermark: str, salt: str) -> str:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    # text stays text: small files, and readable by a screen reader; the salt keeps the ids of
    # several drawings in one page apart
    with mpl.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(1.6 + 0.85 * len(classes), 1.7 + 0.7 * len(classes)))
        axes = figure.add_subplot()
        # drawn cells, not an image: sharp at any size, and nothing is embedded
        cells = np.arange(len(classes) + 1) - 0.5
        axes.pcolormesh(cells, cells, share, cmap="Blues", vmin=0, vmax=1)
        axes.invert_yaxis()
        axes.set_aspect("equal")
        for i, j in np.ndindex(*matrix.shape):
            axes.text(
                j,
                i,
                f"{100 * share[i, j]:.0f} %\n({matrix[i, j]})",
                ha="center",
                va="center",
                color="white" if share[i, j] > 0.5 else "black",
            )
        axes.set_xticks(range(len(classes)), classes, rotation=30, ha="right")
        axes.set_yticks(range(len(classes)), classes)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        axes.set_title(title, fontsize=9)
        if watermark:
            figure.text(0.5, 0.005, watermark, ha="center", fontsize=7, color="#a00")
        figure.tight_layout(rect=(0, 0.03, 1, 1))
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
