"""Eulerian video magnification (Wu et al., SIGGRAPH 2012).

What changes at each point of a spatial pyramid is filtered in time, amplified and added back
(section 3, figure 2 there). A filter over a clip of t frames is a (t, t) matrix here, so that it is
explicit what it does to this clip, however short: a band that no frequency of the clip falls into
is not widened silently.
"""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import signal

from mer_keras.config.inputs import input_key
from mer_keras.errors import ConfigError, FrameError, did_you_mean

TemporalFilter = Literal["ideal", "butterworth", "iir"]
Pyramid = Literal["gaussian", "laplacian"]

#: Frames of one clip, (time, height, width) or (time, height, width, channels).
Frames: TypeAlias = NDArray[np.float32]
#: A filter in time, (time, time): output frame by input frame.
Response: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class MagnificationParameters:
    """What is amplified, and how much: ``config.inputs.Magnification`` for one clip's frame rate.

    Attributes:
        alpha: amplification, above 0: a change in the band becomes (1 + alpha) times as large.
        low: lower end of the band in Hz; of ``iir`` a coefficient in 0..1.
        high: upper end, likewise; at most half the frame rate, or 1.
        fps: frames a second.
        temporal_filter: ``ideal`` keeps the discrete Fourier components in the band and no other.
            ``butterworth`` is a causal first-order band-pass that starts settled on the first
            frame: started from zero it would ring with twenty times the signal. ``iir`` is the
            difference of two first-order low-passes with the coefficients ``high`` and ``low`` (the
            authors' own code has this form; 0.1 and 0.4 are perhaps meant so where a paper speaks
            of 0.1-0.4 Hz on clips of a third of a second). It starts on the first frame, too.
        pyramid: ``gaussian`` amplifies what is left after ``levels`` halvings; ``laplacian`` every
            band of the pyramid, see ``outer_levels``.
        levels: how often the frames are halved; 0 filters in time alone, at full size.
        wavelength_cutoff: for ``laplacian``, in pixels: bands of shorter waves are amplified less
            (see ``alpha_at``), as motion and noise would break up in them; None: all alike.
        outer_levels: for ``laplacian``: whether the finest band and the coarsest remainder are
            amplified, too. The authors' code leaves them alone, and so does the default.

    Raises:
        ConfigError: a value is not one of these, or doesn't go with the others.
    """

    alpha: float
    low: float
    high: float
    fps: float
    temporal_filter: TemporalFilter = "ideal"
    pyramid: Pyramid = "gaussian"
    levels: int = 4
    wavelength_cutoff: float | None = None
    outer_levels: bool = False

    def __post_init__(self) -> None:
        for field, choice in (("temporal_filter", TemporalFilter), ("pyramid", Pyramid)):
            name, known = getattr(self, field), get_args(choice)
            meant = did_you_mean(str(name), known)
            _check(name in known, f"{field} {name!r}{meant}", f"one of {', '.join(known)}")
        for field in ("alpha", "fps", "wavelength_cutoff"):
            value = getattr(self, field)
            if value is not None:
                _check(0 < value < math.inf, f"{field} {value:g}", "a finite number above 0")
        top, unit = self.fps / 2, " Hz, half the frame rate"
        if self.temporal_filter == "iir":
            top, unit = 1.0, ""
        _check(
            0 < self.low < self.high <= top,
            f"band {self.low:g} to {self.high:g}",
            f"0 < low < high <= {top:g}{unit}",
        )
        banded = self.pyramid == "laplacian" and self.levels > 0
        _check(self.levels >= 0, f"levels {self.levels}", "0 or more")
        _check(
            not banded or self.levels > 1 or self.outer_levels,
            "a laplacian pyramid of 1 level, where only the two outer ones exist",
            "2 levels or more, or 0 to filter in time alone",
        )
        _check(
            banded or (self.wavelength_cutoff is None and not self.outer_levels),
            f"wavelength_cutoff or outer_levels for {self.pyramid} with {self.levels} levels",
            "them for a laplacian pyramid only",
        )

    def alpha_at(self, level: int) -> float:
        """Amplification of one level of the laplacian pyramid.

        min(alpha, wavelength / (8 delta) - 1), never below 0, with the motion delta that ``alpha``
        is just right for at the cutoff, wavelength_cutoff / (8 (1 + alpha)) (equation 14 and
        figure 6 of the paper). The wavelength of a level is the one it answers most strongly to: 5
        pixels times 2^level. The authors' code takes it from the size of the frame.

        Args:
            level: 0 is the finest band, ``levels`` the remainder.
        """
        if level in (0, self.levels) and not self.outer_levels:
            return 0.0
        if self.wavelength_cutoff is None:
            return self.alpha
        limit = (1 + self.alpha) * 5 * 2**level / self.wavelength_cutoff - 1
        return min(self.alpha, max(0.0, limit))


