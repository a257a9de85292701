"""Which rows of a batch count, where a batch is filled up to a fixed size."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
from keras import ops

from mer_keras.layers.base import PaperLayer
from mer_keras.layers.tensors import Tensor, fixed

_WEIGHTS: list[Tensor] = []


@contextmanager
def counted_rows(weights: Tensor) -> Iterator[None]:
    """Within, layers with statistics over the batch take them over the rows of weight 1 only.

    A row that fills up a batch, or that is held out, would else reach the others through the mean
    and the variance, whatever its weight in the loss.

    Args:
        weights: (batch,) of 0 and 1, at least one 1.
    """
    _WEIGHTS.append(weights)
    try:
        yield
    finally:
        _WEIGHTS.pop()


def row_weights() -> Tensor:
    """Weights of the innermost ``counted_rows``, or ``None``: all rows count."""
    return _WEIGHTS[-1] if _WEIGHTS else None


def share_of_value(maps: Tensor) -> Tensor:
    """Share that one value of each row has in means over batch, height and width.

    Args:
        maps: (batch, height, width, filters).

    Returns:
        (batch, 1, 1, 1); shares of all values of one filter sum to 1.
    """
    weights = row_weights()
    if weights is None:
        weights = ops.ones_like(maps[:, 0, 0, 0])
    weights = ops.cast(weights, maps.dtype)
    shares = weights / (ops.sum(weights) * (maps.shape[1] * maps.shape[2]))
    return ops.reshape(shares, (-1, 1, 1, 1))


class CountedStatistics(PaperLayer):
    """A layer that normalises maps over the rows of a batch that count.

    Its layer keeps ``momentum``, that of the moving statistics.
    """

    momentum: float

    def add_statistics(self, channels: int | None) -> None:
        """Create gamma, beta and the moving statistics, (channels,) each."""
        # What normalises stays in the format of the weights, as half precision is too coarse.
        common = {"shape": (fixed(channels),), "autocast": False}
        self.gamma = self.add_weight(name="gamma", initializer="ones", **common)
        self.beta = self.add_weight(name="beta", initializer="zeros", **common)
        statistics = {**common, "trainable": False}
        self.moving_mean = self.add_weight(name="moving_mean", initializer="zeros", **statistics)
        self.moving_variance = self.add_weight(
            name="moving_variance", initializer="ones", **statistics
        )

    @property
    def statistics_dtype(self) -> str:
        """Format of numbers within: float32, or float64 in a layer of float64."""
        return str(keras.backend.result_type(self.compute_dtype, "float32"))

    def follow(self, mean: Tensor, variance: Tensor) -> None:
        """Let the moving statistics follow those of a batch, (channels,) each."""
        for moving, current in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + current * (1 - self.momentum))


def moments(maps: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of each channel over batch, height and width, (channels,) each.

    Args:
        maps: (batch, height, width, channels).
        share: see ``share_of_value``.
    """
    mean = ops.sum(share * maps, axis=(0, 1, 2))
    return mean, ops.sum(share * ops.square(maps - mean), axis=(0, 1, 2))
