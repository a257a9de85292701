"""From a curve to intervals: contrast, threshold, peaks."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mer_keras.video.options import SpotOptions
from mer_keras.video.timing import Times

#: Values of a curve, (samples,), NaN where it has none.
Values = NDArray[np.float64]

#: Two intervals that share more than this of their union are one.
_MERGED = 0.3


@dataclass(frozen=True)
class Interval:
    """An expression that was spotted, or given.

    Attributes:
        onset: frame index, from 0.
        apex: frame index.
        offset: frame index, inclusive.
        onset_s: seconds from the first frame, by the recording's own time stamps.
        apex_s: likewise.
        offset_s: likewise.
        score: 1 for the highest peak of the recording, 0 for the mean of its contrast.
        strength_px: height of the peak in pixels of a face of 128 pixels; NaN where it isn't known.
        region: where the face moves most: brows, eyes, nose, cheeks or mouth; empty if unknown.
        remarks: what makes it unreliable (see ``remarks``).
    """

    onset: int
    apex: int
    offset: int
    onset_s: float
    apex_s: float
    offset_s: float
    score: float = float("nan")
    strength_px: float = float("nan")
    region: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Its length, from the first to the last frame."""
        return self.offset_s - self.onset_s


def interval_at(
    times: Times,
    onset: int,
    apex: int,
    offset: int,
    *,
    score: float = float("nan"),
    strength_px: float = float("nan"),
    region: str = "",
    remarks: tuple[str, ...] = (),
) -> Interval:
    """Return the interval of some frames, its seconds by their time stamps.

    Args:
        times: of all frames of the recording.
        onset: frame index; see ``Interval`` for it and the others.
        apex: likewise.
        offset: likewise.
        score: likewise.
        strength_px: likewise.
        region: likewise.
        remarks: likewise.
    """
    onset_s, apex_s, offset_s = (float(times[frame]) for frame in (onset, apex, offset))
    return Interval(
        onset, apex, offset, onset_s, apex_s, offset_s, score, strength_px, region, remarks
    )


@dataclass(frozen=True)
class Span:
    """An interval in samples of the curve: first, peak, last (inclusive), and the peak's height."""

    first: int
    peak: int
    last: int
    height: float
    score: float


def contrast_of(feature: Values, distance: int, *, negative_to_zero: bool) -> Values:
    """Return how far a curve rises over its values at some distance on either side.

    C_i = F_i - (F_{i-m} + F_{i+m}) / 2, NaN where one of the three has no value: with zeros there,
    the two ends of a recording would be its highest peaks.

    Args:
        feature: F.
        distance: m, in samples.
        negative_to_zero: as Moilanen et al. do.
    """
    contrast = np.full(len(feature), np.nan)
    if len(feature) > 2 * distance:
        middle = slice(distance, len(feature) - distance)
        around = (feature[: -2 * distance] + feature[2 * distance :]) / 2
        contrast[middle] = feature[middle] - around
    return np.where(contrast < 0, 0.0, contrast) if negative_to_zero else contrast


def threshold_of(contrast: Values, share: float) -> float:
    """Return T = mean(C) + share (max(C) - mean(C)); infinite where there is no value."""
    values = contrast[np.isfinite(contrast)]
    if not len(values):
        return float("inf")
    return float(values.mean() + share * (values.max() - values.mean()))


def spans_of(contrast: Values, half: int, rate: float, options: SpotOptions) -> list[Span]:
    """Find intervals in a curve.

    An interval reaches k to each side of its peak. Where the contrast is above zero says nothing of
    an expression's length: that takes some k samples whatever the length.

    Args:
        contrast: C.
        half: k, in samples.
        rate: samples a second.
        options: threshold, floor, and whether peaks or runs are taken.

    Returns:
        Intervals in order; none overlaps another one by more than 0.3 of their union.
    """
    threshold = threshold_of(contrast, options.threshold)
    if options.method == "flow_difference":
        threshold = max(threshold, options.least)
    above = np.isfinite(contrast) & (contrast > threshold)
    if not above.any():
        return []
    mean, greatest = np.nanmean(contrast), np.nanmax(contrast)

    def span(first: int, peak: int, last: int) -> Span:
        height = float(contrast[peak])
        score = (height - mean) / (greatest - mean) if greatest > mean else 1.0
        return Span(first, peak, last, height, float(score))

    if options.intervals == "runs":
        runs = [span(run[0], run[0] + int(contrast[run].argmax()), run[-1]) for run in _runs(above)]
        shortest, longest = (round(length * rate) for length in options.lengths)
        return [run for run in runs if shortest <= run.last - run.first + 1 <= longest]
    apart = half if options.method == "flow_difference" else max(1, half // 2)
    comparable = np.flatnonzero(np.isfinite(contrast))
    least, greatest_index = int(comparable[0]), int(comparable[-1])
    spans = [
        span(max(least, peak - half), peak, min(greatest_index, peak + half))
        for peak in _peaks(np.where(above, contrast, -np.inf), apart)
    ]
    return _merged(spans)


def overlap(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Intersection over union of two intervals of frames, both ends inclusive."""
    shared = min(first[1], second[1]) - max(first[0], second[0]) + 1
    if shared <= 0:
        return 0.0
    return shared / (first[1] - first[0] + second[1] - second[0] + 2 - shared)


def _peaks(heights: Values, apart: int) -> list[int]:
    """Local maxima, none nearer to a higher one than ``apart``, in order of time."""
    peaks: list[int] = []
    around = np.concatenate([[-np.inf], heights, [-np.inf]])
    free = np.isfinite(heights) & (heights >= around[:-2]) & (heights >= around[2:])
    for index in np.argsort(-heights, kind="stable"):
        if free[index]:
            peaks.append(int(index))
            free[max(0, index - apart) : index + apart + 1] = False
    return sorted(peaks)


def _runs(above: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Indices of each run of neighbours that are true."""
    indices = np.flatnonzero(above)
    return np.split(indices, np.flatnonzero(np.diff(indices) > 1) + 1)


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in spans:
        before = merged[-1] if merged else None
        if before and overlap((before.first, before.last), (span.first, span.last)) > _MERGED:
            higher = max(before, span, key=lambda span: span.height)
            merged[-1] = replace(higher, first=before.first, last=max(before.last, span.last))
        else:
            merged.append(span)
    return merged
