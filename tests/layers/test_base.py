"""Layers that keep their arguments: all of them are stored, defaults as well."""

import pytest

keras = pytest.importorskip("keras")
from mer_keras.layers.attention import (  # noqa: E402
    ChannelAttention,
    ChannelMean,
    MicroAttention,
    SpatialAttention,
)
from mer_keras.layers.base import PaperLayer  # noqa: E402
from mer_keras.layers.block_attention import BlockAttention, BlockPositions  # noqa: E402
from mer_keras.layers.capsules import ClassCapsules, LogLengths, PrimaryCapsules  # noqa: E402
from mer_keras.layers.channels import ChannelRange  # noqa: E402
from mer_keras.layers.class_attention import ClassAttentionHead  # noqa: E402
from mer_keras.layers.convlstm import PeepholeConvLSTM  # noqa: E402
from mer_keras.layers.counted_norm import CountedNormalization  # noqa: E402
from mer_keras.layers.dense_block import DenseBlock  # noqa: E402
from mer_keras.layers.directions import DirectionImage  # noqa: E402
from mer_keras.layers.face_areas import FaceAreas  # noqa: E402
from mer_keras.layers.map_attention import MapAttention  # noqa: E402
from mer_keras.layers.patches import SpreadPatches  # noqa: E402
from mer_keras.layers.pooling import (  # noqa: E402
    AdaptiveAveragePool,
    NearestEnlarge,
    PaddedMaxPool,
)
from mer_keras.layers.position_attention import HeadProducts  # noqa: E402
from mer_keras.layers.response_norm import LocalResponseNorm  # noqa: E402
from mer_keras.layers.shortcut import ZeroPaddedShortcut  # noqa: E402
from mer_keras.layers.streams import ConvNormPool  # noqa: E402
from mer_keras.layers.tokens import GridBlocks, PositionalEmbedding, TokenAt  # noqa: E402

#: What is passed, and what the defaults add.
EXAMPLES = [
    (
        ChannelAttention,
        {"reduction": 4},
        {"activation": "relu", "negative_slope": None, "use_bias": False, "shared": True},
    ),
    (MicroAttention, {}, {"activation": "sigmoid"}),
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
    (BlockPositions, {"blocks": 2}, {}),
    (BlockAttention, {"heads": 2, "head_width": 3, "blocks": 1}, {"full": False}),
    (PrimaryCapsules, {}, {"size": 8}),
    (ClassCapsules, {"classes": 3}, {"width": 16, "rounds": 3, "coupling": "classes"}),
    (LogLengths, {}, {}),
    (ChannelRange, {"start": 1, "stop": 3}, {}),
    (ClassAttentionHead, {"classes": 3, "maps": 4}, {}),
    (CountedNormalization, {"unbiased": False}, {"momentum": 0.9, "epsilon": 1e-5}),
    (DirectionImage, {}, {}),
    (FaceAreas, {}, {}),
    (MapAttention, {}, {}),
    (SpreadPatches, {"dilation": 2}, {"strides": 3}),
    (AdaptiveAveragePool, {"rows": 3, "columns": 2}, {}),
    (NearestEnlarge, {"rows": 3, "columns": 2}, {}),
    (PaddedMaxPool, {"strides": 3}, {"size": 3, "padding": 1}),
    (HeadProducts, {"heads": 2, "scale": 0.5}, {"gamma": None}),
    (LocalResponseNorm, {"width": 3}, {"offset": 2.0, "alpha": 1e-4, "beta": 0.75}),
]


def public_subclasses(layer_class):
    """Layers that networks may use; fast forms and shared beginnings are none."""
    for subclass in layer_class.__subclasses__():
        yield from public_subclasses(subclass)
        is_stored = keras.saving.get_registered_name(subclass).startswith("mer_keras>")
        if is_stored and not subclass.__module__.startswith("mer_keras.layers.fast"):
            yield subclass


def test_every_such_layer_has_an_example():
    assert set(public_subclasses(PaperLayer)) == {layer_class for layer_class, *_ in EXAMPLES}


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
