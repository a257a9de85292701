"""Where networks look: maps over faces, attention weights, and a page that holds them.

A line a clip: onset, apex, the flow between them, and each network's map. A face is shown only
where it is synthetic or its subject is explicitly allowed. Elsewhere there is no picture, maps and
flow are averaged down to cells that are too few to show a face, and clips are numbered.
"""

import textwrap
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from skimage.transform import resize

from mer_keras.errors import InvariantError
from mer_keras.explanation.findings import Attention, Explained, Explanation
from mer_keras.explanation.key_frames import APEX, ONSET
from mer_keras.report.drawing import COLOURS, Drawing, plain_drawing
from mer_keras.report.faces import (
    ARROWS,
    COLOUR_MAP,
    cells_of,
    colour_bar,
    draw_flow,
    flow_between,
)
from mer_keras.report.formats import render
from mer_keras.report.map_words import describe_map, describe_weights
from mer_keras.terms import DataKind
from mer_keras.whole_files import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Largest number of rows and of columns of a map over a face that is not shown.
COARSE = 7
#: Width and height of a picture with its title, in inches, and points an inch of PNG files.
_CELL, _DPI = (1.75, 1.95), 110


@dataclass(frozen=True)
class ExplanationFigure:
    """A drawing of the page.

    Attributes:
        name: names its file.
        title: heads it on the page.
        text: what it shows, for those who can't see it.
        sentences: what each map says.
        drawing: the drawing as SVG and PNG.
    """

    name: str
    title: str
    text: str
    sentences: tuple[str, ...]
    drawing: Drawing

    @property
    def svg(self) -> str:
        """The drawing as SVG text."""
        return self.drawing.svg


