"""Random changes of clips and images, one function each, that run on the device.

One draw a clip: all frames of a clip are flipped, brightened and made noisy together or not at
all, because a change between frames would be a motion. Keras' own image layers refuse clips; even
if frames were joined as channels, they could not spare the clips that are no copies, and
``RandomFlip`` has no probability.

Sources: ACCV 2022, section 4.1, and ESANN 2025, section 3: horizontal flip, brightness and
salt-and-pepper noise; neither paper prints a strength. Micro-attention, sections 4.1 and 4.2:
colour shift of at most 20 (of 255), rotation by at most 8 or 10 degrees, smoothing with a window
of at most 6 pixels, each with probability 0.5; crops of the four corners, 224 of 240 pixels.
"""

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import keras
from keras import ops
from keras.random import SeedGenerator

from mer_keras.flow_channels import Mirroring
from mer_keras.layers.tensors import Tensor

#: A function of clips, of how much is changed at most, and of what random numbers come from, that
#: returns all clips changed. Clips are (batch, time, height, width, channels) or (batch, height,
#: width, channels), floats in 0..1; of flow, which can be flipped only, in its own range.
Change: TypeAlias = Callable[[Tensor, float, SeedGenerator], Tensor]


def flip(
    clips: Tensor, amount: float, random: SeedGenerator, mirroring: Sequence[Mirroring] = ()
) -> Tensor:
    """Mirror some clips left to right; ``amount`` is the probability of a flip.

    A face that is mirrored moves to the left where it moved to the right, so that its horizontal
    flow has the other sign. What is mirrored here is what flow of the mirrored face would be:
    signed flow is negated; a channel that was scaled by its own range becomes 255 minus itself in
    stored images of 0..255, elsewhere its least plus its greatest value minus itself, image by
    image, since what was the least is now the greatest. Neither needs to know the channel's zero.

    Args:
        clips: (batch, ..., height, width, channels).
        amount: probability of a flip.
        random: of the draws.
        mirroring: of each channel (see ``flow_channels``); of pictures it is empty.
    """
    mirrored = ops.flip(clips, axis=-2)
    if mirroring:
        parts = ops.split(mirrored, len(mirroring), axis=-1)  # (batch, ..., height, width, 1) each
        mirrored = ops.concatenate(
            [_mirrored_values(part, how) for part, how in zip(parts, mirroring, strict=True)],
            axis=-1,
        )
    return sometimes(mirrored, clips, amount, random)


def brighten(clips: Tensor, amount: float, random: SeedGenerator) -> Tensor:
    """Add one number within +- ``amount`` to a whole clip, and clip the result to 0..1."""
    return ops.clip(clips + _draw(clips, random, -amount, amount), 0.0, 1.0)


def add_salt_and_pepper(clips: Tensor, amount: float, random: SeedGenerator) -> Tensor:
    """Set some pixels to 0 or 1, at most the share ``amount`` of them.

    How many is drawn once a clip; which is drawn anew for each frame, as a camera's noise would
    be. A fixed mask would be a still pattern that no motion crosses.
    """
    level = _draw(clips, random, 0.0, amount)
    # All channels of a pixel are replaced together.
    noise = keras.random.uniform((*ops.shape(clips)[:-1], 1), seed=random)
    salted = ops.where(noise < level / 2, ops.ones_like(clips), clips)
    return ops.where(noise > 1 - level / 2, ops.zeros_like(clips), salted)


def shift_colours(clips: Tensor, amount: float, random: SeedGenerator) -> Tensor:
    """Add one number within +- ``amount`` to each channel of a clip, and clip the result to 0..1.

    20 of 255 is 0.078.
    """
    count, channels = ops.shape(clips)[0], clips.shape[-1]
    shift = keras.random.uniform((count, channels), -amount, amount, seed=random)
    between = (1,) * (len(clips.shape) - 2)
    shift = ops.reshape(shift, (count, *between, channels))  # (batch, 1, ..., channels)
    return ops.clip(clips + shift, 0.0, 1.0)


