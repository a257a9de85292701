"""MicroExpSTCNN, one 3-D convolution over gray frames.

Paper: Reddy, Karri, Dubey, Mukherjee, "Spontaneous facial micro-expression recognition using 3D
spatiotemporal convolutional neural networks", IJCNN 2019.

Architecture, for clips (96, 64, 64, 1):

=====================================  ============  ==========
layer                                  output        parameters
=====================================  ============  ==========
convolution of 15 frames and 3x3       82x62x62x32   4,352
pixels, ReLU
max-pool 3x3x3, dropout 0.5            27x20x20x32   0
dense, ReLU, dropout 0.5               128           44,236,928
dense softmax                          3             387
=====================================  ============  ==========

Parameters, all trained: 44,241,667 with 96 frames, 1,643,267 with the 18 frames of SMIC.

Time is the first axis here and the last one in the authors' code: the same network, whose flat
values come in another order.

What the paper leaves open: a dropout behind the last dense layer stands in its table and not in the
authors' code, which is followed.
"""

from collections.abc import Sequence

import keras
from keras import layers

from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import dropout

#: Deviation of the initial values of dense kernels.
DEVIATION = 0.05


def build(
    input_shape: Sequence[int] = (96, 64, 64, 1),
    classes: int = 3,
    *,
    maps: int = 32,
    edge: int = 3,
    duration: int = 15,
    units: int = 128,
    scale: float = 1.0,
    drop: float = 0.5,
) -> keras.Model:
    """Build MicroExpSTCNN: clips (batch, time, height, width, 1) -> (batch, classes).

    Args:
        input_shape: time, height, width, channels.
        classes: number of classes.
        maps: of the convolution.
        edge: of the kernels, in pixels; the paper tries 3, 5 and 7.
        duration: of the kernels, in frames; the paper tries 3, 7, 15 and 19.
        units: of the dense layer.
        scale: what values are multiplied with first.
        drop: part of the values set to zero in training.
    """
    clips = keras.Input(tuple(input_shape), name="clip")
    x = layers.Rescaling(scale, name="scaled")(clips)
    x = convolved(x, maps, (duration, edge, edge), name="conv")
    x = dropout(x, drop, name="pool_dropout")
    x = layers.Flatten(name="flat")(x)
    x = plain_dense(x, units, activation="relu", name="dense")
    x = dropout(x, drop, name="dropout")
    x = plain_dense(x, classes, activation="softmax", name="classes")
    return keras.Model(clips, x, name="microexp_stcnn")


def convolved(x: Tensor, maps: int, kernel: Sequence[int], *, name: str) -> Tensor:
    """Convolve clips without padding, apply ReLU, and take the greatest of 3x3x3 values."""
    x = layers.Conv3D(maps, tuple(kernel), activation="relu", name=name)(x)
    return layers.MaxPooling3D(3, name=f"{name}_pool")(x)


def plain_dense(x: Tensor, units: int, *, activation: str | None = None, name: str) -> Tensor:
    """Multiply the flat values by a matrix that starts normally distributed."""
    start = keras.initializers.RandomNormal(stddev=DEVIATION)
    return layers.Dense(units, activation=activation, kernel_initializer=start, name=name)(x)
