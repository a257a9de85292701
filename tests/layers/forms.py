"""Plain layers and their fast forms with equal weights, and the gradients of either."""

import numpy as np
from keras import ops

from mer_keras.layers.choice import FAST_FORMS

numbers = ops.convert_to_numpy


def random_weights(layer, rng):
    """One array for each weight, none of them what it starts as; variances are positive."""
    values = [rng.normal(size=weight.shape) for weight in layer.weights]
    for value, weight in zip(values, layer.weights, strict=True):
        if "variance" in weight.path:
            value[...] = np.abs(value) + 0.5
    return values


def both_forms(plain_class, shape, **arguments):
    """A plain layer and its fast form, built for ``shape``, with equal random weights."""
    plain, fast = plain_class(**arguments), FAST_FORMS[plain_class](**arguments)
    plain.build(shape)
    fast.build(shape)
    weights = random_weights(plain, np.random.default_rng(0))
    plain.set_weights(weights)
    fast.set_weights(weights)
    return plain, fast


def gradients(layer, inputs, slopes, training=True):
    """Gradients of sum(slopes * layer(inputs)) in the inputs and all trained weights."""
    import tensorflow as tf

    x = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = ops.sum(layer(x, training=training) * slopes)
    return tape.gradient(loss, [x, *(weight.value for weight in layer.trainable_weights)])


def assert_near(values, expected, tolerance=1e-4):
    """Compare to a part of the largest expected value."""
    values, expected = numbers(values), numbers(expected)
    assert values.shape == expected.shape
    np.testing.assert_allclose(values, expected, rtol=1e-3, atol=tolerance * np.abs(expected).max())
