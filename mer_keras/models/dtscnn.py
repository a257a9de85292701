"""DTSCNN, two 3-D convolutional streams for two lengths of a sequence of flow.

Paper: Peng, Wang, Chen, Liu, Fu, "Dual temporal scale convolutional neural network for
micro-expression recognition", Frontiers in Psychology 2017.

Architecture of a stream, for 64 images (64, 128, 128, 3) of flow:

=====================================  ==============  ==========
layer                                  output          parameters
=====================================  ==============  ==========
convolution 8x3x3 of strides 4, 2, 2,  16x64x64x16     3,472
ReLU, max-pool 1x2x2                   16x32x32x16     0
convolution 3x3x3, ReLU, max-pool 2    8x16x16x32      13,856
convolution 3x3x3, ReLU, max-pool 2    4x8x8x64        55,360
convolution 4x3x3, ReLU, max-pool      1x4x4x128       295,040
1x2x2
greatest value of each map             128             0
=====================================  ==============  ==========

A second stream of the same kind reads 128 images. Both meet in dense layers of 1,024 and 512 with
ReLU and a dense softmax (790,533 parameters).

Parameters, all trained: 1,525,989; with one stream 1,027,189.

**The layers are those of a third party's code**, which has one stream and names the paper; the
paper's own table was not at hand. 63 million parameters, which a table quotes, are met by no
reading.

What is open here: the paper's sizes, its fusion (perhaps a linear SVM) and its recipe.
"""

from collections.abc import Sequence

import keras
from keras import layers

from mer_keras.arrays import Shape, each_shape
from mer_keras.layers.tensors import Tensor

#: Maps and kernels of the convolutions, and windows of the pools behind them.
LAYERS = (
    (16, (8, 3, 3), (1, 2, 2)),
    (32, (3, 3, 3), (2, 2, 2)),
    (64, (3, 3, 3), (2, 2, 2)),
    (128, (4, 3, 3), (1, 2, 2)),
)
_STREAMS = ("short", "long")


def build(
    input_shape: Shape = ((64, 128, 128, 3), (128, 128, 128, 3)),
    classes: int = 5,
    *,
    units: Sequence[int] = (1024, 512),
    scale: float = 1.0,
) -> keras.Model:
    """Build DTSCNN: sequences of flow of two lengths -> probabilities (batch, classes).

    Args:
        input_shape: of one or of both streams: time, height, width, channels; 64 images and 32
            pixels or more.
        classes: number of classes.
        units: of the dense layers.
        scale: what values are multiplied with first.

    Raises:
        ValueError: there are more than two streams.
    """
    shapes = each_shape(input_shape)
    if len(shapes) > len(_STREAMS):
        raise ValueError(f"{len(shapes)} streams, expected 1 or 2")
    names = ("clip",) if len(shapes) == 1 else _STREAMS
    clips = [keras.Input(shape, name=name) for shape, name in zip(shapes, names, strict=True)]
    features = []
    for clip, stream in zip(clips, _STREAMS, strict=False):
        scaled = layers.Rescaling(scale, name=f"{stream}_scaled")(clip)
        features.append(_stream(scaled, stream))
    x = layers.Concatenate(name="features")(features) if len(features) > 1 else features[0]
    for number, width in enumerate(units, start=1):
        x = layers.Dense(width, activation="relu", name=f"dense{number}")(x)
    x = layers.Dense(classes, activation="softmax", name="classes")(x)
    return keras.Model(clips if len(clips) > 1 else clips[0], x, name="dtscnn")


def _stream(x: Tensor, stream: str) -> Tensor:
    """Features of a sequence, (batch, 128)."""
    for number, (filters, kernel, window) in enumerate(LAYERS, start=1):
        name = f"{stream}_conv{number}"
        if number in (1, len(LAYERS)):  # The others keep time, height and width.
            x = layers.ZeroPadding3D((2 if number == 1 else 0, 1, 1), name=f"{name}_pad")(x)
        convolution = layers.Conv3D(
            filters,
            kernel,
            strides=(4, 2, 2) if number == 1 else 1,
            padding="same" if number in (2, 3) else "valid",
            activation="relu",
            name=name,
        )
        x = layers.MaxPooling3D(window, name=f"{name}_pool")(convolution(x))
    return layers.GlobalMaxPooling3D(name=f"{stream}_greatest")(x)
