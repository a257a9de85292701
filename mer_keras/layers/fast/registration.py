"""How Keras knows a fast layer: as a class of its own that is stored like the plain layer."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import keras

Layer = TypeVar("Layer", bound=type)

#: Arguments of every layer.
_COMMON = {"name", "trainable", "dtype"}
#: Fast forms that are compiled anew for each shape of a batch.
_COMPILED_BY_SHAPE: list[type[keras.Layer]] = []


def fast_form_of(
    plain: type[keras.Layer], *, compiled_by_shape: bool = False
) -> Callable[[Layer], Layer]:
    """Register a class as the fast form of ``plain``.

    In a ``.keras`` file it is ``mer_keras>Fast...``. A ``.weights.h5`` file names groups of weights
    by the ``__name__`` of the layers' classes, so that this is set to the plain layer's: networks
    of either form read each other's files, and names that Keras makes up are the same.

    Args:
        plain: the class that it is the fast form of.
        compiled_by_shape: whether a part of it is compiled anew for each shape of a batch (see
            ``fused``).
    """

    def register(fast: Layer) -> Layer:
        keras.saving.register_keras_serializable("mer_keras", name=fast.__name__)(fast)
        fast.__name__ = plain.__name__
        if compiled_by_shape:
            _COMPILED_BY_SHAPE.append(fast)
        return fast

    return register


def is_compiled_by_shape(layer: keras.Layer) -> bool:
    """Whether a part of the layer is compiled anew for each shape of a batch."""
    return isinstance(layer, tuple(_COMPILED_BY_SHAPE))


def check_common(layer: keras.Layer, arguments: Iterable[str]) -> None:
    """Check that a fast form gets no arguments but its own and those of every layer.

    Args:
        layer: the fast form.
        arguments: names of those that are not its own.

    Raises:
        TypeError: a setting of the plain layer that the fast form does not follow.
    """
    others = sorted(set(arguments) - _COMMON)
    if others:
        raise TypeError(f"{type(layer).__qualname__} has no argument {', '.join(others)}")
