"""Attention maps against the papers' equations, written out in NumPy."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.layers.attention import (  # noqa: E402
    ChannelAttention,
    ChannelMean,
    MicroAttention,
    SpatialAttention,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(2, 6, 5, 16)).astype("float32")
CLIPS = RNG.normal(size=(2, 3, 6, 5, 16)).astype("float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def randomise(layer):
    for weight in layer.weights:
        weight.assign(RNG.normal(scale=0.5, size=weight.shape))


def named(layer):
    return {w.path.split("/", 1)[1]: np.array(w) for w in layer.weights}


@pytest.mark.parametrize("features", [IMAGES, CLIPS], ids=["images", "clips"])
@pytest.mark.parametrize(
    ("activation", "slope", "options"),
    [("relu", 0.0, {}), ("leaky_relu", 0.2, {}), ("leaky_relu", 0.3, {"negative_slope": 0.3})],
)
def test_channel_attention_is_the_equation(features, activation, slope, options):
    layer = ChannelAttention(4, activation=activation, use_bias=True, **options)
    layer.build(features.shape)
    randomise(layer)
    w = named(layer)
    axes = tuple(range(1, features.ndim - 1))

    def network(x):
        hidden = x @ w["squeeze/kernel"] + w["squeeze/bias"]
        hidden = np.where(hidden > 0, hidden, slope * hidden)
        return hidden @ w["expand/kernel"] + w["expand/bias"]

    expected = sigmoid(network(features.mean(axes)) + network(features.max(axes)))
    attention = np.array(layer(features))
    assert (
        attention.shape == (2, *(1,) * len(axes), 16) == layer.compute_output_shape(features.shape)
    )
    np.testing.assert_allclose(attention.reshape(2, 16), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        # 2 C^2 / r; with biases C / r + C more; two networks without sharing
        ({"reduction": 4}, 2 * 16 * 4),
        ({"reduction": 4, "use_bias": True}, 2 * 16 * 4 + 4 + 16),
        ({"reduction": 4, "shared": False}, 2 * 2 * 16 * 4),
        ({"reduction": 64}, 2 * 16),
    ],
)
def test_channel_attention_counts(arguments, count):
    layer = ChannelAttention(**arguments)
    layer.build(CLIPS.shape)
    assert layer.count_params() == count


def test_unshared_networks_see_one_descriptor_each():
    layer = ChannelAttention(4, shared=False)
    layer.build(IMAGES.shape)
    w = named(layer)
    mean = np.maximum(IMAGES.mean((1, 2)) @ w["squeeze_mean/kernel"], 0) @ w["expand_mean/kernel"]
    top = IMAGES.max((1, 2)) @ w["squeeze_maximum/kernel"]
    expected = sigmoid(mean + np.maximum(top, 0) @ w["expand_maximum/kernel"])
    np.testing.assert_allclose(np.array(layer(IMAGES))[:, 0, 0], expected, atol=1e-5)


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("features", [IMAGES, CLIPS], ids=["images", "clips"])
def test_spatial_attention_is_the_equation(features, kernel):
    from scipy.ndimage import correlate

    layer = SpatialAttention(kernel, use_bias=True)
    layer.build(features.shape)
    randomise(layer)
    w = named(layer)
    pooled = np.stack([features.mean(-1), features.max(-1)], axis=-1)
    expected = [
        sigmoid(
            sum(
                correlate(descriptors[..., c], w["convolution/kernel"][..., c, 0], mode="constant")
                for c in (0, 1)
            )
            + w["convolution/bias"]
        )
        for descriptors in pooled
    ]
    attention = np.array(layer(features))
    assert (
        attention.shape == layer.compute_output_shape(features.shape) == (*features.shape[:-1], 1)
    )
    np.testing.assert_allclose(attention[..., 0], expected, atol=1e-4)


class AsPrinted(keras.layers.Layer):
    """Equation 1 of Micro-attention as it stands: a convolution with all filters, then a mean."""

    def __init__(self, kernel):
        super().__init__()
        self.kernel = self.add_weight(shape=kernel.shape)
        self.kernel.assign(kernel)

    def call(self, scales):
        joined = keras.ops.concatenate(scales, axis=-1)
        return keras.ops.sigmoid(
            keras.ops.mean(keras.ops.matmul(joined, self.kernel), axis=-1, keepdims=True)
        )


def test_micro_attention_is_the_equation_in_value_and_gradient():
    tf = pytest.importorskip("tensorflow")
    scales = [tf.constant(RNG.normal(size=(2, 6, 5, 16)), "float32") for _ in range(3)]
    layer = MicroAttention()
    layer.build([s.shape for s in scales])
    printed = AsPrinted(np.array(layer.kernel))
    target = tf.constant(RNG.normal(size=(2, 6, 5, 1)), "float32")

    def value_and_gradients(which):
        with tf.GradientTape() as tape:
            tape.watch(scales)
            out = which(scales)
            loss = tf.reduce_sum(out * target)
        return out, *tape.gradient(loss, [which.kernel.value, *scales])

    for ours, theirs in zip(value_and_gradients(layer), value_and_gradients(printed), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert layer.count_params() == 3 * 16**2
    assert layer.compute_output_shape([s.shape for s in scales]) == (2, 6, 5, 1)


def test_mean_of_channels():
    expected = sigmoid(CLIPS.mean(-1, keepdims=True))
    np.testing.assert_allclose(np.array(ChannelMean()(CLIPS)), expected, atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        ChannelAttention(4, activation="leaky_relu", use_bias=True, shared=False),
        SpatialAttention(7, use_bias=True),
        MicroAttention(),
        ChannelMean(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_config_round_trip(layer):
    copy = type(layer).from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
