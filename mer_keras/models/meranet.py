"""3-D residual network with channel and spatio-temporal attention.

Paper: Gajjala, Teja Reddy, Mukherjee, Dubey, "MERANet: facial micro-expression recognition using
3D residual attention network", 2020 (section 3, figures 1-3, table 2 of the supplement).

Architecture, for clips of 16 x 112 x 112 x 3 and three classes:

==============================================  ==============  ===========
layers                                          output          parameters
==============================================  ==============  ===========
3x7x7 convolution stride 1x2x2, BN, ReLU        16x56x56x64     28,352
two blocks of 64 filters                        16x56x56x64     442,880
two blocks of 128 filters, first with stride 2  8x28x28x128     1,557,760
two blocks of 256 filters, first with stride 2  4x14x14x256     6,228,480
two blocks of 512 filters, first with stride 2  2x7x7x512       24,908,800
mean over positions, dense softmax              3               1,539
attention of all blocks                                         176,080
==============================================  ==============  ===========

A block is conv -> BN -> ReLU -> conv -> BN -> channel attention -> spatio-temporal attention, added
to its input (1x1x1 convolution and BN where the size changes), then ReLU. Moving statistics are not
in the counts.

============================  ===========  ===========
network, three classes        published    built
============================  ===========  ===========
3-D ResNet-18                 33,167,811   33,167,811
MERANet, r = 8                33,547,552   33,343,891
MERANet, r = 16                            33,256,851
MERANet, r = 8, 400 classes                33,547,552
============================  ===========  ===========

The published count of MERANet is that of a head of 400 classes (the pretrained network's), the
published count of its baseline that of a head of 3. With equal heads attention adds 176,080
parameters (0.53 %), not 379,741.

What the paper leaves open, and what is chosen: the text says r = 16, the count r = 8 with weights
shared by mean and maximum (r = 16 without sharing has the same count); r = 8 shared is built. The
text also has "identity connections and zero padding" on the shortcuts, while section 3.3 (b), the
supplement and the count of the baseline have 1x1x1 convolutions. A "shared CNN" of 1x1x1
convolutions on one value a channel is the same function as a "shared MLP" but for biases, so the
difference in the paper's figure 4 can come from biases and chance alone. Kernels start uniform
within sqrt(6 / (d_in + d_out)): the text calls both the numbers of channels, the paper that it
cites counts all values that a filter reads and writes, as is done here (``xavier``). Batch
normalisation has PyTorch's constants: the paper names no framework, but its baseline is the network
of PyTorch's own library to the parameter. Nothing else deviates.
"""

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import keras
from keras import layers

from mer_keras.layers.attention import ChannelAttention, SpatialAttention
from mer_keras.layers.shortcut import ZeroPaddedShortcut
from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import Framework, convolve, normalise, normalise_relu

#: Filters of the blocks of each stage.
FILTERS = (64, 128, 256, 512)
Attention = Literal["both", "channel", "spatiotemporal", "none"]
Strides: TypeAlias = int | Sequence[int]


def build(
    input_shape: Sequence[int] = (16, 112, 112, 3),
    classes: int = 3,
    *,
    attention: Attention = "both",
    reduction: int = 8,
    shared: bool = True,
    network: Literal["convolution", "mlp"] = "convolution",
    kernel: int = 5,
    shortcut: Literal["projection", "zero_padding"] = "projection",
    xavier: Literal["fans", "channels"] = "fans",
    batch_norm: Framework = "pytorch",
) -> keras.Model:
    """Build the network: clips (batch, time, height, width, channels) -> (batch, classes).

    Args:
        input_shape: time, height, width, channels.
        classes: number of classes.
        attention: of each block; ``none`` is the paper's baseline, 3-D ResNet-18.
        reduction: of the channel attention; 8 by the published count, 16 by the text.
        shared: whether its mean and maximum go through the same weights.
        network: its layers: 1x1x1 convolutions without bias, or an MLP with biases (figure 4).
        kernel: edge of the spatio-temporal attention's kernel: 3, 5 or 7 (figure 5).
        shortcut: where a block changes the size; ``zero_padding`` as one sentence of section 3.4
            has it: every second place, and zeros for the new channels.
        xavier: what the range of a convolution's initial kernel is reckoned from: ``fans``, the
            values that a filter reads and writes, as in the paper that section 4 cites, or
            ``channels`` alone, as section 4 words it; a kernel of 3x3x3 starts 5.2 times as wide.
        batch_norm: the framework whose constants batch normalisation has.
    """

    def convolution(
        x: Tensor, filters: int, kernel_size: Sequence[int], strides: Strides, name: str
    ) -> Tensor:
        start: str | keras.Initializer = "glorot_uniform"
        if xavier == "channels":
            limit = math.sqrt(6 / (int(x.shape[-1]) + filters))
            start = keras.initializers.RandomUniform(-limit, limit)
        return convolve(x, filters, kernel_size, strides, name=name, kernel_initializer=start)

    clips = keras.Input(tuple(input_shape), name="clip")
    x = convolution(clips, FILTERS[0], (3, 7, 7), (1, 2, 2), "stem")
    x = normalise_relu(x, "stem_norm", batch_norm)
    for stage, filters in enumerate(FILTERS, start=1):
        for letter in ("a", "b"):
            name = f"block{stage}{letter}"
            stride = 2 if stage > 1 and letter == "a" else 1
            block_input = x
            x = convolution(x, filters, (3, 3, 3), stride, f"{name}_first")
            x = normalise_relu(x, f"{name}_first_norm", batch_norm)
            x = convolution(x, filters, (3, 3, 3), 1, f"{name}_second")
            # (batch, time', height', width', filters)
            x = normalise(x, f"{name}_second_norm", batch_norm)
            if attention in ("both", "channel"):
                weights = ChannelAttention(
                    reduction,
                    use_bias=network == "mlp",
                    shared=shared,
                    name=f"{name}_channel_attention",
                )(x)  # (batch, 1, 1, 1, filters)
                x = layers.Multiply(name=f"{name}_channels")([x, weights])
            if attention in ("both", "spatiotemporal"):
                weights = SpatialAttention(kernel, name=f"{name}_attention")(x)
                # The map is (batch, time', height', width', 1).
                x = layers.Multiply(name=f"{name}_places")([x, weights])
            skip = block_input
            if stride > 1 and shortcut == "zero_padding":
                skip = ZeroPaddedShortcut(filters, name=f"{name}_shortcut")(skip)
            elif stride > 1:
                skip = convolution(skip, filters, (1, 1, 1), stride, f"{name}_shortcut")
                skip = normalise(skip, f"{name}_shortcut_norm", batch_norm)
            x = layers.Add(name=f"{name}_sum")([x, skip])
            x = layers.ReLU(name=f"{name}_out")(x)
    x = layers.GlobalAveragePooling3D(name="mean")(x)
    x = layers.Dense(classes, activation="softmax", name="classes")(x)
    return keras.Model(clips, x, name="resnet3d_18" if attention == "none" else "meranet")
