"""Figures of where networks look, as the papers have them, and a page that holds them.

A face is shown only where it is synthetic or its subject is explicitly allowed. Elsewhere there is
no input picture, maps are averaged down to cells that are too few to show a face, and clips are
numbered instead of named.
"""

import base64
import io
import textwrap
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from skimage.transform import resize

from mer_keras.explanation.findings import Explained, Explanation
from mer_keras.report.formats import render
from mer_keras.terms import WATERMARK, DataKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Largest number of rows and of columns of a map over a face that is not shown.
COARSE = 7


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
    figures = {"grad-cam": draw_grad_cam(explanation, allowed)}
    for row in dict.fromkeys(clip.row for clip in explanation.explained):
        of_row = [clip for clip in explanation.explained if clip.row == row]
        if of_row[0].attention:
            number = len(figures)
            figures[f"attention-{number}"] = draw_attention(explanation, of_row, allowed)
    for name, picture in figures.items():
        (folder / f"{name}.png").write_bytes(picture)
    kind = explanation.data_kind
    page = folder / "explanation.html"
    text = render(
        "explanation.html.j2",
        explanation=explanation,
        synthetic=kind == DataKind.SYNTHETIC,
        hidden=not all(is_shown(clip, kind, allowed) for clip in explanation.explained),
        pictures={name: base64.b64encode(png).decode() for name, png in figures.items()},
    )
    page.write_text(text, encoding="utf-8")
    return page


def draw_grad_cam(explanation: Explanation, allowed: Collection[str] = ()) -> bytes:
    """Draw a line for each clip: its frame, then each network's Grad-CAM for the predicted class.

    For a clip with time, the frame is the one where all maps together are largest.

    Returns:
        The figure as PNG.
    """
    sample_ids = list(dict.fromkeys(clip.sample_id for clip in explanation.explained))
    rows = list(dict.fromkeys(clip.row for clip in explanation.explained))
    figure, axes = _grid(len(sample_ids), 1 + len(rows), explanation)
    for line, sample_id in enumerate(sample_ids):
        clips = [clip for clip in explanation.explained if clip.sample_id == sample_id]
        shown = is_shown(clips[0], explanation.data_kind, allowed)
        frame = _frame_of_interest(clips)
        picture = _picture(clips[0].clip, frame) if shown else None
        _show(axes[line, 0], picture, None)
        _title(axes[line, 0], sample_id if shown else f"clip {line + 1}", clips[0].label)
        for clip in clips:
            cell = axes[line, 1 + rows.index(clip.row)]
            heat = clip.heat if clip.heat.ndim == 2 else clip.heat[frame]  # (height, width)
            _show(cell, picture, heat if shown else coarse(heat))
            _title(cell, clip.row, clip.predicted)
    return _png(figure)


def draw_attention(
    explanation: Explanation, of_row: Sequence[Explained], allowed: Collection[str] = ()
) -> bytes:
    """Draw a line for each clip: the weights of one network's attention layers, first layer first.

    Maps lie over the frame (of maps with time, the largest over time); channels and tokens are
    bars.

    Returns:
        The figure as PNG.
    """
    layers = [attention.layer for attention in of_row[0].attention]
    figure, axes = _grid(len(of_row), 1 + len(layers), explanation)
    for line, clip in enumerate(of_row):
        shown = is_shown(clip, explanation.data_kind, allowed)
        picture = _picture(clip.clip, _frame_of_interest([clip])) if shown else None
        _show(axes[line, 0], picture, None)
        _title(axes[line, 0], clip.sample_id if shown else f"clip {line + 1}", clip.row)
        for column, attention in enumerate(clip.attention, start=1):
            cell = axes[line, column]
            _title(cell, attention.layer.replace("_", " "))
            weights = attention.weights
            if attention.kind == "map":
                heat = weights.max(axis=0) if weights.ndim == 3 else weights  # (height, width)
                _show(cell, picture, heat if shown else coarse(heat), stretch=True)
            else:
                bars = weights.mean(axis=0) if weights.ndim == 2 else weights
                cell.bar(np.arange(len(bars)), bars, width=1.0, color="#3b6ea5")
                cell.set_ylim(0, None)
                cell.tick_params(labelsize=5)
                cell.axis("on")
    return _png(figure)


def is_shown(clip: Explained, data_kind: str, allowed: Collection[str]) -> bool:
    """Whether a clip's face may be shown."""
    return data_kind == DataKind.SYNTHETIC or clip.subject_id in allowed


def coarse(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average a map (height, width) down to at most ``COARSE`` rows and columns."""
    shape = tuple(min(side, COARSE) for side in heat.shape)
    return np.asarray(resize(heat, shape, order=1, anti_aliasing=True, mode="edge"), "float32")


def _frame_of_interest(clips: Sequence[Explained]) -> int:
    """The frame where the maps of one clip are largest; 0 for a clip without time."""
    volumes = [clip.heat for clip in clips if clip.heat.ndim == 3]
    return int(sum(v.sum(axis=(1, 2)) for v in volumes).argmax()) if volumes else 0


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
            cmap="jet",
            extent=extent,
            vmin=low,
            vmax=high if high > low else low + 1,
            alpha=1.0 if picture is None else 0.45,
            interpolation="bilinear",
        )


def _title(axes: "Axes", *texts: str) -> None:
    lines = [line for text in texts for line in textwrap.wrap(text, 26)]
    axes.set_title("\n".join(lines), fontsize=6)


def _grid(
    lines: int, columns: int, explanation: Explanation
) -> "tuple[Figure, NDArray[np.object_]]":
    """A figure with its title, and its axes: (lines, columns)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(1.6 * columns, 4.5), 1.95 * lines + 0.5))
    axes = figure.subplots(lines, columns, squeeze=False)
    for cell in axes.flat:
        cell.axis("off")
    title = explanation.caption
    if explanation.data_kind == DataKind.SYNTHETIC:
        title += f"\n{WATERMARK}"
    figure.suptitle(title, fontsize=8)
    return figure, axes


def _png(figure: "Figure") -> bytes:
    figure.tight_layout()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()
