"""Whether a network is just being converted to another program's format."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_IS_CONVERTING: ContextVar[bool] = ContextVar("is_converting", default=False)


@contextmanager
def converting() -> Iterator[None]:
    """Have layers write their functions in the form that converters can read.

    Converters read a network's graph. A compiled chain (see ``fast.fused``) is a call of another
    graph there, which they don't follow, so that it is written as the operations that it consists
    of.
    """
    token = _IS_CONVERTING.set(True)
    try:
        yield
    finally:
        _IS_CONVERTING.reset(token)


def is_converting() -> bool:
    """Whether the caller stands within ``converting``."""
    return _IS_CONVERTING.get()
