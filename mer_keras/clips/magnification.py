"""Eulerian video magnification (Wu et al., SIGGRAPH 2012).

What changes at each point of a spatial pyramid is filtered in time, amplified and added back. A
filter over a clip of t frames is a (t, t) matrix here, so that it is explicit what it does to this
clip, however short: a band that no frequency of the clip falls into is not widened silently.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import signal

from mer_keras.errors import ConfigError, FrameError

TemporalFilter = Literal["ideal", "butterworth", "iir"]
Pyramid = Literal["gaussian", "laplacian"]

Frames = NDArray[np.float32]


@dataclass(frozen=True)
class Magnification:
    """What is amplified, and how much.

    Attributes:
        alpha: amplification: a change in the band becomes (1 + alpha) times as large.
        low: lower end of the band in Hz; of ``iir`` a coefficient in 0..1.
        high: upper end, likewise.
        fps: frames a second.
        temporal_filter: ``ideal`` keeps the discrete Fourier components in the band and no other.
            ``butterworth`` is a causal first-order band-pass that starts settled on the first
            frame: started from zero it would ring with twenty times the signal. ``iir`` is the
            difference of two first-order low-passes with the coefficients ``high`` and ``low`` (the
            authors' own code has this form; 0.1 and 0.4 are perhaps meant so where a paper speaks
            of 0.1-0.4 Hz on clips of a third of a second).
        pyramid: ``gaussian`` amplifies what is left after ``levels`` halvings; ``laplacian`` every
            band but the finest and the coarsest, as the authors do.
        levels: how often the frames are halved; 0 filters in time alone.
    """

    alpha: float
    low: float
    high: float
    fps: float
    temporal_filter: TemporalFilter = "ideal"
    pyramid: Pyramid = "gaussian"
    levels: int = 4

    def __post_init__(self) -> None:
        top = 1.0 if self.temporal_filter == "iir" else self.fps / 2
        unit = "" if self.temporal_filter == "iir" else " Hz, half the frame rate"
        if not 0 < self.low < self.high <= top:
            raise ConfigError(
                f"magnification band {self.low:g} to {self.high:g}: expected 0 < low < high <= "
                f"{top:g}{unit}; change data.clip.magnification"
            )


def magnify(clip: Frames, params: Magnification) -> Frames:
    """Amplify what changes in the band.

    Args:
        clip: float32 (time, height, width) or (time, height, width, channels), 0..1.
        params: what is amplified.

    Returns:
        float32 array of the same shape. Values may leave 0..1: clip them. A clip of one frame comes
        back as it is.

    Raises:
        FrameError: a value is not finite.
        ConfigError: the frames are too small for so many levels.
    """
    if not np.isfinite(clip).all():
        raise FrameError("magnification: the clip holds NaN or infinite values; check its frames")
    if len(clip) < 2:
        return clip.copy()
    height, width = clip.shape[1:3]
    if min(height, width) < 2 ** (params.levels + 1):
        raise ConfigError(
            f"magnification with {params.levels} levels needs frames of at least "
            f"{2 ** (params.levels + 1)} pixels, found {width}x{height}; lower "
            "data.clip.magnification.levels or raise data.clip.size"
        )
    response = params.alpha * response_matrix(len(clip), params)
    if not response.any():
        return clip.copy()
    if params.pyramid == "gaussian" or params.levels == 0:
        change = _filtered(_halved(clip, params.levels), response)
        return clip + _resized(change, height, width)
    return clip + _laplacian(clip, params.levels, response)


def response_matrix(frames: int, params: Magnification) -> NDArray[np.float64]:
    """Return the temporal filter as a matrix: (frames, frames), output time by input time.

    Every row sums to zero: what doesn't change is never amplified.
    """
    return _response(frames, params.low, params.high, params.fps, params.temporal_filter)


def band_note(frames: int, params: Magnification) -> str:
    """Say what the filter does where the band holds no frequency of the clip; else an empty text.

    Args:
        frames: of the clip.
        params: with the band.
    """
    if params.temporal_filter == "iir":
        return ""
    rates = np.fft.rfftfreq(frames, 1 / params.fps)[1:]
    if ((rates >= params.low) & (rates <= params.high)).any():
        return ""
    band = (
        f"magnification: the band {params.low:g}-{params.high:g} Hz holds no frequency of the clip"
    )
    if params.temporal_filter == "ideal":
        return f"{band}, which comes back unchanged"
    return f"{band}; the butterworth filter passes what its slopes let through"


@lru_cache(maxsize=256)  # a database has few lengths of clips
def _response(
    frames: int, low: float, high: float, fps: float, kind: TemporalFilter
) -> NDArray[np.float64]:
    unit = np.eye(frames)
    if kind == "ideal":
        rates = np.fft.rfftfreq(frames, 1 / fps)
        keep = (rates >= low) & (rates <= high)
        keep[0] = False
        if not keep.any():
            return np.zeros((frames, frames))
        return np.fft.irfft(np.fft.rfft(unit, axis=0) * keep[:, None], frames, axis=0)
    if kind == "iir":
        return _low_pass(unit, high) - _low_pass(unit, low)
    if high >= fps / 2:  # a band that ends at the highest frequency has no upper slope
        b, a = signal.butter(1, low / (fps / 2), "highpass")
    else:
        b, a = signal.butter(1, [low / (fps / 2), high / (fps / 2)], "bandpass")
    settled = signal.lfilter_zi(b, a)[:, None] * unit[:1]
    return np.asarray(signal.lfilter(b, a, unit, axis=0, zi=settled)[0])


def _low_pass(values: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """First-order low-pass that moves by ``share`` towards each new value, from the first on."""
    start = (1 - share) * values[:1]
    return np.asarray(signal.lfilter([share], [1, share - 1], values, axis=0, zi=start)[0])


def _filtered(frames: Frames, response: NDArray[np.float64]) -> Frames:
    flat = frames.reshape(len(frames), -1)
    return (response.astype(np.float32) @ flat).reshape(frames.shape)


def _halved(frames: Frames, times: int) -> Frames:
    for _ in range(times):
        frames = np.stack([cv2.pyrDown(frame) for frame in frames]).reshape(
            len(frames), *[(n + 1) // 2 for n in frames.shape[1:3]], *frames.shape[3:]
        )
    return frames


def _resized(frames: Frames, height: int, width: int) -> Frames:
    if frames.shape[1:3] == (height, width):
        return frames
    large = [cv2.resize(f, (width, height), interpolation=cv2.INTER_LINEAR) for f in frames]
    return np.stack(large).reshape(len(frames), height, width, *frames.shape[3:])


def _laplacian(clip: Frames, levels: int, response: NDArray[np.float64]) -> Frames:
    """Amplified changes of all bands but the finest and the coarsest, at full size."""
    bands, rest = [], clip
    for _ in range(levels):
        smaller = _halved(rest, 1)
        bands.append(rest - _enlarged(smaller, rest))
        rest = smaller
    change = np.zeros_like(rest)
    for number in range(levels - 1, -1, -1):
        change = _enlarged(change, bands[number])
        if number > 0:
            change = change + _filtered(bands[number], response)
    return change


def _enlarged(frames: Frames, like: Frames) -> Frames:
    size = (like.shape[2], like.shape[1])
    return np.stack([cv2.pyrUp(frame, dstsize=size) for frame in frames]).reshape(
        len(frames), *like.shape[1:]
    )
