"""Eulerian video magnification (Wu et al., SIGGRAPH 2012).

What changes at each point of a spatial pyramid is filtered in time, amplified and added back
(section 3, figure 2 there). A filter over a clip of t frames is a (t, t) matrix here, so that it is
explicit what it does to this clip, however short: a band that no frequency of the clip falls into
is not widened silently.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import signal

from mer_keras.config.inputs import Magnification, input_key
from mer_keras.errors import ConfigError, FrameError

#: Frames of one clip, (time, height, width) or (time, height, width, channels).
Frames: TypeAlias = NDArray[np.float32]
#: One decoded frame, (height, width) or (height, width, channels).
Picture: TypeAlias = NDArray[np.uint8]
#: A filter in time, (time, time): output frame by input frame.
Response: TypeAlias = NDArray[np.float64]
#: Filters that never look ahead: an output frame depends on the frames up to it alone.
CAUSAL = ("butterworth", "iir")


def alpha_at(recipe: Magnification, level: int) -> float:
    """Amplification of one level of the laplacian pyramid.

    It is min(alpha, wavelength / (8 delta) - 1), never below 0, with the motion delta that
    ``alpha`` is just right for at the cutoff, wavelength_cutoff / (8 (1 + alpha)) (equation 14 and
    figure 6 of the paper). The wavelength of a level is the one that it answers most strongly to
    (see ``strongest_wavelength``). The authors' code takes it from the size of the frame.

    Args:
        recipe: with a laplacian pyramid.
        level: 0 is the finest band, ``recipe.levels`` the remainder, which counts as the band that
            would follow.
    """
    if level in (0, recipe.levels) and not recipe.outer_levels:
        return 0.0
    if recipe.wavelength_cutoff is None:
        return recipe.alpha
    limit = (1 + recipe.alpha) * strongest_wavelength(level) / recipe.wavelength_cutoff - 1
    return min(recipe.alpha, max(0.0, limit))


@cache
def strongest_wavelength(level: int) -> float:
    """Wavelength that a band of a laplacian pyramid answers most strongly to.

    The kernel 1 4 6 4 1 / 16 passes cos(w / 2)^4 of the angular frequency w, which doubles from
    level to level. A band is what ``level`` halvings leave, without what one more halving and
    doubling leave of that. The answer is broad: half as long and twice as long waves still give
    more than half of the greatest one.

    Args:
        level: 0 is the finest band.

    Returns:
        Pixels of the full frame, to a tenth: 2.0, 8.6, 18.0, 36.4, 72.9 and so on, which tends to
        4.56 times 2^level.
    """
    periods = np.arange(20 * 2**level, 100 * 2**level + 1) / 10  # What is shorter can't be held.
    angles = 2 * np.pi / periods
    answer = np.prod([np.cos(angles * 2**k / 2) ** 4 for k in range(level)], axis=0)
    answer = answer * (1 - np.cos(angles * 2**level / 2) ** 8)
    return float(periods[np.argmax(answer)])


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
    _check_size(clip.shape[1], clip.shape[2], recipe)
    response = response_matrix(len(clip), recipe, fps)
    if not response.any():
        return clip.copy()
    return np.asarray(clip + _changes(clip, recipe, response), np.float32)


def magnify_pictures(
    pictures: Sequence[Picture], indices: Sequence[int], recipe: Magnification, fps: float
) -> list[Picture]:
    """Amplify what changes in the band, of some frames of a clip at their full size.

    The filter in time and the pyramid are linear, so that either may come first. The frames are
    filtered first here: of a single frame it takes one sum over the clip and one pyramid, where
    ``magnify`` makes a pyramid of every frame.

    Args:
        pictures: frames of one clip, of one shape, (height, width) or (height, width, channels).
            With a filter of ``CAUSAL``, those after the last index may be left out.
        indices: which frames are made.
        recipe: what is amplified.
        fps: frames a second; the recipe's own ``fps`` isn't read.

    Returns:
        A new frame for each index, rounded to 8 bits. A clip that doesn't change comes back as it
        is.

    Raises:
        ConfigError: the frames are too small for so many levels, or the band ends above half the
            frame rate.
    """
    first = pictures[0]
    _check_size(first.shape[0], first.shape[1], recipe)
    response = response_matrix(len(pictures), recipe, fps)
    magnified = []
    for index in indices:
        change = np.zeros(first.shape, np.float32)
        for picture, weight in zip(pictures, response[index], strict=True):
            if weight != 0:
                # Rows of the filter sum to zero: subtracting the first frame keeps still pixels.
                difference = cv2.subtract(picture, first, dtype=cv2.CV_32F)
                change = np.asarray(cv2.scaleAdd(difference, float(weight), change, dst=change))
        change = _changes(change[None], recipe)[0]  # (height, width, ...)
        frame = cv2.add(pictures[index], change, dtype=cv2.CV_8U)  # rounded, and clipped to 0..255
        magnified.append(np.asarray(frame, np.uint8).reshape(first.shape))
    return magnified


def _check_size(height: int, width: int, recipe: Magnification) -> None:
    least = 2 ** (recipe.levels + 1) if recipe.levels else 1
    if min(height, width) < least:
        raise ConfigError(
            f"magnification with {recipe.levels} levels needs frames of at least {least} pixels, "
            f"found {width}x{height}; lower {input_key('magnification.levels')} or raise "
            f"{input_key('size')}"
        )


def response_matrix(frames: int, recipe: Magnification, fps: float) -> Response:
    """Return the temporal filter, before ``alpha``, as a matrix.

    Every row sums to zero: what doesn't change is never amplified. With ``ideal_mask: half`` the
    ideal filter passes half of each component in the band.

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
        mask = keep * (0.5 if recipe.ideal_mask == "half" else 1.0)  # (frames // 2 + 1,)
        return np.fft.irfft(np.fft.rfft(unit, axis=0) * mask[:, None], frames, axis=0)
    if recipe.temporal_filter == "iir":
        return _low_pass(unit, high) - _low_pass(unit, low)
    half = fps / 2
    # A band that ends at the highest frequency, or by rounding below it, has no upper slope.
    if high > half * (1 - 1e-6):
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


