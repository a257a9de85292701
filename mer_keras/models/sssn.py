"""SSSN and DSSN, the first two convolutions of AlexNet on pictures of motion.

Paper: Khor, See, Liong, Phan, Lin, "Dual-stream shallow networks for facial micro-expression
recognition", ICIP 2019.

Architecture of SSSN, for pictures (227, 227, 3), 0..255, of flow or of strain:

=====================================  ==========  ==========
layer                                  output      parameters
=====================================  ==========  ==========
11x11 convolution of stride 4, ReLU,   27x27x96    34,944
max-pool 3 of stride 2, local
response normalisation
two groups of 5x5 convolution, ReLU,   13x13x256   307,456
max-pool 3 of stride 2, local
response normalisation
a border of zeros, flat, dropout 0.5   57,600      0
dense softmax                          5           288,005
=====================================  ==========  ==========

DSSN has two of these streams, whose maps are multiplied in front of the dense layer.

Parameters, all trained: 630,405 of SSSN and 972,805 of DSSN with five classes, 515,203 and 857,603
with three. The border of zeros is read by the dense layer, as in the authors' code.

**Both start at random here.** The paper starts from ImageNet's weights of AlexNet, which a file
gives (``--start-from``); without it this is another experiment. Constants of the normalisation are
those of AlexNet's paper.

The paper's DSSN reads the flow's magnitude and strain, a picture each, and has two inputs. With one
input (``dssn_flow``), an image (u, v, strain), the first stream reads it as it is, since a flow
image that was stretched has lost its magnitude, and the second reads strain three times.

What the paper leaves open: the code has no training script.
"""

from collections.abc import Sequence

import keras
from keras import layers

from mer_keras.arrays import Shape, each_shape
from mer_keras.layers.channels import ChannelRange
from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import (
    dropout,
    grouped_convolve,
    pytorch_dense,
    pytorch_start,
    response_norm,
)

#: Means of ImageNet's red, green and blue, which are subtracted.
MEANS = (123.68, 116.779, 103.939)
#: Maps of the two convolutions.
MAPS = (96, 256)


def build(
    input_shape: Shape = (227, 227, 3),
    classes: int = 5,
    *,
    streams: int = 1,
    maps: Sequence[int] = MAPS,
    means: Sequence[float] = MEANS,
    scale: float = 1 / 255,
    drop: float = 0.5,
) -> keras.Model:
    """Build SSSN or DSSN: pictures (batch, 227, 227, 3), 0..255 -> probabilities (batch, classes).

    Args:
        input_shape: height, width, channels; of DSSN one shape each for flow and strain, or one for
            an image (u, v, strain).
        classes: number of classes.
        streams: 1 for SSSN, 2 for DSSN.
        maps: of the two convolutions; even.
        means: of the channels, which are subtracted.
        scale: what the differences are multiplied with.
        drop: part of the flat values set to zero in training.

    Raises:
        ValueError: another number of streams, or of pictures.
    """
    shapes = each_shape(input_shape)
    if streams not in (1, 2) or len(shapes) > streams:
        raise ValueError(f"{streams} streams with {len(shapes)} pictures, expected 1 or 2 streams")
    pictures = [
        keras.Input(shape, name="clip" if len(shapes) == 1 else name)
        for shape, name in zip(shapes, ("flow", "strain"), strict=False)
    ]
    read = list(pictures)
    if len(read) < streams:
        strain = ChannelRange(2, 3, name="strain_channel")(read[0])
        read.append(layers.Concatenate(name="strain_picture")([strain] * 3))
    offsets = [-mean * scale for mean in means]
    x = []
    for picture, name in zip(read, ("flow", "strain"), strict=False):
        x.append(
            _stream(layers.Rescaling(scale, offsets, name=f"{name}_scaled")(picture), maps, name)
        )
    features = layers.Multiply(name="joined")(x) if len(x) > 1 else x[0]
    flat = layers.Flatten(name="flat")(features)
    flat = dropout(flat, drop, name="dropout")
    outputs = pytorch_dense(flat, classes, activation="softmax", name="classes")
    name = "sssn" if streams == 1 else "dssn" if len(shapes) > 1 else "dssn_flow"
    return keras.Model(pictures if len(pictures) > 1 else pictures[0], outputs, name=name)


def _stream(picture: Tensor, maps: Sequence[int], name: str) -> Tensor:
    """(batch, 227, 227, 3) -> (batch, 15, 15, 256)."""
    start = pytorch_start(121 * int(picture.shape[-1]))
    convolution = layers.Conv2D(
        maps[0], 11, strides=4, activation="relu", name=f"{name}_conv1", **start
    )
    x = convolution(picture)
    x = layers.MaxPooling2D(3, strides=2, name=f"{name}_pool1")(x)
    x = response_norm(x, name=f"{name}_norm1")  # (batch, 27, 27, 96)
    start = pytorch_start(25 * maps[0] // 2)
    x = grouped_convolve(x, maps[1], 5, 2, name=f"{name}_conv2", start=start)
    x = layers.MaxPooling2D(3, strides=2, name=f"{name}_pool2")(x)
    x = response_norm(x, name=f"{name}_norm2")
    return layers.ZeroPadding2D(1, name=f"{name}_border")(x)
