"""OFF-ApexNet, two streams on the two components of optical flow.

Paper: Gan, Liong, Yau, Huang, Tan, "OFF-ApexNet on micro-expression recognition system", Signal
Processing: Image Communication 74, 2019.

Architecture, for images (28, 28, 3) of (u, v, strain), of which strain isn't read; each component
of flow goes through a stream of its own:

=====================================  ==========  ==========
layer                                  output      parameters
=====================================  ==========  ==========
5x5 convolution, ReLU, max-pool 2      14x14x6     156
5x5 convolution, ReLU, max-pool 2      7x7x16      2,416
(both streams)                                     5,144
joined, flat                           1,568       0
dense, ReLU, dropout 0.5               1,024       1,606,656
dense, ReLU, dropout 0.5               1,024       1,049,600
dense softmax                          3           3,075
=====================================  ==========  ==========

Parameters: 2,664,475, all trained. 2.77 million are published (in table V of the STSTNet paper):
depth and layout are as published, the count isn't, and no reading that was tried explains the
difference.

What the paper leaves open: its authors released no code. The layers are those of a
reimplementation by the authors of Off-TANet, which has no ReLU after the convolutions
(``conv_activation``: null); ReLU is the usual reading. How flow is scaled isn't known either: here
bytes become 0..1. A network of that name in the package meb is another one (a single stream of 3x3
convolutions, 807,909 parameters) and isn't built.
"""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers

from mer_keras.layers.channels import ChannelRange
from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import dropout, pytorch_convolve, pytorch_dense

#: Filters of the two convolutions of a stream.
FILTERS = (6, 16)
#: Units of the two dense layers.
UNITS = 1024


def build(
    input_shape: Sequence[int] = (28, 28, 3),
    classes: int = 3,
    *,
    conv_activation: Literal["relu"] | None = "relu",
    scale: float = 1 / 255,
    drop: float = 0.5,
) -> keras.Model:
    """Build OFF-ApexNet: images (batch, 28, 28, 3) -> probabilities (batch, classes).

    Args:
        input_shape: height, width, channels; the first two channels are u and v.
        classes: number of classes.
        conv_activation: applied after each convolution; null: nothing, as in the reimplementation
            that was released.
        scale: what values are multiplied with first; 1/255 takes bytes to 0..1.
        drop: part of the units set to zero in training.
    """
    images = keras.Input(tuple(input_shape), name="clip")
    x = layers.Rescaling(scale, name="scaled")(images)
    u = _stream(ChannelRange(0, 1, name="u")(x), "u", conv_activation)
    v = _stream(ChannelRange(1, 2, name="v")(x), "v", conv_activation)
    x = layers.Concatenate(name="joined")([u, v])  # (batch, 7, 7, 32)
    x = layers.Flatten(name="flat")(x)  # (batch, 1568)
    for number in (1, 2):
        x = pytorch_dense(x, UNITS, activation="relu", name=f"dense{number}")
        x = dropout(x, drop, name=f"dropout{number}")
    x = pytorch_dense(x, classes, activation="softmax", name="classes")
    return keras.Model(images, x, name="off_apexnet")


def _stream(component: Tensor, name: str, activation: str | None) -> Tensor:
    """(batch, 28, 28, 1) -> (batch, 7, 7, 16)."""
    x = component
    for number, filters in enumerate(FILTERS, start=1):
        x = pytorch_convolve(x, filters, 5, activation=activation, name=f"{name}_conv{number}")
        x = layers.MaxPooling2D(2, name=f"{name}_pool{number}")(x)
    return x