def write_explanation(
    explanation: Explanation, folder: Path, allowed: Collection[str] = ()
) -> Path:
    """Write one HTML page with the figures, and the figures as PNG beside it.

    Args:
        explanation: what to draw.
        folder: folder to write into; files of the same names are replaced.
        allowed: subject ids whose faces may be shown.

    Returns:
        Path of the page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures = figures_of(explanation, allowed)
    for figure in figures:
        write_whole(folder / f"{figure.name}.png", figure.drawing.png)
    kind = explanation.data_kind
    page = folder / "explanation.html"
    text = render(
        "explanation.html.j2",
        explanation=explanation,
        synthetic=kind == DataKind.SYNTHETIC,
        hidden=not all(is_shown(clip, kind, allowed) for clip in explanation.explained),
        figures=figures,
    )
    write_whole(page, text.encode())
    return page


def figures_of(explanation: Explanation, allowed: Collection[str] = ()) -> list[ExplanationFigure]:
    """All drawings of an explanation: maps of all networks, then the attention of each."""
    figures = [
        ExplanationFigure(
            "grad-cam",
            "What moves, and where each network looks",
            f"Onset, apex, flow and Grad-CAM maps of clips of {explanation.caption}",
            map_sentences(explanation, allowed),
            draw_grad_cam(explanation, allowed),
        )
    ]
    for row in dict.fromkeys(clip.row for clip in explanation.explained):
        of_row = [clip for clip in explanation.explained if clip.row == row]
        if of_row[0].attention:
            figures.append(
                ExplanationFigure(
                    f"attention-{len(figures)}",
                    f"Attention of {row}",
                    f"Weights of the attention layers of {row} on the same clips",
                    attention_sentences(explanation, of_row, allowed),
                    draw_attention(explanation, of_row, allowed),
                )
            )
    return figures


def draw_grad_cam(explanation: Explanation, allowed: Collection[str] = ()) -> Drawing:
    """Draw a line for each clip: onset, apex, flow, each network's Grad-CAM for its class.

    A clip without footage has its input in place of the frames. Of a map with time the frame is
    shown where it is largest: networks may read different numbers of frames.

    Returns:
        The drawing as SVG and PNG.
    """
    sample_ids = list(dict.fromkeys(clip.sample_id for clip in explanation.explained))
    rows = list(dict.fromkeys(clip.row for clip in explanation.explained))
    has_frames = all(clip.frames is not None for clip in explanation.explained)
    before = 3 if has_frames else 1
    size = (len(sample_ids), before + len(rows))
    with _drawing(explanation, "grad-cam", explanation.caption, size) as drawing:
        axes = cells_of(drawing.figure, size)
        longest = max((float(_flow_of(clip).max()) for clip in _firsts(explanation)), default=0)
        for line, sample_id in enumerate(sample_ids):
            clips = [clip for clip in explanation.explained if clip.sample_id == sample_id]
            shown = is_shown(clips[0], explanation.data_kind, allowed)
            picture = _picture(clips[0].clip, _strongest_frame(clips[0])) if shown else None
            name = sample_id if shown else f"clip {line + 1}"
            if has_frames:
                picture = _draw_motion(list(axes[line, :3]), clips[0], name, longest, shown=shown)
            else:
                _show(axes[line, 0], picture, None)
                _title(axes[line, 0], name, f"true: {clips[0].label}")
            for clip in clips:
                cell = axes[line, before + rows.index(clip.row)]
                heat = clip.heat if clip.heat.ndim == 2 else clip.heat[_strongest_frame(clip)]
                _show(cell, picture, heat if shown else coarse(heat))
                _title(cell, clip.row, f"says: {clip.predicted}")
        colour_bar(drawing.figure, (0.55, 0.42), 1.0, "Grad-CAM: speaks for the class that is said")
        if has_frames:
            colour_bar(drawing.figure, (0.03, 0.42), longest, "flow, pixels from onset to apex")
    return drawing


def draw_attention(
    explanation: Explanation, of_row: Sequence[Explained], allowed: Collection[str] = ()
) -> Drawing:
    """Draw a line for each clip: the weights of one network's attention layers, first layer first.

    Maps lie over the apex, or over the input where there is no footage (of maps with time, the
    largest over time); channels and tokens are bars.

    Returns:
        The drawing as SVG and PNG.
    """
    layers = [attention.layer for attention in of_row[0].attention]
    size = (len(of_row), 1 + len(layers))
    title = f"{of_row[0].row}\n{explanation.caption}"
    with _drawing(explanation, f"attention.{of_row[0].row}", title, size) as drawing:
        axes = cells_of(drawing.figure, size)
        for line, clip in enumerate(of_row):
            shown = is_shown(clip, explanation.data_kind, allowed)
            picture = _face(clip) if shown else None
            _show(axes[line, 0], picture, None)
            name = clip.sample_id if shown else f"clip {line + 1}"
            _title(axes[line, 0], name, f"true: {clip.label}, says: {clip.predicted}")
            for column, attention in enumerate(clip.attention, start=1):
                cell = axes[line, column]
                _title(cell, attention.layer.replace("_", " "))
                if attention.kind == "map":
                    heat = _flat(attention)
                    _show(cell, picture, heat if shown else coarse(heat), stretch=True)
                else:
                    _draw_bars(cell, attention)
        colour_bar(drawing.figure, (0.3, 0.42), None, "weight: smallest to largest of each map")
    return drawing


def map_sentences(explanation: Explanation, allowed: Collection[str] = ()) -> tuple[str, ...]:
    """What each Grad-CAM map says, a sentence each."""
    sentences = []
    for clip in explanation.explained:
        motion = _flow_of(clip) if clip.frames is not None else None
        right = "rightly" if clip.predicted == clip.label else f"but it is {clip.label}"
        says = f"{clip.row} says {clip.predicted}, {right}"
        name = _name(explanation, clip, allowed)
        sentences.append(f"{name}: {says}. Its map: {describe_map(clip.heat, motion)}.")
    return tuple(sentences)


def attention_sentences(
    explanation: Explanation, of_row: Sequence[Explained], allowed: Collection[str] = ()
) -> tuple[str, ...]:
    """What each attention layer of one network says of its clips, a sentence a clip."""
    sentences = []
    for clip in of_row:
        motion = _flow_of(clip) if clip.frames is not None else None
        parts = []
        for attention in clip.attention:
            is_map = attention.kind == "map"
            words = (
                describe_map(_flat(attention), motion)
                if is_map
                else describe_weights(attention.weights)
            )
            parts.append(f"{attention.layer.replace('_', ' ')}: {words}")
        sentences.append(f"{_name(explanation, clip, allowed)}: {'. '.join(parts)}.")
    return tuple(sentences)


def is_shown(clip: Explained, data_kind: str, allowed: Collection[str]) -> bool:
    """Whether a clip's face may be shown."""
    return data_kind == DataKind.SYNTHETIC or clip.subject_id in allowed


