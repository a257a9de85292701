"""One pass over memory for a chain of elementwise operations."""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import keras


def fused(chain: Callable[..., Any]) -> Callable[..., Any]:
    """Have TensorFlow compile a function of tensors that only maps, shifts and sums them.

    TensorFlow runs each operation by itself, so that a large map is read and written as often as
    there are operations; XLA makes one loop of them. Other backends get the function as it is: JAX
    compiles all of a step anyway. Convolutions and matrix products don't belong into ``chain``:
    XLA's are slow on a CPU.

    Args:
        chain: pure, of Keras operations. It is compiled for each combination of shapes.
    """

    @cache
    def compiled() -> Callable[..., Any]:
        import tensorflow as tf

        return tf.function(chain, jit_compile=True)

    @wraps(chain)
    def run(*tensors: Any) -> Any:
        if keras.backend.backend() == "tensorflow":
            return compiled()(*tensors)
        return chain(*tensors)

    return run
