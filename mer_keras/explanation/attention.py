"""The maps and weights that attention layers compute on a clip."""

from typing import Any

import keras
import numpy as np
from keras import ops

from mer_keras.explanation.findings import Attention
from mer_keras.layers.attention import (
    ChannelAttention,
    ChannelMean,
    MicroAttention,
    SpatialAttention,
)
from mer_keras.layers.tokens import TokenAt

_MAPS = (MicroAttention, SpatialAttention, ChannelMean)


def attention_of(network: keras.Model, clips: np.ndarray) -> list[Attention]:
    """Return the weights of every attention layer, from the input on.

    Spatial maps: Micro-attention, figure 4; dense connections and mixed attention, equation 7.
    Spatio-temporal maps: MERANet, equation 3. Tokens: ESANN 2025, section 2.

    Args:
        network: functional.
        clips: as the network reads them, with the batch in front.
    """
    found = []
    for layer in network.layers:
        if isinstance(layer, _MAPS):
            found.append(
                Attention(layer.name, "map", _values(network, layer.output, clips)[..., 0])
            )
        elif isinstance(layer, ChannelAttention):
            weights = _values(network, layer.output, clips)
            channels = weights.reshape(len(weights), -1)
            found.append(Attention(layer.name, "channels", channels))
        elif isinstance(layer, keras.layers.MultiHeadAttention):
            found.append(Attention(layer.name, "tokens", _token_weights(network, layer, clips)))
    return found


def _values(network: keras.Model, tensor: Any, clips: np.ndarray) -> np.ndarray:
    part = keras.Model(network.inputs, tensor)
    return np.asarray(part.predict(clips, verbose=0), "float32")


def _token_weights(network: keras.Model, layer: Any, clips: np.ndarray) -> np.ndarray:
    tokens = layer.input[0] if isinstance(layer.input, list) else layer.input
    read = ops.convert_to_tensor(_values(network, tokens, clips))
    _, scores = layer(read, read, return_attention_scores=True, training=False)
    scores = np.asarray(ops.convert_to_numpy(scores), "float32")
    chosen = [reader.index for reader in network.layers if isinstance(reader, TokenAt)]
    return scores[:, :, chosen[0]] if chosen else scores.mean(axis=2)
