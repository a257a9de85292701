"""The dense block against equation 4, written with Keras' layers."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import layers  # noqa: E402

from mer_keras.layers.dense_block import DenseBlock  # noqa: E402
from mer_keras.models.cost import layer_costs  # noqa: E402
from tests.layers.forms import assert_near, numbers, random_weights  # noqa: E402

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(3, 9, 8, 5)).astype("float32")
SIZES = [(1, 4, 3), (2, 3, 5), (4, 3, 3), (3, 2, 1)]


def by_definition(depth, growth, kernel_size):
    """Equation 4, layer by layer."""
    images = keras.Input(IMAGES.shape[1:])
    outputs = []
    for _ in range(depth):
        seen = layers.Concatenate()([images, *outputs]) if outputs else images
        x = layers.Conv2D(growth, kernel_size, padding="same", activation="relu")(seen)
        outputs.append(layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x))
    side_by_side = layers.Concatenate()(outputs) if depth > 1 else outputs[0]
    return keras.Model(images, side_by_side)


def definition_and_block(*size):
    """Both with the same weights, none of them what they start as."""
    definition = by_definition(*size)
    definition.set_weights(random_weights(definition, RNG))
    block = DenseBlock(*size, momentum=0.9, epsilon=1e-5, name="block")
    block.build(IMAGES.shape)
    weights = iter(definition.get_weights())
    for convolution_and_norm in block.steps:
        for layer in convolution_and_norm:
            layer.set_weights([next(weights) for _ in layer.weights])
    return definition, block


@pytest.mark.parametrize("size", SIZES)
def test_it_is_the_equation(size):
    definition, block = definition_and_block(*size)
    for training in (True, False):
        maps = block(IMAGES, training=training)
        assert_near(maps, definition(IMAGES, training=training))
        assert maps.shape == block.compute_output_shape(IMAGES.shape)
        expected_statistics = [w for w in definition.weights if "moving" in w.path]
        statistics = [w for w in block.weights if "moving" in w.path]
        assert len(statistics) == 2 * size[0]
        for own, expected in zip(statistics, expected_statistics, strict=True):
            assert_near(own, expected)


def test_cost_is_that_of_its_convolutions():
    definition, block = definition_and_block(3, 2, 3)
    images = keras.Input(IMAGES.shape[1:])
    (own,) = layer_costs(keras.Model(images, block(images)))[1:]
    others = layer_costs(definition)[1:]
    assert own.multiply_accumulates == sum(cost.multiply_accumulates for cost in others)
    assert own.parameters == definition.count_params()
    # The last layer puts together what is kept already.
    assert own.activations == sum(cost.activations for cost in others[:-1])


def test_round_trip(tmp_path):
    images = keras.Input(IMAGES.shape[1:])
    _, block = definition_and_block(3, 2, 3)
    network = keras.Model(images, block(images))
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(numbers(loaded(IMAGES)), numbers(network(IMAGES)))
    assert loaded.get_layer("block").get_config() == network.get_layer("block").get_config()
