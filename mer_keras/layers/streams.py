"""A stream of STSTNet: convolution, ReLU, batch normalisation and max-pooling."""

from collections.abc import Sequence

import keras
from keras import ops

from mer_keras.layers.counted import CountedStatistics, moments, share_of_value
from mer_keras.layers.tensors import Shape, Tensor, check_positive, fixed

#: Edge of the convolution's kernel, and of the pooling's window and its stride.
WINDOW = 3


@keras.saving.register_keras_serializable(package="mer_keras")
class ConvNormPool(CountedStatistics):
    """3x3 convolution (padding 2) -> ReLU -> batch norm -> 3x3 max-pool (stride 3, padding 1).

    Parallel streams of this form that read one input are one such layer whose filters are theirs
    side by side, since each filter is normalised and pooled by itself. Rows that only fill up a
    batch can be left out of the statistics (see ``counted``), which Keras' own layer can't do.

    Shapes: (batch, height, width, channels) -> (batch, (height + 2) / 3, (width + 2) / 3, filters),
    rounded down; height and width of the form 3 n + 1.

    Source: Liong et al., "Shallow triple stream three-dimensional CNN", FG 2019, figure 2; the
    constants and initial weights are those of the authors' PyTorch code.

    Args:
        filters: number of output channels.
        momentum: of the moving statistics, in Keras' sense (PyTorch's is one minus this).
        epsilon: added to the variance.

    Raises:
        ValueError: an argument is not above 0.
    """

    def __init__(
        self, filters: int, *, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs: object
    ) -> None:
        """See the class."""
        super().__init__(**kwargs)
        check_positive(self, filters=filters, momentum=momentum, epsilon=epsilon)
        self.filters = filters
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, input_shape: Shape) -> None:
        """Create kernel, bias, gamma, beta and the moving statistics.

        Kernel and bias start uniform in +-1/sqrt(fan in), which is PyTorch's default.

        Raises:
            ValueError: height or width is not of the form 3 n + 1.
        """
        height, width, channels = (fixed(size) for size in input_shape[1:])
        if height % WINDOW != 1 or width % WINDOW != 1:
            raise ValueError(
                f"{type(self).__name__} takes sizes of the form 3 n + 1, not {height}x{width}"
            )
        limit = (WINDOW * WINDOW * channels) ** -0.5

        def uniform() -> keras.Initializer:
            return keras.initializers.RandomUniform(-limit, limit)

        kernel_shape, per_filter = (WINDOW, WINDOW, channels, self.filters), (self.filters,)
        self.kernel = self.add_weight(name="kernel", shape=kernel_shape, initializer=uniform())
        self.bias = self.add_weight(name="bias", shape=per_filter, initializer=uniform())
        self.add_statistics(self.filters)

    def call(self, images: Tensor, training: bool = False) -> Tensor:
        """Normalise by the batch while training, by the moving statistics otherwise.

        Frozen (``trainable`` false), it normalises by the moving statistics in training too, as
        Keras' ``BatchNormalization`` does.
        """
        # (batch, height + 2, width + 2, filters)
        maps = ops.relu(self.convolve(images) + ops.cast(self.bias, self.statistics_dtype))
        if training and self.trainable:
            share = share_of_value(maps)
            mean, variance = moments(maps, share)
            self.follow(mean, variance)
        else:
            mean, variance = self.moving_mean, self.moving_variance
        normalised = (maps - mean) * ops.rsqrt(variance + self.epsilon) * self.gamma + self.beta
        padded = pad_in_front(normalised, 1, 1, float("-inf"))
        # (batch, (height + 2) / 3, (width + 2) / 3, filters)
        pooled = ops.max_pool(padded, WINDOW, strides=WINDOW, padding="valid")
        return ops.cast(pooled, self.compute_dtype)

    def convolve(self, images: Tensor) -> Tensor:
        """Return sums before the bias, (batch, height + 2, width + 2, filters)."""
        padded = ops.pad(images, [[0, 0], [2, 2], [2, 2], [0, 0]])
        sums = ops.conv(padded, self.kernel, padding="valid")
        return ops.cast(sums, self.statistics_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the pooled map."""
        height, width = (
            None if side is None else (side + 2) // WINDOW for side in input_shape[1:3]
        )
        return input_shape[0], height, width, self.filters

    def multiply_accumulates(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Multiplications with additions for one image, of the whole map."""
        _, height, width, channels = input_shapes[0]
        return (height + 2) * (width + 2) * WINDOW * WINDOW * channels * self.filters


def pad_in_front(maps: Tensor, rows: int, columns: int, value: float) -> Tensor:
    """Put rows of a value above maps, (batch, height, width, filters), and columns to their left.

    ``ops.pad`` does the same, except within the ``vectorized_map`` of TensorFlow 2.21, which pads
    with 0 instead of the value.
    """
    batch, (height, width, filters) = ops.shape(maps)[0], maps.shape[1:]
    if columns:
        left = ops.full((batch, height, columns, filters), value, maps.dtype)
        maps = ops.concatenate([left, maps], axis=2)
    if rows:
        above = ops.full((batch, rows, columns + width, filters), value, maps.dtype)
        maps = ops.concatenate([above, maps], axis=1)
    return maps
