"""Random changes of clips and images, one Keras layer each, that run on the device.

One draw a clip: all frames of a clip are flipped, brightened and made noisy together or not at
all, because a change between frames would be a motion. Nothing changes at inference. Keras' own
image layers refuse clips; even if frames were joined as channels, they could not spare the clips
that are no copies, and ``RandomFlip`` has no probability.

Sources: ACCV 2022, section 4.1, and ESANN 2025, section 3: horizontal flip, brightness and
salt-and-pepper noise; neither paper prints a strength. Micro-attention, sections 4.1 and 4.2:
colour shift of at most 20 (of 255), rotation by at most 8 or 10 degrees, smoothing with a window
of at most 6 pixels, each with probability 0.5; crops of the four corners, 224 of 240 pixels.
"""

import math
from typing import Any

import keras
from keras import ops

from mer_keras.layers.tensors import Tensor


class RandomChange(keras.layers.Layer):
    """Base of all changes: it draws once a clip and leaves clips outside ``apply`` as they are.

    Shapes: (batch, time, height, width, channels) or (batch, height, width, channels), floats in
    0..1 -> the same.
    """

    def __init__(
        self, amount: float, probability: float = 1.0, seed: int | None = None, **kwargs: Any
    ) -> None:
        """Prepare.

        Args:
            amount: how much is changed at most, as each class says.
            probability: of a change.
            seed: of the draws.
            **kwargs: as every layer takes them, such as ``name``.
        """
        super().__init__(**kwargs)
        self.amount = amount
        self.probability = probability
        self.seed = seed
        self.random = keras.random.SeedGenerator(seed)

    def call(self, clips: Tensor, apply: Tensor | None = None, training: bool = False) -> Tensor:
        """Change clips in training.

        Args:
            clips: see the class.
            apply: (batch,) of 0 and 1: only clips with 1 may be changed; all, if left out.
            training: whether to change anything.
        """
        if not training:
            return clips
        changed = self.sometimes(self.change(clips), clips, self.probability)
        if apply is None:
            return changed
        return ops.where(self.per_clip(apply, clips) > 0.5, changed, clips)

    def change(self, clips: Tensor) -> Tensor:
        """Return all clips changed."""
        raise NotImplementedError(f"{type(self).__name__} must say what it changes")

    def sometimes(self, changed: Tensor, clips: Tensor, probability: float) -> Tensor:
        """Take a changed clip with a probability, else the clip as it was."""
        if probability >= 1:
            return changed
        return ops.where(self.draw(clips) < probability, changed, clips)

    def draw(self, clips: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
        """One uniform number a clip, shaped to be combined with ``clips``."""
        return self.per_clip(self.uniform((ops.shape(clips)[0],), low, high), clips)

    def uniform(self, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> Tensor:
        """Uniform numbers."""
        return keras.random.uniform(shape, low, high, seed=self.random)

    @staticmethod
    def per_clip(numbers: Tensor, clips: Tensor) -> Tensor:
        """Shape (batch,) numbers to be combined with ``clips``: (batch, 1, ...)."""
        return ops.reshape(numbers, (-1,) + (1,) * (len(clips.shape) - 1))

    def get_config(self) -> dict[str, Any]:
        """Arguments of the layer."""
        own = {"amount": self.amount, "probability": self.probability, "seed": self.seed}
        return {**super().get_config(), **own}


class RandomHorizontalFlip(RandomChange):
    """Mirror a clip left to right; ``amount`` is the probability of a flip."""

    def change(self, clips: Tensor) -> Tensor:
        """Flip some."""
        return self.sometimes(ops.flip(clips, axis=-2), clips, self.amount)


class RandomBrightness(RandomChange):
    """Add one number within +- ``amount`` to a whole clip, and clip the result to 0..1."""

    def change(self, clips: Tensor) -> Tensor:
        """Brighten or darken."""
        return ops.clip(clips + self.draw(clips, -self.amount, self.amount), 0.0, 1.0)


class RandomSaltAndPepper(RandomChange):
    """Set some pixels to 0 or 1, at most the share ``amount`` of them.

    How many is drawn once a clip; which is drawn anew for each frame, as a camera's noise would
    be. A fixed mask would be a still pattern that no motion crosses.
    """

    def change(self, clips: Tensor) -> Tensor:
        """Add noise."""
        level = self.draw(clips, 0.0, self.amount)
        # All channels of a pixel are replaced together.
        noise = self.uniform((*ops.shape(clips)[:-1], 1))
        salted = ops.where(noise < level / 2, ops.ones_like(clips), clips)
        return ops.where(noise > 1 - level / 2, ops.zeros_like(clips), salted)


class RandomColourShift(RandomChange):
    """Add one number within +- ``amount`` to each channel of a clip, and clip the result to 0..1.

    20 of 255 is 0.078.
    """

    def change(self, clips: Tensor) -> Tensor:
        """Shift colours."""
        count, channels = ops.shape(clips)[0], clips.shape[-1]
        shift = self.uniform((count, channels), -self.amount, self.amount)
        between = (1,) * (len(clips.shape) - 2)
        shift = ops.reshape(shift, (count, *between, channels))  # (batch, 1, ..., channels)
        return ops.clip(clips + shift, 0.0, 1.0)


class RandomSmoothing(RandomChange):
    """Average each pixel with its neighbours in a square window, all frames in the same one.

    The side of the window is drawn from 2 to ``amount``, in pixels. At the border fewer neighbours
    are averaged.
    """

    def change(self, clips: Tensor) -> Tensor:
        """Smooth."""
        side = ops.floor(self.draw(clips, 2.0, self.amount + 1.0))
        frames = ops.reshape(clips, (-1, *clips.shape[-3:]))  # (batch * time, height, width, ...)
        smooth = clips
        for window in range(2, int(self.amount) + 1):
            averaged = ops.average_pool(frames, window, strides=1, padding="same")
            smooth = ops.where(side == window, ops.reshape(averaged, ops.shape(clips)), smooth)
        return smooth


class _RandomTransform(RandomChange):
    """Base of changes that move pixels: all frames of a clip are moved in the same way."""

    def change(self, clips: Tensor) -> Tensor:
        """Move the pixels."""
        height, width = clips.shape[-3:-1]
        is_image = len(clips.shape) == 4
        # One image a clip holds its frames side by side as channels.
        stacked = clips if is_image else ops.moveaxis(clips, 1, -2)
        channels = math.prod(stacked.shape[3:])
        images = ops.reshape(stacked, (-1, height, width, channels))
        transforms = self.transforms(ops.shape(clips)[0], height, width)
        moved = ops.image.affine_transform(images, transforms, "bilinear", "nearest")
        moved = ops.reshape(moved, ops.shape(stacked))
        return moved if is_image else ops.moveaxis(moved, -2, 1)

    def transforms(self, count: int, height: int, width: int) -> Tensor:
        """Return (count, 8) maps from positions in the result to positions in the input.

        A row (a, b, c, d, e, f, 0, 0) takes (x, y) from (a x + b y + c, d x + e y + f).
        """
        raise NotImplementedError(f"{type(self).__name__} must say how it moves pixels")


class RandomRotation(_RandomTransform):
    """Turn a clip about its centre by at most ``amount`` degrees to either side.

    Pixels that come in from outside repeat the border.
    """

    def transforms(self, count: int, height: int, width: int) -> Tensor:
        """Rotations by drawn angles."""
        bound = math.radians(self.amount)
        angle = self.uniform((count,), -bound, bound)
        cos, sin = ops.cos(angle), ops.sin(angle)
        x, y = (width - 1) / 2, (height - 1) / 2
        zero = ops.zeros_like(angle)
        rows = [cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos, zero, zero]
        return ops.stack(rows, axis=1)


class RandomCornerCrop(_RandomTransform):
    """Cut a clip at one of its four corners and stretch what is left to the former size.

    ``amount`` is the side of what is left, as a share of the image's; 224 of 240 is 0.933.
    """

    def transforms(self, count: int, height: int, width: int) -> Tensor:
        """Windows at drawn corners."""
        corner = ops.floor(self.uniform((count,), 0, 4))
        right, low = ops.mod(corner, 2.0), ops.floor(corner / 2.0)
        zero, scale = ops.zeros_like(corner), ops.full_like(corner, self.amount)
        rest = 1 - self.amount
        x, y = right * rest * (width - 1), low * rest * (height - 1)
        return ops.stack([scale, zero, x, zero, scale, y, zero, zero], axis=1)
