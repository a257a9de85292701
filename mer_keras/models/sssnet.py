"""SSSNet, two convolutions on optical flow.

Paper: Varanka, Peng, Zhao, "Micro-expression recognition with noisy labels", Electronic Imaging
2021; the package meb of its authors.

Architecture, for images (64, 64, 3) of (u, v, strain):

=====================================  ==========  ==========
layer                                  output      parameters
=====================================  ==========  ==========
5x5 convolution, ReLU, max-pool 3,     20x20x32    2,496
normalisation, channel dropout 0.5
3x3 convolution, ReLU, max-pool 2,     9x9x64      18,624
normalisation, channel dropout 0.5
dense, ReLU, dropout 0.5               256         1,327,360
dense softmax                          3           771
=====================================  ==========  ==========

Convolutions have no padding. Channel dropout sets whole maps to zero.

Parameters: 1,349,251 trained, and 192 moving statistics.

It is another network than SSSN (Khor et al., ICIP 2019), in spite of its name.

What the paper leaves open: nothing that the package doesn't say; how flow is scaled is a choice of
its users.
"""

from collections.abc import Sequence

import keras
from keras import layers

from mer_keras.models.blocks import counted_norm, dropout, pytorch_convolve, pytorch_dense


def build(
    input_shape: Sequence[int] = (64, 64, 3),
    classes: int = 3,
    *,
    widths: Sequence[int] = (32, 64, 256),
    scale: float = 1 / 255,
    drop: float = 0.5,
) -> keras.Model:
    """Build SSSNet: images (batch, 64, 64, 3) -> probabilities (batch, classes).

    Args:
        input_shape: height, width, channels.
        classes: number of classes.
        widths: maps of the two convolutions and units of the dense layer.
        scale: what values are multiplied with first; 1/255 takes bytes to 0..1.
        drop: part of the maps, and of the units, set to zero in training.
    """
    images = keras.Input(tuple(input_shape), name="clip")
    x = layers.Rescaling(scale, name="scaled")(images)
    for number, (filters, edge, window) in enumerate(
        ((widths[0], 5, 3), (widths[1], 3, 2)), start=1
    ):
        name = f"conv{number}"
        x = pytorch_convolve(x, filters, edge, padding="valid", activation="relu", name=name)
        x = layers.MaxPooling2D(window, name=f"{name}_pool")(x)
        x = counted_norm(f"{name}_norm")(x)
        x = layers.SpatialDropout2D(drop, name=f"{name}_dropout")(x)
    x = layers.Flatten(name="flat")(x)
    x = pytorch_dense(x, widths[2], activation="relu", name="dense")
    x = dropout(x, drop, name="dropout")
    x = pytorch_dense(x, classes, activation="softmax", name="classes")
    return keras.Model(images, x, name="sssnet")