def magnify(clip: Frames, params: MagnificationParameters) -> Frames:
    """Amplify what changes in the band.

    Args:
        clip: float32 (time, height, width) or (time, height, width, channels), 0..1. Not changed.
        params: what is amplified.

    Returns:
        New float32 array of the same shape. Values may leave 0..1: clip them. A clip of one frame
        and one that doesn't change come back as they are.

    Raises:
        FrameError: the array has another shape or type, or a value is not finite.
        ConfigError: the frames are too small for so many levels.
    """
    if clip.ndim not in (3, 4) or clip.dtype != np.float32:
        raise FrameError(
            f"magnification: an array of shape {clip.shape} and type {clip.dtype}, expected "
            "float32 (time, height, width) or (time, height, width, channels)"
        )
    if not np.isfinite(clip).all():
        raise FrameError("magnification: the clip holds NaN or infinite values; check its frames")
    if len(clip) < 2:
        return clip.copy()
    height, width = clip.shape[1:3]
    least = 2 ** (params.levels + 1) if params.levels else 1
    if min(height, width) < least:
        raise ConfigError(
            f"magnification with {params.levels} levels needs frames of at least {least} pixels, "
            f"found {width}x{height}; lower {input_key('magnification.levels')} or raise "
            f"{input_key('size')}"
        )
    response = response_matrix(len(clip), params)
    if not response.any():
        return clip.copy()
    clip = np.ascontiguousarray(clip)  # OpenCV writes into arrays of this layout.
    if params.pyramid == "laplacian" and params.levels > 0:
        return _laplacian(clip, params, response)
    small = clip
    for _ in range(params.levels):
        small = _halved(small)  # (time, height / 2, width / 2, ...)
    changes, result = _filtered(small, params.alpha * response), np.empty_like(clip)
    for frame, change, out in zip(clip, changes, result, strict=True):
        large = cv2.resize(change, (width, height), interpolation=cv2.INTER_LINEAR)
        np.add(frame, large.reshape(frame.shape), out=out)
    return result


def response_matrix(frames: int, params: MagnificationParameters) -> Response:
    """Return the temporal filter, before ``alpha``, as a matrix.

    Every row sums to zero: what doesn't change is never amplified.

    Args:
        frames: number of frames of the clip, at least 1.
        params: with the filter and its band.

    Returns:
        float64 (frames, frames), output time by input time. All zero for ``ideal`` where the band
        holds no frequency of the clip.
    """
    unit, low, high = np.eye(frames), params.low, params.high
    if params.temporal_filter == "ideal":
        keep = _in_band(frames, params)
        if not keep.any():
            return np.zeros((frames, frames))
        return np.fft.irfft(np.fft.rfft(unit, axis=0) * keep[:, None], frames, axis=0)
    if params.temporal_filter == "iir":
        return _low_pass(unit, high) - _low_pass(unit, low)
    half = params.fps / 2
    if high >= half:  # A band that ends at the highest frequency has no upper slope.
        b, a = signal.butter(1, low / half, "highpass")
    else:
        b, a = signal.butter(1, [low / half, high / half], "bandpass")
    settled = signal.lfilter_zi(b, a)[:, None] * unit[:1]
    return np.asarray(signal.lfilter(b, a, unit, axis=0, zi=settled)[0])


