"""The narrow convolution against Keras' own: values, gradients, a round trip."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import ops  # noqa: E402

from mer_keras.layers.narrow import NarrowConv2D  # noqa: E402

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(2, 9, 8, 7)).astype("float32")


def pair(size):
    plain = keras.layers.Conv2D(3, size, padding="same", activation="relu")
    layer = NarrowConv2D(3, size)
    for one in (plain, layer):
        one.build(IMAGES.shape)
    plain.bias.assign(RNG.normal(size=3))
    layer.set_weights(plain.get_weights())
    return plain, layer


@pytest.mark.parametrize("size", [1, 3, 5])
def test_it_is_keras_layer(size):
    plain, layer = pair(size)
    assert [w.name for w in layer.weights] == [w.name for w in plain.weights]
    found = np.array(layer(IMAGES))
    np.testing.assert_allclose(found, np.array(plain(IMAGES)), atol=1e-6)
    assert layer.compute_output_shape(IMAGES.shape) == found.shape


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="written out there only")
@pytest.mark.parametrize("size", [1, 3, 5])
def test_gradients_are_those_of_keras_layer(size):
    import tensorflow as tf

    like = RNG.normal(size=(2, 9, 8, 3)).astype("float32")
    found = []
    for layer in pair(size):
        x = tf.constant(IMAGES)
        sources = [x, layer.kernel.value, layer.bias.value]
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = ops.sum(layer(x) * like)
        found.append(tape.gradient(loss, sources))
    for plain, own in zip(*found, strict=True):
        np.testing.assert_allclose(own, plain, rtol=1e-4, atol=1e-5)


def test_round_trip(tmp_path):
    inputs = keras.Input(IMAGES.shape[1:])
    network = keras.Model(inputs, NarrowConv2D(3, 5, name="narrow")(inputs))
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(np.array(again(IMAGES)), np.array(network(IMAGES)))
    assert again.get_layer("narrow").get_config() == network.get_layer("narrow").get_config()
