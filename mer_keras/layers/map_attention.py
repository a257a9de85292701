"""Attention within each map by itself, with the map's rows in the part of tokens."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from mer_keras.layers.base import PaperLayer
from mer_keras.layers.tensors import Shape, Tensor, fixed


@keras.saving.register_keras_serializable(package="mer_keras")
class MapAttention(PaperLayer):
    """Each map of values times a map of weights, which are softmax(q k' + q P').

    q, k and v are 1x1 convolutions. Of every map by itself, q and k are matrices, rows by columns;
    the softmax is over all places of their product, and weights and values are multiplied place by
    place, not as matrices. P is constant: P[r, c] = p[r] + p[c], where p[i] is the sine (i even) or
    the cosine (i odd) of 10000^(-floor(i / 2) / side). The authors' four heads of seven maps are
    this layer on 28 maps.

    Shapes: (batch, side, side, channels) -> the same.

    Source: Off-TANet (Zhang et al., PRICAI 2021), the authors' code; initial weights are PyTorch's.

    Raises:
        ValueError: maps aren't square.
    """

    def __init__(self, **kwargs: object) -> None:
        """See the class."""
        super().__init__(**kwargs)

    def build(self, input_shape: Shape) -> None:
        """Create kernel, (channels, 3 channels) of queries, keys and values, and bias.

        Raises:
            ValueError: maps aren't square.
        """
        height, width, channels = (fixed(size) for size in input_shape[1:])
        if height != width:
            raise ValueError(f"{type(self).__name__} takes square maps, not {height}x{width}")
        limit = channels**-0.5
        for name, shape in (("kernel", (channels, 3 * channels)), ("bias", (3 * channels,))):
            uniform = keras.initializers.RandomUniform(-limit, limit)
            setattr(self, name, self.add_weight(name=name, shape=shape, initializer=uniform))

    def call(self, maps: Tensor) -> Tensor:
        """Weigh the values as the class says."""
        side = maps.shape[1]
        joint = ops.matmul(maps, self.kernel) + self.bias  # (batch, side, side, 3 channels)
        queries, keys, values = ops.split(ops.transpose(joint, (0, 3, 1, 2)), 3, axis=1)
        places = ops.convert_to_tensor(place_terms(side), keys.dtype)
        products = ops.matmul(queries, ops.transpose(keys + places, (0, 1, 3, 2)))
        flat = ops.reshape(products, (-1, maps.shape[-1], side * side))
        weights = ops.reshape(ops.softmax(flat, axis=-1), (-1, maps.shape[-1], side, side))
        return ops.transpose(weights * values, (0, 2, 3, 1))

    def multiply_accumulates(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Multiplications with additions for one clip."""
        _, side, _, channels = input_shapes[0]
        return side * side * channels * (3 * channels + side)


def place_terms(side: int) -> NDArray[np.float64]:
    """The constant P of ``MapAttention``, (side, side)."""
    places = np.arange(side)
    angles = 10000.0 ** (-(places // 2) / side)
    terms = np.where(places % 2 == 0, np.sin(angles), np.cos(angles))
    return terms[:, None] + terms
