"""``ConvNormPool`` in both forms against Keras' layers, and rows that don't count."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import layers, ops  # noqa: E402

from mer_keras.layers.counted import counted_rows, row_weights  # noqa: E402
from mer_keras.layers.fast.streams import FastConvNormPool  # noqa: E402
from mer_keras.layers.streams import ConvNormPool, pad_in_front  # noqa: E402

FILTERS = 7
both_forms = pytest.mark.parametrize("form", [ConvNormPool, FastConvNormPool])


def keras_layers_and_stream(form, size=28, signs="mixed", seed=0):
    """The same weights in Keras' layers, which end before the pooling, and in the layer."""
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    stream = form(FILTERS)
    stream.build((None, size, size, 3))
    gamma = rng.normal(size=FILTERS)
    stream.gamma.assign(gamma if signs == "mixed" else np.abs(gamma) + 0.1)
    stream.beta.assign(rng.normal(size=FILTERS))
    convolution = layers.Conv2D(FILTERS, 3, activation="relu")
    norm = layers.BatchNormalization(epsilon=1e-5, momentum=0.9)
    images = keras.Input((size, size, 3))
    network = keras.Model(images, norm(convolution(layers.ZeroPadding2D(2)(images))))
    convolution.set_weights([stream.kernel, stream.bias])
    norm.set_weights([stream.gamma, stream.beta, stream.moving_mean, stream.moving_variance])
    return network, norm, stream


def pool(maps):
    """Naive max-pool 3x3, stride 3, padding 1 of minus infinity, floor, as PyTorch pools."""
    maps = np.pad(maps, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=-np.inf)
    n = (maps.shape[1] - 3) // 3 + 1
    rows = [
        [maps[:, 3 * i : 3 * i + 3, 3 * j : 3 * j + 3].max(axis=(1, 2)) for j in range(n)]
        for i in range(n)
    ]
    return np.stack([np.stack(row, axis=1) for row in rows], axis=1)


def images(seed=1, count=6, size=28):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 1, (count, size, size, 3)).astype("float32")


@both_forms
@pytest.mark.parametrize("signs", ["mixed", "positive"])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("size", [10, 28])
def test_same_function_as_four_layers(form, training, signs, size):
    network, norm, stream = keras_layers_and_stream(form, size, signs)
    batch = images(size=size)
    expected = pool(ops.convert_to_numpy(network(batch, training=training)))
    maps = ops.convert_to_numpy(stream(batch, training=training))
    assert maps.shape == expected.shape == (6, (size + 2) // 3, (size + 2) // 3, FILTERS)
    # The fast form takes the variance in one pass, so that a few digits of float32 differ.
    np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=2e-4)
    np.testing.assert_allclose(stream.moving_mean, norm.moving_mean, rtol=1e-4, atol=1e-6)
    # Keras tracks the same population variance.
    np.testing.assert_allclose(stream.moving_variance, norm.moving_variance, rtol=1e-3)


def gradients(layer, variables, loss_of):
    """Gradients of a loss in a layer's or a network's trainable variables."""
    if keras.backend.backend() == "jax":
        import jax

        others = [v.value for v in layer.non_trainable_variables]

        def loss(trained):
            return loss_of(lambda x: layer.stateless_call(trained, others, x, training=True)[0])

        return jax.grad(loss)([v.value for v in variables])
    import tensorflow as tf

    with tf.GradientTape() as tape:
        value = loss_of(lambda x: layer(x, training=True))
    return tape.gradient(value, variables)


