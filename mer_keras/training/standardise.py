"""Standardising by the training clips, on the device and after augmentation."""

import keras
import numpy as np

from mer_keras.arrays import Array
from mer_keras.layers.tensors import Tensor


@keras.saving.register_keras_serializable(package="mer_keras")
class StandardiseByTraining(keras.layers.Layer):
    """Subtract a mean frame and divide by one standard deviation.

    Both are set from the training clips of a fold (``set_from``), never from others. Until then
    the layer changes nothing. The mean is taken for each pixel, over clips and frames: what is
    left is the difference of a face and its motion from the average, a few per cent of the range.

    Shapes: (batch, ..., height, width, channels) -> the same.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the statistics."""
        self.mean = self.add_weight(
            name="mean", shape=tuple(input_shape[-3:]), initializer="zeros", trainable=False
        )
        self.scale = self.add_weight(name="scale", shape=(), initializer="ones", trainable=False)

    def set_from(self, clips: Array) -> None:
        """Take the statistics of training clips, (..., height, width, channels)."""
        frames = clips.reshape(-1, *clips.shape[-3:])  # (frames, height, width, channels)
        mean = frames.mean(axis=0)  # (height, width, channels)
        self.mean.assign(mean)
        self.scale.assign(max(float(np.std(frames - mean)), 1e-6))

    def call(self, clips: Tensor) -> Tensor:
        """Standardise clips."""
        return (clips - self.mean) / self.scale
