"""Random changes of clips and images, one Keras layer each, that run on the device.

One draw a clip: all frames of a clip are flipped, brightened and made noisy together or not at
all, because a change between frames would be a motion. (Keras' own image layers refuse clips or
draw for each frame.) Nothing changes at inference.

Sources: ACCV 2022, section 4.1, and ESANN 2025, section 3: horizontal flip, brightness and
salt-and-pepper noise; neither paper prints a strength. Micro-attention, sections 4.1 and 4.2:
colour shift of at most 20 (of 255), rotation by at most 8 or 10 degrees, smoothing with a window
of at most 6 pixels, each with probability 0.5; crops of the four corners, 224 of 240 pixels.
"""

import math
from typing import Any

import keras
from keras import ops


class RandomChange(keras.layers.Layer):
    """Base: draws once a clip and leaves clips outside ``apply`` as they are.

    Shapes: (batch, time, height, width, channels) or (batch, height, width, channels), floats in
    0..1 -> the same.
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        """See the class."""
        super().__init__(**kwargs)
        self.seed = seed
        self.random = keras.random.SeedGenerator(seed)

    def call(self, clips: Any, apply: Any = None, training: bool = False) -> Any:
        """Change clips in training.

        Args:
            clips: see the class.
            apply: (batch,) of 0 and 1: only clips with 1 may be changed; all, if left out.
            training: whether to change anything.
        """
        if not training:
            return clips
        changed = self.change(clips)
        if apply is None:
            return changed
        return ops.where(self.per_clip(apply, clips) > 0.5, changed, clips)

    def change(self, clips: Any) -> Any:
        """Return changed clips."""
        raise AssertionError(f"{type(self).__name__} must say what it changes")

    def draw(self, clips: Any, low: float = 0.0, high: float = 1.0) -> Any:
        """One uniform number a clip, shaped to be combined with ``clips``."""
        numbers = keras.random.uniform((ops.shape(clips)[0],), low, high, seed=self.random)
        return self.per_clip(numbers, clips)

    @staticmethod
    def per_clip(numbers: Any, clips: Any) -> Any:
        """Shape (batch,) numbers to be combined with ``clips``."""
        return ops.reshape(numbers, (-1,) + (1,) * (len(clips.shape) - 1))

    def get_config(self) -> dict[str, Any]:
        """Arguments of the layer."""
        return {**super().get_config(), "seed": self.seed}


class SometimesChange(RandomChange):
    """Base of changes that befall a clip with a probability."""

    def __init__(self, probability: float = 1.0, seed: int | None = None, **kwargs: Any) -> None:
        """See the class."""
        super().__init__(seed, **kwargs)
        self.probability = probability

    def sometimes(self, changed: Any, clips: Any) -> Any:
        """Take the changed clip with the probability, else the clip as it was."""
        if self.probability >= 1:
            return changed
        return ops.where(self.draw(clips) < self.probability, changed, clips)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the layer."""
        return {**super().get_config(), "probability": self.probability}


@keras.saving.register_keras_serializable(package="mer_keras")
class RandomHorizontalFlip(SometimesChange):
    """Mirror a clip left to right with a probability.

    Args:
        probability: of a flip.
        seed: of the draws.
    """

    def change(self, clips: Any) -> Any:
        """Flip some."""
        return self.sometimes(ops.flip(clips, axis=-2), clips)


