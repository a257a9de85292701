"""Attention maps over channels and over positions. Each layer returns its map, in 0..1.

The network says what a map is multiplied with, so that the maps can be looked at: they are outputs
of named layers. Layers take images (batch, height, width, channels) and, but for
``MicroAttention``, clips (batch, time, height, width, channels).
"""

import math
from collections.abc import Sequence

import keras
from keras import ops

from mer_keras.layers.base import Free, PaperLayer, Unmasked
from mer_keras.layers.tensors import Shape, Tensor, check_positive, fixed


@keras.saving.register_keras_serializable(package="mer_keras")
class ChannelAttention(PaperLayer):
    """One weight a channel, from its mean and its maximum over all positions.

    M = sigmoid(network(mean) + network(maximum)), where ``network`` is two dense layers with
    ``activation`` between them. On one value a channel, a 1x1x1 convolution and a dense layer are
    the same.

    Shapes: (batch, ..., channels) -> (batch, 1, ..., channels), as many ones as positions have
    axes.

    Source: MERANet, equations 6-8; dense connections and mixed attention, equation 5.

    Args:
        reduction: channels per hidden unit; at least one unit.
        activation: of the hidden layer.
        negative_slope: of ``leaky_relu``; None: Keras' 0.2.
        use_bias: whether both layers have a bias.
        shared: whether mean and maximum go through the same weights.

    Raises:
        ValueError: ``reduction`` is not above 0.
    """

    def __init__(
        self,
        reduction: int = 8,
        *,
        activation: str = "relu",
        negative_slope: float | None = None,
        use_bias: bool = False,
        shared: bool = True,
        **kwargs: object,
    ) -> None:
        """See the class."""
        super().__init__(**kwargs)
        check_positive(self, reduction=reduction)
        self.reduction = reduction
        self.activation = activation
        self.negative_slope = negative_slope
        self.use_bias = use_bias
        self.shared = shared

    def build(self, input_shape: Shape) -> None:
        """Create the two layers, once or for each descriptor."""
        channels = fixed(input_shape[-1])
        hidden = max(channels // self.reduction, 1)
        self.networks = []
        for suffix in ("",) if self.shared else ("_mean", "_maximum"):
            squeeze = keras.layers.Dense(
                hidden,
                use_bias=self.use_bias,
                dtype=self.dtype_policy,
                name=f"squeeze{suffix}",
            )
            expand = keras.layers.Dense(
                channels,
                use_bias=self.use_bias,
                dtype=self.dtype_policy,
                name=f"expand{suffix}",
            )
            squeeze.build((None, channels))
            expand.build((None, hidden))
            self.networks.append([squeeze, expand])

    def call(self, features: Tensor) -> Tensor:
        """Weigh the channels as the class says."""
        axes = tuple(range(1, len(features.shape) - 1))
        mean = ops.mean(features, axis=axes, keepdims=True)  # (batch, 1, ..., channels)
        maximum = ops.max(features, axis=axes, keepdims=True)  # (batch, 1, ..., channels)
        total = 0
        for network, descriptor in zip(
            (self.networks[0], self.networks[-1]), (mean, maximum), strict=True
        ):
            squeeze, expand = network
            total = total + expand(self._activate(squeeze(descriptor)))
        return ops.sigmoid(total)

    def _activate(self, hidden: Tensor) -> Tensor:
        """Apply the activation of the hidden layer."""
        options = {} if self.negative_slope is None else {"negative_slope": self.negative_slope}
        return keras.activations.get(self.activation)(hidden, **options)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the weights."""
        return input_shape[0], *(1 for _ in input_shape[1:-1]), input_shape[-1]

    def multiply_accumulates(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Multiplications with additions for one clip."""
        channels = input_shapes[0][-1]
        return 4 * channels * max(channels // self.reduction, 1)


@keras.saving.register_keras_serializable(package="mer_keras")
class SpatialAttention(PaperLayer):
    """One weight a position, from the mean and the maximum over its channels.

    M = sigmoid(W * [mean, maximum]), where * is a convolution with one filter. On clips, time is an
    axis of the positions: the map is spatio-temporal.

    Shapes: (batch, ..., channels) -> (batch, ..., 1).

    Source: MERANet, equations 1-4 (5x5x5, "same"); dense connections and mixed attention,
    equation 7 (5x5).

    Args:
        kernel_size: edge of the square or cubic kernel.
        use_bias: whether the convolution has a bias.

    Raises:
        ValueError: ``kernel_size`` is not above 0.
    """

    def __init__(self, kernel_size: int = 5, *, use_bias: bool = False, **kwargs: object) -> None:
        """See the class."""
        super().__init__(**kwargs)
        check_positive(self, kernel_size=kernel_size)
        self.kernel_size = kernel_size
        self.use_bias = use_bias

    def build(self, input_shape: Shape) -> None:
        """Create the convolution."""
        layer = keras.layers.Conv2D if len(input_shape) == 4 else keras.layers.Conv3D
        self.convolution = layer(
            1,
            self.kernel_size,
            padding="same",
            activation="sigmoid",
            use_bias=self.use_bias,
            dtype=self.dtype_policy,
            name="convolution",
        )
        self.convolution.build((*input_shape[:-1], 2))

    def call(self, features: Tensor) -> Tensor:
        """Weigh the positions as the class says."""
        mean = ops.mean(features, axis=-1, keepdims=True)  # (batch, ..., 1)
        maximum = ops.max(features, axis=-1, keepdims=True)  # (batch, ..., 1)
        return self.convolution(ops.concatenate([mean, maximum], axis=-1))  # (batch, ..., 1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the map."""
        return *input_shape[:-1], 1

    def multiply_accumulates(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Multiplications with additions for one clip."""
        positions = input_shapes[0][1:-1]
        return math.prod(positions) * 2 * self.kernel_size ** len(positions)


@keras.saving.register_keras_serializable(package="mer_keras")
class MicroAttention(PaperLayer):
    """One weight a position, from the features of a residual block at three scales.

    The scales are concatenated, a 1x1 convolution without bias maps them to as many channels as
    the block has, and these are averaged and go through an activation.

    An average of the filters' outputs is the output of their average, so that the convolution is
    computed with one filter instead of C: the same function with the same gradients at a C-th of
    the cost (tested). It also means that the 3 C^2 parameters of the unit act as 3 C.

    Shapes: three of (batch, height, width, channels) -> (batch, height, width, 1).

    Source: Micro-attention, equation 1. The sigmoid is not in the equation, but in the authors'
    network definition.

    Args:
        activation: of the map; ``linear`` is the equation as printed.
    """

    def __init__(self, *, activation: str = "sigmoid", **kwargs: object) -> None:
        """See the class."""
        super().__init__(**kwargs)
        self.activation = activation

    def build(self, input_shape: Sequence[Shape]) -> None:
        """Create the kernel: (3 channels, channels), as the equation has it."""
        channels = [fixed(shape[-1]) for shape in input_shape]
        self.kernel = self.add_weight(name="kernel", shape=(sum(channels), channels[-1]))

    def call(self, scales: Sequence[Tensor]) -> Tensor:
        """Weigh the positions as the class says."""
        filter_mean = ops.mean(self.kernel, axis=1, keepdims=True)  # (3 channels, 1)
        total, start = 0, 0
        for features in scales:
            stop = start + features.shape[-1]
            total = total + ops.matmul(features, filter_mean[start:stop])
            start = stop
        return keras.activations.get(self.activation)(total)  # (batch, height, width, 1)

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """Shape of the map."""
        return *input_shape[0][:-1], 1

    def multiply_accumulates(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Multiplications with additions for one image as the equation has it, all filters."""
        _, height, width, _ = input_shapes[0]
        return height * width * math.prod(self.kernel.shape)


@keras.saving.register_keras_serializable(package="mer_keras")
class ChannelMean(Free, Unmasked, keras.layers.Layer):
    """One weight a position: the mean of its channels through a sigmoid.

    Shapes: (batch, ..., channels) -> (batch, ..., 1).

    Source: Micro-attention, the unit that it is compared with ("complex attention"), as inferred
    from the parameter count.
    """

    def call(self, features: Tensor) -> Tensor:
        """Average as the class says."""
        return ops.sigmoid(ops.mean(features, axis=-1, keepdims=True))
