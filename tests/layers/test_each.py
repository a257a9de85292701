"""A layer on each part: what ``TimeDistributed`` gives, by the same weights."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import layers  # noqa: E402

from mer_keras.layers.each import Each  # noqa: E402

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("shape", "make"),
    [
        ((5, 8, 7, 2), lambda: layers.Conv2D(3, 3, name="inner")),
        ((4, 5, 8, 7, 2), lambda: layers.Conv3D(3, 3, name="inner")),
        ((5, 8, 7, 2), lambda: layers.MaxPooling2D(2, name="inner")),
    ],
)
def test_equals_time_distributed(shape, make):
    inputs = keras.Input(shape)
    ours = keras.Model(inputs, Each(make(), name="each")(inputs))
    theirs = keras.Model(inputs, layers.TimeDistributed(make(), name="each")(inputs))
    theirs.set_weights(ours.get_weights())
    assert ours.output_shape == theirs.output_shape
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    clips = RNG.normal(size=(3, *shape)).astype("float32")
    expected = theirs.predict(clips, verbose=0)
    np.testing.assert_allclose(ours.predict(clips, verbose=0), expected, atol=1e-6)


def test_gradients_equal_those_of_time_distributed():
    tf = pytest.importorskip("tensorflow")
    clips = tf.constant(RNG.normal(size=(3, 5, 8, 7, 2)), "float32")
    inner = layers.Conv2D(3, 3)

    def gradients(wrapper):
        layer = wrapper(inner)
        with tf.GradientTape() as tape:
            tape.watch(clips)
            loss = tf.reduce_sum(layer(clips) ** 2)
        return tape.gradient(loss, [inner.kernel.value, clips])

    for ours, theirs in zip(gradients(Each), gradients(layers.TimeDistributed), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_config_round_trip():
    layer = Each(layers.Conv2D(3, 3, name="inner"), name="each")
    again = Each.from_config(layer.get_config())
    assert again.layer.get_config() == layer.layer.get_config()
