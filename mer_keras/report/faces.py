"""Faces that move, drawn so that the motion is seen: frames, their difference, and the flow."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mer_keras.clips.flow import optical_flow
from mer_keras.explanation.key_frames import APEX, ONSET
from mer_keras.report.drawing import Drawing, plain_drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Arrows of a flow in each direction.
ARROWS = 12
#: Colours of maps and flow: as light as their values are large, also for the colour-blind.
COLOUR_MAP = "viridis"
#: Names of the key frames of a strip (see ``explanation.key_frames``).
_FRAME_TITLES = ("onset", "before the apex", "apex", "after the apex", "offset")
#: Width and height of a picture with its title, in inches, and points an inch of PNG files.
_CELL, _DPI = (1.32, 1.5), 100


def draw_strips(frames: Mapping[str, NDArray[np.float32]], *, synthetic: bool) -> Drawing:
    """Draw a line for each clip: its key frames, apex minus onset, and the flow between them.

    Args:
        frames: name of a clip -> (5, height, width) in 0..1, as ``key_frames_of`` returns them.
        synthetic: whether the drawing needs the watermark.

    Returns:
        The drawing as SVG and PNG.
    """
    size = (len(frames), len(_FRAME_TITLES) + 2)
    fields = {name: flow_between(clip[ONSET], clip[APEX]) for name, clip in frames.items()}
    longest = max(float(np.linalg.norm(field, axis=-1).max()) for field in fields.values())
    largest = max(float(np.abs(clip[APEX] - clip[ONSET]).max()) for clip in frames.values())
    inches = (_CELL[0] * size[1], _CELL[1] * size[0] + 1.5)
    salt = f"strips.{'.'.join(frames)}"
    with plain_drawing(salt, "", inches, synthetic=synthetic, dpi=_DPI, tight=False) as drawing:
        axes = cells_of(drawing.figure, size)
        for line, (name, clip) in enumerate(frames.items()):
            for cell, frame, title in zip(axes[line], clip, _FRAME_TITLES, strict=False):
                cell.imshow(frame, cmap="gray", vmin=0, vmax=1)
                cell.set_title(f"{name}\n{title}" if title == "onset" else title, fontsize=7)
            difference = clip[APEX] - clip[ONSET]  # (height, width)
            axes[line, -2].imshow(difference, cmap="RdBu_r", vmin=-largest, vmax=largest)
            axes[line, -2].set_title("apex - onset", fontsize=7)
            draw_flow(axes[line, -1], fields[name], longest)
            axes[line, -1].set_title("flow", fontsize=7)
        colour_bar(drawing.figure, (0.58, 0.38), longest, "flow, pixels from onset to apex")
        place = (0.06, 0.38)
        colour_bar(drawing.figure, place, largest, "apex - onset, gray 0 to 1", "RdBu_r", -largest)
    return drawing


def flow_between(onset: NDArray[np.float32], apex: NDArray[np.float32]) -> NDArray[np.float32]:
    """Flow from one frame to the other, both (height, width) in 0..1: (height, width, 2) pixels."""
    first, second = (np.round(255 * frame).astype("uint8") for frame in (onset, apex))
    return optical_flow(first, second, "farneback")


def draw_flow(
    axes: "Axes", field: NDArray[np.float32], longest: float, arrows: int = ARROWS
) -> None:
    """Draw the length of a flow as colours, and its direction as arrows.

    Args:
        axes: to draw on.
        field: (height, width, 2), to the right and down.
        longest: length that has the lightest colour.
        arrows: how many in each direction.
    """
    length = np.linalg.norm(field, axis=-1)  # (height, width)
    axes.axis("off")
    axes.imshow(length, cmap=COLOUR_MAP, vmin=0, vmax=longest or 1)
    height, width = length.shape
    rows = np.linspace(0.5, arrows - 0.5, arrows) * height / arrows
    columns = np.linspace(0.5, arrows - 0.5, arrows) * width / arrows
    chosen = field[np.ix_(rows.astype(int), columns.astype(int))]  # (arrows, arrows, 2)
    scale = (longest or 1) * arrows / width
    axes.quiver(
        columns,
        rows,
        chosen[..., 0],
        chosen[..., 1],
        angles="xy",
        scale_units="xy",
        scale=scale,
        color="white",
        width=0.008,
    )


def cells_of(figure: "Figure", size: tuple[int, int]) -> NDArray[np.object_]:
    """Axes (lines, columns) without frames, above room for the bars of the colours."""
    height = figure.get_figheight()
    grid = figure.add_gridspec(
        *size,
        left=0.02,
        right=0.98,
        top=1 - 0.85 / height,
        bottom=0.75 / height,
        wspace=0.1,
        hspace=0.3,
    )
    axes = grid.subplots(squeeze=False)
    for cell in axes.flat:
        cell.axis("off")
    return axes


def colour_bar(
    figure: "Figure",
    place: tuple[float, float],
    largest: float | None,
    text: str,
    colours: str = COLOUR_MAP,
    smallest: float = 0,
) -> None:
    """Draw at the bottom what colours mean.

    Args:
        figure: to draw on.
        place: left edge and width, in 0..1.
        largest: value of the last colour; ``None``: values differ from picture to picture.
        text: what the values are.
        colours: name of the colours.
        smallest: value of the first colour.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    height = 0.09 / figure.get_figheight()
    axes = figure.add_axes((place[0], 0.38 / figure.get_figheight(), place[1], height))
    mapped = ScalarMappable(Normalize(smallest, largest or 1), colours)
    bar = figure.colorbar(mapped, cax=axes, orientation="horizontal")
    bar.ax.tick_params(labelsize=6, pad=1)
    bar.ax.set_title(text, fontsize=7, pad=2)
    if largest is None:
        bar.set_ticks([])
