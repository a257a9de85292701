"""Dropout of one half, whose random numbers cost next to nothing."""

import math

import keras
from keras import ops

from mer_keras.layers.fast.registration import fast_form_of
from mer_keras.layers.tensors import Tensor

#: Values that one random number decides about.
BITS = 16


@fast_form_of(keras.layers.Dropout)
class FastDropout(keras.layers.Dropout):
    """Keras' ``Dropout``; at a rate of one half each value costs one random bit.

    A random number of 32 bits for each value, of which one bit is used, takes as long as a
    convolution of a small network. Other rates, open sizes and a noise shape are left to Keras.
    Which values are dropped differs from Keras' layer under the same seed; their distribution
    doesn't.

    Shapes: any -> the same. In training a value is 0 or twice its input.
    """

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Drop values in training; return the inputs otherwise."""
        sizes = tuple(inputs.shape[1:])
        is_half = self.rate == 0.5 and self.noise_shape is None and None not in sizes
        if not (training and is_half):
            return super().call(inputs, training)
        values = math.prod(sizes)
        rows = ops.shape(inputs)[0]
        shape = (rows, math.ceil(values / BITS), 1)
        numbers = keras.random.randint(shape, 0, 1 << BITS, seed=self.seed_generator)
        coins = ops.bitwise_and(ops.right_shift(numbers, ops.arange(BITS)), 1)
        coins = ops.reshape(coins, (rows, -1))[:, :values]  # (batch, values)
        return inputs * ops.reshape(ops.cast(2 * coins, inputs.dtype), (rows, *sizes))
