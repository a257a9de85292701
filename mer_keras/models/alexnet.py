"""AlexNet, five convolutions and three dense layers, as micro-expression papers fine-tune it.

Papers: Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural
networks", NeurIPS 2012; for micro-expressions Khor, See, Liong, Phan, Lin, ICIP 2019, whose code is
followed.

Architecture, for images (227, 227, 3), 0..255:

=====================================  ==========  ==========
layer                                  output      parameters
=====================================  ==========  ==========
11x11 convolution of stride 4, ReLU,   27x27x96    34,944
max-pool 3 of stride 2, local
response normalisation
two groups of 5x5 convolution, ReLU,   13x13x256   307,456
max-pool 3 of stride 2, local
response normalisation
3x3 convolution, ReLU                  13x13x384   885,120
two groups of 3x3 convolution, ReLU    13x13x384   663,936
two groups of 3x3 convolution, ReLU,   6x6x256     442,624
max-pool 3 of stride 2
two dense layers, ReLU, dropout 0.5    4,096       54,534,144
dense softmax                          5           20,485
=====================================  ==========  ==========

Parameters, all trained: 56,888,709; 58,301,829 without groups.

**It starts at random here.** Papers start from ImageNet's weights, which a file gives
(``--start-from``); without it this is another experiment.

What the papers leave open: for micro-expressions the recipe. Pooling comes in front of the
normalisation, as in Caffe's network; the paper of 2012 has it behind.
"""

from collections.abc import Sequence

import keras
from keras import layers

from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import dropout, grouped_convolve, response_norm

#: Means of ImageNet's red, green and blue, which are subtracted.
MEANS = (123.68, 116.779, 103.939)
#: Maps of the convolutions.
MAPS = (96, 256, 384, 384, 256)
_START = {"kernel_initializer": "he_normal", "bias_initializer": "he_normal"}


def build(
    input_shape: Sequence[int] = (227, 227, 3),
    classes: int = 5,
    *,
    groups: int = 2,
    lrn: bool = True,
    maps: Sequence[int] = MAPS,
    units: int = 4096,
    means: Sequence[float] = MEANS,
    scale: float = 1 / 255,
    drop: float = 0.5,
) -> keras.Model:
    """Build AlexNet: images (batch, 227, 227, 3), 0..255 -> probabilities (batch, classes).

    Args:
        input_shape: height, width, channels; 67 pixels or more.
        classes: number of classes.
        groups: of the second, fourth and fifth convolution: 2 or 1.
        lrn: whether maps are normalised behind the first two convolutions.
        maps: of the five convolutions.
        units: of each of the two dense layers.
        means: of the channels, which are subtracted; one for each, or none.
        scale: what the differences are multiplied with.
        drop: part of the units set to zero in training.

    Raises:
        ValueError: the means are not as many as the channels.
    """
    images = keras.Input(tuple(input_shape), name="clip")
    x = centred(images, means, scale)
    x = convolutions(x, groups=groups, lrn=lrn, maps=maps)
    x = dense_layers(layers.Flatten(name="flat")(x), units, drop)
    x = layers.Dense(classes, activation="softmax", name="classes", **_START)(x)
    return keras.Model(images, x, name="alexnet")


def centred(images: Tensor, means: Sequence[float], scale: float) -> Tensor:
    """Subtract the channels' means and multiply by ``scale``.

    Raises:
        ValueError: the means are not as many as the channels.
    """
    if len(means) not in (0, int(images.shape[-1])):
        raise ValueError(f"{len(means)} means for {images.shape[-1]} channels")
    offsets = [-mean * scale for mean in means] or 0.0
    return layers.Rescaling(scale, offsets, name="scaled")(images)


def convolutions(x: Tensor, *, groups: int, lrn: bool, maps: Sequence[int]) -> Tensor:
    """Return the maps behind the last pooling, (batch, 6, 6, 256) of 227 x 227 pixels."""
    x = layers.Conv2D(maps[0], 11, strides=4, activation="relu", name="conv1", **_START)(x)
    x = _pooled(x, 1, lrn=lrn)
    x = grouped_convolve(x, maps[1], 5, groups, name="conv2", start=_START)
    x = _pooled(x, 2, lrn=lrn)
    x = grouped_convolve(x, maps[2], 3, 1, name="conv3", start=_START)
    x = grouped_convolve(x, maps[3], 3, groups, name="conv4", start=_START)
    x = grouped_convolve(x, maps[4], 3, groups, name="conv5", start=_START)
    return _pooled(x, 5, lrn=False)


def dense_layers(x: Tensor, units: int, drop: float, last: int = 7) -> Tensor:
    """Apply the dense layers up to ``last``, 6 or 7, to flat maps, (batch, ..., values)."""
    for number in range(6, last + 1):
        x = layers.Dense(units, activation="relu", name=f"fc{number}", **_START)(x)
        x = dropout(x, drop, name=f"fc{number}_dropout")
    return x


def _pooled(x: Tensor, number: int, *, lrn: bool) -> Tensor:
    x = layers.MaxPooling2D(3, strides=2, name=f"pool{number}")(x)
    return response_norm(x, name=f"norm{number}") if lrn else x
