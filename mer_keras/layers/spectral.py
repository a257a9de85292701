"""A convolution that is divided by its largest singular value."""

import math
from collections.abc import Mapping, MutableMapping, Sequence

import keras
from keras import ops

from mer_keras.layers.base import Unmasked
from mer_keras.layers.tensors import Shape, Tensor

#: Least length that a vector is divided by.
_LEAST = 1e-12


@keras.saving.register_keras_serializable(package="mer_keras")
class SpectralConv2D(Unmasked, keras.layers.Conv2D):
    """A convolution of images whose kernel is divided by its largest singular value.

    The kernel counts as a matrix of its filters by all that a filter reads. A vector is kept that
    comes closer to the matrix' first singular vector with each step of training, in which it takes
    one step of power iteration, unless the layer is frozen. The division has a gradient, the vector
    has none. Keras' own ``SpectralNormalization`` overwrites the kernel instead.

    Shapes: (batch, height, width, channels) -> (batch, height', width', filters).

    Source: Miyato et al., "Spectral normalization for generative adversarial networks", ICLR 2018,
    algorithm 1, as PyTorch computes it.

    Args: those of Keras' layer.
    """

    def build(self, input_shape: Shape) -> None:
        """Create kernel, bias and the vector."""
        super().build(input_shape)
        self.direction = self.add_weight(
            name="direction",
            shape=(self.filters,),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=False,
        )

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Convolve with the divided kernel."""
        matrix = ops.reshape(self.kernel, (-1, self.filters))  # (values that are read, filters)
        still = ops.stop_gradient(matrix)
        left = _unit(ops.convert_to_tensor(self.direction))
        right = _unit(ops.matmul(still, left))
        if training and self.trainable:
            left = _unit(ops.matmul(right, still))
            self.direction.assign(ops.cast(left, self.direction.dtype))
        left = ops.cast(ops.stop_gradient(left), matrix.dtype)
        largest = ops.sum(ops.matmul(ops.stop_gradient(right), matrix) * left)
        outputs = self.convolution_op(inputs, self.kernel / largest)
        if self.use_bias:
            outputs = outputs + self.bias
        return outputs if self.activation is None else self.activation(outputs)

    def save_own_variables(self, store: MutableMapping[str, Tensor]) -> None:
        """Store all variables; Keras' convolution would leave the vector out."""
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: Mapping[str, Tensor]) -> None:
        """Load all variables."""
        keras.layers.Layer.load_own_variables(self, store)

    def multiply_accumulates(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Multiplications with additions for one image, without those of the division."""
        output = self.compute_output_shape(input_shapes[0])
        return math.prod(output[1:-1]) * math.prod(self.kernel.shape)


def _unit(vector: Tensor) -> Tensor:
    """A vector brought to length 1."""
    return vector / ops.sqrt(ops.maximum(ops.sum(ops.square(vector)), _LEAST))
