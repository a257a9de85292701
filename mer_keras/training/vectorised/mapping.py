"""What a stack of networks needs of its backend: gradients, maps over folds, compiled functions."""

from collections.abc import Callable
from typing import TypeAlias

import keras

from mer_keras.layers.tensors import Tensor

#: A function of tensors, also in nested lists, that returns such.
TensorFunction: TypeAlias = Callable[..., Tensor]


def gradients_of(loss: TensorFunction) -> TensorFunction:
    """Return ``f(trained, *others) -> (gradients, more)``.

    Args:
        loss: ``loss(trained, *others) -> (scalar, more)``; ``trained`` is a list of tensors.
    """
    if keras.backend.backend() == "jax":
        import jax

        differentiated = jax.value_and_grad(loss, has_aux=True)

        def gradients_in_jax(trained: list[Tensor], *others: Tensor) -> tuple[list[Tensor], Tensor]:
            (_, more), gradients = differentiated(trained, *others)
            return gradients, more

        return gradients_in_jax
    import tensorflow as tf

    def gradients_by_tape(trained: list[Tensor], *others: Tensor) -> tuple[list[Tensor], Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(trained)
            value, more = loss(trained, *others)
        return tape.gradient(value, trained), more

    return gradients_by_tape


def over_folds(function: TensorFunction, folds: int) -> TensorFunction:
    """Map a function of one fold over the first axis of all its arguments and results.

    Args:
        function: of one fold.
        folds: length of the axis. For one fold nothing is mapped: a map costs TensorFlow more than
            a step of a small network on a CPU.
    """
    if keras.backend.backend() == "jax":
        import jax

        return jax.vmap(function)
    import tensorflow as tf

    def of_one_fold(*arguments: Tensor) -> Tensor:
        # The first item of an axis would be a copy of all weights.
        first = tf.nest.map_structure(lambda tensor: tf.squeeze(tensor, 0), list(arguments))
        return tf.nest.map_structure(lambda tensor: tensor[None], function(*first))

    def of_several_folds(*arguments: Tensor) -> Tensor:
        return tf.vectorized_map(lambda of_fold: function(*of_fold), list(arguments))

    return of_one_fold if folds == 1 else of_several_folds


def compiled(function: TensorFunction, *, of_batches: int | None = None) -> TensorFunction:
    """Have the backend compile a function of tensors.

    Args:
        function: to be compiled.
        of_batches: number of folds, if the function takes nothing but a ``Batch`` and TensorFlow
            shall compile it once for all widths: what a fold gives would else depend on the widths
            before it. JAX compiles each shape.
    """
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    signature = None
    if of_batches is not None:
        rows, of_rows = (tf.TensorSpec((of_batches, None), dtype) for dtype in ("int64", "float32"))
        signature = [(rows, of_rows, of_rows)]
    return tf.function(function, input_signature=signature)
