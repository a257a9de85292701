"""Dual-Inception, two streams of Inception blocks on the two components of optical flow.

Paper: Zhou, Mao, Xue, "Dual-inception network for cross-database micro-expression recognition",
FG 2019.

Architecture, for images (28, 28, 3) of (u, v, strain), of which strain isn't read; each component
of flow goes through a stream of its own:

=====================================  ==========  ==========
layer                                  output      parameters
=====================================  ==========  ==========
Inception block of 6, max-pool 2       14x14x24    1,284
Inception block of 16, max-pool 2      7x7x64      10,336
(both streams)                                     23,240
joined, flat                           6,272       0
dense, ReLU                            1,024       6,423,552
dense softmax                          3           3,075
=====================================  ==========  ==========

An Inception block has four branches of as many filters, which are joined in this order: 1x1 and
5x5 convolution; 1x1 and 3x3 convolution; 3x3 max-pool at stride 1 and 1x1 convolution; 1x1
convolution. Each convolution is followed by ReLU, but for that of the last branch.

Parameters: 6,449,867, all trained. The paper prints no count that is known here.

What the paper leaves open: its authors released no code. The layers are those of a
reimplementation by the authors of Off-TANet, the missing ReLU included. It has neither dropout nor
batch normalisation. How flow is scaled isn't known: here bytes become 0..1.
"""

from collections.abc import Sequence

import keras
from keras import layers

from mer_keras.layers.channels import ChannelRange
from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import pytorch_convolve, pytorch_dense

#: Filters of a branch in the two blocks of a stream.
FILTERS = (6, 16)


def build(
    input_shape: Sequence[int] = (28, 28, 3),
    classes: int = 3,
    *,
    scale: float = 1 / 255,
    units: int = 1024,
) -> keras.Model:
    """Build Dual-Inception: images (batch, 28, 28, 3) -> probabilities (batch, classes).

    Args:
        input_shape: height, width, channels; the first two channels are u and v.
        classes: number of classes.
        scale: what values are multiplied with first; 1/255 takes bytes to 0..1.
        units: of the dense layer that joins the streams.
    """
    images = keras.Input(tuple(input_shape), name="clip")
    x = layers.Rescaling(scale, name="scaled")(images)
    streams = []
    for channel, name in enumerate(("u", "v")):
        maps = ChannelRange(channel, channel + 1, name=name)(x)
        for number, filters in enumerate(FILTERS, start=1):
            maps = _inception(maps, filters, f"{name}_block{number}")
        streams.append(maps)
    x = layers.Concatenate(name="joined")(streams)  # (batch, 7, 7, 128)
    x = layers.Flatten(name="flat")(x)  # (batch, 6272)
    x = pytorch_dense(x, units, activation="relu", name="dense")
    x = pytorch_dense(x, classes, activation="softmax", name="classes")
    return keras.Model(images, x, name="dual_inception")


def _inception(x: Tensor, filters: int, name: str) -> Tensor:
    """(batch, height, width, channels) -> (batch, height / 2, width / 2, 4 filters)."""

    def convolve(maps: Tensor, edge: int, branch: str, activation: str | None = "relu") -> Tensor:
        return pytorch_convolve(maps, filters, edge, activation=activation, name=f"{name}_{branch}")

    pooled = layers.MaxPooling2D(3, strides=1, padding="same", name=f"{name}_pool3")(x)
    branches = [
        convolve(convolve(x, 1, "reduce5"), 5, "conv5"),
        convolve(convolve(x, 1, "reduce3"), 3, "conv3"),
        convolve(pooled, 1, "conv_pool"),
        convolve(x, 1, "conv1", activation=None),
    ]
    x = layers.Concatenate(name=f"{name}_joined")(branches)
    return layers.MaxPooling2D(2, name=f"{name}_out")(x)