def coarse(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average a map (height, width) down to at most ``COARSE`` rows and columns."""
    shape = tuple(min(side, COARSE) for side in heat.shape)
    return np.asarray(resize(heat, shape, order=1, anti_aliasing=True, mode="edge"), "float32")


def _draw_motion(
    cells: Sequence["Axes"], clip: Explained, name: str, longest: float, *, shown: bool
) -> NDArray[np.float32] | None:
    """Draw onset, apex and flow of a clip with footage; return the apex if it may be shown."""
    if clip.frames is None:
        return None
    apex = clip.frames[APEX] if shown else None
    _show(cells[0], clip.frames[ONSET] if shown else None, None)
    _title(cells[0], name, "onset")
    _show(cells[1], apex, None)
    _title(cells[1], f"apex, true: {clip.label}")
    field = flow_between(clip.frames[ONSET], clip.frames[APEX])
    if not shown:
        field = np.stack([coarse(field[..., axis]) for axis in (0, 1)], axis=-1)
    draw_flow(cells[2], field, longest, ARROWS if shown else COARSE)
    _title(cells[2], "flow, onset to apex")
    return apex


def _draw_bars(cell: "Axes", attention: Attention) -> None:
    """Draw the weights of channels or tokens, over heads their mean."""
    weights = attention.weights
    bars = weights.mean(axis=0) if weights.ndim == 2 else weights  # (channels,) or (tokens,)
    cell.bar(np.arange(1, len(bars) + 1), bars, width=0.9, color=COLOURS[0])
    cell.set_ylim(0, None)
    cell.set_xlabel(attention.kind.removesuffix("s"), fontsize=6)
    cell.tick_params(labelsize=6)
    cell.axis("on")


def _flat(attention: Attention) -> NDArray[np.float32]:
    """A map of attention without time, (height, width): the largest over time."""
    weights = attention.weights
    return weights.max(axis=0) if weights.ndim == 3 else weights


def _firsts(explanation: Explanation) -> list[Explained]:
    """One entry of each clip that has footage."""
    clips = {clip.sample_id: clip for clip in explanation.explained if clip.frames is not None}
    return list(clips.values())


def _flow_of(clip: Explained) -> NDArray[np.float32]:
    """Length of the flow from onset to apex, (height, width); the clip has footage."""
    if clip.frames is None:
        raise InvariantError(f"{clip.sample_id} has no footage")
    field = flow_between(clip.frames[ONSET], clip.frames[APEX])
    return np.asarray(np.linalg.norm(field, axis=-1), "float32")


def _face(clip: Explained) -> NDArray[np.float32]:
    """The apex of a clip, or what its network reads."""
    if clip.frames is not None:
        return clip.frames[APEX]
    return _picture(clip.clip, _strongest_frame(clip))


def _name(explanation: Explanation, clip: Explained, allowed: Collection[str]) -> str:
    """What a clip is called; one whose face is hidden has a number."""
    if is_shown(clip, explanation.data_kind, allowed):
        return clip.sample_id
    ids = list(dict.fromkeys(other.sample_id for other in explanation.explained))
    return f"clip {ids.index(clip.sample_id) + 1}"


def _strongest_frame(clip: Explained) -> int:
    """The frame where the map of a clip is largest; 0 for a clip without time."""
    return int(clip.heat.sum(axis=(1, 2)).argmax()) if clip.heat.ndim == 3 else 0


def _picture(clip: NDArray[np.float32], frame: int) -> NDArray[np.float32]:
    """One gray (height, width) or RGB (height, width, 3) frame, stretched to 0..1."""
    image = clip[frame] if clip.ndim == 4 else clip  # (height, width, channels)
    low, high = float(image.min()), float(image.max())
    scaled = (image - low) / (high - low) if high > low else np.zeros_like(image)
    return scaled if scaled.shape[-1] == 3 else scaled.mean(axis=-1)


def _show(
    axes: "Axes",
    picture: NDArray[np.float32] | None,
    heat: NDArray[np.float32] | None,
    *,
    stretch: bool = False,
) -> None:
    """Show a map over a picture; ``stretch`` spreads the colours over the map's own range."""
    axes.axis("off")
    extent = (0, 1, 0, 1)
    if picture is not None:
        axes.imshow(picture, cmap="gray", extent=extent, vmin=0, vmax=1)
    elif heat is None:
        axes.text(0.5, 0.5, "face not shown", ha="center", va="center", fontsize=7)
    if heat is not None:
        low, high = (float(heat.min()), float(heat.max())) if stretch else (0.0, 1.0)
        axes.imshow(
            heat,
            cmap=COLOUR_MAP,
            extent=extent,
            vmin=low,
            vmax=high if high > low else low + 1,
            alpha=1.0 if picture is None else 0.6,
            interpolation="bilinear",
        )


def _title(axes: "Axes", *texts: str) -> None:
    lines = [line for text in texts for line in textwrap.wrap(text, 28)]
    axes.set_title("\n".join(lines), fontsize=7)


def _drawing(
    explanation: Explanation, name: str, title: str, size: tuple[int, int]
) -> AbstractContextManager[Drawing]:
    """A drawing with room for (lines, columns) of cells."""
    lines, columns = size
    inches = (max(_CELL[0] * columns, 5.5), _CELL[1] * lines + 1.6)
    synthetic = explanation.data_kind == DataKind.SYNTHETIC
    salt = f"{name}.{explanation.run_id}"
    return plain_drawing(salt, title, inches, synthetic=synthetic, dpi=_DPI, tight=False)
