"""Convolution of maps of so few places that most of a kernel lies beside them."""

import itertools

import keras
from keras import ops

from mer_keras.layers.fast.registration import fast_form_of
from mer_keras.layers.tensors import Tensor

#: Largest side of a map whose places are multiplied one by one.
FEW = 2


@fast_form_of(keras.layers.Conv2D)
class FastConv2D(keras.layers.Conv2D):
    """Keras' ``Conv2D`` that leaves out the border of maps of at most 2x2 places.

    Under a padded 3x3 kernel on a map of 2x2, twenty of the thirty-six products of a kernel's value
    and a place are with zeros. Here each place of the output is a sum of matrix products, one for
    each place of the map. HTNet's second aggregation takes half the time (``make bench`` measures
    its steps). Keras' own code runs for larger maps, and without padding or with strides,
    dilation or groups.

    Shapes: (batch, height, width, channels) -> (batch, height, width, filters), as ``Conv2D``.

    Args: those of ``Conv2D``.
    """

    def convolution_op(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """Convolve, without bias and activation."""
        if not self._leaves_out_borders(inputs.shape):
            return super().convolution_op(inputs, kernel)
        height, width, channels = inputs.shape[1:]
        high, wide = self.kernel_size
        places = list(itertools.product(range(height), range(width)))
        # A kernel is taken apart once, so that its gradient is put together once.
        parts = ops.unstack(ops.reshape(kernel, (high * wide, channels, self.filters)))
        values = [inputs[:, row, column] for row, column in places]  # (batch, channels) each
        sums = []
        for row, column in places:
            products = [
                ops.matmul(value, parts[(y - row + high // 2) * wide + x - column + wide // 2])
                for value, (y, x) in zip(values, places, strict=True)
                if abs(y - row) <= high // 2 and abs(x - column) <= wide // 2
            ]
            sums.append(ops.sum(ops.stack(products), axis=0))  # (batch, filters)
        return ops.reshape(ops.stack(sums, axis=1), (-1, height, width, self.filters))

    def _leaves_out_borders(self, shape: tuple[int | None, ...]) -> bool:
        """Whether inputs of this shape are multiplied place by place."""
        return (
            self.padding == "same"
            and self.data_format == "channels_last"
            and self.groups == 1
            and {*self.strides, *self.dilation_rate} == {1}
            and all(edge % 2 for edge in self.kernel_size)
            and all(size is not None and size <= FEW for size in shape[1:3])
        )
