"""The maps and weights that attention layers compute on a clip."""

import keras
import numpy as np
from keras import ops

from mer_keras.arrays import Array
from mer_keras.explanation.findings import Attention
from mer_keras.layers.attention import (
    ChannelAttention,
    ChannelMean,
    MicroAttention,
    SpatialAttention,
)
from mer_keras.layers.tensors import Tensor
from mer_keras.layers.tokens import TokenAt

_MAPS = (MicroAttention, SpatialAttention, ChannelMean)
_KINDS = (*_MAPS, ChannelAttention, keras.layers.MultiHeadAttention)


def attention_of(network: keras.Model, clips: Array) -> list[Attention]:
    """Return the weights of every attention layer, from the input on.

    Spatial maps: Micro-attention, figure 4; dense connections and mixed attention, equation 7.
    Spatio-temporal maps: MERANet, equation 3. Tokens: ESANN 2025, section 2.

    Args:
        network: functional.
        clips: the network's input, (clips, ...) float32.
    """
    layers = [layer for layer in network.layers if isinstance(layer, _KINDS)]
    if not layers:
        return []
    # One pass over the network gives what all of these layers compute or read.
    part = keras.Model(network.inputs, [_shown_of(layer) for layer in layers])
    shown = keras.tree.flatten(part.predict(clips, verbose=0))
    return [
        Attention(layer.name, *_attention(network, layer, np.asarray(values, "float32")))
        for layer, values in zip(layers, shown, strict=True)
    ]


def _shown_of(layer: keras.Layer) -> Tensor:
    """The weights of a layer, or the tokens that it reads."""
    if isinstance(layer, keras.layers.MultiHeadAttention):
        return layer.input[0] if isinstance(layer.input, list) else layer.input
    return layer.output


def _attention(network: keras.Model, layer: keras.Layer, values: Array) -> tuple[str, Array]:
    """The kind of a layer's weights and the weights, from the values of ``_shown_of``.

    Values of a map are (clips, ..., 1), of channels (clips, 1, ..., channels), of tokens (clips,
    tokens, width).
    """
    if isinstance(layer, _MAPS):
        return "map", values[..., 0]  # (clips, ..., height, width)
    if isinstance(layer, ChannelAttention):
        return "channels", values.reshape(len(values), -1)  # (clips, channels)
    return "tokens", _token_weights(network, layer, values)


def _token_weights(
    network: keras.Model, layer: keras.layers.MultiHeadAttention, tokens: Array
) -> Array:
    """How much each token, (clips, tokens, width), gives to the one that is read, or to all."""
    values = ops.convert_to_tensor(tokens)
    _, scores = layer(values, values, return_attention_scores=True, training=False)
    scores = np.asarray(ops.convert_to_numpy(scores), "float32")  # (clips, heads, reader, tokens)
    readers = [reader.index for reader in network.layers if isinstance(reader, TokenAt)]
    return scores[:, :, readers[0]] if readers else scores.mean(axis=2)  # (clips, heads, tokens)
