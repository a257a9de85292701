"""Which rows of a batch count, where a batch is filled up to a fixed size."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_WEIGHTS: list[Any] = []


@contextmanager
def counted_rows(weights: Any) -> Iterator[None]:
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


def row_weights() -> Any:
    """The innermost ``counted_rows``, or ``None``: all rows count."""
    return _WEIGHTS[-1] if _WEIGHTS else None
