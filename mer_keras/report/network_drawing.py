"""A network as boxes in the order of its layers; what is no standard layer stands out."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mer_keras.arrays import shape_text
from mer_keras.models.cost import LayerCost
from mer_keras.report.drawing import CELL, COLOURS, INK, plain_drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import FancyBboxPatch
    from matplotlib.text import Text

#: Layers that are written into the box of the layer before them.
MINOR = frozenset(
    {
        "Activation",
        "BatchNormalization",
        "Dropout",
        "Flatten",
        "LeakyReLU",
        "ReLU",
        "Reshape",
        "SpatialDropout2D",
        "ZeroPadding2D",
        "ZeroPadding3D",
    }
)
#: Layers of Keras that stand out as the package's own do: they are what a paper is about.
OUTSTANDING = frozenset({"ConvLSTM2D", "MultiHeadAttention", "LSTM"})
#: Boxes in a row; width and height of a box, and of its place, in inches.
_COLUMNS, _BOX, _PLACE = 6, (1.5, 0.86), (1.8, 1.22)
#: Letters of a line below a box.
_READ_LETTERS = 40
#: Largest letters in points, and width of a letter as a share of their size.
_LETTERS, _LETTER_WIDTH = 8.5, 0.62


@dataclass(frozen=True)
class Box:
    """One box: a layer and the minor ones after it.

    Attributes:
        name: of the layer.
        lines: what stands in the box, from top to bottom.
        inputs: names of the layers that it reads.
        names: of all layers in the box.
        special: whether it stands out.
    """

    name: str
    lines: tuple[str, ...]
    inputs: tuple[str, ...]
    names: tuple[str, ...]
    special: bool


def boxes_of(layers: Sequence[LayerCost], standard: Sequence[str]) -> list[Box]:
    """Put the layers of a network into boxes.

    Args:
        layers: in the order in which they are computed.
        standard: class names of Keras' own layers; a layer of another class stands out.
    """
    groups: list[list[LayerCost]] = []
    for layer in layers:
        follows = groups and layer.inputs == (groups[-1][-1].name,)
        if layer.kind in MINOR and follows:
            groups[-1].append(layer)
        else:
            groups.append([layer])
    return [_box(group, frozenset(standard)) for group in groups]


def _box(group: Sequence[LayerCost], standard: frozenset[str]) -> Box:
    first, *minor = group
    lines = [first.kind, first.name, shape_text(group[-1].output_shape)]
    parameters = sum(layer.parameters for layer in group)
    if parameters:
        lines.append(f"{parameters:,} parameters")
    if minor:
        lines.append("+ " + ", ".join(dict.fromkeys(layer.kind for layer in minor)))
    special = first.kind in OUTSTANDING or first.kind not in standard
    return Box(
        first.name, tuple(lines), first.inputs, tuple(layer.name for layer in group), special
    )


def network_svg(title: str, boxes: Sequence[Box]) -> str:
    """Draw boxes row after row, as SVG text."""
    rows = -(-len(boxes) // _COLUMNS)
    size = (_PLACE[0] * min(_COLUMNS, len(boxes)) + 0.1, _PLACE[1] * rows + 0.5)
    with plain_drawing(f"network.{title}", title, size, synthetic=False, tight=False) as drawing:
        axes = drawing.figure.add_axes((0, 0, 1, 1 - 0.4 / size[1]))
        axes.set(xlim=(0, size[0]), ylim=(_PLACE[1] * rows, -0.06))
        axes.axis("off")
        draw_boxes(axes, boxes)
    return drawing.svg


def draw_boxes(axes: "Axes", boxes: Sequence[Box]) -> "list[tuple[FancyBboxPatch, list[Text]]]":
    """Draw boxes with arrows between neighbours; axes are in inches.

    A box that reads something else than the one before says so below itself.

    Returns:
        Each box with the texts in it.
    """
    from matplotlib.patches import FancyBboxPatch

    drawn = []
    for number, box in enumerate(boxes):
        left = 0.1 + _PLACE[0] * (number % _COLUMNS)
        top = _PLACE[1] * (number // _COLUMNS)
        patch = FancyBboxPatch(
            (left, top),
            *_BOX,
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=CELL if box.special else "none",
            edgecolor=INK,
            linewidth=1,
        )
        axes.add_patch(patch)
        texts = [
            axes.text(
                left + _BOX[0] / 2,
                top + (line + 0.6) * _BOX[1] / len(box.lines) * 0.96,
                text,
                ha="center",
                va="center",
                fontsize=fitted_size(text, len(box.lines)),
                fontweight="bold" if line == 0 else "normal",
                color="#ffffff" if box.special else INK,
            )
            for line, text in enumerate(box.lines)
        ]
        drawn.append((patch, texts))
        before = boxes[number - 1].names if number else ()
        _draw_arrow(axes, box, before, left, top, in_row=number % _COLUMNS > 0)
    return drawn


def _draw_arrow(
    axes: "Axes", box: Box, before: Sequence[str], left: float, top: float, *, in_row: bool
) -> None:
    """Draw where a box's input comes from: an arrow, and in words what is not the box before."""
    others = [name for name in box.inputs if name not in before]
    if len(others) < len(box.inputs) and in_row:
        arrow = {"arrowstyle": "->", "color": COLOURS[6]}
        middle = top + _BOX[1] / 2
        start = left - _PLACE[0] + _BOX[0]
        axes.annotate("", xy=(left, middle), xytext=(start, middle), arrowprops=arrow)
    if others:
        lines = textwrap.wrap(f"reads {', '.join(others)}", _READ_LETTERS)
        below = top + _BOX[1] + 0.03
        axes.text(left, below, "\n".join(lines), fontsize=6.5 if len(lines) < 2 else 5.5, va="top")


def fitted_size(text: str, lines: int) -> float:
    """Size of letters in points with which a line fits into its box."""
    by_width = 72 * (_BOX[0] - 0.1) / (_LETTER_WIDTH * max(len(text), 1))
    by_height = 72 * _BOX[1] / (1.35 * lines)
    return min(_LETTERS, by_width, by_height)
