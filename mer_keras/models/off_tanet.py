"""Off-TANet, a small residual network with three kinds of attention, on optical flow.

Paper: Zhang, Liu, Zhou, "Off-TANet: a lightweight neural micro-expression recognizer with optical
flow features and integrated attention mechanism", PRICAI 2021.

Architecture, for images (112, 112, 3) of (u, v, strain):

=====================================  ==========  ==========
layer                                  output      parameters
=====================================  ==========  ==========
7x7 convolution of stride 2, ReLU,     56x56x8     1,200
normalisation
residual block, max-pool 2             28x28x18    4,482
residual block, max-pool 2             14x14x28    12,292
triple attention block, max-pool 2     7x7x8       11,922
dense, ReLU, dropout 0.5               64          25,152
dense, ReLU, dropout 0.5               64          4,160
dense softmax                          3           195
=====================================  ==========  ==========

- residual block: twice 3x3 convolution, normalisation and ReLU, to which a 1x1 convolution of the
  input is added.
- triple attention block: 3x3 convolution, normalisation, ReLU; weighed by channels, then by
  positions; self-attention map by map (see ``layers.map_attention``); 3x3 convolution,
  normalisation, ReLU; a 1x1 convolution of the block's input is added.

Parameters: 59,403 trained, and 272 moving statistics.

The authors' input is raw displacement in pixels. Their strain has the vertical gradient of u where
that of v belongs.

What the paper leaves open: nothing that the authors' code doesn't say.
"""

from collections.abc import Sequence

import keras
from keras import layers

from mer_keras.layers.attention import ChannelAttention, SpatialAttention
from mer_keras.layers.map_attention import MapAttention
from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import (
    counted_norm,
    dropout,
    pytorch_convolve,
    pytorch_dense,
    pytorch_start,
)

#: Maps of the stem, of the two residual blocks and of the last block, and units of a dense layer.
STEM, RESIDUAL, LAST, UNITS = 8, (18, 28), 8, 64


def build(
    input_shape: Sequence[int] = (112, 112, 3),
    classes: int = 3,
    *,
    scale: float = 1.0,
    drop: float = 0.5,
) -> keras.Model:
    """Build Off-TANet: images (batch, 112, 112, 3) -> probabilities (batch, classes).

    Args:
        input_shape: height, width, channels; height and width multiples of 16.
        classes: number of classes.
        scale: what values are multiplied with first.
        drop: part of the units set to zero in training.
    """
    images = keras.Input(tuple(input_shape), name="clip")
    x = layers.Rescaling(scale, name="scaled")(images)
    x = layers.ZeroPadding2D(3, name="stem_pad")(x)
    start = pytorch_start(49 * int(x.shape[-1]))
    x = layers.Conv2D(STEM, 7, strides=2, activation="relu", name="stem", **start)(x)
    x = counted_norm("stem_norm")(x)  # (batch, 56, 56, 8)
    for number, filters in enumerate(RESIDUAL, start=1):
        name = f"block{number}"
        y = _convolve(_convolve(x, filters, f"{name}_first"), filters, f"{name}_second")
        shortcut = pytorch_convolve(x, filters, 1, name=f"{name}_shortcut")
        y = layers.Add(name=f"{name}_out")([y, shortcut])
        x = layers.MaxPooling2D(2, name=f"{name}_pool")(y)
    y = _convolve(x, RESIDUAL[-1], "triple_first")  # (batch, 14, 14, 28)
    weights = ChannelAttention(RESIDUAL[-1], name="triple_channels")(y)
    y = layers.Multiply(name="triple_by_channels")([y, weights])
    y = layers.Multiply(name="triple_by_places")([y, SpatialAttention(3, name="triple_places")(y)])
    y = MapAttention(name="triple_maps")(y)
    y = _convolve(y, LAST, "triple_second")
    shortcut = pytorch_convolve(x, LAST, 1, name="triple_shortcut")
    y = layers.Add(name="triple_out")([y, shortcut])
    x = layers.MaxPooling2D(2, name="triple_pool")(y)  # (batch, 7, 7, 8)
    x = layers.Flatten(name="flat")(x)
    for number in (1, 2):
        x = pytorch_dense(x, UNITS, activation="relu", name=f"dense{number}")
        x = dropout(x, drop, name=f"dropout{number}")
    x = pytorch_dense(x, classes, activation="softmax", name="classes")
    return keras.Model(images, x, name="off_tanet")


def _convolve(x: Tensor, filters: int, name: str) -> Tensor:
    """3x3 convolution, normalisation and ReLU."""
    x = counted_norm(f"{name}_norm")(pytorch_convolve(x, filters, 3, name=name))
    return layers.ReLU(name=f"{name}_relu")(x)
