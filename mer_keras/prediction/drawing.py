"""Drawings of a prediction as SVG: the motion curve, and the motion of a face's blocks.

They take their colours from the page that holds them, light or dark, and show no face.
"""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from mer_keras.prediction.result import PredictedInterval
from mer_keras.video.curve import Curve

#: Size of the curve in its own units; a page scales it.
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 960, 220, 52, 34
#: Curves of longer recordings are drawn by the greatest value of this many parts.
_MOST_POINTS = 1200
_CELL = 26


def curve_svg(curve: Curve, intervals: Sequence[PredictedInterval], label: str) -> Markup:
    """Draw the contrast over time, the threshold and bands where intervals are.

    Args:
        curve: of the whole recording.
        intervals: are numbered from 1 in the drawing.
        label: what the drawing shows, for those who can't see it.
    """
    end = max(float(curve.time_s[-1]), 1e-9)
    values = curve.contrast[np.isfinite(curve.contrast)]
    top = 1.1 * max(curve.threshold if np.isfinite(curve.threshold) else 0, *values, 1e-9)
    low = min(0.0, *values) if len(values) else 0.0

    def x_of(second: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - 8) * second / end

    def y_of(value: float) -> float:
        return (_HEIGHT - _BOTTOM) * (1 - (value - low) / (top - low))

    shapes = [
        _rect("lost", x_of(start), 0, x_of(stop) - x_of(start), _HEIGHT - _BOTTOM)
        for start, stop in _without_value(curve)
    ]
    for number, interval in enumerate(intervals, start=1):
        if interval.onset_s is None or interval.offset_s is None:
            continue
        start, stop = x_of(interval.onset_s), x_of(interval.offset_s)
        shapes.append(_rect("band", start, 0, max(stop - start, 2), _HEIGHT - _BOTTOM))
        shapes.append(_text((start + stop) / 2, 14, str(number), "middle"))
    for points in _lines(curve):
        path = " ".join(f"{x_of(second):.1f},{y_of(value):.1f}" for second, value in points)
        shapes.append(Markup('<polyline class="curve" points="{}"/>').format(path))
    if np.isfinite(curve.threshold):
        y = y_of(curve.threshold)
        shapes.append(_line("threshold", _LEFT, y, _WIDTH - 8, y))
    base = _HEIGHT - _BOTTOM
    shapes.append(_line("axis", _LEFT, base, _WIDTH - 8, base))
    for second in _ticks(end):
        shapes.append(_line("axis", x_of(second), base, x_of(second), base + 5))
        shapes.append(_text(x_of(second), base + 20, _clock(second), "middle"))
    for value in (0.0, top / 1.1):
        shapes.append(_text(_LEFT - 6, y_of(value) + 4, f"{value:.2f}", "end"))
    return _svg(_WIDTH, _HEIGHT, label, shapes)


def blocks_svg(blocks: NDArray[np.float64], label: str, strongest: float) -> Markup:
    """Draw the motion of a face's 6 x 6 blocks, the more colour the more.

    Args:
        blocks: (6, 6), pixels of a face of 128 pixels, upper row first.
        label: what the drawing shows.
        strongest: motion that has most colour.
    """
    shapes = []
    for (row, column), value in np.ndenumerate(blocks):
        share = min(float(value) / max(strongest, 1e-9), 1.0)
        cell = Markup('<rect class="block" x="{}" y="{}" width="{}" height="{}" {}/>')
        opacity = Markup('fill-opacity="{}"').format(f"{share:.2f}")
        shapes.append(cell.format(column * _CELL, row * _CELL, _CELL - 2, _CELL - 2, opacity))
    return _svg(6 * _CELL, 6 * _CELL, label, shapes)


def _without_value(curve: Curve) -> list[tuple[float, float]]:
    """Stretches of seconds in which nothing could be compared."""
    lost = ~curve.valid
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lost, [False]]).astype(int)))
    last = len(curve.time_s) - 1
    return [
        (float(curve.time_s[start]), float(curve.time_s[min(stop, last)]))
        for start, stop in zip(edges[::2], edges[1::2], strict=True)
    ]


def _lines(curve: Curve) -> list[list[tuple[float, float]]]:
    """Points (seconds, contrast) of each stretch that has values; of many, the greatest."""
    times, values = curve.time_s, curve.contrast
    if len(values) > _MOST_POINTS:
        parts = np.array_split(np.arange(len(values)), _MOST_POINTS)
        chosen = [part[np.argmax(np.nan_to_num(values[part], nan=-np.inf))] for part in parts]
        times, values = times[chosen], values[chosen]
    lines: list[list[tuple[float, float]]] = [[]]
    for second, value in zip(times, values, strict=True):
        if np.isfinite(value):
            lines[-1].append((float(second), float(value)))
        elif lines[-1]:
            lines.append([])
    return [points for points in lines if points]


def _ticks(end: float) -> list[float]:
    """Six moments at most, in round steps."""
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
    step = next((step for step in steps if end / step <= 6), 7200)
    return [float(second) for second in np.arange(0, end, step)]


def _clock(second: float) -> str:
    """``75.5`` -> ``1:15.5``."""
    minutes, rest = divmod(round(second, 1), 60)
    return f"{int(minutes)}:{rest:04.1f}"


def _svg(width: float, height: float, label: str, shapes: Sequence[Markup]) -> Markup:
    form = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
    return form.format(width, height, escape(label), Markup("").join(shapes))


def _rect(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    form = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>')
    return form.format(kind, *(f"{value:.1f}" for value in (x, y, width, height)))


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    form = Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>')
    return form.format(kind, *(f"{value:.1f}" for value in (x1, y1, x2, y2)))


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    form = Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>')
    return form.format(f"{x:.1f}", f"{y:.1f}", anchor, text)
