"""``ConvNormPool`` against the four plain layers that it stands for."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import layers, ops  # noqa: E402

from mer_keras.layers.counted import counted_rows, row_weights  # noqa: E402
from mer_keras.layers.fused import fused  # noqa: E402
from mer_keras.layers.streams import ConvNormPool  # noqa: E402

FILTERS = 7


def plain_and_fast(seed=0, size=28, signs="mixed"):
    """The same weights in plain layers and in the layer; both end at the pooled map."""
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    fast = ConvNormPool(FILTERS)
    fast.build((None, size, size, 3))
    gamma = rng.normal(size=FILTERS)
    fast.gamma.assign(gamma if signs == "mixed" else np.abs(gamma) + 0.1)
    fast.beta.assign(rng.normal(size=FILTERS))
    convolution = layers.Conv2D(FILTERS, 3, activation="relu")
    norm = layers.BatchNormalization(epsilon=1e-5, momentum=0.9)
    images = keras.Input((size, size, 3))
    x = norm(convolution(layers.ZeroPadding2D(2)(images)))
    # a padding with minus infinity, as PyTorch pads: windows start at row and column -1
    plain = keras.Model(images, x)
    convolution.set_weights([fast.kernel, fast.bias])
    norm.set_weights([fast.gamma, fast.beta, fast.moving_mean, fast.moving_variance])
    return plain, norm, fast


def pool(maps):
    """Naive max-pool 3x3, stride 3, padding 1 of minus infinity, floor."""
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


@pytest.mark.parametrize("signs", ["mixed", "positive"])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("size", [10, 28])
def test_same_function_as_the_plain_layers(training, signs, size):
    plain, norm, fast = plain_and_fast(size=size, signs=signs)
    batch = images(size=size)
    expected = pool(ops.convert_to_numpy(plain(batch, training=training)))
    found = ops.convert_to_numpy(fast(batch, training=training))
    assert found.shape == expected.shape == (6, (size + 2) // 3, (size + 2) // 3, FILTERS)
    # the variance is taken in one pass, so that a few digits of float32 differ
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-4)
    np.testing.assert_allclose(fast.moving_mean, norm.moving_mean, rtol=1e-4, atol=1e-6)
    # Keras tracks the same population variance
    np.testing.assert_allclose(fast.moving_variance, norm.moving_variance, rtol=1e-3)


def gradients(layer, variables, loss_of):
    """Of a loss by the layer's or the network's trainable variables, on TensorFlow or JAX."""
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


def compare_gradients(batch, weight):
    """Of a weighted sum of the pooled map, between plain layers and the layer."""
    plain, _, fast = plain_and_fast(size=batch.shape[1])

    def of_plain(call):
        padded = ops.pad(call(batch), [[0, 0], [1, 0], [1, 0], [0, 0]], constant_values=-1e30)
        return ops.sum(ops.max_pool(padded, 3, 3, padding="valid") * weight)

    expected = gradients(plain, plain.trainable_variables, of_plain)
    found = gradients(fast, fast.trainable_variables, lambda call: ops.sum(call(batch) * weight))
    for a, b in zip(found, expected, strict=True):
        scale = np.abs(b).max()
        np.testing.assert_allclose(a / scale, b / scale, atol=2e-3)


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="gradients are taken elsewhere")
def test_same_gradients_as_the_plain_layers():
    weight = np.random.default_rng(2).normal(size=(6, 10, 10, FILTERS))
    compare_gradients(images(), weight.astype("float32"))


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="gradients are taken elsewhere")
def test_values_that_tie_share_the_gradient():
    """In even images the nine of a window are equal, and so are the patches that they come from."""
    batch = np.full((4, 10, 10, 3), 0.5, "float32") * np.arange(1, 5).reshape(-1, 1, 1, 1)
    weight = np.zeros((4, 4, 4, FILTERS), "float32")
    weight[:, 1:3, 1:3] = np.random.default_rng(2).normal(size=(4, 2, 2, FILTERS))
    compare_gradients(batch, weight)


@pytest.mark.parametrize("filler", [0.0, 1e4])
def test_rows_that_do_not_count_leave_the_others_alone(filler):
    _, _, fast = plain_and_fast()
    batch = images()
    filled = np.concatenate([batch, np.full((3, 28, 28, 3), filler, "float32")])
    before = [np.array(ops.convert_to_numpy(v)) for v in fast.non_trainable_variables]
    expected = ops.convert_to_numpy(fast(batch, training=True))
    tracked = [np.array(ops.convert_to_numpy(v)) for v in fast.non_trainable_variables]
    for variable, value in zip(fast.non_trainable_variables, before, strict=True):
        variable.assign(value)
    with counted_rows(np.array([1] * 6 + [0] * 3, "float32")):
        found = ops.convert_to_numpy(fast(filled, training=True))
    np.testing.assert_allclose(found[:6], expected, rtol=1e-5, atol=1e-5)
    for variable, value in zip(fast.non_trainable_variables, tracked, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(variable), value, rtol=1e-5)
    spoilt = ops.convert_to_numpy(fast(filled, training=True))
    assert np.abs(spoilt[:6] - expected).max() > 1e-2, "without weights they do"


def test_sizes_that_do_not_fit():
    with pytest.raises(ValueError, match="3 n"):
        ConvNormPool(4).build((None, 30, 30, 3))


def test_config_round_trip():
    layer = ConvNormPool(4, momentum=0.8, epsilon=1e-4, name="x")
    again = ConvNormPool.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


def test_weights_of_rows_end_with_their_block():
    assert row_weights() is None
    with pytest.raises(RuntimeError), counted_rows("outer"):
        with counted_rows("inner"):
            assert row_weights() == "inner"
        assert row_weights() == "outer"
        raise RuntimeError
    assert row_weights() is None


def test_a_fused_chain_is_the_chain():
    def chain(a, b):
        return ops.relu(a + b) * 2, ops.sum(a)

    a, b = images()[:2], images()[2:4]
    for found, expected in zip(fused(chain)(a, b), chain(a, b), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)
