"""Layers that keep their arguments: all of them are stored, defaults as well."""

import pytest

keras = pytest.importorskip("keras")
from mer_keras.layers.attention import ChannelAttention, ChannelMean, SpatialAttention  # noqa: E402
from mer_keras.layers.base import PaperLayer  # noqa: E402
from mer_keras.layers.convlstm import PeepholeConvLSTM  # noqa: E402
from mer_keras.layers.dense_block import DenseBlock  # noqa: E402
from mer_keras.layers.shortcut import ZeroPaddedShortcut  # noqa: E402
from mer_keras.layers.streams import ConvNormPool  # noqa: E402
from mer_keras.layers.tokens import GridBlocks, PositionalEmbedding, TokenAt  # noqa: E402

#: What is passed, and what the defaults add.
EXAMPLES = [
    (ChannelAttention, {"reduction": 4}, {"activation": "relu", "use_bias": False, "shared": True}),
    (SpatialAttention, {"use_bias": True}, {"kernel_size": 5}),
    (
        PeepholeConvLSTM,
        {"filters": 3, "padding": "same"},
        {"kernel_size": 3, "return_sequences": False},
    ),
    (
        DenseBlock,
        {"depth": 2, "growth": 3, "kernel_size": 5},
        {"momentum": 0.99, "epsilon": 1e-3},
    ),
    (ZeroPaddedShortcut, {"filters": 6}, {}),
    (ConvNormPool, {"filters": 16, "epsilon": 1e-3}, {"momentum": 0.9}),
    (GridBlocks, {"rows": 2}, {"columns": 3}),
    (TokenAt, {"index": -1}, {}),
]


def test_every_such_layer_has_an_example():
    own = {cls for cls in PaperLayer.__subclasses__() if cls.__module__.startswith("mer_keras.")}
    assert own == {layer_class for layer_class, *_ in EXAMPLES}


@pytest.mark.parametrize(("layer_class", "passed", "defaults"), EXAMPLES)
def test_config_holds_all_arguments_and_makes_the_layer_again(layer_class, passed, defaults):
    layer = layer_class(**passed, name="layer")
    config = layer.get_config()
    common = keras.layers.Layer.get_config(layer)
    assert config == {**common, **passed, **defaults}
    assert layer_class.from_config(config).get_config() == config


@pytest.mark.parametrize("layer", [ChannelMean(), PositionalEmbedding(), TokenAt(0)])
def test_free_layers_multiply_nothing(layer):
    assert layer.multiply_accumulates([(None, 4, 8)]) == 0
