"""Eulerian video magnification (Wu et al., SIGGRAPH 2012).

What changes at each point of a spatial pyramid is filtered in time, amplified and added back
(section 3, figure 2 there). A filter over a clip of t frames is a (t, t) matrix here, so that it is
explicit what it does to this clip, however short: a band that no frequency of the clip falls into
is not widened silently.
"""

import math
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import signal

from mer_keras.config.inputs import Magnification, input_key
from mer_keras.errors import ConfigError, FrameError

#: Frames of one clip, (time, height, width) or (time, height, width, channels).
Frames: TypeAlias = NDArray[np.float32]
#: A filter in time, (time, time): output frame by input frame.
Response: TypeAlias = NDArray[np.float64]


def alpha_at(recipe: Magnification, level: int) -> float:
    """Amplification of one level of the laplacian pyramid.

    It is min(alpha, wavelength / (8 delta) - 1), never below 0, with the motion delta that
    ``alpha`` is just right for at the cutoff, wavelength_cutoff / (8 (1 + alpha)) (equation 14 and
    figure 6 of the paper). The wavelength of a level is the one it answers most strongly to: 5
    pixels times 2^level. The authors' code takes it from the size of the frame.

    Args:
        recipe: with a laplacian pyramid.
        level: 0 is the finest band, ``recipe.levels`` the remainder.
    """
    if level in (0, recipe.levels) and not recipe.outer_levels:
        return 0.0
    if recipe.wavelength_cutoff is None:
        return recipe.alpha
    limit = (1 + recipe.alpha) * 5 * 2**level / recipe.wavelength_cutoff - 1
    return min(recipe.alpha, max(0.0, limit))


