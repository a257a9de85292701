"""The motion curve of a recording: the second pass, with a ring of aligned faces in memory."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mer_keras.progress import CountProgress
from mer_keras.video.aligned_faces import aligned_faces
from mer_keras.video.features import Prepared, feature_of
from mer_keras.video.intervals import contrast_of, threshold_of
from mer_keras.video.options import SpotOptions
from mer_keras.video.reader import Recording
from mer_keras.video.timing import Times, moments_of
from mer_keras.video.track import Track


@dataclass(frozen=True)
class Curve:
    """Motion of the face over time; all arrays have one value a sample.

    Attributes:
        method: which feature.
        frame: index of the frame that a sample stands for, int64.
        time_s: its time in seconds from the first frame.
        feature: F, in pixels of a face of 128 pixels (flow) or chi-square (patterns); NaN where it
            can't be compared: at both ends, without a face, across cuts.
        contrast: F less its mean before and after; likewise.
        head_px: how far the nose moves from k before to k after, pixels; NaN for patterns.
        face_score: 0..1, of the face finder; NaN where it gives none.
        valid: whether the feature has a value.
        threshold: contrast over which an interval begins, the floor in pixels included.
        half: k, in samples.
        rate: samples a second.
        mouth_px: how far the mouth moves from k before, without the head, pixels; NaN for
            patterns, None where it wasn't computed.
    """

    method: str
    frame: NDArray[np.int64]
    time_s: NDArray[np.float64]
    feature: NDArray[np.float64]
    contrast: NDArray[np.float64]
    head_px: NDArray[np.float64]
    face_score: NDArray[np.float64]
    valid: NDArray[np.bool_]
    threshold: float
    half: int
    rate: float
    mouth_px: NDArray[np.float64] | None = None


def compute_curve(
    recording: Recording,
    times: Times,
    track: Track,
    options: SpotOptions,
    progress: CountProgress | None = None,
) -> Curve:
    """Read a recording and compute its curve.

    Memory: 2k + 1 faces or their histograms, and some numbers a sample.

    Args:
        recording: what is read.
        times: of its frames, from the first pass.
        track: transforms of its frames.
        options: which feature, and how far k is.
        progress: called with (frames read, frames in all).
    """
    moments = moments_of(times, smooth=options.smooth)
    half = max(1, round(options.half * moments.rate))
    feature = feature_of(options)
    samples = len(moments.frames)
    values, head, mouth = (np.full(samples, np.nan) for _ in range(3))
    ring: deque[tuple[int, Prepared | None]] = deque(maxlen=2 * half + 1)
    faces = aligned_faces(recording, moments, track, smooth=options.smooth, progress=progress)
    for sample, face, stretch in faces:
        ring.append((stretch, None if face is None else feature.prepare(face)))
        if len(ring) < 2 * half + 1:
            continue
        (first, before), (middle, now), (last, after) = ring[0], ring[half], ring[-1]
        if before is None or now is None or after is None or not first == middle == last:
            continue
        centre = sample - half
        values[centre], head[centre], mouth[centre] = feature.compare(before, now, after)
    is_flow = options.method == "flow_difference"
    contrast = contrast_of(
        values, max(1, half - 1) if is_flow else half, negative_to_zero=not is_flow
    )
    threshold = threshold_of(contrast, options.threshold)
    return Curve(
        method=options.method,
        frame=moments.frames,
        time_s=times[moments.frames],
        feature=values,
        contrast=contrast,
        head_px=head,
        face_score=track.score[moments.frames].astype(np.float64),
        valid=np.isfinite(values),
        threshold=max(threshold, options.least) if is_flow else threshold,
        half=half,
        rate=moments.rate,
        mouth_px=mouth,
    )
