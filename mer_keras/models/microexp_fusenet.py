"""MicroExpFuseNet, two 3-D convolutions over the eyes and over the mouth.

Paper: Reddy, Karri, Dubey, Mukherjee, "Spontaneous facial micro-expression recognition using 3D
spatiotemporal convolutional neural networks", IJCNN 2019.

Architecture, for two clips (96, 32, 32, 1), of the eyes and of the mouth. Each stream is a
convolution of 15 frames and 3x3 pixels with 32 maps, ReLU, a 3x3x3 max-pool and dropout (4,352
parameters, 27x10x10x32). ``intermediate``: the flat values of both meet, then come dense layers of
1,024 and of 128, each with dropout. ``late``: each stream has such dense layers, and their 128
values meet. A dense softmax is last.

Parameters, all trained: 177,088,515 of ``intermediate`` and 177,221,123 of ``late`` with 96 frames,
6,694,915 and 6,827,523 with 18.

What the paper leaves open: no activation stands between the dense layers in the authors' code, and
the text says nothing of it. Its table prints 86,400 values behind the meeting of the streams, where
there are twice as many. Eyes and mouth are cut by landmarks there, here by fixed bounds.
"""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers

from mer_keras.arrays import Shape, each_shape
from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import dropout
from mer_keras.models.microexp_stcnn import convolved, plain_dense


def build(
    input_shape: Shape = ((96, 32, 32, 1), (96, 32, 32, 1)),
    classes: int = 3,
    *,
    fusion: Literal["intermediate", "late"] = "intermediate",
    dense_activation: Literal["relu"] | None = None,
    maps: int = 32,
    edge: int = 3,
    duration: int = 15,
    units: Sequence[int] = (1024, 128),
    scale: float = 1.0,
    drop: float = 0.5,
) -> keras.Model:
    """Build MicroExpFuseNet: clips of eyes and mouth -> probabilities (batch, classes).

    Args:
        input_shape: of eyes and of mouth: time, height, width, channels.
        classes: number of classes.
        fusion: whether the streams meet in front of the dense layers or behind them.
        dense_activation: of the dense layers.
        maps: of the convolutions.
        edge: of the kernels, in pixels.
        duration: of the kernels, in frames.
        units: of the two dense layers.
        scale: what values are multiplied with first.
        drop: part of the values set to zero in training.
    """
    names = ("eyes", "mouth")
    clips = [
        keras.Input(shape, name=name)
        for shape, name in zip(each_shape(input_shape), names, strict=True)
    ]

    def dense(x: Tensor, prefix: str) -> Tensor:
        for number, width in enumerate(units, start=1):
            name = f"{prefix}dense{number}"
            x = plain_dense(x, width, activation=dense_activation, name=name)
            x = dropout(x, drop, name=f"{name}_dropout")
        return x

    streams = []
    for clip, name in zip(clips, names, strict=True):
        x = layers.Rescaling(scale, name=f"{name}_scaled")(clip)
        x = convolved(x, maps, (duration, edge, edge), name=f"{name}_conv")
        x = dropout(x, drop, name=f"{name}_pool_dropout")
        x = layers.Flatten(name=f"{name}_flat")(x)
        streams.append(dense(x, f"{name}_") if fusion == "late" else x)
    x = layers.Concatenate(name="joined")(streams)
    if fusion == "intermediate":
        x = dense(x, "")
    x = plain_dense(x, classes, activation="softmax", name="classes")
    suffix = "_late" if fusion == "late" else ""
    return keras.Model(clips, x, name=f"microexp_fusenet{suffix}")
