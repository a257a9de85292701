"""Densely connected convolutions with channel and spatial attention on their skip path.

Paper: Gan, Xiao, Zhu, Jain, Struc, "Transfer-Learning Enabled Micro-Expression Recognition Using
Dense Connections and Mixed Attention" (section 3.3, figures 3 and 4, equations 4-9; tables 11, 12
and 13).

Architecture, plan A, for images of 112 x 112 x 3 and three classes:

=============================================  ==========  ===========
layers                                         output      parameters
=============================================  ==========  ===========
5x5 convolution stride 2, ReLU, BN             56x56x20    1,600
block 1: eight layers; 2x2 average pool        28x28x180   360,800
block 2: eight layers; 2x2 average pool        14x14x340   1,000,800
block 3: eight layers; 2x2 average pool        7x7x500     1,640,800
mixed attention on the input of each block                 37,319
flatten, dense softmax                         3           73,503
=============================================  ==========  ===========

A layer is 5x5 convolution (20 filters, with bias) -> ReLU -> BN of everything before it in the
block (equation 4).

Parameters: published 3.115 million; built 3,114,822, moving statistics included. The published
6.26 million "FLOPs" is about twice this count: a profiler that sees a graph with unknown batch
counts the initialisers. A forward pass takes 2.24 G multiply-accumulates.

What the paper leaves open, and what is chosen: numbers of blocks, layers and filters, the stem, the
reduction. The count does not identify them: without 1x1 convolutions between the blocks it hardly
depends on more than the last width, and any plan that ends with about 500 channels at 7x7 reaches
it (``PLANS``). Plan A is compatible with the count, not identified by it. Nor is it said what the
attended block input is used for: here it is part of the block's output, beside the layers'
outputs, while the layers themselves read the plain input (see ``attended``). The residual twin
(table 12) is inferred: as many 5x5 convolutions, in pairs with a shortcut.
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
from mer_keras.models.blocks import EPSILON, MOMENTUM, normalise

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


#: Plans whose last width is 500 at 7x7. Tests have their parameters for three classes.
PLANS = {
    "a": Plan(20, 2, 20, (8, 8, 8), (40, 60, 104)),
    # Four shorter blocks, the first at full resolution.
    "b": Plan(20, 1, 20, (6, 6, 6, 6), (40, 60, 80, 100)),
    # Few layers where maps are large.
    "c": Plan(20, 2, 20, (4, 8, 12), (48, 64, 84)),
    # Narrower and deeper.
    "d": Plan(20, 2, 12, (13, 13, 14), (32, 48, 80)),
}


def build(
    input_shape: Sequence[int] = (112, 112, 3),
    classes: int = 3,
    *,
    plan: Literal["a", "b", "c", "d"] = "a",
    attention: Literal["none", "channel", "spatial", "mixed"] = "mixed",
    reduction: int = 8,
    attended: Literal["skip", "block"] = "skip",
    connection: Literal["dense", "residual"] = "dense",
) -> keras.Model:
    """Build the network: images (batch, height, width, channels) -> (batch, classes).

    Args:
        input_shape: height, width, channels. The paper's input is the apex frame after Eulerian
            magnification; three channels in the paper, gray ones repeated.
        classes: number of classes; 3 in CDE, 5 in SDE on CASME II and SAMM.
        plan: key of ``PLANS``.
        attention: on the block's input (table 11).
        reduction: of the channel attention; not printed.
        attended: where the attended block input goes: into the block's output beside its layers
            (``skip``, "integrated in the skip pathway"), or to the layers as well (``block``).
        connection: ``residual`` is the network of table 12's first row.
    """
    images = keras.Input(tuple(input_shape), name="clip")
    blocks = PLANS[plan]
    x = _layer(images, blocks.stem_filters, "stem", strides=blocks.stem_stride)
    for number, depth in enumerate(blocks.layers, start=1):
        name = f"block{number}"
        skip = _attend(x, attention, reduction, name)
        if attended == "block":
            x = skip
        if connection == "dense":
            x = _dense_block(x, skip, depth, blocks.growth, name)
        else:
            x = _residual_block(x, skip, depth, blocks.residual_widths[number - 1], name)
        x = layers.AveragePooling2D(2, name=f"{name}_pool")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(classes, activation="softmax", name="classes")(x)
    return keras.Model(images, x, name="dense_mixed_attention")


def _layer(x: Tensor, filters: int, name: str, strides: int = 1) -> Tensor:
    """Convolution, ReLU, batch normalisation, as in equation 4."""
    convolution = layers.Conv2D(
        filters, KERNEL_SIZE, strides=strides, padding="same", activation="relu", name=name
    )
    return normalise(convolution(x), f"{name}_norm")


def _attend(x: Tensor, attention: str, reduction: int, name: str) -> Tensor:
    """Weigh channels, then positions (equations 5-8); the shape stays."""
    if attention in ("channel", "mixed"):
        weights = ChannelAttention(
            reduction, activation="leaky_relu", use_bias=True, name=f"{name}_channel_attention"
        )(x)
        x = layers.Multiply(name=f"{name}_channels")([x, weights])
    if attention in ("spatial", "mixed"):
        weights = SpatialAttention(KERNEL_SIZE, use_bias=True, name=f"{name}_attention")(x)
        x = layers.Multiply(name=f"{name}_places")([x, weights])
    return x


def _dense_block(x: Tensor, skip: Tensor, depth: int, growth: int, name: str) -> Tensor:
    """The attended input and the outputs of the layers, (batch, height, width, wider)."""
    block = choose(DenseBlock)(
        depth, growth, KERNEL_SIZE, momentum=MOMENTUM, epsilon=EPSILON, name=f"{name}_layers"
    )
    return layers.Concatenate(name=f"{name}_out")([skip, block(x)])


def _residual_block(x: Tensor, skip: Tensor, depth: int, width: int, name: str) -> Tensor:
    """As many convolutions in pairs with a shortcut, (batch, height, width, ``width``)."""
    for index in range(0, depth, 2):
        unit = f"{name}_unit{index // 2 + 1}"
        y = _layer(x, width, f"{unit}_first")
        y = _layer(y, width, f"{unit}_second") if index + 1 < depth else y
        shortcut = skip if index == 0 else x
        if shortcut.shape[-1] != width:
            shortcut = layers.Conv2D(width, 1, name=f"{unit}_shortcut")(shortcut)
        x = layers.Add(name=f"{unit}_sum")([y, shortcut])
    return x
