"""The ConvLSTM with peepholes against Keras' own without, and against the paper's equations."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.layers.convlstm import PeepholeConvLSTM  # noqa: E402

RNG = np.random.default_rng(0)
CLIPS = RNG.normal(size=(2, 4, 7, 6, 2)).astype("float32")


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_without_peepholes_it_is_keras_layer(padding, sequences):
    plain = keras.layers.ConvLSTM2D(3, 3, padding=padding, return_sequences=sequences)
    expected = np.array(plain(CLIPS))
    layer = PeepholeConvLSTM(3, padding=padding, return_sequences=sequences)
    layer.build(CLIPS.shape)
    assert not np.array(layer.peepholes).any()
    np.testing.assert_array_equal(np.array(layer.bias), np.array(plain.cell.bias))
    layer.set_weights([*plain.get_weights(), np.array(layer.peepholes)])
    states = np.array(layer(CLIPS))
    np.testing.assert_allclose(states, expected, atol=1e-5)
    assert layer.compute_output_shape(CLIPS.shape) == states.shape


def test_equations_on_a_single_place():
    layer = PeepholeConvLSTM(1, kernel_size=1, return_sequences=True)
    clip = CLIPS[:1, :, :1, :1, :1]
    layer.build(clip.shape)
    for weight in layer.weights:
        weight.assign(RNG.normal(size=weight.shape))
    input_weights, state_weights, bias, peepholes = (
        np.array(weight).reshape(-1) for weight in layer.weights
    )
    hidden = cell = 0.0
    expected = []
    for x in clip.reshape(-1):
        i, f, c, o = x * input_weights + hidden * state_weights + bias
        i, f, o = (
            1 / (1 + np.exp(-(gate + peephole * cell)))
            for gate, peephole in zip((i, f, o), peepholes, strict=True)
        )
        cell = f * cell + i * np.tanh(c)
        hidden = o * np.tanh(cell)
        expected.append(hidden)
    np.testing.assert_allclose(np.array(layer(clip)).reshape(-1), expected, atol=1e-5)


def test_peepholes_of_the_paper_are_743424():
    layer = PeepholeConvLSTM(32)
    layer.build((None, 9, 90, 90, 1))
    assert np.prod(layer.peepholes.shape) == 743_424


def test_config_round_trip():
    layer = PeepholeConvLSTM(5, kernel_size=5, padding="same", return_sequences=True)
    assert PeepholeConvLSTM.from_config(layer.get_config()).get_config() == layer.get_config()
