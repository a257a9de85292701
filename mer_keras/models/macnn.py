"""MACNN, residual blocks and dilated convolutions on optical flow.

Paper: Lai, Chen, Jia, Qian, "Real-time micro-expression recognition based on ResNet and atrous
convolutions", 2020.

Architecture, for images (112, 112, 3) of (u, v, strain):

=====================================  ==========  ==========
layer                                  output      parameters
=====================================  ==========  ==========
four residual blocks of 32, 64, 128    7x7x256     1,215,840
and 256 maps, each with max-pool 2
3x3 convolutions dilated by 4, then    7x7x256     1,180,160
by 2, each with ReLU
dense, ReLU, dropout 0.5               4,096       51,384,320
dense, ReLU, dropout 0.5               4,096       16,781,312
dense softmax                          3           12,291
=====================================  ==========  ==========

A residual block is twice a 3x3 convolution and ReLU, to which a 1x1 convolution of the input is
added. There is no batch normalisation.

Parameters: 70,573,923, all trained.

What the paper leaves open: its authors released no code. The layers are those of a
reimplementation by the authors of Off-TANet, whose input is raw displacement in pixels.
"""

from collections.abc import Sequence

import keras
from keras import layers

from mer_keras.models.blocks import dropout, pytorch_convolve, pytorch_dense

#: Maps of the residual blocks, and dilations of the two convolutions behind them.
FILTERS, DILATIONS = (32, 64, 128, 256), (4, 2)


def build(
    input_shape: Sequence[int] = (112, 112, 3),
    classes: int = 3,
    *,
    units: int = 4096,
    scale: float = 1.0,
    drop: float = 0.5,
) -> keras.Model:
    """Build MACNN: images (batch, 112, 112, 3) -> probabilities (batch, classes).

    Args:
        input_shape: height, width, channels; height and width 16 or more.
        classes: number of classes.
        units: of each of the two dense layers.
        scale: what values are multiplied with first.
        drop: part of the units set to zero in training.
    """
    images = keras.Input(tuple(input_shape), name="clip")
    x = layers.Rescaling(scale, name="scaled")(images)
    for number, filters in enumerate(FILTERS, start=1):
        name = f"block{number}"
        y = pytorch_convolve(x, filters, 3, activation="relu", name=f"{name}_first")
        y = pytorch_convolve(y, filters, 3, activation="relu", name=f"{name}_second")
        shortcut = pytorch_convolve(x, filters, 1, name=f"{name}_shortcut")
        y = layers.Add(name=f"{name}_out")([y, shortcut])
        x = layers.MaxPooling2D(2, name=f"{name}_pool")(y)
    for dilation in DILATIONS:
        name = f"dilated{dilation}"
        x = pytorch_convolve(x, FILTERS[-1], 3, dilation=dilation, activation="relu", name=name)
    x = layers.Flatten(name="flat")(x)
    for number in (1, 2):
        x = pytorch_dense(x, units, activation="relu", name=f"dense{number}")
        x = dropout(x, drop, name=f"dropout{number}")
    x = pytorch_dense(x, classes, activation="softmax", name="classes")
    return keras.Model(images, x, name="macnn")
