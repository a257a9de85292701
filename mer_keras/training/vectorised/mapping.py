"""What a stack of networks needs of its backend: gradients, maps over folds, compiled functions."""

from collections.abc import Callable
from typing import Any

import keras


def gradients_of(loss: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gives the gradients of ``loss`` and what else it returns.

    Args:
        loss: ``loss(trained, *others) -> (scalar, more)``; ``trained`` is a list of tensors.
    """
    if keras.backend.backend() == "jax":
        import jax

        differentiated = jax.value_and_grad(loss, has_aux=True)

        def of_jax(trained: list[Any], *others: Any) -> tuple[list[Any], Any]:
            (_, more), gradients = differentiated(trained, *others)
            return gradients, more

        return of_jax
    import tensorflow as tf

    def of_tape(trained: list[Any], *others: Any) -> tuple[list[Any], Any]:
        with tf.GradientTape() as tape:
            tape.watch(trained)
            value, more = loss(trained, *others)
        return tape.gradient(value, trained), more

    return of_tape


def over_folds(one: Callable[..., Any], folds: int) -> Callable[..., Any]:
    """Map a function of one fold over the first axis of all its arguments and results.

    Args:
        one: takes and returns nested lists of tensors.
        folds: length of the axis. For one fold nothing is mapped: a map costs TensorFlow more than
            a step of a small network on a CPU.
    """
    if keras.backend.backend() == "jax":
        import jax

        return jax.vmap(one)
    import tensorflow as tf

    def alone(*arguments: Any) -> Any:
        single = tf.nest.map_structure(lambda tensor: tensor[0], list(arguments))
        return tf.nest.map_structure(lambda tensor: tensor[None], one(*single))

    def together(*arguments: Any) -> Any:
        return tf.vectorized_map(lambda single: one(*single), list(arguments))

    return alone if folds == 1 else together


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Have the backend compile a function of tensors."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function)
