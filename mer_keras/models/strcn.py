"""STRCN, recurrent convolutions on optical flow.

Paper: Xia, Hong, Gao, Feng, Zhao, "Spatiotemporal recurrent convolutional networks for recognizing
spontaneous micro-expressions", IEEE Transactions on Multimedia 2020.

Architecture, for images (300, 245, 2) of flow to the right and down (STRCN-G):

=====================================  ==========  ==========
layer                                  output      parameters
=====================================  ==========  ==========
3x3 convolution, batch normalisation,  75x61x512   10,240
ReLU, max-pool 4
recurrent section, max-pool 4          18x15x512   4,983,808
recurrent section, max-pool 2          9x7x512     4,983,808
recurrent section, max-pool 2          4x3x512     4,983,808
mean of each map, dense softmax        3           1,539
=====================================  ==========  ==========

A section is a 1x1 convolution of its input x, then twice a 3x3 convolution of x and what came
before, each with batch normalisation and ReLU. **The two 3x3 convolutions have kernels of their
own** in the authors' code; ``shared`` gives them one, which is what the paper's text says.

Parameters: 14,963,203 trained with 512 maps (7,885,315 ``shared``), and 10,240 moving statistics;
939,139 with 128 maps.

Deviations: the first kernel isn't divided by 100, nor does it learn more slowly than the others. A
third channel of flow, strain, is left out.

What the paper leaves open: the number of maps; its code has 512 and names 128 and 256.
"""

from collections.abc import Sequence

import keras
from keras import layers

from mer_keras.layers.channels import ChannelRange
from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import normalise_relu

#: Windows of the pools behind the stem and the sections.
POOLS = (4, 4, 2, 2)


def build(
    input_shape: Sequence[int] = (300, 245, 2),
    classes: int = 3,
    *,
    maps: int = 512,
    shared: bool = False,
    pools: Sequence[int] = POOLS,
    scale: float = 1 / 255,
) -> keras.Model:
    """Build STRCN: images of flow (batch, height, width, 2) -> probabilities (batch, classes).

    Args:
        input_shape: height, width, channels; of more than two channels the first two are read.
        classes: number of classes.
        maps: of every convolution.
        shared: whether the two 3x3 convolutions of a section are one.
        pools: windows of the pools behind the stem and behind each section.
        scale: what values are multiplied with first.
    """
    images = keras.Input(tuple(input_shape), name="clip")
    x = layers.Rescaling(scale, name="scaled")(images)
    if input_shape[-1] > 2:
        x = ChannelRange(0, 2, name="flow")(x)
    x = normalise_relu(_convolution(maps, 3, "stem")(x), "stem_norm")
    x = layers.MaxPooling2D(pools[0], name="stem_pool")(x)
    for number, window in enumerate(pools[1:], start=1):
        name = f"section{number}"
        x = _section(x, maps, name, shared=shared)
        x = layers.MaxPooling2D(window, name=f"{name}_pool")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    x = layers.Dense(classes, activation="softmax", name="classes")(x)
    return keras.Model(images, x, name="strcn")


def _section(x: Tensor, maps: int, name: str, *, shared: bool) -> Tensor:
    """A 1x1 convolution, then twice a 3x3 convolution of the sum of its result and the input."""
    y = normalise_relu(_convolution(maps, 1, f"{name}_first")(x), f"{name}_first_norm")
    again = _convolution(maps, 3, f"{name}_again")
    for step in (1, 2):
        convolution = again if shared else _convolution(maps, 3, f"{name}_again{step}")
        total = layers.Add(name=f"{name}_sum{step}")([y, x])
        y = normalise_relu(convolution(total), f"{name}_again{step}_norm")
    return y


def _convolution(maps: int, edge: int, name: str) -> keras.Layer:
    return layers.Conv2D(maps, edge, padding="same", use_bias=False, name=name)
