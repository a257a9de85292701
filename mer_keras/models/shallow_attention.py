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

Padding = Literal["valid", "same"]
Readout = Literal["onset", "apex", "offset"]


def build_conv3d(
    input_shape: Sequence[int] = (13, 90, 90, 1),
    classes: int = 5,
    *,
    kernel: int = 5,
    padding: Padding = "valid",
    pool_stride: int = 2,
    heads: int = 4,
    key_dim: int = 16,
    dropout: float = 0.2,
) -> keras.Model:
    """Build the block-wise 3-D network: (batch, time, height, width, 1) -> (batch, classes).

    The same eight kernels run over each of the nine blocks of a 3x3 grid.

    Args:
        input_shape: time, height, width, channels; 3 divides height and width.
        classes: number of classes.
        kernel: edge of the cubic kernels; the paper finds 5 better than 3.
        padding: of the convolution; the paper does not say.
        pool_stride: of the max-pooling; the paper does not say.
        heads: of the attention.
        key_dim: width of each head's queries and keys; 64 is the other reading.
        dropout: between the dense layers.
    """
    clips = keras.Input(tuple(input_shape), name="clip")
    x = GridBlocks(name="blocks")(clips)  # (batch, 9, 13, 30, 30, 1)
    convolution = layers.Conv3D(8, kernel, padding=padding, name="convolution")
    x = _each(convolution, x)  # (batch, 9, 9, 26, 26, 8)
    pool = layers.MaxPooling3D(2, strides=pool_stride, name="pool")
    x = _each(pool, x)  # (batch, 9, 4, 13, 13, 8)
    x = _attend(_tokens(x), heads, key_dim, positions=True)  # (batch, 9, 5408)
    x = layers.GlobalAveragePooling1D(name="mean_token")(x)  # (batch, 5408)
    return _classify(clips, x, classes, dropout, "shallow_attention_conv3d")


def build_conv2d(
    input_shape: Sequence[int] = (13, 90, 90, 1),
    classes: int = 5,
    *,
    kernel: int = 3,
    padding: Padding = "valid",
    pool_stride: int = 2,
    heads: int = 4,
    key_dim: int = 16,
    readout: Readout = "apex",
    dropout: float = 0.2,
) -> keras.Model:
    """Build the frame-wise 2-D network: (batch, time, height, width, 1) -> (batch, classes).

    Args:
        input_shape: time, height, width, channels; the apex stands in the middle.
        classes: number of classes.
        kernel: edge of the square kernels.
        padding: see ``build_conv3d``.
        pool_stride: see ``build_conv3d``.
        heads: see ``build_conv3d``.
        key_dim: see ``build_conv3d``.
        readout: frame whose token goes on; the paper finds the apex best.
        dropout: between the dense layers.
    """
    clips = keras.Input(tuple(input_shape), name="clip")
    convolution = layers.Conv2D(8, kernel, padding=padding, name="convolution")
    x = _each(convolution, clips)  # (batch, 13, 88, 88, 8)
    x = _each(layers.MaxPooling2D(2, strides=pool_stride, name="pool"), x)  # (batch, 13, 44, 44, 8)
    x = _attend(_tokens(x), heads, key_dim, positions=True)  # (batch, 13, 15488)
    x = TokenAt(_index(readout, input_shape[0]), name=f"{readout}_token")(x)
    return _classify(clips, x, classes, dropout, "shallow_attention_conv2d")


def build_convlstm(
    input_shape: Sequence[int] = (13, 90, 90, 1),
    classes: int = 5,
    *,
    kernel: int = 3,
    padding: Padding = "valid",
    pool_stride: int = 2,
    heads: int = 4,
    key_dim: int = 16,
    readout: Readout = "offset",
    dropout: float = 0.2,
) -> keras.Model:
    """Build the ConvLSTM network: (batch, time, height, width, 1) -> (batch, classes).

    Args:
        input_shape: time, height, width, channels.
        classes: number of classes.
        kernel: edge of the square kernels.
        padding: see ``build_conv3d``.
        pool_stride: see ``build_conv3d``.
        heads: see ``build_conv3d``.
        key_dim: see ``build_conv3d``.
        readout: frame whose token goes on; the paper takes the offset, the last state.
        dropout: between the dense layers.
    """
    clips = keras.Input(tuple(input_shape), name="clip")
    x = convlstm(
        clips, 32, padding=padding, return_sequences=True, kernel_size=kernel
    )  # (batch, 13, 88, 88, 32)
    x = _each(
        layers.MaxPooling2D(2, strides=pool_stride, name="pool"), x
    )  # (batch, 13, 44, 44, 32)
    x = _each(layers.Conv2D(8, 1, name="reduction"), x)  # (batch, 13, 44, 44, 8)
    x = _attend(_tokens(x), heads, key_dim, positions=False)  # (batch, 13, 15488)
    x = TokenAt(_index(readout, input_shape[0]), name=f"{readout}_token")(x)
    return _classify(clips, x, classes, dropout, "shallow_attention_convlstm")


def _index(readout: Readout, frames: int) -> int:
    """Number of the frame whose token goes on."""
    return {"onset": 0, "apex": frames // 2, "offset": frames - 1}[readout]


def _each(layer: keras.Layer, x: Tensor) -> Tensor:
    """Apply a layer to each block or frame."""
    return choose(layers.TimeDistributed)(layer, name=f"{layer.name}_each")(x)


def _tokens(x: Tensor) -> Tensor:
    """(batch, tokens, ...) -> (batch, tokens, width)."""
    return layers.Reshape((x.shape[1], math.prod(x.shape[2:])), name="tokens")(x)


def _attend(x: Tensor, heads: int, key_dim: int, *, positions: bool) -> Tensor:
    """Self-attention of tokens, (batch, tokens, width) -> the same."""
    if positions:
        x = PositionalEmbedding(name="positions")(x)
    return layers.MultiHeadAttention(heads, key_dim, name="attention")(x, x)


def _classify(clips: Tensor, x: Tensor, classes: int, dropout: float, name: str) -> keras.Model:
    """Two dense layers on one vector a clip, (batch, width) -> (batch, classes)."""
    x = layers.Dense(128, activation="relu", name="hidden")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(classes, activation="softmax", name="classes")(x)
    return keras.Model(clips, x, name=name)
