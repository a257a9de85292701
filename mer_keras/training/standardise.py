"""Standardising by the training clips, on the device and after augmentation."""

from typing import Any

import keras
import numpy as np


@keras.saving.register_keras_serializable(package="mer_keras")
class StandardiseByTraining(keras.layers.Layer):
    """Subtract a mean frame and divide by one standard deviation.

    Both are set from the training clips of a fold (``set_from``), never from others. Until then
    the layer changes nothing. The mean is taken for each pixel, over clips and frames: what is
    left is where a face and its motion differ from the average, which lies within a few per cent
    of the range.

    Shapes: (batch, ..., height, width, channels) -> the same.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the statistics."""
        self.mean = self.add_weight(
            name="mean", shape=tuple(input_shape[-3:]), initializer="zeros", trainable=False
        )
        self.scale = self.add_weight(name="scale", shape=(), initializer="ones", trainable=False)

    def set_from(self, clips: np.ndarray) -> None:
        """Take the statistics of training clips, an array of any leading dimensions."""
        frames = clips.reshape(-1, *clips.shape[-3:])
        mean = frames.mean(axis=0)
        self.mean.assign(mean)
        self.scale.assign(max(float(np.std(frames - mean)), 1e-6))

    def call(self, clips: Any) -> Any:
        """Standardise clips."""
        return (clips - self.mean) / self.scale