def compare_gradients(form, batch, slopes):
    """Compare those of a weighted sum of the pooled map, between Keras' layers and the layer."""
    network, _, stream = keras_layers_and_stream(form, size=batch.shape[1])

    def loss_of_network(call):
        padded = ops.pad(call(batch), [[0, 0], [1, 0], [1, 0], [0, 0]], constant_values=-1e30)
        return ops.sum(ops.max_pool(padded, 3, 3, padding="valid") * slopes)

    def loss_of_stream(call):
        return ops.sum(call(batch) * slopes)

    expected_gradients = gradients(network, network.trainable_variables, loss_of_network)
    own_gradients = gradients(stream, stream.trainable_variables, loss_of_stream)
    for own, expected in zip(own_gradients, expected_gradients, strict=True):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(own / scale, expected / scale, atol=2e-3)


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="gradients are taken elsewhere")
@both_forms
def test_same_gradients_as_four_layers(form):
    slopes = np.random.default_rng(2).normal(size=(6, 10, 10, FILTERS))
    compare_gradients(form, images(), slopes.astype("float32"))


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="gradients are taken elsewhere")
@both_forms
def test_values_that_tie(form):
    """In even images the nine of a window are equal, and so are the patches that they come from.

    Whether they share the gradient or the first takes it, the weights get the same.
    """
    batch = np.full((4, 10, 10, 3), 0.5, "float32") * np.arange(1, 5).reshape(-1, 1, 1, 1)
    slopes = np.zeros((4, 4, 4, FILTERS), "float32")
    slopes[:, 1:3, 1:3] = np.random.default_rng(2).normal(size=(4, 2, 2, FILTERS))
    compare_gradients(form, batch, slopes)


@both_forms
@pytest.mark.parametrize("filler", [0.0, 1e4])
def test_rows_that_do_not_count_leave_the_others_alone(form, filler):
    _, _, stream = keras_layers_and_stream(form)
    batch = images()
    filled = np.concatenate([batch, np.full((3, 28, 28, 3), filler, "float32")])
    before = [np.array(ops.convert_to_numpy(v)) for v in stream.non_trainable_variables]
    expected = ops.convert_to_numpy(stream(batch, training=True))
    tracked = [np.array(ops.convert_to_numpy(v)) for v in stream.non_trainable_variables]
    for variable, value in zip(stream.non_trainable_variables, before, strict=True):
        variable.assign(value)
    with counted_rows(np.array([1] * 6 + [0] * 3, "float32")):
        maps = ops.convert_to_numpy(stream(filled, training=True))
    np.testing.assert_allclose(maps[:6], expected, rtol=1e-5, atol=1e-5)
    for variable, value in zip(stream.non_trainable_variables, tracked, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(variable), value, rtol=1e-5)
    spoilt = ops.convert_to_numpy(stream(filled, training=True))
    assert np.abs(spoilt[:6] - expected).max() > 1e-2, "without weights they do"


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (1, 0), (0, 2), (1, 1)])
def test_padding_in_front_is_that_of_numpy(rows, columns):
    maps = images(size=4)
    padded = ops.convert_to_numpy(pad_in_front(maps, rows, columns, -5.0))
    expected = np.pad(maps, [(0, 0), (rows, 0), (columns, 0), (0, 0)], constant_values=-5.0)
    np.testing.assert_array_equal(padded, expected)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="maps of TensorFlow")
@both_forms
def test_a_map_over_folds_changes_nothing(form):
    """Tried on TensorFlow 2.21: within a map, its padding with another value than 0 pads with 0."""
    import tensorflow as tf

    _, _, stream = keras_layers_and_stream(form, size=10)
    stream.beta.assign(stream.beta - 3)  # Padding with 0 would be the largest of a window.
    folds = np.stack([images(seed, size=10) for seed in (1, 2)])
    mapped = tf.vectorized_map(stream, tf.constant(folds))
    np.testing.assert_allclose(mapped, [stream(batch) for batch in folds], atol=1e-5)


def test_sizes_that_do_not_fit():
    with pytest.raises(ValueError, match="3 n"):
        ConvNormPool(4).build((None, 30, 30, 3))


def test_config_round_trip():
    layer = ConvNormPool(4, momentum=0.8, epsilon=1e-4, name="x")
    loaded = ConvNormPool.from_config(layer.get_config())
    assert loaded.get_config() == layer.get_config()


def test_weights_of_rows_end_with_their_block():
    assert row_weights() is None
    with pytest.raises(RuntimeError), counted_rows("outer"):
        with counted_rows("inner"):
            assert row_weights() == "inner"
        assert row_weights() == "outer"
        raise RuntimeError
    assert row_weights() is None