@keras.saving.register_keras_serializable(package="mer_keras")
class RandomBrightness(RandomChange):
    """Add one number to a whole clip, and clip the result to 0..1.

    Args:
        strength: the number lies within +- this.
        seed: of the draws.
    """

    def __init__(self, strength: float = 0.1, seed: int | None = None, **kwargs: Any) -> None:
        """See the class."""
        super().__init__(seed, **kwargs)
        self.strength = strength

    def change(self, clips: Any) -> Any:
        """Brighten or darken."""
        return ops.clip(clips + self.draw(clips, -self.strength, self.strength), 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the layer."""
        return {**super().get_config(), "strength": self.strength}


@keras.saving.register_keras_serializable(package="mer_keras")
class RandomSaltAndPepper(RandomChange):
    """Set some pixels to 0 or 1.

    How many is drawn once a clip; which is drawn anew for each frame, as a camera's noise would
    be. A fixed mask would be a still pattern that no motion crosses.

    Args:
        share: of the pixels that are replaced at most.
        seed: of the draws.
    """

    def __init__(self, share: float = 0.02, seed: int | None = None, **kwargs: Any) -> None:
        """See the class."""
        super().__init__(seed, **kwargs)
        self.share = share

    def change(self, clips: Any) -> Any:
        """Add noise."""
        level = self.draw(clips, 0.0, self.share)
        # all channels of a pixel are replaced together
        shape = (*ops.shape(clips)[:-1], 1)
        noise = keras.random.uniform(shape, seed=self.random)
        salted = ops.where(noise < level / 2, ops.ones_like(clips), clips)
        return ops.where(noise > 1 - level / 2, ops.zeros_like(clips), salted)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the layer."""
        return {**super().get_config(), "share": self.share}


@keras.saving.register_keras_serializable(package="mer_keras")
class RandomColourShift(SometimesChange):
    """Add one number to each channel of a whole clip, and clip the result to 0..1.

    Args:
        strength: the numbers lie within +- this; 20 of 255 is 0.078.
        probability: of a shift.
        seed: of the draws.
    """

    def __init__(self, strength: float = 20 / 255, **kwargs: Any) -> None:
        """See the class."""
        super().__init__(**kwargs)
        self.strength = strength

    def change(self, clips: Any) -> Any:
        """Shift colours."""
        count, channels = ops.shape(clips)[0], clips.shape[-1]
        shape = (count, *(1,) * (len(clips.shape) - 2), channels)
        shift = keras.random.uniform(
            (count, channels), -self.strength, self.strength, seed=self.random
        )
        return self.sometimes(ops.clip(clips + ops.reshape(shift, shape), 0.0, 1.0), clips)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the layer."""
        return {**super().get_config(), "strength": self.strength}


@keras.saving.register_keras_serializable(package="mer_keras")
class RandomSmoothing(SometimesChange):
    """Average each pixel with its neighbours in a square window, all frames in the same one.

    Args:
        window: the side is drawn from 2 to this, in pixels. At the border fewer are averaged.
        probability: of smoothing.
        seed: of the draws.
    """

    def __init__(self, window: int = 6, **kwargs: Any) -> None:
        """See the class."""
        super().__init__(**kwargs)
        self.window = window

    def change(self, clips: Any) -> Any:
        """Smooth some."""
        drawn = ops.floor(self.draw(clips, 2.0, self.window + 1.0))
        frames = ops.reshape(clips, (-1, *clips.shape[-3:]))
        smooth = clips
        for side in range(2, self.window + 1):
            averaged = ops.average_pool(frames, side, strides=1, padding="same")
            smooth = ops.where(drawn == side, ops.reshape(averaged, ops.shape(clips)), smooth)
        return self.sometimes(smooth, clips)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the layer."""
        return {**super().get_config(), "window": self.window}


class _RandomTransform(SometimesChange):
    """Base of changes that move pixels: all frames of a clip are moved in the same way."""

    def change(self, clips: Any) -> Any:
        """Move the pixels of some."""
        height, width = clips.shape[-3:-1]
        # one image a clip, its frames side by side as channels
        still = len(clips.shape) == 4
        stacked = clips if still else ops.moveaxis(clips, 1, -2)
        images = ops.reshape(stacked, (-1, height, width, math.prod(stacked.shape[3:])))
        moved = ops.image.affine_transform(
            images, self.transforms(clips, height, width), "bilinear", "nearest"
        )
        moved = ops.reshape(moved, ops.shape(stacked))
        return self.sometimes(moved if still else ops.moveaxis(moved, -2, 1), clips)

    def transforms(self, clips: Any, height: int, width: int) -> Any:
        """Return (batch, 8) maps from places of the result to places of the input.

        A row (a, b, c, d, e, f, 0, 0) takes (x, y) from (a x + b y + c, d x + e y + f).
        """
        raise AssertionError(f"{type(self).__name__} must say how it moves pixels")


@keras.saving.register_keras_serializable(package="mer_keras")
class RandomRotation(_RandomTransform):
    """Turn a clip about its centre; what comes in from outside repeats the border.

    Args:
        degrees: the angle lies within +- this.
        probability: of a turn.
        seed: of the draws.
    """

    def __init__(self, degrees: float = 10.0, **kwargs: Any) -> None:
        """See the class."""
        super().__init__(**kwargs)
        self.degrees = degrees

    def transforms(self, clips: Any, height: int, width: int) -> Any:
        """Rotations by drawn angles."""
        bound = math.radians(self.degrees)
        angle = keras.random.uniform((ops.shape(clips)[0],), -bound, bound, seed=self.random)
        cos, sin = ops.cos(angle), ops.sin(angle)
        x, y = (width - 1) / 2, (height - 1) / 2
        zero = ops.zeros_like(angle)
        rows = [cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos, zero, zero]
        return ops.stack(rows, axis=1)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the layer."""
        return {**super().get_config(), "degrees": self.degrees}


@keras.saving.register_keras_serializable(package="mer_keras")
class RandomCornerCrop(_RandomTransform):
    """Cut a clip at one of its four corners and stretch what is left to the former size.

    Args:
        share: side of what is left, as a share of the image's; 224 of 240 is 0.933.
        probability: of a cut.
        seed: of the draws.
    """

    def __init__(self, share: float = 224 / 240, **kwargs: Any) -> None:
        """See the class."""
        super().__init__(**kwargs)
        self.share = share

    def transforms(self, clips: Any, height: int, width: int) -> Any:
        """Windows at drawn corners."""
        corner = ops.floor(keras.random.uniform((ops.shape(clips)[0],), 0, 4, seed=self.random))
        right, low = ops.mod(corner, 2.0), ops.floor(corner / 2.0)
        zero, scale = ops.zeros_like(corner), ops.full_like(corner, self.share)
        rest = 1 - self.share
        x, y = right * rest * (width - 1), low * rest * (height - 1)
        return ops.stack([scale, zero, x, zero, scale, y, zero, zero], axis=1)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the layer."""
        return {**super().get_config(), "share": self.share}
