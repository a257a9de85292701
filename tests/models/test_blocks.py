"""Pieces of networks."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.models.blocks import each_frame, grouped_convolve  # noqa: E402

MAPS = np.random.default_rng(0).normal(size=(2, 5, 6, 4)).astype("float32")


def test_groups_see_their_own_channels():
    maps = keras.Input((5, 6, 4))
    start = {"kernel_initializer": "he_normal", "bias_initializer": "he_normal"}
    network = keras.Model(maps, grouped_convolve(maps, 6, 3, 2, name="conv", start=start))
    outputs = np.asarray(network(MAPS))
    for number in (0, 1):
        layer = network.get_layer(f"conv_{number}")
        assert layer.kernel.shape == (3, 3, 2, 3)
        own = np.asarray(layer(MAPS[..., 2 * number : 2 * number + 2]))
        np.testing.assert_allclose(outputs[..., 3 * number : 3 * number + 3], own, atol=1e-6)
    assert outputs.min() == 0


def test_one_group_is_a_plain_convolution_and_uneven_ones_are_refused():
    maps = keras.Input((5, 6, 4))
    network = keras.Model(maps, grouped_convolve(maps, 6, 3, 1, name="conv", start={}))
    assert [layer.name for layer in network.layers if layer.weights] == ["conv"]
    for filters, groups in ((6, 3), (5, 2)):
        with pytest.raises(ValueError, match=f"{groups} groups don't divide"):
            grouped_convolve(maps, filters, 3, groups, name="conv", start={})


def test_each_frame_is_read_by_one_network():
    frame = keras.Input((6, 4))
    reader = keras.Model(frame, keras.layers.Dense(3)(frame))
    clips = keras.Input((5, 6, 4))
    network = keras.Model(clips, each_frame(reader, clips, name="frames"))
    outputs = np.asarray(network(MAPS))
    for time in range(5):
        np.testing.assert_allclose(outputs[:, time], reader(MAPS[:, time]), atol=1e-6)
