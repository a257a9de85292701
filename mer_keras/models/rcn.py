"""RCN, small recurrent convolutional networks on optical flow, in six variants.

Paper: Xia, Peng, Khor, Feng, Zhao, "Revealing the invisible with model and data shrinking for
composite-database micro-expression recognition", IEEE Transactions on Image Processing 29, 2020.

The variants, for images (60, 60, 3) of (u, v, strain), 64 maps and 7x7 cells before the head:

=======  ==========  =========================================================  ==========
variant  stem        then                                                       parameters
=======  ==========  =========================================================  ==========
``a``    5x5         attention of the stem, recurrent block                     55,747
``s``    5x5         dense block                                                55,747
``w``    wide        recurrent block                                            52,675
``p``    parallel    attention of the stem, dense block                         52,675
``c``    wide        attention of the picture before it, dense block            52,675
``f``    wide, two   embedding block: dense, its first step weighed by          52,195
         streams     attention of its input
=======  ==========  =========================================================  ==========

- stem 5x5: convolution without padding, normalisation, ReLU, max-pool 2.
- wide stem: three 3x3 convolutions of stride 3 side by side, of 32, 16 and 16 maps, dilated by 1,
  2 and 3; each followed by ReLU, then normalisation. In variant ``f`` the third is the second
  again.
- parallel stem: two 3x3 convolutions of 32 maps, dilated by 1 and 3; each followed by ReLU,
  normalisation and a 3x3 max-pool of stride 3.
- recurrent block: y = f(x), then twice y = g(x + y), where f is a 1x1 and g a 3x3 convolution with
  normalisation and ReLU, and g is one set of weights. Dense block: y = f(x), z = g(x + y),
  e = g(x + y + z), and g(x + y + z + e). Both end with a max-pool 2.
- head: means over 7x7 cells, a dense layer. Attention has no parameters of its own: it is read off
  the head's kernel (see ``layers.class_attention``).

Dropout of 0.5 follows each stem and each block.

Parameters: those in the table are trained: 55,747 is 4,992 of the stem, 41,344 of the block and
9,411 of the head. The moving statistics of variant ``a`` are 384 more.

The name RCN stands for two variants: two papers that quote it print two pairs of numbers.

Deviations: the released code has convolutions, and in ``p`` and ``c`` whole blocks, that no clip
passes through, so that PyTorch counts up to 131,075 parameters; they are left out here. As
released, ``p`` and ``f`` can't be constructed (they name a class that isn't there). Pictures of
28x28 work too: cells then overlap.

What the paper leaves open: which variant a quoted number belongs to; the recipe is the code's.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import keras
from keras import layers

from mer_keras.layers.class_attention import ClassAttentionHead
from mer_keras.layers.patches import SpreadPatches
from mer_keras.layers.pooling import AdaptiveAveragePool, NearestEnlarge, PaddedMaxPool
from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import counted_norm, dropout, pytorch_start

Step = Callable[[Tensor], Tensor]


def build(
    input_shape: Sequence[int] = (60, 60, 3),
    classes: int = 3,
    *,
    variant: Literal["a", "s", "w", "p", "c", "f"] = "a",
    maps: int = 64,
    pool: int = 7,
    scale: float = 1 / 255,
    drop: float = 0.5,
) -> keras.Model:
    """Build an RCN: images (batch, height, width, 3) -> probabilities (batch, classes).

    Args:
        input_shape: height, width, channels.
        classes: number of classes.
        variant: which stem, block and attention (see the module).
        maps: feature maps throughout; a multiple of 4.
        pool: rows and columns of cells before the head.
        scale: what values are multiplied with first; 1/255 takes bytes to 0..1.
        drop: part of the values set to zero in training.

    Raises:
        ValueError: there is no such variant, or ``maps`` can't be divided by 4.
    """
    if variant not in ("a", "s", "w", "p", "c", "f"):
        raise ValueError(f"variant is {variant!r}, expected a, s, w, p, c or f")
    if maps % 4:
        raise ValueError(f"maps is {maps}, expected a multiple of 4")
    images = keras.Input(tuple(input_shape), name="clip")
    head = ClassAttentionHead(classes, maps, name="classes")
    picture = layers.Rescaling(scale, name="scaled")(images)
    if variant in ("a", "s"):
        x = _stem(picture, maps, drop)
    elif variant == "p":
        x = _parallel_stem(picture, maps, drop)
    else:
        x = _wide_stem(picture, maps, drop, streams=2 if variant == "f" else 3)
    attention = None
    if variant == "c":
        cells = _cells(picture, pool, "picture_cells")
        attention = head(cells, gives="picture_attention")
        x = layers.Multiply(name="attended")([x, _enlarged(attention, x)])
    elif variant in ("a", "p", "f"):
        attention = head(_cells(x, pool, "stem_cells"), gives="attention")
    if variant in ("a", "w"):
        x = _recurrent(x, maps)
    else:
        x = _dense(x, maps, _enlarged(attention, x) if variant == "f" else None)
    x = layers.MaxPooling2D(2, name="block_pool")(x)
    x = dropout(x, drop, name="block_dropout")
    x = _cells(x, pool, "cells")  # (batch, pool, pool, maps)
    if variant in ("a", "p"):
        x = layers.Multiply(name="attended")([x, attention])
    probabilities = layers.Softmax(name="probabilities")(head(x))
    return keras.Model(images, probabilities, name="rcn")


def _convolution(
    channels: int, filters: int, edge: int, name: str, *, dilation: int = 1, padding: str = "same"
) -> keras.Layer:
    """A convolution with the code's initial kernel, whose variance is 2 by the fan out."""
    deviation = (2 / (filters * edge * edge)) ** 0.5
    return layers.Conv2D(
        filters,
        edge,
        padding=padding,
        dilation_rate=dilation,
        kernel_initializer=keras.initializers.RandomNormal(stddev=deviation),
        bias_initializer=pytorch_start(channels * edge * edge)["bias_initializer"],
        name=name,
    )


