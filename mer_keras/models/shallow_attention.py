"""Shallow convolutions and multi-head self-attention: three networks.

Paper: Upadhya, Verlekar, "Shallow convolution and attention-based models for micro-expression
recognition", ESANN 2025 (section 2, figure 1).

For clips of 13 x 90 x 90 x 1 in 0..1 and five classes:

============  ==============================  ===============  ============  ==========
network       features of a token             tokens x width   published     built
============  ==============================  ===============  ============  ==========
``conv3d``    8 filters 5x5x5, max-pool       9 blocks x       28 million    2,132,725
              2x2x2                           5,408
``conv2d``    8 filters 3x3, max-pool 2x2     13 frames x      55 million    6,165,269
                                              15,488
``convlstm``  ConvLSTM 32 filters 3x3,        13 states x      6 million     6,002,253
              max-pool 2x2, 8 filters 1x1     15,488
============  ==============================  ===============  ============  ==========

Then, in all three: learned positions (not for ``convlstm``), self-attention with four heads, one
vector (mean over blocks; apex token; offset token), dense 128 with ReLU, dropout 0.2, softmax.
Nothing that the paper says is built otherwise.

What the paper leaves open, and what is chosen: "a parameter size of 64" for four heads is read as
64 in all (``key_dim`` 16 a head); convolutions are ``valid``; pooling has the stride of its
window. No literal reading reaches all three published counts: the second and the third network
have tokens of one width under one pooling, so that they can't differ ninefold.
"""

import math
from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers

from mer_keras.layers.choice import choose
from mer_keras.layers.tensors import Tensor
from mer_keras.layers.tokens import GridBlocks, PositionalEmbedding, TokenAt
from mer_keras.models.blocks import convlstm


def build(
    input_shape: Sequence[int] = (13, 90, 90, 1),
    classes: int = 5,
    *,
    features: Literal["conv3d", "conv2d", "convlstm"] = "conv3d",
    kernel: int = 5,
    padding: Literal["valid", "same"] = "valid",
    pool_stride: int = 2,
    heads: int = 4,
    key_dim: int = 16,
    readout: Literal["mean", "onset", "apex", "offset"] = "mean",
    dropout: float = 0.2,
) -> keras.Model:
    """Build one of the networks: (batch, time, height, width, 1) -> (batch, classes).

    Args:
        input_shape: time, height, width, channels. For ``conv3d``, 3 divides height and width; for
            ``conv2d``, the apex stands in the middle.
        classes: number of classes.
        features: what a token is made of. In ``conv3d``, the same eight kernels run over each of
            the nine blocks of a 3x3 grid.
        kernel: edge of the cubic or square kernels. The paper takes 5 for ``conv3d``, which it
            finds better than 3, and 3 for the others.
        padding: of the convolution; the paper does not say.
        pool_stride: of the max-pooling; the paper does not say.
        heads: of the attention.
        key_dim: width of each head's queries and keys; 64 is the other reading.
        readout: what goes on, the mean of the tokens or one of them. The paper takes the mean over
            blocks; of ``conv2d`` it finds the apex best; of ``convlstm`` it takes the offset, the
            last state.
        dropout: between the dense layers.
    """
    clips = keras.Input(tuple(input_shape), name="clip")
    if features == "conv3d":
        x = GridBlocks(name="blocks")(clips)  # (batch, 9, 13, 30, 30, 1)
        convolution = layers.Conv3D(8, kernel, padding=padding, name="convolution")
        x = _each(convolution, x)  # (batch, 9, 9, 26, 26, 8)
        pool = layers.MaxPooling3D(2, strides=pool_stride, name="pool")
        x = _each(pool, x)  # (batch, 9, 4, 13, 13, 8)
    elif features == "conv2d":
        convolution = layers.Conv2D(8, kernel, padding=padding, name="convolution")
        x = _each(convolution, clips)  # (batch, 13, 88, 88, 8)
        pool = layers.MaxPooling2D(2, strides=pool_stride, name="pool")
        x = _each(pool, x)  # (batch, 13, 44, 44, 8)
    else:
        # (batch, 13, 88, 88, 32)
        x = convlstm(clips, 32, padding=padding, return_sequences=True, kernel_size=kernel)
        pool = layers.MaxPooling2D(2, strides=pool_stride, name="pool")
        x = _each(pool, x)  # (batch, 13, 44, 44, 32)
        x = _each(layers.Conv2D(8, 1, name="reduction"), x)  # (batch, 13, 44, 44, 8)
    tokens = x.shape[1]
    # (batch, 9, 5408) or (batch, 13, 15488)
    x = layers.Reshape((tokens, math.prod(x.shape[2:])), name="tokens")(x)
    if features != "convlstm":
        x = PositionalEmbedding(name="positions")(x)
    x = layers.MultiHeadAttention(heads, key_dim, name="attention")(x, x)
    if readout == "mean":
        x = layers.GlobalAveragePooling1D(name="mean_token")(x)  # (batch, 5408)
    else:
        index = {"onset": 0, "apex": tokens // 2, "offset": tokens - 1}[readout]
        x = TokenAt(index, name=f"{readout}_token")(x)  # (batch, 15488)
    x = layers.Dense(128, activation="relu", name="hidden")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(classes, activation="softmax", name="classes")(x)
    return keras.Model(clips, x, name=f"shallow_attention_{features}")


def _each(layer: keras.Layer, x: Tensor) -> Tensor:
    """Apply a layer to each block or frame."""
    return choose(layers.TimeDistributed)(layer, name=f"{layer.name}_each")(x)
