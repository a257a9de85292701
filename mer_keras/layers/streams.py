"""Convolution, ReLU, batch normalisation and max-pooling as one layer that stays in the cache."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import keras
from keras import ops

WINDOW = 3


@keras.saving.register_keras_serializable(package="mer_keras")
class ConvNormPool(keras.layers.Layer):
    """3x3 convolution (padding 2) -> ReLU -> batch norm -> 3x3 max-pool (stride 3, padding 1).

    The same function as those four layers one after the other (tested), several times faster on a
    CPU, where a small network is bound by memory and not by arithmetic:

    - The convolution is computed in the nine phases of the pooling window, each a convolution
      with stride 3. So the full-size map, the largest tensor of the network by far, never exists.
    - Normalisation is an increasing function of its input where ``gamma`` is not negative and a
      decreasing one elsewhere, so that it commutes with pooling if the largest or the smallest
      value of a window is taken. Only the pooled map, a ninth, is normalised. The statistics are
      those of the full map, the last row and column included, which no window reaches.

    Parallel branches with this form on one input are one such layer whose filters are theirs side
    by side, since each filter is normalised and pooled by itself.

    Shapes: (batch, height, width, channels) -> (batch, (height + 2) // 3, (width + 2) // 3,
    filters), for sizes of the form 3 n + 1.

    Args:
        filters: number of output channels.
        momentum: of the moving statistics, in Keras' sense (PyTorch's is one minus this).
        epsilon: added to the variance.
    """

    def __init__(
        self, filters: int, *, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs: Any
    ) -> None:
        """See the class."""
        super().__init__(**kwargs)
        self.filters = filters
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create kernel, bias, gamma, beta and the moving statistics.

        Kernel and bias start uniform in +-1/sqrt(fan in), which is PyTorch's default.

        Raises:
            ValueError: height or width is not of the form 3 n + 1.
        """
        height, width, channels = (int(size or 0) for size in input_shape[1:])
        if height % WINDOW != 1 or width % WINDOW != 1:
            raise ValueError(
                f"{type(self).__name__} takes sizes of the form 3 n + 1, found {height}x{width}"
            )
        limit = (WINDOW * WINDOW * channels) ** -0.5

        def uniform() -> keras.Initializer:
            return keras.initializers.RandomUniform(-limit, limit)

        shape = (WINDOW, WINDOW, channels, self.filters)
        one = (self.filters,)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=uniform())
        self.bias = self.add_weight(name="bias", shape=one, initializer=uniform())
        self.gamma = self.add_weight(name="gamma", shape=one, initializer="ones")
        self.beta = self.add_weight(name="beta", shape=one, initializer="zeros")
        self.moving_mean = self.add_weight(
            name="moving_mean", shape=one, initializer="zeros", trainable=False
        )
        self.moving_variance = self.add_weight(
            name="moving_variance", shape=one, initializer="ones", trainable=False
        )

    def call(self, images: Any, training: bool = False) -> Any:
        """Map images as the class says; batch statistics are used and tracked in training only."""
        phases = self._phases(images)
        windows = _in_windows(phases)
        pooled = ops.cond(
            ops.all(self.gamma >= 0),
            lambda: reduce(ops.maximum, windows),
            lambda: ops.where(
                self.gamma >= 0, reduce(ops.maximum, windows), reduce(ops.minimum, windows)
            ),
        )
        mean, variance = self.moving_mean, self.moving_variance
        if training:
            mean, variance = self._statistics(phases)
            for kept, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
                kept.assign(kept * self.momentum + now * (1 - self.momentum))
        return (pooled - mean) * self.gamma * ops.rsqrt(variance + self.epsilon) + self.beta

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of the pooled map."""
        height, width = (None if n is None else (n + 2) // WINDOW for n in input_shape[1:3])
        return input_shape[0], height, width, self.filters

    def multiply_accumulates(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Multiplications and additions for one image, of the whole map."""
        _, height, width, channels = input_shapes[0]
        return (height + 2) * (width + 2) * WINDOW * WINDOW * channels * self.filters

    def get_config(self) -> dict[str, Any]:
        """Arguments of the layer."""
        own = {"filters": self.filters, "momentum": self.momentum, "epsilon": self.epsilon}
        return {**super().get_config(), **own}

    def _phases(self, images: Any) -> list[list[Any]]:
        """Rectified map at rows 3 i + r and columns 3 j + c, for r and c in 0, 1, 2."""
        padded = ops.pad(images, [[0, 0], [2, 2], [2, 2], [0, 0]])
        rows, columns = padded.shape[1] // WINDOW, padded.shape[2] // WINDOW
        channels = images.shape[-1]
        kernel = ops.reshape(self.kernel, (-1, self.filters))

        def phase(r: int, c: int) -> Any:
            part = padded[:, r : r + rows * WINDOW, c : c + columns * WINDOW]
            tiles = ops.reshape(part, (-1, rows, WINDOW, columns, WINDOW, channels))
            patches = ops.reshape(
                ops.transpose(tiles, (0, 1, 3, 2, 4, 5)),
                (-1, rows, columns, WINDOW * WINDOW * channels),
            )
            return ops.relu(ops.matmul(patches, kernel) + self.bias)

        return [[phase(r, c) for c in range(WINDOW)] for r in range(WINDOW)]

    def _statistics(self, phases: list[list[Any]]) -> tuple[Any, Any]:
        """Mean and variance of each filter over the batch and the full map."""
        maps = [phase for row in phases for phase in row]
        mean = sum(ops.mean(phase, axis=(0, 1, 2)) for phase in maps) / len(maps)
        square = sum(ops.mean(phase * phase, axis=(0, 1, 2)) for phase in maps) / len(maps)
        return mean, ops.maximum(square - mean * mean, 0.0)


def _in_windows(phases: list[list[Any]]) -> list[Any]:
    """The nine values of each pooling window, from the nine phases of the map.

    Windows begin at row and column -1, so that phase 2 belongs to the next window. In the first
    window, its place is outside the map and taken by a neighbour, which changes no extreme.
    """
    rows = [list(row) for row in phases]
    rows[2] = [
        ops.concatenate([first[:, :1], last[:, :-1]], axis=1)
        for first, last in zip(rows[0], rows[2], strict=True)
    ]
    for row in rows:
        row[2] = ops.concatenate([row[0][:, :, :1], row[2][:, :, :-1]], axis=2)
    return [value for row in rows for value in row]
