"""EMR, ResNet-18 on coloured flow, divided into the upper and the lower face.

Paper: Liu, Du, Zheng, Gedeon, "A neural micro-expression recognizer", FG 2019.

Architecture, for coloured flow (224, 224, 3), 0..255:

=====================================  ==========  ==========
layer                                  output      parameters
=====================================  ==========  ==========
ResNet-18                              7x7x512     11,176,512
mean of the three upper rows, dense,   64          32,832
tanh, dropout 0.1
mean of the four lower rows, likewise  64          32,832
both side by side, dense softmax       3           387
=====================================  ==========  ==========

Parameters: 11,242,563 trained, and 9,600 moving statistics.

**Without what only helps to train it**: a classifier on each half of the face (390 parameters), and
a discriminator behind reversed gradients (10,369) that tells micro- from macro-expressions, which
stand among the training clips there. With these the code's network has 11,253,322.

**ResNet-18 starts at random here.** The authors start from ImageNet's weights, which a file gives
(``--start-from``); without it this is another experiment.

What is open: how far frames are magnified. The authors' coloured flow takes its saturation from the
apex frame and lets values overflow; here colours are saturated and right.
"""

from collections.abc import Sequence

import keras
from keras import layers

from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import dropout
from mer_keras.models.resnet18 import resnet18


def build(
    input_shape: Sequence[int] = (224, 224, 3),
    classes: int = 3,
    *,
    units: int = 64,
    shrink: int = 1,
    scale: float = 2 / 255,
    offset: float = -1.0,
    drop: float = 0.1,
) -> keras.Model:
    """Build EMR: coloured flow (batch, 224, 224, 3), 0..255 -> probabilities (batch, classes).

    Args:
        input_shape: height, width, channels; more than 32 pixels high.
        classes: number of classes.
        units: of the dense layer of each half.
        shrink: what ResNet-18's numbers of maps are divided by.
        scale: what values are multiplied with first.
        offset: what is added then; by default values lie in -1..1.
        drop: part of the units set to zero in training.

    Raises:
        ValueError: the last maps have one row, which has no halves.
    """
    images = keras.Input(tuple(input_shape), name="clip")
    x = layers.Rescaling(scale, offset, name="scaled")(images)
    x = resnet18(x, shrink=shrink)  # (batch, 7, 7, 512)
    rows = int(x.shape[1])
    if rows < 2:
        raise ValueError("the last maps have one row: the images must be more than 32 pixels high")
    upper = rows * 3 // 7 or 1
    halves = [
        _half(x, (0, rows - upper), "upper", units, drop),
        _half(x, (upper, 0), "lower", units, drop),
    ]
    x = layers.Concatenate(name="halves")(halves)
    outputs = layers.Dense(
        classes, activation="softmax", kernel_initializer="glorot_normal", name="classes"
    )
    return keras.Model(images, outputs(x), name="emr")


def _half(x: Tensor, crop: tuple[int, int], name: str, units: int, drop: float) -> Tensor:
    """Features of some rows of the maps, (batch, units)."""
    x = layers.Cropping2D((crop, (0, 0)), name=f"{name}_rows")(x)
    x = layers.GlobalAveragePooling2D(name=f"{name}_mean")(x)
    dense = layers.Dense(
        units, activation="tanh", kernel_initializer="glorot_normal", name=f"{name}_dense"
    )
    return dropout(dense(x), drop, name=f"{name}_dropout")
