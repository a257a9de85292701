"""The augmentation that a config asks for, as one Keras layer that runs on the device."""

from typing import Any

import keras

from mer_keras.layers.tensors import Tensor
from mer_keras.training import random_changes

#: Changes in the order in which they are made. The first three have no probability beside their
#: amount.
_ALWAYS = {
    "flip": random_changes.RandomHorizontalFlip,
    "brightness": random_changes.RandomBrightness,
    "salt_pepper": random_changes.RandomSaltAndPepper,
}
_SOMETIMES = {
    "colour_shift": random_changes.RandomColourShift,
    "rotation": random_changes.RandomRotation,
    "corner_crop": random_changes.RandomCornerCrop,
    "smoothing": random_changes.RandomSmoothing,
}


@keras.saving.register_keras_serializable(package="mer_keras")
class ClipAugmentation(keras.layers.Layer):
    """Random changes one after the other (see ``random_changes``); an amount of 0 leaves one out.

    Shapes: (batch, time, height, width, channels) or (batch, height, width, channels), floats in
    0..1 -> the same.
    """

    def __init__(
        self,
        flip: float = 0.0,
        brightness: float = 0.0,
        salt_pepper: float = 0.0,
        colour_shift: float = 0.0,
        rotation: float = 0.0,
        smoothing: int = 0,
        corner_crop: float = 0.0,
        probability: float = 0.5,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Prepare.

        Args:
            flip: probability of a flip.
            brightness: largest shift of all pixels.
            salt_pepper: largest share of replaced pixels.
            colour_shift: largest shift of a channel.
            rotation: largest angle in degrees.
            smoothing: largest window in pixels.
            corner_crop: side of what is left of a cut image, as a share.
            probability: of each of the last four.
            seed: of the draws.
            **kwargs: as every layer takes them, such as ``name``.
        """
        super().__init__(**kwargs)
        amounts = {
            "flip": flip,
            "brightness": brightness,
            "salt_pepper": salt_pepper,
            "colour_shift": colour_shift,
            "rotation": rotation,
            "smoothing": smoothing,
            "corner_crop": corner_crop,
        }
        self.settings = {**amounts, "probability": probability, "seed": seed}
        self.steps = [
            change(amounts[name], 1.0 if name in _ALWAYS else probability, seed)
            for name, change in {**_ALWAYS, **_SOMETIMES}.items()
            if amounts[name]
        ]

    def call(self, clips: Tensor, apply: Tensor | None = None, training: bool = False) -> Tensor:
        """Change clips in training; only those whose ``apply`` is 1, if it is given."""
        for step in self.steps:
            clips = step(clips, apply=apply, training=training)
        return clips

    def get_config(self) -> dict[str, Any]:
        """Arguments of the layer."""
        return {**super().get_config(), **self.settings}
