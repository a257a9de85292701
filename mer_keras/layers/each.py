"""One layer on every frame of a clip, or on every block."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="mer_keras")
class Each(keras.layers.Wrapper):
    """Apply a layer to each part of a clip, with the same weights.

    The same function as Keras' ``TimeDistributed`` (tested). That one maps over the parts; here the
    parts join the batch, so that the layer runs once. It is two to three times faster in the
    networks of ESANN 2025 on a CPU (``make bench`` measures their steps).

    Shapes: (batch, parts, ...) -> (batch, parts, ...), as the layer maps (batch, ...).

    Args:
        layer: without statistics over the batch.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the layer for one part."""
        if not self.layer.built:
            self.layer.build((None, *input_shape[2:]))
        self.built = True

    def call(self, clips: Any) -> Any:
        """Apply the layer."""
        parts = clips.shape[1]
        joined = self.layer(ops.reshape(clips, (-1, *clips.shape[2:])))
        return ops.reshape(joined, (-1, parts, *joined.shape[1:]))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of all parts."""
        one = self.layer.compute_output_shape((None, *input_shape[2:]))
        return *input_shape[:2], *one[1:]
