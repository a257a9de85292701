"""Time stamps of a recording: its true frame rate, its gaps, and the moments of a curve."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

#: Seconds from the first frame, (frames,).
Times: TypeAlias = NDArray[np.float64]

#: A curve has at most so many samples a second: a micro-expression takes 20 of them or more.
MAX_RATE = 100.0
#: A step between frames that differs from the median by more than this share is no jitter.
_MAX_JITTER = 0.25
#: The frame rate is variable where more than this share of the steps differ so.
_MAX_UNEVEN = 0.01
#: Two frames further apart than this, in seconds, are a gap: a micro-expression may be lost in it.
GAP_SECONDS = 1 / 12
#: Frames so close to a moment, in seconds, are averaged before flow.
SMOOTH_SECONDS = 0.010


def frame_rate(times: Times) -> float:
    """Frames a second by the usual step between time stamps; 0 with fewer than two frames.

    The usual step is the mean of those that differ from the median by less than a quarter: some
    containers round stamps to whole milliseconds, so that the median itself may be off.
    """
    if len(times) < 2:
        return 0.0
    steps = np.diff(times)
    median = np.median(steps)
    return float(1 / steps[np.abs(steps - median) <= _MAX_JITTER * median].mean())


def is_variable(times: Times) -> bool:
    """Say whether more than one step in a hundred differs from the median by a quarter or more."""
    if len(times) < 3:
        return False
    steps = np.diff(times)
    median = np.median(steps)
    return bool((np.abs(steps - median) > _MAX_JITTER * median).mean() > _MAX_UNEVEN)


@dataclass(frozen=True)
class Moments:
    """The samples of a curve, evenly spaced in time.

    Attributes:
        frames: the frame that is nearest to each sample, (samples,) int64.
        first: first frame that is averaged into each sample, (samples,) int64.
        last: last frame that is averaged, inclusive, (samples,) int64.
        rate: samples a second.
    """

    frames: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    rate: float


def moments_of(times: Times, *, smooth: bool) -> Moments:
    """Choose the samples of a curve.

    With a constant frame rate they are every n-th frame, n as small as ``MAX_RATE`` allows; with a
    variable one, moments at its median rate, for each the nearest frame.

    Args:
        times: of the frames.
        smooth: average the frames within ``SMOOTH_SECONDS`` of each sample; else each is one frame.
    """
    fps = frame_rate(times)
    if is_variable(times):
        rate = min(fps, MAX_RATE)
        even = np.arange(0, times[-1] + 0.5 / rate, 1 / rate)
        after = np.clip(np.searchsorted(times, even), 1, len(times) - 1)
        is_nearer = even - times[after - 1] <= times[after] - even
        frames = np.where(is_nearer, after - 1, after)
    else:
        stride = max(1, round(fps / MAX_RATE))
        frames = np.arange(0, len(times), stride)
        rate = fps / stride
    frames = frames.astype(np.int64)
    if not smooth:
        return Moments(frames, frames, frames, rate)
    reach = SMOOTH_SECONDS * (1 + 1e-6)
    first = np.searchsorted(times, times[frames] - reach)
    last = np.searchsorted(times, times[frames] + reach, side="right") - 1
    return Moments(frames, first.astype(np.int64), last.astype(np.int64), rate)