def _stem(picture: Tensor, maps: int, drop: float) -> Tensor:
    """(batch, 60, 60, 3) -> (batch, 28, 28, maps)."""
    x = _convolution(picture.shape[-1], maps, 5, "stem", padding="valid")(picture)
    x = layers.ReLU(name="stem_relu")(counted_norm("stem_norm")(x))
    x = layers.MaxPooling2D(2, name="stem_pool")(x)
    return dropout(x, drop, name="stem_out")


def _wide_stem(picture: Tensor, maps: int, drop: float, streams: int) -> Tensor:
    """(batch, 60, 60, 3) -> (batch, 20, 20, maps).

    With two streams the second is passed through twice, so that its normalisation follows a batch
    twice and two dropouts are drawn.
    """
    outputs = []
    for number, filters in ((1, maps // 2), (2, maps // 4), (3, maps // 4)):
        stream = min(number, streams)
        name = f"stem{number}"
        if number == stream:
            patches = SpreadPatches(3, number, name=f"{name}_patches")(picture)
            convolution = layers.Conv2D(
                filters,
                1,
                kernel_initializer=keras.initializers.RandomNormal(
                    stddev=(2 / (filters * 9)) ** 0.5
                ),
                bias_initializer=pytorch_start(patches.shape[-1])["bias_initializer"],
                activation="relu",
                name=name,
            )
            activities = convolution(patches)  # (batch, 20, 20, filters)
            norm = counted_norm(f"{name}_norm")
        outputs.append(dropout(norm(activities), drop, name=f"{name}_dropout"))
    return layers.Concatenate(name="stem_out")(outputs)


def _parallel_stem(picture: Tensor, maps: int, drop: float) -> Tensor:
    """(batch, 60, 60, 3) -> (batch, 20, 20, maps)."""
    outputs = []
    for number, dilation in ((1, 1), (2, 3)):
        name = f"stem{number}"
        convolution = _convolution(picture.shape[-1], maps // 2, 3, name, dilation=dilation)
        x = layers.ReLU(name=f"{name}_relu")(convolution(picture))
        x = counted_norm(f"{name}_norm")(x)
        x = PaddedMaxPool(3, 3, 1, name=f"{name}_pool")(x)
        outputs.append(dropout(x, drop, name=f"{name}_dropout"))
    return layers.Concatenate(name="stem_out")(outputs)


def _step(maps: int, edge: int, name: str) -> Step:
    """Convolution, normalisation and ReLU, to be applied several times with one set of weights."""
    convolution, norm = _convolution(maps, maps, edge, name), counted_norm(f"{name}_norm")
    relu = layers.ReLU(name=f"{name}_relu")
    return lambda x: relu(norm(convolution(x)))


def _recurrent(x: Tensor, maps: int) -> Tensor:
    """Compute y = f(x), then twice y = g(x + y)."""
    again = _step(maps, 3, "again")
    y = _step(maps, 1, "first")(x)
    for number in (1, 2):
        y = again(layers.Add(name=f"sum{number}")([x, y]))
    return y


def _dense(x: Tensor, maps: int, attention: Tensor | None) -> Tensor:
    """Compute y = f(x), weighed by attention if there is any, then three times g of the sums."""
    again = _step(maps, 3, "again")
    y = _step(maps, 1, "first")(x)
    if attention is not None:
        y = layers.Multiply(name="attended")([y, attention])
    total = x
    for number in (1, 2, 3):
        total = layers.Add(name=f"sum{number}")([total, y])
        y = again(total)
    return y


def _cells(x: Tensor, pool: int, name: str) -> Tensor:
    """(batch, height, width, channels) -> (batch, pool, pool, channels)."""
    return AdaptiveAveragePool(pool, pool, name=name)(x)


def _enlarged(attention: Tensor, x: Tensor) -> Tensor:
    """Attention, (batch, pool, pool, 1), of the height and width of ``x``."""
    return NearestEnlarge(x.shape[1], x.shape[2], name="attention")(attention)
