"""Both ConvLSTMs against Keras' own, and peepholes against the paper's equations."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.layers.convlstm import ConvLSTM2D, PeepholeConvLSTM  # noqa: E402

RNG = np.random.default_rng(0)
CLIPS = RNG.normal(size=(2, 4, 7, 6, 2)).astype("float32")
#: compares the gradients of a loss in the input and all weights, on the backend that is set
GRADIENTS = """
import numpy as np
import keras
from keras import ops
from mer_keras.layers.convlstm import ConvLSTM2D
from tests.models.small import ramp

backend = keras.backend.backend()
clips = (2 * ramp((2, 4, 7, 6, 2))).astype("float32")
for padding in ("valid", "same"):
    for sequences in (False, True):
        for size in (2, 3):
            found = []
            for kind in (keras.layers.ConvLSTM2D, ConvLSTM2D):
                layer = kind(3, size, padding=padding, return_sequences=sequences)
                layer.build(clips.shape)
                for weight in layer.weights:
                    weight.assign(ramp(weight.shape))
                x = ops.convert_to_tensor(clips)
                like = ramp(layer.compute_output_shape(clips.shape)).astype("float32")
                like = ops.convert_to_tensor(like)

                def loss(x):
                    return ops.sum(layer(x) * like)

                if backend == "tensorflow":
                    import tensorflow as tf
                    sources = [x, *(w.value for w in layer.trainable_weights)]
                    with tf.GradientTape() as tape:
                        tape.watch(sources)
                        value = loss(x)
                    grads = tape.gradient(value, sources)
                elif backend == "torch":
                    x.requires_grad_(True)
                    loss(x).backward()
                    grads = [x.grad, *(w.value.grad for w in layer.trainable_weights)]
                else:
                    import jax
                    rest = [w.value for w in layer.non_trainable_variables]

                    def of(x, weights):
                        return ops.sum(layer.stateless_call(weights, rest, x)[0] * like)

                    of_x, of_weights = jax.grad(of, (0, 1))(
                        x, [w.value for w in layer.trainable_weights]
                    )
                    grads = [of_x, *of_weights]
                found.append([ops.convert_to_numpy(g) for g in grads])
            for plain, own in zip(*found, strict=True):
                assert np.abs(plain).max() > 1e-2
                np.testing.assert_allclose(own, plain, rtol=1e-4, atol=1e-5)
            print(backend, padding, sequences, size)
"""


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("sequences", [False, True])
def test_it_is_keras_layer(padding, sequences, size, tmp_path):
    plain = keras.layers.ConvLSTM2D(3, size, padding=padding, return_sequences=sequences)
    layer = ConvLSTM2D(3, size, padding=padding, return_sequences=sequences)
    expected = np.array(plain(CLIPS))
    inputs = keras.Input(CLIPS.shape[1:])
    network = keras.Model(inputs, layer(inputs))
    names = [[w.path.rsplit("/", 1)[-1] for w in one.weights] for one in (plain, layer)]
    assert names[0] == names[1]
    for one, other in zip(plain.weights, layer.weights, strict=True):
        assert one.shape == other.shape
    layer.set_weights(plain.get_weights())
    found = np.array(layer(CLIPS))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert layer.compute_output_shape(CLIPS.shape) == found.shape
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_allclose(np.array(again(CLIPS)), found, atol=1e-7)
    assert again.layers[-1].get_config() == layer.get_config()


@pytest.mark.parametrize(
    "backend",
    ["tensorflow", *(pytest.param(b, marks=pytest.mark.slow) for b in ("jax", "torch"))],
)
def test_gradients_are_those_of_keras_layer(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed (extra: pip install mer_keras[{backend}])")
    done = subprocess.run(
        [sys.executable, "-c", GRADIENTS],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count(backend) == 8


def test_no_setting_that_it_does_not_follow():
    with pytest.raises(TypeError, match="strides"):
        ConvLSTM2D(3, 3, strides=2)


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
    found = np.array(layer(CLIPS))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert layer.compute_output_shape(CLIPS.shape) == found.shape


def test_equations_on_a_single_place():
    layer = PeepholeConvLSTM(1, kernel=1, return_sequences=True)
    clip = CLIPS[:1, :, :1, :1, :1]
    layer.build(clip.shape)
    for weight in layer.weights:
        weight.assign(RNG.normal(size=weight.shape))
    x_w, h_w, b, peep = (np.array(w).reshape(-1) for w in layer.weights)
    hidden = cell = 0.0
    expected = []
    for x in clip.reshape(-1):
        i, f, g, o = x * x_w + hidden * h_w + b
        gates = [1 / (1 + np.exp(-(v + p * cell))) for v, p in zip((i, f, o), peep, strict=True)]
        cell = gates[1] * cell + gates[0] * np.tanh(g)
        hidden = gates[2] * np.tanh(cell)
        expected.append(hidden)
    np.testing.assert_allclose(np.array(layer(clip)).reshape(-1), expected, atol=1e-5)


def test_peepholes_of_the_paper_are_743424():
    layer = PeepholeConvLSTM(32)
    layer.build((None, 9, 90, 90, 1))
    assert np.prod(layer.peepholes.shape) == 743_424


def test_config_round_trip():
    layer = PeepholeConvLSTM(5, kernel=5, padding="same", return_sequences=True)
    assert PeepholeConvLSTM.from_config(layer.get_config()).get_config() == layer.get_config()
