"""``ConvNormPool`` against the four plain layers that it stands for."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import layers, ops  # noqa: E402

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


def test_same_gradients_as_the_plain_layers():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("uses TensorFlow's tape")
    import tensorflow as tf

    plain, _, fast = plain_and_fast()
    batch = images()
    n = 10
    weight = tf.constant(np.random.default_rng(2).normal(size=(6, n, n, FILTERS)), tf.float32)
    with tf.GradientTape() as tape:
        maps = plain(batch, training=True)
        padded = tf.pad(maps, [[0, 0], [1, 0], [1, 0], [0, 0]], constant_values=-1e30)
        loss = tf.reduce_sum(tf.nn.max_pool2d(padded, 3, 3, "VALID") * weight)
    expected = tape.gradient(loss, plain.trainable_variables)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(fast(batch, training=True) * weight)
    found = tape.gradient(loss, fast.trainable_variables)
    for a, b in zip(found, expected, strict=True):
        scale = np.abs(b).max()
        np.testing.assert_allclose(a / scale, b / scale, atol=2e-3)


def test_sizes_that_do_not_fit():
    with pytest.raises(ValueError, match="3 n"):
        ConvNormPool(4).build((None, 30, 30, 3))


def test_config_round_trip():
    layer = ConvNormPool(4, momentum=0.8, epsilon=1e-4, name="x")
    again = ConvNormPool.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
