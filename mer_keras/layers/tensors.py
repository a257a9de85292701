"""Types at the border to Keras, and the check of sizes that all layers share."""

from typing import Any, TypeAlias

#: Tensor of the backend in use, or a symbolic one of Keras. They have no common type.
Tensor: TypeAlias = Any
#: Shape with the batch in front; ``None`` where a size is not fixed.
Shape: TypeAlias = tuple[int | None, ...]


def check_positive(layer: object, **sizes: int | float) -> None:
    """Check arguments of a layer's constructor.

    Raises:
        ValueError: a size is not above 0.
    """
    for name, size in sizes.items():
        if size <= 0:
            raise ValueError(f"{type(layer).__name__}: {name} is {size}, expected more than 0")


def fixed(size: int | None) -> int:
    """Return a size that a layer needs to know.

    Raises:
        ValueError: it is left open.
    """
    if size is None:
        raise ValueError("a size is left open: give the network's input a fixed shape")
    return int(size)
