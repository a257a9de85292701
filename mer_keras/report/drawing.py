"""What all drawings of a page share: colours, an empty figure with its title, SVG text.

A drawing's file has plain colours, so that any program shows it. On a page the same colours are the
page's own, so that a drawing is dark where the page is dark.
"""

import io
import re
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mer_keras.names import shown
from mer_keras.terms import WATERMARK, DataKind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mer_keras.report.view import RunView

#: Colours of lines and points that the colour-blind can tell apart too: those of Okabe and Ito,
#: darkened where their contrast with white is below 3.
COLOURS = ("#0072b2", "#c65300", "#00805d", "#b0508a", "#8f6400", "#2a7fb5", "#55606d")
#: Colours of texts and axes, of the watermark, and of what lies behind a drawing.
INK, WARNING, GROUND = "#1c2530", "#8a3b00", "#fffffe"
#: Colour of a full cell of a matrix, and of dark text in light cells.
CELL, CELL_INK = "#0b5c8f", "#000001"
#: Letters of a title that an inch holds.
_LETTERS = 13
#: Size of the watermark's letters, in points for each inch of a narrow drawing's width.
_WATERMARK_SIZE = 2.2
#: Colour of a drawing's file -> its colour on a page (``templates/page.css``).
_ON_PAGES = {
    **{colour: f"var(--series-{number})" for number, colour in enumerate(COLOURS, start=1)},
    INK: "var(--ink)",
    WARNING: "var(--warn)",
    GROUND: "transparent",
    CELL: "var(--cell)",
    CELL_INK: "var(--cell-ink)",
}
_NAMES = re.compile(r'(?<=<g) id="[^"]*"| id="image[0-9a-f]*"')


@dataclass
class Drawing:
    """A figure to draw on; ``svg`` and ``png`` are there once the drawing has ended."""

    figure: "Figure"
    svg: str = ""
    png: bytes = b""


def themed(svg: str) -> str:
    """Give a drawing the colours of the page that it stands in.

    Its groups and pictures lose their names, such as ``axes_1``, which others of the page have too.
    """
    svg = _NAMES.sub("", svg)
    for colour, on_page in _ON_PAGES.items():
        svg = svg.replace(colour, on_page)
    return svg


@contextmanager
def drawing_of(
    salt: str,
    title: str,
    size: tuple[float, float],
    view: "RunView | None" = None,
    *,
    left: bool = False,
) -> Iterator[Drawing]:
    """Give an empty figure; its SVG text, with titles and watermark, is there after the block.

    Args:
        salt: makes the ids within a drawing differ from those of other drawings in a page.
        title: names what is drawn; kind of data and protocol of ``view`` are put below it.
        size: width and height in inches.
        view: the run that is drawn; none for published numbers.
        left: whether the title stands above the left edge, not above the middle.
    """
    kind = view.data_kind if view is not None else None
    if view is not None:
        subtitle = f"{view.data_kind} data, {view.manifest['protocol']}"
        title += f"\n{textwrap.fill(subtitle, int(_LETTERS * size[0]))}"
    is_synthetic = kind is DataKind.SYNTHETIC
    with plain_drawing(salt, title, size, synthetic=is_synthetic, left=left) as drawing:
        yield drawing


@contextmanager
def plain_drawing(
    salt: str,
    title: str,
    size: tuple[float, float],
    *,
    synthetic: bool,
    left: bool = False,
    dpi: int = 0,
    tight: bool = True,
) -> Iterator[Drawing]:
    """Give an empty figure as ``drawing_of`` does, for what is of no run.

    Args:
        salt: makes the ids within a drawing differ from those of other drawings in a page.
        title: stands above the drawing as it is.
        size: width and height in inches.
        synthetic: whether the drawing needs the watermark.
        left: whether the title stands above the left edge, not above the middle.
        dpi: points an inch of the drawing as PNG; 0 makes none.
        tight: whether the axes are arranged here; else who draws has arranged them.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    inked = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    style = {"svg.hashsalt": salt, "svg.fonttype": "none", "font.size": 9}
    style |= dict.fromkeys(inked, INK) | {"axes.facecolor": "none"}
    with mpl.rc_context(style), warnings.catch_warnings():
        # A letter that the font lacks is a letter in the SVG all the same.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        drawing = Drawing(Figure(figsize=size, facecolor=GROUND))
        figure = drawing.figure
        yield drawing
        place = {"x": 0.01, "ha": "left"} if left else {}
        figure.suptitle(title, fontsize=9, **place)
        if synthetic:
            letters = min(7, _WATERMARK_SIZE * size[0])
            figure.text(0.5, 0.005, WATERMARK, ha="center", fontsize=letters, color=WARNING)
        for text in figure.findobj(Text):
            if "$" in text.get_text():  # Names are no formulas; ticks of axes have no text yet.
                text.set_parse_math(False)
        if tight:
            figure.tight_layout(rect=(0, 0.03, 1, 1))
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        if dpi:
            picture = io.BytesIO()
            figure.savefig(picture, format="png", dpi=dpi, metadata={"Software": None})
            drawing.png = picture.getvalue()
    svg = buffer.getvalue()
    drawing.svg = shown(svg[svg.index("<svg") :])
