"""ResNet-10 with an attention unit in each residual block.

Paper: Wang, Peng, Bi, Chen, "Micro-attention for micro-expression recognition", Neurocomputing
2020 (sections 3.1 and 3.2, table 3).

Architecture, for apex frames of 224 x 224 x 1 and five classes:

================================================  ===========  ==========
layers                                            output       trainable
================================================  ===========  ==========
batch norm of the input                           224x224x1    2
7x7 convolution stride 2 with bias, batch norm,   56x56x64     3,328
ReLU, 3x3 max-pool stride 2
block 1: 64 filters, identity shortcut            56x56x64     73,856
block 2: 128 filters, stride 2                    28x28x128    229,760
block 3: 256 filters, stride 2                    14x14x256    918,272
block 4: 512 filters, stride 2                    7x7x512      3,671,552
batch norm, ReLU, mean over positions             512          1,024
dense softmax                                     5            2,565
units of all blocks, 3 C^2 each                                1,044,480
================================================  ===========  ==========

A block is BN -> ReLU -> 3x3 -> BN -> ReLU -> 3x3, added to a 1x1 convolution of its first ReLU
(stride 2), or in block 1, which has no BN in front, to its input. The unit computes a map M from
the shortcut, the first convolution after BN and ReLU, and the second one; the block gives T + T M.

Trainable parameters, published and built:

==========================  =========  ==========  ==========
network                     published  gray        RGB
==========================  =========  ==========  ==========
no units ("ResNet")         4.9 M      4,900,359   4,906,635
micro-attention             5.9 M      5,944,839   5,951,115
complex attention           11.2 M     11,167,239  11,173,515
==========================  =========  ==========  ==========

What the paper leaves open, and what is chosen: "a stack of 10 residual blocks" is the ImageNet
network ResNet-10 of ten layers with weights, in four blocks; the published count allows no other.
Input is gray, by the authors' network definition; so is the sigmoid on the map, which equations 1
and 2 lack (``activation="linear"``). Batch normalisation has Caffe's constants, since the paper
names that framework and the authors' network definition sets none. "Complex attention" (the paper's
reference 29) is inferred from the count: two more 3x3 convolutions without bias on T, ReLU between,
averaged to one map like the paper's own.

The one deviation is of form: the unit's convolution is computed with the mean of its filters, which
is the same function (see ``layers.attention.MicroAttention``).
"""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers

from mer_keras.layers.attention import ChannelMean, MicroAttention
from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import Framework, convolve, normalise, normalise_relu

#: Filters of each block.
FILTERS = (64, 128, 256, 512)


def build(
    input_shape: Sequence[int] = (224, 224, 1),
    classes: int = 5,
    *,
    attention: Literal["none", "micro", "complex"] = "micro",
    activation: Literal["sigmoid", "linear"] = "sigmoid",
    batch_norm: Framework = "caffe",
) -> keras.Model:
    """Build the network: images (batch, height, width, channels) -> (batch, classes).

    Layers that the three networks share have the same names and shapes in each, so that the
    weights of one without units can be carried into one with them (see ``models.weights.carry``);
    that is the paper's transfer (section 3.3).

    Args:
        input_shape: height, width, channels; 1 channel in the paper, 3 as ImageNet weights have.
        classes: number of classes.
        attention: unit of each block: ``none`` is plain ResNet-10, ``micro`` the paper's own,
            ``complex`` the one it is compared with.
        activation: of the map of ``micro``: ``sigmoid`` by the authors' network definition,
            ``linear`` by equations 1 and 2.
        batch_norm: the framework whose constants batch normalisation has. Caffe's momentum of 0.999
            suits the paper's recipe, whose pretraining takes some 12,000 steps; trainings of few
            steps need another (see ``Train.batch_norm_momentum``).
    """
    images = keras.Input(tuple(input_shape), name="clip")
    x = normalise(images, "input_norm", batch_norm)
    x = convolve(x, FILTERS[0], (7, 7), 2, use_bias=True, name="stem")
    x = normalise_relu(x, "stem_norm", batch_norm)
    # As in Caffe, windows begin at the first pixel and the last one is cut short.
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    for number, filters in enumerate(FILTERS, start=1):
        unit = {"attention": attention, "activation": activation}
        x = _block(x, f"block{number}", filters, first=number == 1, batch_norm=batch_norm, **unit)
    x = normalise_relu(x, "last_norm", batch_norm)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    x = layers.Dense(classes, activation="softmax", name="classes")(x)
    name = "resnet10" if attention == "none" else f"{attention}_attention"
    return keras.Model(images, x, name=name)


def _block(
    x: Tensor,
    name: str,
    filters: int,
    *,
    first: bool,
    attention: str,
    activation: str,
    batch_norm: Framework,
) -> Tensor:
    """Residual block with its unit: T + T M, or T without a unit.

    (batch, height, width, channels) -> (batch, height / 2, width / 2, filters); the first block
    keeps height and width.
    """
    active = x if first else normalise_relu(x, f"{name}_norm", batch_norm)
    stride = 1 if first else 2
    shortcut = x if first else convolve(active, filters, (1, 1), 2, name=f"{name}_expand")
    first_scale = convolve(active, filters, (3, 3), stride, name=f"{name}_first")
    first_scale = normalise_relu(first_scale, f"{name}_first_norm", batch_norm)
    second_scale = convolve(first_scale, filters, (3, 3), name=f"{name}_second")
    total = layers.Add(name=f"{name}_sum")([shortcut, second_scale])
    if attention == "none":
        return total
    if attention == "micro":
        weights = MicroAttention(activation=activation, name=f"{name}_attention")(
            [shortcut, first_scale, second_scale]
        )  # (batch, height, width, 1)
    else:
        weights = _complex_attention(total, filters, f"{name}_attention")
    gain = layers.Multiply(name=f"{name}_gain")([total, weights])
    return layers.Add(name=f"{name}_out")([total, gain])


def _complex_attention(x: Tensor, filters: int, name: str) -> Tensor:
    """Map of the unit that the paper compares with, (batch, height, width, 1)."""
    x = convolve(x, filters, (3, 3), name=f"{name}_first")
    x = layers.ReLU(name=f"{name}_relu")(x)
    x = convolve(x, filters, (3, 3), name=f"{name}_second")
    return ChannelMean(name=name)(x)
