"""Attention without weights of its own: softmax of products, under a mask where one is given."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from mer_keras.layers.base import PaperLayer
from mer_keras.layers.tensors import Shape, Tensor, check_positive


@keras.saving.register_keras_serializable(package="mer_keras")
class HeadProducts(PaperLayer):
    """Values weighed by softmax(scale q k), head by head; on a 2x2 grid, under CausalNet's mask.

    With ``gamma``, queries and keys are the four positions of a 2x2 grid. M is 1 where two of them
    are at most 1 apart and 0 for the two diagonals; P is -(j + 1) gamma for a query on the diagonal
    of key j, counted from 0, and 0 elsewhere. Weights are softmax(scale (q k) M + P) M: keys on the
    diagonal take their part of the softmax and give nothing, so that rows don't sum to 1.

    Shapes: a list of queries (batch, ..., queries, width), keys (batch, ..., keys, width) and
    values of the same shape as keys -> (batch, ..., queries, width).

    Source: CausalNet (Zhang et al., ICCV 2025), the authors' code. Its positions are channels that
    were reshaped, four in turn, so that mask and distances have no meaning in the image.

    Args:
        heads: number of heads; they divide the width.
        scale: what products are multiplied with.
        gamma: strength of the mask's bias; null: no mask.

    Raises:
        ValueError: ``heads`` or ``scale`` is not above 0.
    """

    def __init__(
        self, heads: int, scale: float, gamma: float | None = None, **kwargs: object
    ) -> None:
        """See the class."""
        super().__init__(**kwargs)
        check_positive(self, heads=heads, scale=scale)
        self.heads = heads
        self.scale = scale
        self.gamma = gamma

    def build(self, input_shape: Sequence[Shape]) -> None:
        """Check widths and, under a mask, the number of positions.

        Raises:
            ValueError: the heads don't divide the width, or there are not four positions.
        """
        queries, keys = input_shape[0], input_shape[1]
        if queries[-1] is None or queries[-1] % self.heads:
            raise ValueError(f"{self.heads} heads don't divide a width of {queries[-1]}")
        if self.gamma is not None and (queries[-2], keys[-2]) != (4, 4):
            raise ValueError(f"a mask is for 4 positions, found {queries[-2]} and {keys[-2]}")

    def call(self, queries_keys_values: Sequence[Tensor]) -> Tensor:
        """Attend as the class says."""
        queries, keys, values = (self._heads(tensor) for tensor in queries_keys_values)
        axes = (*range(len(keys.shape) - 2), len(keys.shape) - 1, len(keys.shape) - 2)
        scores = ops.matmul(queries, ops.transpose(keys, axes)) * self.scale
        if self.gamma is None:
            weights = ops.softmax(scores, axis=-1)
        else:
            mask, bias = (
                ops.convert_to_tensor(matrix, scores.dtype) for matrix in diagonal_mask(self.gamma)
            )
            weights = ops.softmax(scores * mask + bias, axis=-1) * mask
        sums = ops.matmul(weights, values)  # (batch, ..., heads, queries, width / heads)
        rank = len(sums.shape)
        sums = ops.transpose(sums, (*range(rank - 3), rank - 2, rank - 3, rank - 1))
        return ops.reshape(sums, (-1, *queries_keys_values[0].shape[1:]))

    def _heads(self, tensor: Tensor) -> Tensor:
        """(batch, ..., positions, width) -> (batch, ..., heads, positions, width / heads)."""
        sizes, width = tensor.shape[1:-1], tensor.shape[-1]
        parts = ops.reshape(tensor, (-1, *sizes, self.heads, width // self.heads))
        rank = len(parts.shape)
        return ops.transpose(parts, (*range(rank - 3), rank - 2, rank - 3, rank - 1))

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """Shape of the queries."""
        return input_shape[0]

    def multiply_accumulates(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Multiplications with additions for one clip."""
        queries, keys = input_shapes[0], input_shapes[1]
        return 2 * int(np.prod(queries[1:])) * keys[-2]


def diagonal_mask(gamma: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mask M and the bias P of ``HeadProducts``, (4, 4) each, queries in rows."""
    places = np.array([(row, column) for row in (0, 1) for column in (0, 1)])
    distances = np.linalg.norm(places[:, None] - places[None], axis=-1)
    mask = (distances <= 1).astype("float64")
    bias = -gamma * np.arange(1, 5) * (1 - mask)
    return mask, bias
