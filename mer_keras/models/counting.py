"""The size of a network before any of its weights takes memory."""

from concurrent.futures import ThreadPoolExecutor

from mer_keras.arrays import Shape
from mer_keras.models.registry import build


def count_unbuilt(name: str, input_shape: Shape, classes: int, **arguments: object) -> int:
    """Count the weights of a network without allocating them.

    Args:
        name: a key of ``models.registry.MODELS``.
        input_shape: without the batch, of several inputs one shape each.
        classes: number of classes.
        **arguments: of its builder.

    Raises:
        UserError: as ``models.registry.build``.
    """
    # Keras keeps variables that still need values in a list of each thread: this thread ends before
    # anybody asks for them.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_count, name, input_shape, classes, arguments).result()


def _count(name: str, input_shape: Shape, classes: int, arguments: dict[str, object]) -> int:
    import keras

    with keras.StatelessScope(initialize_variables=False):
        return int(build(name, input_shape, classes, **arguments).count_params())
