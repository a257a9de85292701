"""Batch normalisation that reads its maps less often."""

import keras
from keras import ops

from mer_keras.layers.counted import row_weights
from mer_keras.layers.counted_norm import CountedNormalization
from mer_keras.layers.fast.processor import on_tensorflow
from mer_keras.layers.fast.registration import check_common, fast_form_of
from mer_keras.layers.tensors import Tensor


@fast_form_of(keras.layers.BatchNormalization)
class FastBatchNormalization(keras.layers.BatchNormalization):
    """Keras' ``BatchNormalization`` of the last axis as one operation of TensorFlow.

    Keras computes mean, variance and result of a batch in a dozen operations, each of which reads
    the maps. With TensorFlow on a processor one operation does it here, on images and clips in a
    half to a sixth of the time.

    Shapes: (batch, ..., channels) -> the same.

    Source: Ioffe and Szegedy, "Batch normalization", ICML 2015.

    Args:
        momentum: of the moving statistics.
        epsilon: added to the variance.
        **common: ``name``, ``trainable`` and ``dtype``, as every layer takes them.

    Raises:
        TypeError: another setting of Keras' layer.
    """

    def __init__(self, momentum: float = 0.99, epsilon: float = 1e-3, **common: object) -> None:
        """See the class."""
        check_common(self, common)
        super().__init__(momentum=momentum, epsilon=epsilon, **common)

    def call(
        self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Normalise by the batch while training, by the moving statistics otherwise."""
        one_operation = on_tensorflow() and len(inputs.shape) > 3 and inputs.dtype != "float64"
        if not (one_operation and training and self.trainable and mask is None):
            return super().call(inputs, training=training, mask=mask)
        maps = ops.cast(inputs, "float32")
        images = ops.reshape(maps, (-1, *ops.shape(maps)[-3:]))  # a clip's frames become images
        normalised, mean, variance = normalise_at_once(images, self.gamma, self.beta, self.epsilon)
        self.follow(mean, variance, ops.size(maps) // maps.shape[-1])
        return ops.cast(ops.reshape(normalised, ops.shape(maps)), self.compute_dtype)

    def follow(self, mean: Tensor, variance: Tensor, positions: Tensor) -> None:
        """Let the moving statistics follow those of a batch.

        Args:
            mean: (channels,).
            variance: (channels,), divided by ``positions - 1`` as TensorFlow has it; Keras, and the
                moving variance with it, divides by ``positions``.
            positions: number of values of each channel in the batch.
        """
        positions = ops.cast(positions, "float32")
        variance = variance * (positions - 1) / positions
        for moving, current in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + current * (1 - self.momentum))

    def get_config(self) -> dict[str, object]:
        """Arguments of the layer."""
        own = {"momentum": self.momentum, "epsilon": self.epsilon}
        return {**keras.layers.Layer.get_config(self), **own}


@fast_form_of(CountedNormalization)
class FastCountedNormalization(CountedNormalization):
    """``CountedNormalization`` as one operation of TensorFlow where all rows count.

    Shapes and arguments: as ``CountedNormalization``, which runs on other backends than TensorFlow
    and where rows only fill up a batch.
    """

    def call(self, images: Tensor, training: bool = False) -> Tensor:
        """Normalise by the batch while training, by the moving statistics otherwise."""
        one_operation = on_tensorflow() and row_weights() is None and images.dtype != "float64"
        if not (one_operation and training and self.trainable):
            return super().call(images, training=training)
        maps = ops.cast(images, "float32")
        normalised, mean, variance = normalise_at_once(maps, self.gamma, self.beta, self.epsilon)
        values = ops.cast(ops.size(maps) // maps.shape[-1], "float32")
        self.follow_counted(mean, variance * (values - 1) / values, values)
        return ops.cast(normalised, self.compute_dtype)


def normalise_at_once(
    images: Tensor, gamma: Tensor, beta: Tensor, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise images by their own statistics in one operation of TensorFlow.

    Args:
        images: (batch, height, width, channels) float32.
        gamma: (channels,) scale.
        beta: (channels,) shift.
        epsilon: added to the variance.

    Returns:
        The normalised images; the mean, (channels,); the variance, (channels,), divided by one less
        than the number of values.
    """
    import tensorflow as tf

    normalised, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=images,
        scale=ops.cast(gamma, "float32"),
        offset=ops.cast(beta, "float32"),
        mean=[],
        variance=[],
        epsilon=epsilon,
        is_training=True,
    )
    return normalised, mean, variance
