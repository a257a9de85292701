"""What is made of all frames of a clip: one dynamic image, or a sequence of optical flow."""

from functools import cache as remember
from itertools import pairwise
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.arrays import Array
from mer_keras.clips import cache, sampling
from mer_keras.clips.clip_frames import ClipFrames, Stack
from mer_keras.clips.flow import Field, optical_flow
from mer_keras.clips.flow_pictures import flow_parts, picture_of, resized
from mer_keras.clips.footage import UnusableClipError
from mer_keras.clips.interpolation import interpolate
from mer_keras.clips.marks import Marks
from mer_keras.clips.motionless import ONE_FRAME, motionless, require_pictures
from mer_keras.clips.normalisation import Pixels
from mer_keras.config.inputs import FLOW_PARTS, Clip
from mer_keras.errors import FrameError

RankPooling = Literal["published_code", "bilen"]
FEWER = "fewer than {} different frames, others are interpolated"


@remember
def rank_weights(length: int, how: RankPooling) -> NDArray[np.float64]:
    """Return what each frame of a clip is multiplied with in its dynamic image.

    Approximate rank pooling of N frames gives frame n the weight sum over i = n..N of
    (2i - N - 1) / i (Bilen et al., "Dynamic image networks", CVPR 2016, section 3.1); these sum to
    0, so that a still face vanishes. LEARNet's public code has (2i - N) / i, which sum to N, so
    that N times the mean face stays in the image.

    Args:
        length: frames of the clip.
        how: ``bilen`` or ``published_code``.

    Returns:
        float64 (length,), not to be changed.
    """
    order = np.arange(1, length + 1)
    terms = (2 * order - length - (how == "bilen")) / order
    weights: NDArray[np.float64] = np.cumsum(terms[::-1])[::-1]
    weights = np.ascontiguousarray(weights)
    weights.flags.writeable = False  # Clips of one length share it.
    return weights


def dynamic_image(stack: Stack, how: RankPooling = "published_code") -> NDArray[np.uint8]:
    """Sum the frames of a clip by rank pooling, and scale the sum over all channels to 0..255.

    Source: LEARNet (Verma et al., IEEE Transactions on Image Processing 2020), the authors' code,
    which cuts decimals off.

    Args:
        stack: uint8 (time, height, width) or (time, height, width, 3), one frame or more.
        how: see ``rank_weights``.

    Returns:
        uint8, one frame's shape; zeros where the sum is the same everywhere.
    """
    total = np.tensordot(rank_weights(len(stack), how), stack.astype(np.float64), axes=1)
    if np.ptp(total) <= 1e-6:  # What is left of equal values is rounding.
        return np.zeros(total.shape, np.uint8)
    scaled = cv2.normalize(total, None, 0, 255, cv2.NORM_MINMAX)
    return np.asarray(scaled, np.float64).astype(np.uint8)


def dynamic_image_of(frames: ClipFrames, marks: Marks, clip: Clip) -> Pixels:
    """Return a clip's dynamic image, uint8 (size, size, channels).

    Raises:
        UnusableClipError: the clip has one frame, whose weight is 0, or nothing moves in it and the
            policy leaves such clips out.
    """
    numbers = frames.nearest(range(marks.onset, marks.offset + 1))
    if len(set(numbers)) == 1:
        if clip.rank_pooling == "bilen":
            raise UnusableClipError("one frame, of which a dynamic image has nothing left")
        frames.remarks.add(motionless(ONE_FRAME, frames.policies))
    entry, indices = _stack(frames, numbers, clip.size, clip.channels)
    params: cache.Parameters = {"rank_pooling": clip.rank_pooling, "frames": [*indices]}

    def pool(stack: Stack) -> NDArray[np.uint8]:
        return dynamic_image(stack[indices], clip.rank_pooling)

    image = cache.derive(entry, "dynamic image", params, pool).array
    return image if clip.channels == 3 else image[..., np.newaxis]


def flow_sequence(stack: Stack, clip: Clip) -> Field:
    """Compute flow between neighbours of frames that are interpolated in time.

    Args:
        stack: uint8 (time, height, width), gray, all frames of a clip.
        clip: how many images, how frames are interpolated, which flow.

    Returns:
        float32 (frames, size, size, channels): pictures in 0..255, or fields in pixels.

    Raises:
        FrameError: see ``flow.optical_flow``.
    """
    pairs = clip.frames or 1
    if clip.sampling == "tim":
        smooth = interpolate(stack, pairs + 1, clip.interpolation)
    else:
        smooth = interpolated(stack, pairs + 1)
    gray = np.clip(np.rint(smooth), 0, 255).astype(np.uint8)  # (frames + 1, height, width)
    parts = clip.flow.channels or FLOW_PARTS
    make = picture_of if clip.flow.output == "picture" else flow_parts
    images = (
        make(optical_flow(first, second, clip.flow.method), parts)
        for first, second in pairwise(gray)
    )
    return np.stack([resized(image, clip.size) for image in images])


def flow_sequence_of(frames: ClipFrames, marks: Marks, clip: Clip) -> Pixels:
    """Return a clip's sequence of flow, (frames, size, size, channels).

    Raises:
        UnusableClipError: nothing moves in the clip, and the policy leaves such clips out.
        FrameError: flow is not finite.
    """
    numbers = frames.nearest(range(marks.onset, marks.offset + 1))
    entry, indices = _stack(frames, numbers, clip.flow.compute_size)
    if len(set(numbers)) == 1:
        frames.remarks.add(motionless(ONE_FRAME, frames.policies))
    require_pictures(frames.remarks, frames.policies)
    if clip.frames and len(set(numbers)) <= clip.frames:
        frames.remarks.add(FEWER.format(clip.frames + 1))
    params: cache.Parameters = {
        "frames": clip.frames,
        "indices": [*indices],
        "size": clip.size,
        "sampling": clip.sampling,
        "interpolation": clip.interpolation.model_dump(),
        "flow": clip.flow.model_dump(mode="json"),
        "opencv": cv2.__version__,
    }

    def compute(stack: Stack) -> Field:
        return flow_sequence(stack[indices], clip)

    try:
        return cache.derive(entry, "flow sequence", params, compute).array
    except FrameError as error:
        raise FrameError(f"clip {frames.sample.sample_id!r}: {error}") from error


def interpolated(stack: Stack, frames: int) -> Array:
    """Interpolate a clip linearly in time.

    Args:
        stack: uint8 (time, ...).
        frames: number of moments, the first on the first frame, the last on the last.

    Returns:
        float32 (frames, ...).
    """
    before, share = sampling.interpolation_weights(len(stack), frames)
    after = np.minimum(np.array(before) + 1, len(stack) - 1)
    weight = np.array(share, np.float32).reshape(-1, *[1] * (stack.ndim - 1))  # (frames, 1, 1, ...)
    return stack[before] * (1 - weight) + stack[after] * weight


def _stack(
    frames: ClipFrames, numbers: list[int], size: int, channels: int = 1
) -> tuple[cache.Entry[np.uint8], list[int]]:
    """Return the different frames of some numbers, and the position of each number among them."""
    stacked = sorted(set(numbers))
    index_of = {number: index for index, number in enumerate(stacked)}
    return frames.stack(stacked, size, channels), [index_of[number] for number in numbers]
