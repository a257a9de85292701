"""The size of a network before any of its weights takes memory."""

from concurrent.futures import ThreadPoolExecutor
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
    # Keras keeps variables that still need values in a list of each thread: this thread ends before
    # anybody asks for them.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_build, name, input_shape, classes, arguments).result()


def count_unbuilt(name: str, input_shape: Shape, classes: int, **arguments: object) -> int:
    """Count the weights of a network without allocating them; see ``build_without_values``."""
    return int(build_without_values(name, input_shape, classes, **arguments).count_params())


def _build(
    name: str, input_shape: Shape | None, classes: int | None, arguments: dict[str, object]
) -> "keras.Model":
    import keras

    with keras.StatelessScope(initialize_variables=False):
        return registry.build(name, input_shape, classes, **arguments)
