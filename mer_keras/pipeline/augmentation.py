"""Random changes of clips, as Keras layers that run on the device.

One draw a clip: all frames of a clip are flipped, brightened and made noisy together or not at
all, because a change between frames would be a motion. (Keras' own image layers refuse clips or
draw for each frame.) Nothing changes at inference.

Source: ACCV 2022, section 4.1, and ESANN 2025, section 3: horizontal flip, brightness and
salt-and-pepper noise; neither paper prints a strength.
"""

from typing import Any

import keras
from keras import ops


class _RandomClipLayer(keras.layers.Layer):
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


@keras.saving.register_keras_serializable(package="mer_keras")
class RandomHorizontalFlip(_RandomClipLayer):
    """Mirror a clip left to right with a probability.

    Args:
        probability: of a flip.
        seed: of the draws.
    """

    def __init__(self, probability: float = 0.5, seed: int | None = None, **kwargs: Any) -> None:
        """See the class."""
        super().__init__(seed, **kwargs)
        self.probability = probability

    def change(self, clips: Any) -> Any:
        """Flip some."""
        chosen = self.draw(clips) < self.probability
        return ops.where(chosen, ops.flip(clips, axis=-2), clips)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the layer."""
        return {**super().get_config(), "probability": self.probability}


@keras.saving.register_keras_serializable(package="mer_keras")
class RandomBrightness(_RandomClipLayer):
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
class RandomSaltAndPepper(_RandomClipLayer):
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
class ClipAugmentation(keras.layers.Layer):
    """Flip, brightness and salt-and-pepper one after the other; a zero leaves one out.

    Args:
        flip: probability of a flip.
        brightness: largest shift, see ``RandomBrightness``.
        salt_pepper: largest share of replaced pixels.
        seed: of the draws.
    """

    def __init__(
        self,
        flip: float = 0.0,
        brightness: float = 0.0,
        salt_pepper: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        """See the class."""
        super().__init__(**kwargs)
        self.settings = {"flip": flip, "brightness": brightness, "salt_pepper": salt_pepper}
        self.seed = seed
        made = (
            (flip, RandomHorizontalFlip),
            (brightness, RandomBrightness),
            (salt_pepper, RandomSaltAndPepper),
        )
        self.steps = [layer(strength, seed) for strength, layer in made if strength]

    def call(self, clips: Any, apply: Any = None, training: bool = False) -> Any:
        """Change clips in training; ``apply`` as in the single layers."""
        for step in self.steps:
            clips = step(clips, apply=apply, training=training)
        return clips

    def get_config(self) -> dict[str, Any]:
        """Arguments of the layer."""
        return {**super().get_config(), **self.settings, "seed": self.seed}