def _changes(frames: Frames, recipe: Magnification, response: Response | None = None) -> Frames:
    """What is added to frames: their changes in the bands of the pyramid, times alpha.

    Args:
        frames: (time, height, width) or (time, height, width, channels).
        recipe: with the pyramid.
        response: filter in time; None: the frames are changes already.

    Returns:
        Of the same shape as the frames.
    """

    def amplified(band: Frames, alpha: float) -> Frames:
        if response is None:
            return np.asarray(np.float32(alpha) * band, np.float32)
        return _filtered(band, alpha * response)

    if recipe.pyramid == "laplacian" and recipe.levels > 0:
        return _laplacian(frames, recipe, amplified)
    small = frames
    for _ in range(recipe.levels):
        small = _halved(small)  # (time, height / 2, width / 2, ...)
    width_height = (frames.shape[2], frames.shape[1])
    large = [cv2.resize(change, width_height) for change in amplified(small, recipe.alpha)]
    return np.asarray(np.stack(large).reshape(frames.shape), np.float32)


def _laplacian(
    frames: Frames, recipe: Magnification, amplified: Callable[[Frames, float], Frames]
) -> Frames:
    """Add up the amplified changes of all bands, from the coarsest to the finest."""
    pyramid = [frames]
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
            change += amplified(band, alpha)
    return change


def _halved(frames: Frames) -> Frames:
    half = np.stack([cv2.pyrDown(frame) for frame in frames])
    return np.asarray(half.reshape(*half.shape[:3], *frames.shape[3:]), np.float32)


def _enlarged(frames: Frames, like: Frames) -> Frames:
    width_height = (like.shape[2], like.shape[1])
    large = np.stack([cv2.pyrUp(frame, dstsize=width_height) for frame in frames])
    return np.asarray(large.reshape(like.shape), np.float32)
