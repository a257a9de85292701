"""A convolution from many channels to few whose kernel's gradient is quicker."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mer_keras.layers.processor import tensorflow_on_processor


@keras.saving.register_keras_serializable(package="mer_keras")
class NarrowConv2D(keras.layers.Conv2D):
    """Keras' ``Conv2D`` with stride 1, ``same``, bias and ReLU, for fewer filters than channels.

    The same function with the same gradients (tested). With TensorFlow on a processor the gradient
    of the kernel is computed with the maps and their gradient in each other's place, and turned
    round. A library's convolution fills the processor's vectors with what it takes for the filters:
    with 100 channels or more and 20 filters that is half as fast again.

    Shapes: (batch, height, width, channels) -> (batch, height, width, filters).

    Args:
        filters: number of output channels.
        kernel_size: odd edge of the kernels.
        name: as every layer takes it; no other setting of Keras' layer can be chosen.
        trainable: likewise.
        dtype: likewise.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
    ) -> None:
        """See the class."""
        super().__init__(
            filters,
            kernel_size,
            padding="same",
            data_format="channels_last",
            activation="relu",
            name=name,
            trainable=trainable,
            dtype=dtype,
        )

    def call(self, inputs: Any) -> Any:
        """Convolve and cut off what is negative."""
        if not tensorflow_on_processor():
            return super().call(inputs)
        # as tensors: a gradient that is written out takes no variables
        return _convolve(inputs, self.kernel * 1.0, self.bias * 1.0)

    def multiply_accumulates(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Multiplications and additions for one image, of the whole map."""
        _, height, width, channels = input_shapes[0]
        return height * width * self.kernel_size[0] ** 2 * channels * self.filters

    def get_config(self) -> dict[str, Any]:
        """Arguments of the layer."""
        own = {"filters": self.filters, "kernel_size": self.kernel_size[0]}
        return {**keras.layers.Layer.get_config(self), **own}


@ops.custom_gradient
def _convolve(maps: Any, kernel: Any, bias: Any) -> tuple[Any, Any]:
    """Convolution, bias and ReLU on TensorFlow."""
    import tensorflow as tf

    same = {"strides": [1, 1, 1, 1], "padding": "SAME"}
    out = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(maps, kernel, **same), bias))

    def gradient(above: Any) -> tuple[Any, ...]:
        raw = tf.raw_ops
        above = raw.ReluGrad(gradients=above, features=out)
        to_maps = raw.Conv2DBackpropInput(
            input_sizes=tf.shape(maps), filter=kernel, out_backprop=above, **same
        )
        rows, columns, channels, filters = kernel.shape
        turned = raw.Conv2DBackpropFilter(
            input=above,
            filter_sizes=(rows, columns, filters, channels),
            out_backprop=maps,
            **same,
        )
        to_kernel = tf.transpose(turned[::-1, ::-1], (0, 1, 3, 2))
        return to_maps, to_kernel, raw.BiasAddGrad(out_backprop=above)

    return out, gradient
