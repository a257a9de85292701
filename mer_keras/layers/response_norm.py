"""Local response normalisation, which AlexNet has behind its first convolutions."""

import keras
from keras import ops

from mer_keras.layers.base import Free, PaperLayer
from mer_keras.layers.tensors import Shape, Tensor, check_positive


@keras.saving.register_keras_serializable(package="mer_keras")
class LocalResponseNorm(Free, PaperLayer):
    """Each value divided by (offset + alpha times the sum of squares of its neighbours)^beta.

    Neighbours are ``width`` channels around its own at the same place; channels that don't exist
    count as 0.

    Shapes: (batch, ..., channels) -> the same.

    Source: Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural
    networks", NIPS 2012, section 3.3, whose constants are the defaults. Caffe divides ``alpha`` by
    the number of neighbours.

    Args:
        width: number of channels, an odd one.
        offset: added to the sum, k in the paper.
        alpha: what the sum of squares is multiplied with.
        beta: exponent.

    Raises:
        ValueError: an argument is not above 0.
    """

    def __init__(
        self,
        width: int = 5,
        *,
        offset: float = 2.0,
        alpha: float = 1e-4,
        beta: float = 0.75,
        **kwargs: object,
    ) -> None:
        """See the class."""
        super().__init__(**kwargs)
        check_positive(self, width=width, offset=offset, alpha=alpha, beta=beta)
        self.width = width
        self.offset = offset
        self.alpha = alpha
        self.beta = beta

    def call(self, maps: Tensor) -> Tensor:
        """Divide as the class says, in float32 or more."""
        return divide_by_neighbours(
            maps, width=self.width, offset=self.offset, alpha=self.alpha, beta=self.beta
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the maps."""
        return input_shape


def divide_by_neighbours(
    maps: Tensor, *, width: int, offset: float, alpha: float, beta: float
) -> Tensor:
    """Divide maps, (batch, ..., channels), as ``LocalResponseNorm`` says, with its arguments."""
    precise = ops.cast(maps, keras.backend.result_type(maps.dtype, "float32"))
    channels, half = maps.shape[-1], width // 2
    around = [[0, 0]] * (len(maps.shape) - 1) + [[half, half]]
    squares = ops.pad(ops.square(precise), around)
    total = sum(squares[..., first : first + channels] for first in range(width))
    # The base is above 0, so that its power is an exponential, which all backends have.
    divisor = ops.exp(beta * ops.log(offset + alpha * total))
    return ops.cast(precise / divisor, maps.dtype)
