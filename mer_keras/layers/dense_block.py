"""A block of densely connected convolutions."""

import math
from collections.abc import Sequence

import keras
from keras import ops

from mer_keras.layers.base import PaperLayer
from mer_keras.layers.tensors import Shape, Tensor, check_positive, fixed


@keras.saving.register_keras_serializable(package="mer_keras")
class DenseBlock(PaperLayer):
    """Layers of which each reads the block's input and the outputs of all layers before it.

    Equation 4: x_l = BN(ReLU(W_l * [x_0, x_1, ..., x_(l-1)] + b_l)), where * is a convolution of
    stride 1 with padding ``same`` and x_0 the block's input.

    Shapes: (batch, height, width, channels) -> (batch, height, width, depth * growth), the outputs
    x_1, ..., x_depth side by side; x_0 is not among them.

    Source: Gan et al., "Transfer-learning enabled micro-expression recognition using dense
    connections and mixed attention", equation 4; Huang et al., "Densely connected convolutional
    networks", CVPR 2017.

    Args:
        depth: number of layers.
        growth: filters of each.
        kernel_size: edge of the kernels.
        momentum: of the normalisations' moving statistics.
        epsilon: of the normalisations.

    Raises:
        ValueError: a size is not above 0.
    """

    #: Class of the normalisations; takes ``momentum`` and ``epsilon``.
    norm_layer = keras.layers.BatchNormalization

    def __init__(
        self,
        depth: int,
        growth: int,
        kernel_size: int,
        *,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        **kwargs: object,
    ) -> None:
        """See the class."""
        super().__init__(**kwargs)
        check_positive(self, depth=depth, growth=growth, kernel_size=kernel_size)
        self.depth = depth
        self.growth = growth
        self.kernel_size = kernel_size
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, input_shape: Shape) -> None:
        """Create a convolution and a normalisation for each layer."""
        *positions, channels = input_shape
        self.steps = []
        for index in range(self.depth):
            convolution = keras.layers.Conv2D(
                self.growth,
                self.kernel_size,
                padding="same",
                data_format="channels_last",
                activation="relu",
                dtype=self.dtype_policy,
                name=f"layer{index + 1}",
            )
            norm = self.norm_layer(
                momentum=self.momentum,
                epsilon=self.epsilon,
                dtype=self.dtype_policy,
                name=f"layer{index + 1}_norm",
            )
            convolution.build((*positions, fixed(channels) + index * self.growth))
            norm.build((*positions, self.growth))
            self.steps.append([convolution, norm])

    def call(self, features: Tensor, training: bool | None = None) -> Tensor:
        """Run through the layers as the class says."""
        outputs: list[Tensor] = []
        for convolution, norm in self.steps:
            seen = ops.concatenate([features, *outputs], axis=-1)
            outputs.append(norm(convolution(seen), training=training))
        return ops.concatenate(outputs, axis=-1)  # (batch, height, width, depth * growth)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the layers' outputs side by side."""
        return *input_shape[:-1], self.depth * self.growth

    def multiply_accumulates(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Multiplications with additions for one image."""
        positions = math.prod(input_shapes[0][1:3])
        return positions * sum(math.prod(convolution.kernel.shape) for convolution, _ in self.steps)

    def kept_values(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Values that a training step keeps of one image.

        They are the maps before and after each normalisation, and what each layer but the first
        reads.
        """
        _, height, width, channels = input_shapes[0]
        seen = sum(channels + index * self.growth for index in range(1, self.depth))
        return height * width * (seen + 2 * self.depth * self.growth)
