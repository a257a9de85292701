"""The size of a network before any of its weights takes memory."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from mer_keras.arrays import Shape
from mer_keras.models import registry

if TYPE_CHECKING:
    import keras


def build_without_values(
    name: str, input_shape: Shape | None = None, classes: int | None = None, **arguments: object
) -> "keras.Model":
    """Build a network whose weights have shapes and take no memory: it can only be counted.

    Args:
        name: a key of ``models.registry.MODELS``.
        input_shape: without the batch, of several inputs one shape each; the paper's if left out.
        classes: number of classes; the paper's if left out.
        **arguments: of its builder.

    Raises:
        UserError: as ``models.registry.build``.
    """
    return without_values(partial(registry.build, name, input_shape, classes, **arguments))


def count_unbuilt(name: str, input_shape: Shape, classes: int, **arguments: object) -> int:
    """Count the weights of a network without allocating them; see ``build_without_values``."""
    return int(build_without_values(name, input_shape, classes, **arguments).count_params())


def without_values(build: Callable[[], "keras.Model"]) -> "keras.Model":
    """Call a function that builds a network; its weights have shapes and take no memory.

    Args:
        build: returns the network.
    """
    # Keras keeps variables that still need values in a list of each thread: this thread ends before
    # anybody asks for them.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_within_scope, build).result()


def _within_scope(build: Callable[[], "keras.Model"]) -> "keras.Model":
    import keras

    with keras.StatelessScope(initialize_variables=False):
        return build()
