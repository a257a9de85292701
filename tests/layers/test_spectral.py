"""Convolutions that are divided by their largest singular value."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.layers.spectral import SpectralConv2D  # noqa: E402

IMAGES = np.random.default_rng(0).normal(size=(2, 7, 6, 3)).astype("float32")


def built(**arguments):
    # How soon the vector is the singular one depends on the kernel.
    keras.utils.set_random_seed(0)
    layer = SpectralConv2D(5, 3, name="layer", **arguments)
    layer.build((None, 7, 6, 3))
    return layer


def divided(layer):
    """A plain layer with the kernel over its largest singular value, by NumPy."""
    plain = keras.layers.Conv2D(5, 3, strides=layer.strides, use_bias=layer.use_bias)
    plain.build((None, 7, 6, 3))
    kernel = np.array(layer.kernel)
    largest = np.linalg.svd(kernel.reshape(-1, 5), compute_uv=False)[0]
    plain.set_weights([kernel / largest, *([np.array(layer.bias)] if layer.use_bias else [])])
    return plain


def test_the_vector_comes_to_the_largest_singular_value():
    layer = built(strides=2)
    layer.bias.assign(np.arange(5))
    before = np.array(layer.direction)
    layer(IMAGES, training=False)
    np.testing.assert_array_equal(np.array(layer.direction), before)
    for _ in range(60):
        layer(IMAGES, training=True)
    expected = np.asarray(divided(layer)(IMAGES))
    np.testing.assert_allclose(layer(IMAGES, training=False), expected, atol=1e-4)


def test_scaled_kernels_are_one_function():
    layer = built(use_bias=False)
    expected = np.asarray(layer(IMAGES, training=False))
    layer.kernel.assign(np.array(layer.kernel) * 7)
    np.testing.assert_allclose(layer(IMAGES, training=False), expected, atol=1e-4)


def test_only_kernel_and_bias_are_trained_and_the_config_makes_the_layer_again():
    layer = built(activation="relu")
    assert {v.name for v in layer.trainable_weights} == {"kernel", "bias"}
    again = SpectralConv2D.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert np.asarray(layer(IMAGES)).min() >= 0


def test_its_cost_is_that_of_the_convolution():
    from mer_keras.models import cost

    networks = []
    for layer in (SpectralConv2D(4, 3, strides=2), keras.layers.Conv2D(4, 3, strides=2)):
        images = keras.Input((9, 8, 3))
        networks.append(keras.Model(images, layer(images)))
    own, plain = (cost.multiply_accumulates(network) for network in networks)
    assert own == plain