def band_note(frames: int, params: MagnificationParameters) -> str:
    """Describe what the filter does where the band holds no frequency of the clip.

    The coefficients of ``iir`` are taken as corner frequencies: a low-pass with the coefficient r
    forgets as fast as an analogue one with the corner -fps ln(1 - r) / (2 pi).

    Args:
        frames: number of frames of the clip.
        params: with the band.

    Returns:
        A sentence for a report. Where the filter still passes something, with the root mean square
        of what it makes of a sinusoid that has one period in this clip, over the sinusoid's own.
    """
    if _in_band(frames, params).any():
        return ""
    ends = f"{params.low:g}-{params.high:g}{'' if params.temporal_filter == 'iir' else ' Hz'}"
    band = f"magnification: the band {ends} holds no frequency of the clip"
    if params.temporal_filter == "ideal" or frames < 2:
        return f"{band}, which comes back unchanged"
    wave = np.exp(2j * np.pi * np.arange(frames) / frames)
    gain = np.sqrt(np.mean(np.abs(response_matrix(frames, params) @ wave) ** 2))
    kind = params.temporal_filter
    return f"{band}; the {kind} filter still passes {gain:.2f} of the clip's first harmonic"


def _check(valid: bool, found: str, expected: str) -> None:
    if not valid:
        remedy = f"change {input_key('magnification')}"
        raise ConfigError(f"magnification: {found}: expected {expected}; {remedy}")


def _in_band(frames: int, params: MagnificationParameters) -> NDArray[np.bool_]:
    """Whether each frequency k fps / frames, from k = 0 on, is in the band: (frames // 2 + 1,)."""
    low, high = params.low, params.high
    if params.temporal_filter == "iir":
        low, high = (
            -params.fps * math.log1p(-share) / (2 * math.pi) if share < 1 else math.inf
            for share in (low, high)
        )
    # The order of these operations lets a band end on a frequency of the clip; no band holds 0.
    rates = np.arange(frames // 2 + 1) * params.fps / frames
    return (rates >= low) & (rates <= high)


def _low_pass(values: Response, share: float) -> Response:
    """First-order low-pass that moves by ``share`` towards each new value, from the first on."""
    start = (1 - share) * values[:1]
    return np.asarray(signal.lfilter([share], [1, share - 1], values, axis=0, zi=start)[0])


def _filtered(frames: Frames, response: Response) -> Frames:
    flat = frames.reshape(len(frames), -1)  # (time, pixels)
    # In float32 the rows sum to zero only about. Subtracting the first frame keeps still pixels
    # exactly still.
    return (response.astype(np.float32) @ (flat - flat[0])).reshape(frames.shape)


def _laplacian(clip: Frames, params: MagnificationParameters, response: Response) -> Frames:
    """Add the amplified changes of all bands to the clip, from the coarsest to the finest."""
    pyramid = [clip]
    for _ in range(params.levels):
        pyramid.append(_halved(pyramid[-1]))
    change = np.zeros_like(pyramid[-1])
    for level in range(params.levels, -1, -1):
        band = pyramid[level]
        if level < params.levels:
            change = _enlarged(change, band)
        alpha = params.alpha_at(level)
        if alpha > 0:
            if level < params.levels:
                band = band - _enlarged(pyramid[level + 1], band)
            change += _filtered(band, alpha * response)
    change += clip
    return change


def _halved(frames: Frames) -> Frames:
    height, width = frames.shape[1:3]
    shape = len(frames), (height + 1) // 2, (width + 1) // 2, *frames.shape[3:]
    half = np.empty(shape, np.float32)
    for frame, out in zip(frames, half, strict=True):
        cv2.pyrDown(frame, dst=out)
    return half


def _enlarged(frames: Frames, like: Frames) -> Frames:
    large = np.empty_like(like)
    for frame, out in zip(frames, large, strict=True):
        cv2.pyrUp(frame, dst=out, dstsize=(like.shape[2], like.shape[1]))
    return large
