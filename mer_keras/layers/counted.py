"""Which rows of a batch count, where a batch is filled up to a fixed size."""

from collections.abc import Iterator
from contextlib import contextmanager

from keras import ops

from mer_keras.layers.tensors import Tensor

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
