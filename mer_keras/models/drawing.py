"""A drawing of a network: a box for each layer that multiplies, lines for what reads what."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mer_keras.models.cost import LayerCost, layer_costs

#: inches
_ROW = 0.42
_COLUMN = 2.9
_WIDTH = 2.1
_HEIGHT = 0.28
_MARGIN = 0.3
_COLOURS = {
    "attention": "#f2c14e",
    "convolution": "#9fc5e8",
    "dense": "#b6d7a8",
    "input": "#ffffff",
    "other": "#e6e6e6",
}


@dataclass
class Box:
    """Layers that follow one another without a branch, drawn as one.

    Attributes:
        layers: the first gives the box its colour, the last its output.
        reads: indices of the boxes that the first layer reads.
        row: from the top: one below the lowest box that it reads.
        column: from the left, among the boxes of its row.
    """

    layers: list[LayerCost]
    reads: tuple[int, ...]
    row: int = 0
    column: int = 0

    def label(self) -> str:
        """Name of the first layer, kinds of all, output of the last."""
        kinds = " > ".join(_PLAIN.get(layer.kind, layer.kind) for layer in self.layers)
        size = "x".join(map(str, self.layers[-1].output_shape))
        return f"{self.layers[0].name}: {size}\n{kinds}"


_PLAIN = {
    "InputLayer": "input",
    "BatchNormalization": "BN",
    "ZeroPadding2D": "pad",
    "ZeroPadding3D": "pad",
    "GlobalAveragePooling1D": "mean",
    "GlobalAveragePooling2D": "mean",
    "GlobalAveragePooling3D": "mean",
}


def boxes(network: Any) -> list[Box]:
    """Return the boxes of a functional network, in order, placed on rows and columns.

    A layer without weights to multiply by joins the box of the only layer that it reads, if
    nothing else reads that.
    """
    layers = layer_costs(network)
    readers: dict[str, int] = {}
    for layer in layers:
        for name in layer.inputs:
            readers[name] = readers.get(name, 0) + 1
    found: list[Box] = []
    box_of: dict[str, int] = {}
    widths: dict[int, int] = {}
    for layer in layers:
        if len(layer.inputs) == 1 and not layer.multiply_accumulates:
            before = box_of[layer.inputs[0]]
            is_input = found[before].layers[0].kind == "InputLayer"
            if readers[layer.inputs[0]] == 1 and not is_input:
                found[before].layers.append(layer)
                box_of[layer.name] = before
                continue
        reads = tuple(dict.fromkeys(box_of[name] for name in layer.inputs))
        row = 1 + max((found[i].row for i in reads), default=-1)
        box = Box([layer], reads, row, widths.get(row, 0))
        widths[row] = box.column + 1
        box_of[layer.name] = len(found)
        found.append(box)
    return found


def draw(network: Any, file: Path) -> None:
    """Draw a functional network from the top down.

    Args:
        network: a ``keras.Model``.
        file: ``.svg`` or ``.png``.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    drawn = boxes(network)
    height = _ROW * (max(box.row for box in drawn) + 1) + 2 * _MARGIN
    width = _COLUMN * (max(box.column for box in drawn) + 1) + 4 * _MARGIN
    figure = Figure((width, height))
    FigureCanvasSVG(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.axis("off")
    centres = [
        (_MARGIN + _COLUMN * (box.column + 0.5), _MARGIN + _ROW * (box.row + 0.5)) for box in drawn
    ]
    for box, (x, y) in zip(drawn, centres, strict=True):
        for read in box.reads:
            _arrow(axes, centres[read], (x, y))
        corner = (x - _WIDTH / 2, y - _HEIGHT / 2)
        colour = _COLOURS[_category(box.layers[0])]
        axes.add_patch(
            Rectangle(corner, _WIDTH, _HEIGHT, facecolor=colour, edgecolor="#333333", linewidth=0.6)
        )
        axes.text(x, y, box.label(), ha="center", va="center", fontsize=5.5)
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)


def _arrow(axes: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw an arrow between two boxes; one that passes others of its column swings out."""
    (x0, y0), (x1, y1) = start, end
    swings = x0 == x1 and y1 - y0 > 1.5 * _ROW
    if swings:
        x0, x1 = x0 + _WIDTH / 2, x1 + _WIDTH / 2
    else:
        y0, y1 = y0 + _HEIGHT / 2, y1 - _HEIGHT / 2
    style = {
        "arrowstyle": "-|>",
        "mutation_scale": 6,
        "color": "#555555",
        "linewidth": 0.7,
        "shrinkA": 0,
        "shrinkB": 0,
        "connectionstyle": f"arc3,rad={-0.6 / (y1 - y0) if swings else 0}",
    }
    axes.annotate("", (x1, y1), (x0, y0), arrowprops=style)


def _category(layer: LayerCost) -> str:
    kind = layer.kind.lower()
    for category in ("input", "attention"):
        if category in kind:
            return category
    if kind == "dense":
        return kind
    return "convolution" if layer.multiply_accumulates else "other"
