"""One pass over memory for a chain of elementwise operations."""

from collections.abc import Callable
from functools import cache, wraps

from mer_keras.layers.conversion import is_converting
from mer_keras.layers.fast.processor import on_tensorflow
from mer_keras.layers.tensors import Tensor


def fused(chain: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Have TensorFlow compile a function of tensors that only maps, shifts and sums them.

    TensorFlow runs each operation by itself, so that a large map is read and written as often as
    there are operations; XLA makes one loop of them. Other backends get the function as it is.
    Convolutions and matrix products don't belong into ``chain``: XLA's are slow on a CPU.
    While a network is converted, nothing is compiled.

    Args:
        chain: pure, of Keras operations. It is compiled for each combination of shapes.
    """

    @cache
    def compiled() -> Callable[..., Tensor]:
        import tensorflow as tf

        return tf.function(chain, jit_compile=True)

    @wraps(chain)
    def run(*tensors: Tensor) -> Tensor:
        compiles = on_tensorflow() and not is_converting()
        return compiled()(*tensors) if compiles else chain(*tensors)

    return run
