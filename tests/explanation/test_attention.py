"""What attention layers say, taken out of networks that have them."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from mer_keras.explanation.attention import attention_of  # noqa: E402
from mer_keras.models import registry  # noqa: E402
from tests.models.small import build_small, ramp_clips, set_ramp_weights  # noqa: E402


def of(name, **arguments):
    network = build_small(name, **arguments)
    set_ramp_weights(network)
    return network, attention_of(network, ramp_clips(name))


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("shallow_convlstm", []),
        ("resnet10", []),
        ("resnet3d_18", []),
        ("ststnet", []),
        ("off_apexnet", []),
        ("dual_inception", []),
        ("rcn", []),
        ("htnet", []),
        ("causalnet", []),
        ("causalnet_onset_apex", []),
        ("off_tanet", ["channels", "map"]),
        ("macnn", []),
        ("sssnet", []),
        ("capsulenet", []),
        ("sssn", []),
        ("dssn", []),
        ("dssn_flow", []),
        ("learnet", []),
        ("microexp_stcnn", []),
        ("microexp_fusenet", []),
        ("microexp_fusenet_late", []),
        ("alexnet", []),
        ("alexnet_lstm", []),
        ("vgg16", []),
        ("googlenet", []),
        ("elrcn", []),
        ("elrcn_te", []),
        ("dtscnn", []),
        ("strcn", []),
        ("emr", []),
        ("icegan_discriminator", []),
        ("micro_attention", ["map"] * 4),
        ("complex_attention", ["map"] * 4),
        ("meranet", ["channels", "map"] * 8),
        ("dense_mixed_attention", ["channels", "map"]),
        ("shallow_attention_conv3d", ["tokens"]),
        ("shallow_attention_conv2d", ["tokens"]),
        ("shallow_attention_convlstm", ["tokens"]),
    ],
)
def test_which_layers_speak(name, kinds):
    network, attention = of(name)
    assert sorted(a.kind for a in attention) == sorted(kinds)
    names = {layer.name for layer in network.layers}
    for layer in attention:
        assert layer.layer in names
        assert len(layer.weights) == 2
        assert layer.weights.min() >= 0
        assert layer.weights.max() <= 1


def test_every_network_is_covered():
    """A new network needs a row above."""
    marks = test_which_layers_speak.pytestmark
    assert {row[0] for mark in marks for row in mark.args[1]} == set(registry.MODELS)


def test_maps_are_what_the_features_are_multiplied_with():
    network, attention = of("micro_attention")
    clips = ramp_clips("micro_attention")
    first = next(a for a in attention if a.layer == "block1_attention")

    def values(layer):
        part = keras.Model(network.inputs, network.get_layer(layer).output)
        return part.predict(clips, verbose=0)

    gain = values("block1_sum") * first.weights[..., None]
    np.testing.assert_allclose(values("block1_gain"), gain, atol=1e-5)


@pytest.mark.parametrize("readout", ["onset", "apex", "offset"])
def test_token_weights_are_those_of_the_token_that_is_read_out(readout):
    name = "shallow_attention_conv2d"
    network, attention = of(name, readout=readout)
    layer = network.get_layer("attention")
    tokens = keras.Model(network.inputs, layer.input[0]).predict(ramp_clips(name), verbose=0)
    query, key = (
        np.einsum("btw,whk->bthk", tokens, np.array(d.kernel)) + np.array(d.bias)
        for d in (layer.query_dense, layer.key_dense)
    )
    index = {"onset": 0, "apex": 2, "offset": 4}[readout]
    scores = np.einsum("bhk,bthk->bht", query[:, index], key) / layer.key_dim**0.5
    expected = np.exp(scores - scores.max(-1, keepdims=True))
    expected /= expected.sum(-1, keepdims=True)
    np.testing.assert_allclose(attention[0].weights, expected, atol=1e-4)


def test_weights_of_blocks_are_a_mean_over_readers():
    _, attention = of("shallow_attention_conv3d")
    assert attention[0].weights.shape == (2, 4, 9)
    np.testing.assert_allclose(attention[0].weights.sum(-1), 1, atol=1e-5)
