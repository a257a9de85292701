"""The augmentation that a config asks for, as one Keras layer that runs on the device."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import keras
from keras import ops

from mer_keras.config.training import Augmentation
from mer_keras.flow_channels import Mirroring
from mer_keras.layers.tensors import Tensor
from mer_keras.training import random_changes
from mer_keras.training.random_changes import Change, per_clip, sometimes

#: Changes by their keys in a config, in the order in which they are made.
CHANGES: Mapping[str, Change] = {
    "flip": random_changes.flip,
    "brightness": random_changes.brighten,
    "salt_pepper": random_changes.add_salt_and_pepper,
    "colour_shift": random_changes.shift_colours,
    "rotation": random_changes.rotate,
    "corner_crop": random_changes.crop_corner,
    "smoothing": random_changes.smooth,
}
#: Field of the probability of each change; the others have ``probability``.
_PROBABILITIES = {"brightness": "pixel_probability", "salt_pepper": "pixel_probability"}


@keras.saving.register_keras_serializable(package="mer_keras")
class ClipAugmentation(keras.layers.Layer):
    """Random changes one after the other (see ``random_changes``); an amount of 0 leaves one out.

    Nothing changes at inference. Shapes: (batch, time, height, width, channels) or (batch, height,
    width, channels), floats in 0..1, or flow, which can only be flipped, in its own range -> the
    same.
    """

    def __init__(
        self,
        setting: Augmentation | Mapping[str, object],
        seed: int | None = None,
        mirroring: Sequence[Mirroring] = (),
        **kwargs: Any,
    ) -> None:
        """Prepare.

        Args:
            setting: amounts of the changes and their probabilities (that of a flip is its
                amount); which clips it applies to is up to the caller of the layer.
            seed: of the draws.
            mirroring: what a flip does to the values of each channel, where one is flow (see
                ``flow_channels``); empty for pictures.
            **kwargs: as every layer takes them, such as ``name``.
        """
        super().__init__(**kwargs)
        self.setting = Augmentation.model_validate(setting)
        self.seed = seed
        self.mirroring = tuple(mirroring)
        flip = partial(random_changes.flip, mirroring=self.mirroring)
        self._changes: dict[str, Change] = {**CHANGES, "flip": flip}
        self.names = [name for name in CHANGES if getattr(self.setting, name)]
        self.random = [keras.random.SeedGenerator(seed) for _ in self.names]

    def call(self, clips: Tensor, apply: Tensor | None = None, training: bool = False) -> Tensor:
        """Change clips in training.

        Args:
            clips: see the class.
            apply: (batch,) of 0 and 1: only clips with 1 may be changed; all, if left out.
            training: whether to change anything.
        """
        if not training:
            return clips
        for name, random in zip(self.names, self.random, strict=True):
            clips = ops.cast(clips, self.compute_dtype)  # Random numbers are float32.
            changed = self._changes[name](clips, getattr(self.setting, name), random)
            if name != "flip":
                probability = getattr(self.setting, _PROBABILITIES.get(name, "probability"))
                changed = sometimes(changed, clips, probability, random)
            if apply is not None:
                changed = ops.where(per_clip(apply, clips) > 0.5, changed, clips)
            clips = changed
        return clips

    def get_config(self) -> dict[str, Any]:
        """Arguments of the layer."""
        return {
            **super().get_config(),
            "setting": self.setting.model_dump(),
            "seed": self.seed,
            "mirroring": list(self.mirroring),
        }