def rotate(clips: Tensor, amount: float, random: SeedGenerator) -> Tensor:
    """Turn a clip about its centre by at most ``amount`` degrees to either side.

    Pixels that come in from outside repeat the border.
    """
    bound = math.radians(amount)
    angle = keras.random.uniform((ops.shape(clips)[0],), -bound, bound, seed=random)
    cos, sin = ops.cos(angle), ops.sin(angle)
    y, x = ((side - 1) / 2 for side in clips.shape[-3:-1])
    return _moved(clips, [cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos])


def crop_corner(clips: Tensor, amount: float, random: SeedGenerator) -> Tensor:
    """Cut a clip at one of its four corners and stretch what is left to the former size.

    ``amount`` is the side of what is left, as a share of the image's; 224 of 240 is 0.933.
    """
    corner = ops.floor(keras.random.uniform((ops.shape(clips)[0],), 0, 4, seed=random))
    right, low = ops.mod(corner, 2.0), ops.floor(corner / 2.0)
    zero, scale = ops.zeros_like(corner), ops.full_like(corner, amount)
    height, width = clips.shape[-3:-1]
    x, y = right * (1 - amount) * (width - 1), low * (1 - amount) * (height - 1)
    return _moved(clips, [scale, zero, x, zero, scale, y])


def smooth(clips: Tensor, amount: float, random: SeedGenerator) -> Tensor:
    """Average each pixel with its neighbours in a square window, all frames in the same one.

    The side of the window is drawn from 2 to ``amount``, in pixels. At the border fewer neighbours
    are averaged.
    """
    side = ops.floor(_draw(clips, random, 2.0, amount + 1.0))
    frames = ops.reshape(clips, (-1, *clips.shape[-3:]))  # (batch * time, height, width, ...)
    smoothed = clips
    for window in range(2, int(amount) + 1):
        averaged = ops.average_pool(frames, window, strides=1, padding="same")
        smoothed = ops.where(side == window, ops.reshape(averaged, ops.shape(clips)), smoothed)
    return smoothed


def sometimes(changed: Tensor, clips: Tensor, probability: float, random: SeedGenerator) -> Tensor:
    """Take a changed clip with a probability, else the clip as it was."""
    if probability >= 1:
        return changed
    return ops.where(_draw(clips, random) < probability, changed, clips)


def _mirrored_values(channel: Tensor, how: Mirroring) -> Tensor:
    """What becomes of the values of one channel, (..., height, width, 1), in a mirrored picture."""
    if how == "negate":
        return -channel
    if how == "bytes":
        return 255.0 - channel
    if how == "range":
        least = ops.min(channel, axis=(-3, -2), keepdims=True)  # (..., 1, 1, 1)
        return least + ops.max(channel, axis=(-3, -2), keepdims=True) - channel
    return channel


def per_clip(numbers: Tensor, clips: Tensor) -> Tensor:
    """Shape (batch,) numbers to be combined with ``clips``: (batch, 1, ...)."""
    return ops.reshape(numbers, (-1,) + (1,) * (len(clips.shape) - 1))


def _draw(clips: Tensor, random: SeedGenerator, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Draw one uniform number a clip, shaped to be combined with ``clips``."""
    return per_clip(keras.random.uniform((ops.shape(clips)[0],), low, high, seed=random), clips)


def _moved(clips: Tensor, rows: list[Tensor]) -> Tensor:
    """Move pixels, in all frames of a clip in the same way.

    Args:
        clips: what is moved.
        rows: a, b, c, d, e and f, (batch,) each: the pixel at (x, y) comes from
            (a x + b y + c, d x + e y + f).
    """
    is_image = len(clips.shape) == 4
    # One image a clip holds its frames side by side as channels.
    stacked = clips if is_image else ops.moveaxis(clips, 1, -2)
    images = ops.reshape(stacked, (-1, *clips.shape[-3:-1], math.prod(stacked.shape[3:])))
    zero = ops.zeros_like(rows[0])
    transforms = ops.stack([*rows, zero, zero], axis=1)  # (batch, 8)
    moved = ops.image.affine_transform(images, transforms, "bilinear", "nearest")
    moved = ops.reshape(moved, ops.shape(stacked))
    return moved if is_image else ops.moveaxis(moved, -2, 1)
