"""Batch normalisation against Keras' own: values, gradients, moving statistics, a round trip."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import ops  # noqa: E402

from mer_keras.layers.batch_norm import BatchNormalization  # noqa: E402

numbers = ops.convert_to_numpy
RNG = np.random.default_rng(0)
SHAPES = [(6, 3), (5, 7, 3), (2, 5, 4, 3), (2, 3, 4, 5, 3)]


def maps(shape):
    return RNG.normal(3, 2, size=shape).astype("float32")


def pair(shape, dtype=None):
    """Keras' layer and ours with the same weights, none of them what they start as."""
    layers = [
        keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=dtype),
        BatchNormalization(0.9, 1e-5, dtype=dtype),
    ]
    weights = [RNG.uniform(0.5, 2, size=shape[-1]) for _ in range(4)]
    for layer in layers:
        layer.build(shape)
        layer.set_weights(weights)
    return layers


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_keras_layer_in_training_and_outside(shape):
    plain, layer = pair(shape)
    assert [w.name for w in layer.weights] == [w.name for w in plain.weights]
    given = maps(shape)
    for training in (True, False):
        found = numbers(layer(given, training=training))
        np.testing.assert_allclose(found, numbers(plain(given, training=training)), atol=1e-5)
        assert found.shape == shape
        for own, other in zip(layer.get_weights(), plain.get_weights(), strict=True):
            np.testing.assert_allclose(own, other, rtol=1e-5)


def test_statistics_are_those_of_the_batch():
    layer = BatchNormalization(0.5, 0.0)
    given = maps((3, 4, 5, 2))
    found = numbers(layer(given, training=True))
    np.testing.assert_allclose(found.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(found.var(axis=(0, 1, 2)), 1, atol=1e-5)
    # they start at a mean of 0 and a variance of 1; the variance is that of the population
    np.testing.assert_allclose(
        numbers(layer.moving_mean), given.mean(axis=(0, 1, 2)) / 2, rtol=1e-5
    )
    np.testing.assert_allclose(
        numbers(layer.moving_variance), (1 + given.var(axis=(0, 1, 2))) / 2, rtol=1e-5
    )


def test_frozen_it_keeps_to_its_moving_statistics():
    plain, layer = pair((2, 5, 4, 3))
    given, before = maps((2, 5, 4, 3)), layer.get_weights()
    plain.trainable = layer.trainable = False
    np.testing.assert_allclose(
        numbers(layer(given, training=True)), numbers(plain(given, training=True)), atol=1e-6
    )
    np.testing.assert_array_equal(layer.get_weights(), before)


@pytest.mark.parametrize(("dtype", "tolerance"), [("mixed_bfloat16", 1e-6), ("float64", 1e-12)])
def test_other_numbers(dtype, tolerance):
    plain, layer = pair((2, 5, 4, 3), dtype)
    given = ops.cast(maps((2, 5, 4, 3)), layer.compute_dtype)
    own, other = (one(given, training=True) for one in (layer, plain))
    assert own.dtype == other.dtype
    own, other = (numbers(ops.cast(one, "float64")) for one in (own, other))
    # a last digit of bfloat16 apart where float32 differs by rounding
    digit = 2**-7 if dtype == "mixed_bfloat16" else 0
    np.testing.assert_allclose(own, other, atol=tolerance, rtol=digit)


def test_one_place_has_no_variance():
    layer = BatchNormalization(0.5)
    found = numbers(layer(maps((1, 1, 1, 3)), training=True))
    np.testing.assert_array_equal(found, 0)
    np.testing.assert_allclose(numbers(layer.moving_variance), 0.5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="written out there only")
@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_are_those_of_keras_layer(shape):
    import tensorflow as tf

    like, given, found = maps(shape), tf.constant(maps(shape)), []
    for layer in pair(shape):
        with tf.GradientTape() as tape:
            tape.watch(given)
            loss = ops.sum(layer(given, training=True) * like)
        found.append(tape.gradient(loss, [given, layer.gamma.value, layer.beta.value]))
    for plain, own in zip(*found, strict=True):
        np.testing.assert_allclose(own, plain, rtol=1e-3, atol=1e-4)


def test_round_trip(tmp_path):
    inputs = keras.Input((5, 4, 3))
    network = keras.Model(inputs, BatchNormalization(0.9, 1e-5, name="norm")(inputs))
    network.layers[1].set_weights([RNG.uniform(0.5, 2, size=3) for _ in range(4)])
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    given = maps((2, 5, 4, 3))
    np.testing.assert_array_equal(numbers(again(given)), numbers(network(given)))
    assert again.get_layer("norm").get_config() == network.get_layer("norm").get_config()
