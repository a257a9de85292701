"""Figures of where networks look, as the papers have them, and a page that holds them.

A face is shown only where it is synthetic or its subject is explicitly allowed. Elsewhere there is
no input picture, maps are averaged down to places that are too few to show a face, and clips are
numbered instead of named.
"""

import base64
import html
import io
import textwrap
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from skimage.transform import resize

from mer_keras.explanation.findings import Attention, Explained, Explanation
from mer_keras.terms import WATERMARK, DataKind

#: places a side that a map of a hidden face has at most
COARSE = 7


def write_explanation(
    explanation: Explanation, folder: Path, allowed: Collection[str] = ()
) -> Path:
    """Write one HTML page with the figures, and the figures as PNG beside it.

    Args:
        explanation: what to draw.
        folder: to write into; files of the same names are replaced.
        allowed: subject ids whose faces may be shown.

    Returns:
        The page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"grad-cam": draw_grad_cam(explanation, allowed)}
    for row in dict.fromkeys(one.row for one in explanation.explained):
        of_row = [one for one in explanation.explained if one.row == row]
        if of_row[0].attention:
            number = len(figures)
            figures[f"attention-{number}"] = draw_attention(explanation, of_row, allowed)
    parts = []
    for name, picture in figures.items():
        (folder / f"{name}.png").write_bytes(picture)
        encoded = base64.b64encode(picture).decode()
        parts.append(f'<p><img alt="{name}" src="data:image/png;base64,{encoded}"></p>')
    title = html.escape(explanation.caption)
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in _notes(explanation, allowed))
    page = folder / "explanation.html"
    page.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<h1>{title}</h1>{notes}{''.join(parts)}</html>\n",
        encoding="utf-8",
    )
    return page


def draw_grad_cam(explanation: Explanation, allowed: Collection[str] = ()) -> bytes:
    """Draw a line a clip: its frame, then each network's Grad-CAM for the class that it gives.

    Of a clip with time, the frame is the one where all maps together are largest.
    """
    clips = list(dict.fromkeys(one.sample_id for one in explanation.explained))
    rows = list(dict.fromkeys(one.row for one in explanation.explained))
    figure, axes = _grid(len(clips), 1 + len(rows), explanation)
    for line, sample in enumerate(clips):
        of_clip = [one for one in explanation.explained if one.sample_id == sample]
        shown = is_shown(of_clip[0], explanation.data_kind, allowed)
        frame = _frame_of_interest(of_clip)
        picture = _picture(of_clip[0].clip, frame) if shown else None
        _show(axes[line, 0], picture, None)
        name = sample if shown else f"clip {line + 1}"
        _title(axes[line, 0], name, of_clip[0].label)
        for one in of_clip:
            place = axes[line, 1 + rows.index(one.row)]
            heat = one.heat if one.heat.ndim == 2 else one.heat[frame]
            _show(place, picture, heat if shown else coarse(heat))
            _title(place, one.row, one.predicted)
    return _png(figure)


def draw_attention(
    explanation: Explanation, of_row: Sequence[Explained], allowed: Collection[str] = ()
) -> bytes:
    """Draw a line a clip: the weights of each attention layer of one network, from the input on.

    Maps over the frame (of maps with time, the largest over time), channels and tokens as bars.
    """
    layers = [a.layer for a in of_row[0].attention]
    figure, axes = _grid(len(of_row), 1 + len(layers), explanation)
    for line, one in enumerate(of_row):
        shown = is_shown(one, explanation.data_kind, allowed)
        picture = _picture(one.clip, _frame_of_interest([one])) if shown else None
        _show(axes[line, 0], picture, None)
        name = one.sample_id if shown else f"clip {line + 1}"
        _title(axes[line, 0], name, one.row)
        for column, attention in enumerate(one.attention, start=1):
            place = axes[line, column]
            _title(place, attention.layer.replace("_", " "))
            if attention.kind == "map":
                weights = _spatial(attention)
                _show(place, picture, weights if shown else coarse(weights), stretch=True)
            else:
                values = attention.weights
                bars = values.mean(axis=0) if values.ndim == 2 else values
                place.bar(np.arange(len(bars)), bars, width=1.0, color="#3b6ea5")
                place.set_ylim(0, None)
                place.tick_params(labelsize=5)
    return _png(figure)


def is_shown(one: Explained, data_kind: str, allowed: Collection[str]) -> bool:
    """Whether a clip's face may be shown."""
    return data_kind == str(DataKind.SYNTHETIC) or one.subject_id in allowed


def coarse(heat: np.ndarray) -> np.ndarray:
    """Average a map down to at most ``COARSE`` places a side."""
    shape = tuple(min(side, COARSE) for side in heat.shape)
    return np.asarray(resize(heat, shape, order=1, anti_aliasing=True, mode="edge"), "float32")


def _notes(explanation: Explanation, allowed: Collection[str]) -> list[str]:
    notes = [
        f"Run {explanation.run_id}. Each clip is explained by the network of the fold that tests "
        "it, which was not trained on it. Maps are for the class that the network gives."
    ]
    if any(one.as_stored is False for one in explanation.explained):
        notes.append(
            "Some folds, trained again for this page, do not give the run's stored prediction: "
            "another machine, another version, or the run used several workers."
        )
    if explanation.data_kind == str(DataKind.SYNTHETIC):
        notes.append(WATERMARK)
    elif not all(is_shown(one, explanation.data_kind, allowed) for one in explanation.explained):
        notes.append(
            "Faces are hidden and maps made coarse; --allow-face SUBJECT shows those of a subject "
            "whose agreement you have."
        )
    return notes


def _frame_of_interest(of_clip: Sequence[Explained]) -> int:
    volumes = [one.heat for one in of_clip if one.heat.ndim == 3]
    return int(sum(v.sum(axis=(1, 2)) for v in volumes).argmax()) if volumes else 0


def _picture(clip: np.ndarray, frame: int) -> np.ndarray:
    """One gray or RGB frame, stretched to 0..1."""
    image = clip[frame] if clip.ndim == 4 else clip
    low, high = float(image.min()), float(image.max())
    scaled = (image - low) / (high - low) if high > low else np.zeros_like(image)
    return scaled if scaled.shape[-1] == 3 else scaled.mean(axis=-1)


def _spatial(attention: Attention) -> np.ndarray:
    weights = attention.weights
    return weights.max(axis=0) if weights.ndim == 3 else weights


def _show(
    axes: Any, picture: np.ndarray | None, heat: np.ndarray | None, *, stretch: bool = False
) -> None:
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


def _title(axes: Any, *texts: str) -> None:
    lines = [line for text in texts for line in textwrap.wrap(text, 26)]
    axes.set_title("\n".join(lines), fontsize=6)


def _grid(lines: int, columns: int, explanation: Explanation) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(1.6 * columns, 4.5), 1.95 * lines + 0.5))
    axes = figure.subplots(lines, columns, squeeze=False)
    for place in axes.flat:
        place.axis("off")
    title = explanation.caption
    if explanation.data_kind == str(DataKind.SYNTHETIC):
        title += f"\n{WATERMARK}"
    figure.suptitle(title, fontsize=8)
    return figure, axes


def _png(figure: Any) -> bytes:
    for place in figure.axes:
        if place.patches:
            place.axis("on")
    figure.tight_layout()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()
