"""The dense block against its definition in Keras' layers: values, gradients, statistics."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import layers, ops  # noqa: E402

from mer_keras.layers.dense_block import DenseBlock  # noqa: E402
from mer_keras.models.cost import layer_costs  # noqa: E402

numbers = ops.convert_to_numpy
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(3, 9, 8, 5)).astype("float32")
SIZES = [(1, 4, 3), (2, 3, 5), (4, 3, 3), (3, 2, 1)]


def by_definition(depth, growth, kernel):
    """Equation 4, layer by layer."""
    images = keras.Input(IMAGES.shape[1:])
    given = []
    for _ in range(depth):
        seen = layers.Concatenate()([images, *given]) if given else images
        x = layers.Conv2D(growth, kernel, padding="same", activation="relu")(seen)
        given.append(layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x))
    out = layers.Concatenate()(given) if depth > 1 else given[0]
    return keras.Model(images, out)


def pair(depth, growth, kernel):
    """The definition, and the block with the same weights, none of them what they start as."""
    plain = by_definition(depth, growth, kernel)
    block = DenseBlock(depth, growth, kernel, momentum=0.9, epsilon=1e-5, name="block")
    block.build(IMAGES.shape)
    weights = [RNG.normal(size=w.shape) for w in plain.weights]
    for value, weight in zip(weights, plain.weights, strict=True):
        if "variance" in weight.name:
            value[:] = np.abs(value) + 0.5
    plain.set_weights(weights)
    by_layer = iter(weights)
    for step in block.steps:
        for layer in step:
            layer.set_weights([next(by_layer) for _ in layer.weights])
    return plain, block


@pytest.mark.parametrize("size", SIZES)
def test_it_is_what_its_definition_says(size):
    plain, block = pair(*size)
    for training in (True, False):
        found = numbers(block(IMAGES, training=training))
        np.testing.assert_allclose(
            found, numbers(plain(IMAGES, training=training)), rtol=1e-4, atol=1e-4
        )
        assert found.shape == block.compute_output_shape(IMAGES.shape)
        statistics = [w for w in plain.weights if "moving" in w.name]
        own = [w for w in block.weights if "moving" in w.name]
        assert len(own) == 2 * size[0]
        for one, other in zip(own, statistics, strict=True):
            np.testing.assert_allclose(numbers(one), numbers(other), rtol=1e-4)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="written out there only")
@pytest.mark.parametrize("size", SIZES)
def test_gradients_are_those_of_the_definition(size):
    import tensorflow as tf

    like = RNG.normal(size=(*IMAGES.shape[:-1], size[0] * size[1])).astype("float32")
    x, found = tf.constant(IMAGES), []
    for network in pair(*size):
        sources = [x, *(w.value for w in network.trainable_weights)]
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = ops.sum(network(x, training=True) * like)
        found.append(tape.gradient(loss, sources))
    for plain, own in zip(*found, strict=True):
        scale = np.abs(plain).max()
        np.testing.assert_allclose(own, plain, rtol=1e-3, atol=1e-4 * scale)


def test_frozen_it_keeps_to_its_moving_statistics():
    plain, block = pair(2, 3, 3)
    plain.trainable = block.trainable = False
    before = block.get_weights()
    np.testing.assert_allclose(
        numbers(block(IMAGES, training=True)),
        numbers(plain(IMAGES, training=True)),
        rtol=1e-4,
        atol=1e-4,
    )
    for now, then in zip(block.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_cost_is_that_of_its_convolutions():
    plain, block = pair(3, 2, 3)
    images = keras.Input(IMAGES.shape[1:])
    network = keras.Model(images, block(images))
    own, other = (layer_costs(one)[1:] for one in (network, plain))
    assert own[0].multiply_accumulates == sum(one.multiply_accumulates for one in other)
    assert own[0].parameters == plain.count_params()
    # the last of them puts together what is kept already
    assert own[0].activations == sum(one.activations for one in other[:-1])


def test_round_trip(tmp_path):
    images = keras.Input(IMAGES.shape[1:])
    _, block = pair(3, 2, 3)
    network = keras.Model(images, block(images))
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(numbers(again(IMAGES)), numbers(network(IMAGES)))
    assert again.get_layer("block").get_config() == network.get_layer("block").get_config()
