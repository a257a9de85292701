"""VGG-16, as ELRCN reads images with it.

Papers: Simonyan, Zisserman, "Very deep convolutional networks for large-scale image recognition",
ICLR 2015; for micro-expressions Khor, See, Phan, Lin, FG 2018.

Architecture, for images (224, 224, 3): 3x3 convolutions with ReLU in groups of 2, 2, 3, 3 and 3
layers of 64, 128, 256, 512 and 512 maps, each group with a max-pool 2 (14,714,688 parameters,
7x7x512); two dense layers of 4,096 with ReLU and dropout 0.5 (119,545,856); a dense softmax
(20,485).

Parameters, all trained: 134,281,029 with five classes; 134,281,605 and 134,282,181 with four and
five channels.

**It starts at random here.** Papers start from weights of ImageNet or of faces, which a file gives
(``--start-from``); without it this is another experiment.

What the papers leave open: how values are scaled. Here they are divided by 255.
"""

from collections.abc import Sequence

import keras
from keras import layers

from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import dropout

#: Convolutions of each group, and their maps.
DEPTHS, MAPS = (2, 2, 3, 3, 3), (64, 128, 256, 512, 512)
#: Initial kernels: values keep their size through thirteen convolutions (He et al., ICCV 2015).
START = "he_uniform"


def build(
    input_shape: Sequence[int] = (224, 224, 3),
    classes: int = 5,
    *,
    maps: Sequence[int] = MAPS,
    units: int = 4096,
    scale: float = 1 / 255,
    drop: float = 0.5,
) -> keras.Model:
    """Build VGG-16: images (batch, height, width, channels), 0..255 -> (batch, classes).

    Args:
        input_shape: height, width, channels; 32 pixels or more.
        classes: number of classes.
        maps: of the five groups of convolutions.
        units: of each of the two dense layers.
        scale: what values are multiplied with first.
        drop: part of the units set to zero in training.
    """
    images = keras.Input(tuple(input_shape), name="clip")
    x = layers.Rescaling(scale, name="scaled")(images)
    x = layers.Flatten(name="flat")(convolutions(x, maps))
    x = dense_layers(x, units, drop)
    x = layers.Dense(classes, activation="softmax", name="classes")(x)
    return keras.Model(images, x, name="vgg16")


def convolutions(x: Tensor, maps: Sequence[int] = MAPS, prefix: str = "") -> Tensor:
    """Return the maps of images behind the last pooling, (batch, height / 32, width / 32, 512)."""
    for group, (depth, filters) in enumerate(zip(DEPTHS, maps, strict=True), start=1):
        for number in range(1, depth + 1):
            name = f"{prefix}conv{group}_{number}"
            convolution = layers.Conv2D(
                filters, 3, padding="same", activation="relu", kernel_initializer=START, name=name
            )
            x = convolution(x)
        x = layers.MaxPooling2D(2, name=f"{prefix}pool{group}")(x)
    return x


def dense_layers(x: Tensor, units: int, drop: float, prefix: str = "") -> Tensor:
    """Apply both dense layers to flat maps, (batch, ..., values) -> (batch, ..., units)."""
    for number in (6, 7):
        name = f"{prefix}fc{number}"
        x = layers.Dense(units, activation="relu", kernel_initializer=START, name=name)(x)
        x = dropout(x, drop, name=f"{name}_dropout")
    return x
