"""Batch normalisation that can leave out rows which only fill up a batch."""

import keras
from keras import ops

from mer_keras.layers.base import Free
from mer_keras.layers.counted import CountedStatistics, moments, share_of_value
from mer_keras.layers.tensors import Shape, Tensor, check_positive


@keras.saving.register_keras_serializable(package="mer_keras")
class CountedNormalization(Free, CountedStatistics):
    """Batch normalisation of images, over the rows that count.

    Keras' own layer takes statistics over all rows of a batch. Where folds are trained together,
    batches are filled up to one size, and these rows must not count (see ``counted``).

    Shapes: (batch, height, width, channels) -> the same.

    Source: Ioffe and Szegedy, "Batch normalization", ICML 2015; constants and the variance that the
    moving one follows are PyTorch's.

    Args:
        momentum: of the moving statistics, in Keras' sense (PyTorch's is one minus this).
        epsilon: added to the variance.
        unbiased: whether the moving variance follows sums divided by one less than their number, as
            in PyTorch, or by their number, as in Keras. A batch is normalised by the latter.

    Raises:
        ValueError: ``momentum`` or ``epsilon`` is not above 0.
    """

    def __init__(
        self,
        *,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        unbiased: bool = True,
        **kwargs: object,
    ) -> None:
        """See the class."""
        super().__init__(**kwargs)
        check_positive(self, momentum=momentum, epsilon=epsilon)
        self.momentum = momentum
        self.epsilon = epsilon
        self.unbiased = unbiased

    def build(self, input_shape: Shape) -> None:
        """Create gamma, beta and the moving statistics.

        Raises:
            ValueError: the inputs are not images.
        """
        if len(input_shape) != 4:
            raise ValueError(f"{type(self).__name__} takes images, not shape {input_shape}")
        self.add_statistics(input_shape[-1])

    def call(self, images: Tensor, training: bool = False) -> Tensor:
        """Normalise by the batch while training, by the moving statistics otherwise."""
        maps = ops.cast(images, self.statistics_dtype)
        if training and self.trainable:
            share = share_of_value(maps)
            mean, variance = moments(maps, share)
            # Every value that counts has one share, and all shares sum to 1.
            self.follow_counted(mean, variance, 1 / ops.max(share))
        else:
            mean, variance = self.moving_mean, self.moving_variance
        scale = ops.rsqrt(variance + self.epsilon) * self.gamma
        return ops.cast((maps - mean) * scale + self.beta, self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the images."""
        return input_shape

    def follow_counted(self, mean: Tensor, variance: Tensor, values: Tensor) -> None:
        """Let the moving statistics follow those of a batch.

        Args:
            mean: (channels,).
            variance: (channels,), divided by ``values``.
            values: number of values of each channel in the batch.
        """
        if self.unbiased:
            variance = variance * values / ops.maximum(values - 1, 1)
        self.follow(mean, variance)
