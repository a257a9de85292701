"""Densely connected convolutions with channel and spatial attention on their skip path.

Paper: Gan, Xiao, Zhu, Jain, Struc, "Transfer-Learning Enabled Micro-Expression Recognition Using
Dense Connections and Mixed Attention" (section 3.3, figures 3 and 4, equations 4-9; tables 11, 12
and 13).

Architecture, plan E, for images of 112 x 112 x 3 and three classes:

=============================================  ==========  ===========
layers                                         output      parameters
=============================================  ==========  ===========
5x5 convolution stride 2, ReLU, BN             56x56x18    1,440
block 1: eight layers; 2x2 average pool        28x28x178   352,800
block 2: eight layers; 2x2 average pool        14x14x338   992,800
block 3: eight layers                          14x14x498   1,632,800
mixed attention on the output of block 3       14x14x498   62,363
2x2 average pool, flatten, dense softmax       3           73,209
=============================================  ==========  ===========

A layer is 5x5 convolution (20 filters, with bias) -> ReLU -> BN of everything before it in the
block (equation 4). BN has the constants of Keras, which the paper names.

Parameters: published 3.115 million; built 3,115,412, moving statistics included. The published
6.26 million "FLOPs" is about twice this count: a profiler that sees a graph with unknown batch
counts the initialisers. A forward pass takes 2.21 G multiply-accumulates.

What is attended: the classifier reads the attended features (equation 9; section 3.4 brings them to
7x7 and flattens them), and the channel weights come from "the output of the densely connected
feature extractor" (section 3.3.2), so that attention stands once, behind the last block
(``attended="extractor"``). The text also puts it "in the skip pathway of the densely connected
module", which has other readings: on the output of each block (``outputs``), on each block's input
where that goes past the layers into the block's output (``skip``), and there and into the layers
(``block``).

What the paper leaves open, and what is chosen: numbers of blocks, layers and filters, the stem, the
reduction. The count does not identify them: without 1x1 convolutions between the blocks it hardly
depends on more than the last width, and any plan that ends with about 500 channels at 7x7 reaches
it (``PLANS``). Plan E is compatible with the count, not identified by it; with attention on the
skip path plan A is. The slope of LeakyReLU isn't printed; it is 0.3, that of Keras' layer of this
name at the time (``slope``). The residual twin (table 12) is inferred: as many 5x5 convolutions, in
pairs with a shortcut.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import keras
from keras import layers

from mer_keras.layers.attention import ChannelAttention, SpatialAttention
from mer_keras.layers.choice import choose
from mer_keras.layers.dense_block import DenseBlock
from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import BATCH_NORM, Framework, normalise

#: Edge of all kernels.
KERNEL_SIZE = 5


@dataclass(frozen=True)
class Plan:
    """What the paper does not say about the blocks.

    Attributes:
        stem_filters: filters of the first convolution.
        stem_stride: its stride.
        growth: filters of each layer of a block.
        layers: layers of each block.
        residual_widths: filters of each block of the residual twin, such that it has about as many
            parameters.
    """

    stem_filters: int
    stem_stride: int
    growth: int
    layers: tuple[int, ...]
    residual_widths: tuple[int, ...]


#: Plans whose last width is about 500 at 7x7. Tests have their parameters for three classes.
PLANS = {
    # Has the published count with attention on the skip path.
    "a": Plan(20, 2, 20, (8, 8, 8), (40, 60, 104)),
    # Four shorter blocks, the first at full resolution.
    "b": Plan(20, 1, 20, (6, 6, 6, 6), (40, 60, 80, 100)),
    # Few layers where maps are large.
    "c": Plan(20, 2, 20, (4, 8, 12), (48, 64, 84)),
    # Narrower and deeper.
    "d": Plan(20, 2, 12, (13, 13, 14), (32, 48, 80)),
    # As "a" but for two filters, with which the count holds attention behind the last block.
    "e": Plan(18, 2, 20, (8, 8, 8), (40, 60, 104)),
}


def build(
    input_shape: Sequence[int] = (112, 112, 3),
    classes: int = 3,
    *,
    plan: Literal["a", "b", "c", "d", "e"] = "e",
    attention: Literal["none", "channel", "spatial", "mixed"] = "mixed",
    reduction: int = 8,
    attended: Literal["extractor", "outputs", "skip", "block"] = "extractor",
    slope: float = 0.3,
    connection: Literal["dense", "residual"] = "dense",
    batch_norm: Framework = "keras",
) -> keras.Model:
    """Build the network: images (batch, height, width, channels) -> (batch, classes).

    Args:
        input_shape: height, width, channels. The paper's input is the apex frame after Eulerian
            magnification; three channels in the paper, gray ones repeated.
        classes: number of classes; 3 in CDE, 5 in SDE on CASME II and SAMM.
        plan: key of ``PLANS``.
        attention: which parts of it there are (table 11).
        reduction: of the channel attention; not printed.
        attended: what is attended: the ``extractor``'s output, once; the ``outputs`` of all blocks;
            each block's input where it goes into the block's output beside its layers (``skip``),
            or to the layers as well (``block``).
        slope: of LeakyReLU in the channel attention, below zero; not printed.
        connection: ``residual`` is the network of table 12's first row.
        batch_norm: the framework whose constants batch normalisation has.
    """
    images = keras.Input(tuple(input_shape), name="clip")
    blocks = PLANS[plan]

    def attend(features: Tensor, name: str) -> Tensor:
        return _attend(features, attention, reduction, slope, name)

    x = _layer(images, blocks.stem_filters, "stem", batch_norm, strides=blocks.stem_stride)
    for number, depth in enumerate(blocks.layers, start=1):
        name = f"block{number}"
        skip = attend(x, name) if attended in ("skip", "block") else x
        if attended == "block":
            x = skip
        if connection == "dense":
            x = _dense_block(x, skip, depth, blocks.growth, name, batch_norm)
        else:
            width = blocks.residual_widths[number - 1]
            x = _residual_block(x, skip, depth, width, name, batch_norm)
        last = number == len(blocks.layers)
        if attended == "outputs" or (attended == "extractor" and last):
            x = attend(x, name)
        x = layers.AveragePooling2D(2, name=f"{name}_pool")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(classes, activation="softmax", name="classes")(x)
    return keras.Model(images, x, name="dense_mixed_attention")


def _layer(x: Tensor, filters: int, name: str, batch_norm: Framework, strides: int = 1) -> Tensor:
    """Convolution, ReLU, batch normalisation, as in equation 4."""
    convolution = layers.Conv2D(
        filters, KERNEL_SIZE, strides=strides, padding="same", activation="relu", name=name
    )
    return normalise(convolution(x), f"{name}_norm", batch_norm)


def _attend(x: Tensor, attention: str, reduction: int, slope: float, name: str) -> Tensor:
    """Weigh channels, then positions (equations 5-8); the shape stays."""
    if attention in ("channel", "mixed"):
        weights = ChannelAttention(
            reduction,
            activation="leaky_relu",
            negative_slope=slope,
            use_bias=True,
            name=f"{name}_channel_attention",
        )(x)
        x = layers.Multiply(name=f"{name}_channels")([x, weights])
    if attention in ("spatial", "mixed"):
        weights = SpatialAttention(KERNEL_SIZE, use_bias=True, name=f"{name}_attention")(x)
        x = layers.Multiply(name=f"{name}_places")([x, weights])
    return x


def _dense_block(
    x: Tensor, skip: Tensor, depth: int, growth: int, name: str, batch_norm: Framework
) -> Tensor:
    """The block's input and the outputs of its layers, (batch, height, width, wider)."""
    block = choose(DenseBlock)(
        depth, growth, KERNEL_SIZE, **BATCH_NORM[batch_norm]._asdict(), name=f"{name}_layers"
    )
    return layers.Concatenate(name=f"{name}_out")([skip, block(x)])


def _residual_block(
    x: Tensor, skip: Tensor, depth: int, width: int, name: str, batch_norm: Framework
) -> Tensor:
    """As many convolutions in pairs with a shortcut, (batch, height, width, ``width``)."""
    for index in range(0, depth, 2):
        unit = f"{name}_unit{index // 2 + 1}"
        y = _layer(x, width, f"{unit}_first", batch_norm)
        y = _layer(y, width, f"{unit}_second", batch_norm) if index + 1 < depth else y
        shortcut = skip if index == 0 else x
        if shortcut.shape[-1] != width:
            shortcut = layers.Conv2D(width, 1, name=f"{unit}_shortcut")(shortcut)
        x = layers.Add(name=f"{unit}_sum")([y, shortcut])
    return x
