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


def attention_of(network: keras.Model, clips: Array) -> list[Attention]:
    """Return the weights of every attention layer, from the input on.

    Spatial maps: Micro-attention, figure 4; dense connections and mixed attention, equation 7.
    Spatio-temporal maps: MERANet, equation 3. Tokens: ESANN 2025, section 2.

    Args:
        network: functional.
        clips: the network's input, (clips, ...) float32.
    """
    attention = []
    for layer in network.layers:
        if isinstance(layer, _MAPS):
            weights = _values(network, layer.output, clips)[..., 0]  # (clips, ..., height, width)
            attention.append(Attention(layer.name, "map", weights))
        elif isinstance(layer, ChannelAttention):
            weights = _values(network, layer.output, clips)
            channels = weights.reshape(len(weights), -1)  # (clips, channels)
            attention.append(Attention(layer.name, "channels", channels))
        elif isinstance(layer, keras.layers.MultiHeadAttention):
            tokens = _token_weights(network, layer, clips)
            attention.append(Attention(layer.name, "tokens", tokens))
    return attention


def _values(network: keras.Model, tensor: Tensor, clips: Array) -> Array:
    """What a tensor of the network is for some clips."""
    part = keras.Model(network.inputs, tensor)
    return np.asarray(part.predict(clips, verbose=0), "float32")


def _token_weights(
    network: keras.Model, layer: keras.layers.MultiHeadAttention, clips: Array
) -> Array:
    """How much each token gives to the one that is read out, or on average to all."""
    tokens = layer.input[0] if isinstance(layer.input, list) else layer.input
    values = ops.convert_to_tensor(_values(network, tokens, clips))
    _, scores = layer(values, values, return_attention_scores=True, training=False)
    scores = np.asarray(ops.convert_to_numpy(scores), "float32")  # (clips, heads, reader, tokens)
    readers = [reader.index for reader in network.layers if isinstance(reader, TokenAt)]
    return scores[:, :, readers[0]] if readers else scores.mean(axis=2)  # (clips, heads, tokens)