def magnify(clip: Frames, recipe: Magnification, fps: float) -> Frames:
    """Amplify what changes in the band.

    Args:
        clip: float32 (time, height, width) or (time, height, width, channels), 0..1. Not changed.
        recipe: what is amplified.
        fps: frames a second; the recipe's own ``fps`` isn't read.

    Returns:
        New float32 array of the same shape. Values may leave 0..1: clip them. A clip of one frame
        and one that doesn't change come back as they are.

    Raises:
        FrameError: the array has another shape or type, or a value is not finite.
        ConfigError: the frames are too small for so many levels, or the band ends above half the
            frame rate.
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
    least = 2 ** (recipe.levels + 1) if recipe.levels else 1
    if min(height, width) < least:
        raise ConfigError(
            f"magnification with {recipe.levels} levels needs frames of at least {least} pixels, "
            f"found {width}x{height}; lower {input_key('magnification.levels')} or raise "
            f"{input_key('size')}"
        )
    response = response_matrix(len(clip), recipe, fps)
    if not response.any():
        return clip.copy()
    if recipe.pyramid == "laplacian" and recipe.levels > 0:
        return _laplacian(clip, recipe, response)
    small = clip
    for _ in range(recipe.levels):
        small = _halved(small)  # (time, height / 2, width / 2, ...)
    changes = _filtered(small, recipe.alpha * response)
    large = np.stack([cv2.resize(change, (width, height)) for change in changes])
    return np.asarray(clip + large.reshape(clip.shape), np.float32)


def response_matrix(frames: int, recipe: Magnification, fps: float) -> Response:
    """Return the temporal filter, before ``alpha``, as a matrix.

    Every row sums to zero: what doesn't change is never amplified.

    Args:
        frames: number of frames of the clip, at least 1.
        recipe: with the filter and its band.
        fps: frames a second.

    Returns:
        float64 (frames, frames), output time by input time. All zero for ``ideal`` where the band
        holds no frequency of the clip.

    Raises:
        ConfigError: the band ends above half the frame rate.
    """
    if recipe.temporal_filter != "iir" and not recipe.high <= fps / 2 < math.inf:
        raise ConfigError(
            f"magnification: band {recipe.low:g} to {recipe.high:g} Hz: expected it to end at "
            f"{fps / 2:g} Hz, half the frame rate, or below; change {input_key('magnification')}"
        )
    unit, low, high = np.eye(frames), recipe.low, recipe.high
    if recipe.temporal_filter == "ideal":
        keep = _in_band(frames, recipe, fps)
        if not keep.any():
            return np.zeros((frames, frames))
        return np.fft.irfft(np.fft.rfft(unit, axis=0) * keep[:, None], frames, axis=0)
    if recipe.temporal_filter == "iir":
        return _low_pass(unit, high) - _low_pass(unit, low)
    half = fps / 2
    if high >= half:  # A band that ends at the highest frequency has no upper slope.
        b, a = signal.butter(1, low / half, "highpass")
    else:
        b, a = signal.butter(1, [low / half, high / half], "bandpass")
    settled = signal.lfilter_zi(b, a)[:, None] * unit[:1]
    return np.asarray(signal.lfilter(b, a, unit, axis=0, zi=settled)[0])


def band_note(frames: int, recipe: Magnification, fps: float) -> str:
    """Describe what the filter does where the band holds no frequency of the clip.

    The coefficients of ``iir`` are taken as corner frequencies: a low-pass with the coefficient r
    forgets as fast as an analogue one with the corner -fps ln(1 - r) / (2 pi).

    Args:
        frames: number of frames of the clip.
        recipe: with the band.
        fps: frames a second.

    Returns:
        A sentence for a report. Where the filter still passes something, with the root mean square
        of what it makes of a sinusoid that has one period in this clip, over the sinusoid's own.
    """
    if _in_band(frames, recipe, fps).any():
        return ""
    ends = f"{recipe.low:g}-{recipe.high:g}{'' if recipe.temporal_filter == 'iir' else ' Hz'}"
    band = f"magnification: the band {ends} holds no frequency of the clip"
    if recipe.temporal_filter == "ideal" or frames < 2:
        return f"{band}, which comes back unchanged"
    wave = np.exp(2j * np.pi * np.arange(frames) / frames)
    gain = np.sqrt(np.mean(np.abs(response_matrix(frames, recipe, fps) @ wave) ** 2))
    kind = recipe.temporal_filter
    return f"{band}; the {kind} filter still passes {gain:.2f} of the clip's first harmonic"


def _in_band(frames: int, recipe: Magnification, fps: float) -> NDArray[np.bool_]:
    """Whether each frequency k fps / frames, from k = 0 on, is in the band: (frames // 2 + 1,)."""
    low, high = recipe.low, recipe.high
    if recipe.temporal_filter == "iir":
        low, high = (
            -fps * math.log1p(-share) / (2 * math.pi) if share < 1 else math.inf
            for share in (low, high)
        )
    # The order of these operations lets a band end on a frequency of the clip; no band holds 0.
    rates = np.arange(frames // 2 + 1) * fps / frames
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


def _laplacian(clip: Frames, recipe: Magnification, response: Response) -> Frames:
    """Add the amplified changes of all bands to the clip, from the coarsest to the finest."""
    pyramid = [clip]
    for _ in range(recipe.levels):
        pyramid.append(_halved(pyramid[-1]))
    change = np.zeros_like(pyramid[-1])
    for level in range(recipe.levels, -1, -1):
        band = pyramid[level]
        if level < recipe.levels:
            change = _enlarged(change, band)
        alpha = alpha_at(recipe, level)
        if alpha > 0:
            if level < recipe.levels:
                band = band - _enlarged(pyramid[level + 1], band)
            change += _filtered(band, alpha * response)
    change += clip
    return change


def _halved(frames: Frames) -> Frames:
    half = np.stack([cv2.pyrDown(frame) for frame in frames])
    return np.asarray(half.reshape(*half.shape[:3], *frames.shape[3:]), np.float32)


def _enlarged(frames: Frames, like: Frames) -> Frames:
    width_height = (like.shape[2], like.shape[1])
    large = np.stack([cv2.pyrUp(frame, dstsize=width_height) for frame in frames])
    return np.asarray(large.reshape(like.shape), np.float32)
