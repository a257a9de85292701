"""Dropout of one half, whose random numbers cost next to nothing."""

import math
from typing import Any

import keras
from keras import ops

BITS = 16
"""Values that one random number decides about."""


@keras.saving.register_keras_serializable(package="mer_keras")
class Dropout(keras.layers.Dropout):
    """Keras' dropout; at a rate of one half each value costs one random bit.

    A random number of 32 bits for each value, of which one bit is used, takes as long as a
    convolution of a small network. Other rates, and a noise shape, are left to Keras.

    Shapes: any -> the same. In training a value is 0 or twice its input.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drop values in training; return the inputs otherwise."""
        if not training or self.rate != 0.5 or self.noise_shape is not None:
            return super().call(inputs, training)
        sizes = tuple(inputs.shape[1:])
        values = math.prod(sizes)
        rows = ops.shape(inputs)[0]
        shape = (rows, math.ceil(values / BITS), 1)
        words = keras.random.randint(shape, 0, 1 << BITS, seed=self.seed_generator)
        coins = ops.bitwise_and(ops.right_shift(words, ops.arange(BITS)), 1)
        coins = ops.reshape(coins, (rows, -1))[:, :values]
        return inputs * ops.reshape(ops.cast(2 * coins, inputs.dtype), (rows, *sizes))
