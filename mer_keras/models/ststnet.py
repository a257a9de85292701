"""STSTNet, the baseline network of the MEGC 2019 composite.

Paper: Liong, Gan, See, Khor, Huang, "Shallow triple stream three-dimensional CNN (STSTNet) for
micro-expression recognition", FG 2019.

Architecture, for 28x28x3 flow images (u, v, strain: horizontal flow, vertical flow, optical strain;
0..255, unscaled):

=====================================  ==========  ==========
layer                                  output      parameters
=====================================  ==========  ==========
three parallel streams of 3, 5 and 8   10x10x16    480
filters: 3x3 convolution (padding 2),
ReLU, batch norm, 3x3 max-pool (stride
3, padding 1), dropout 0.5; then
concatenated
2x2 average pool, flatten              400         0
dense softmax                          3           1,203
=====================================  ==========  ==========

Parameters: 1,683 trainable (448 convolution, 32 normalisation, 1,203 dense), and 32 moving
statistics: 1,715 built. The paper prints no count.

The three streams read one input with kernels of one size, so that they are one convolution with
3 + 5 + 8 filters; they are built as that, in the layer ``streams`` (see ``layers.streams``). That
is the only deviation, and one of form: dropout and pooling act on each channel by itself.

A file with the tensors of the authors' PyTorch network, or with three separate streams, is
converted by ``from_streams``; see ``mer-keras run --weights``. The authors read their images with
OpenCV, so that their kernels expect the channels as (strain, v, u); these are exchanged when the
tensors are converted.

What the paper leaves open: the training recipe is that of the authors' PyTorch code, and so are
the initial weights (uniform within 1/sqrt(fan in)) and the constants of batch normalisation.
"""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from mer_keras.flow_channels import FLOW_CHANNELS, FlowOrder, in_flow_order
from mer_keras.layers.choice import choose
from mer_keras.layers.streams import ConvNormPool
from mer_keras.models.blocks import EPSILON, MOMENTUM

#: Filters of the three streams.
STREAMS = (3, 5, 8)


def build(
    input_shape: Sequence[int] = (28, 28, 3), classes: int = 3, *, dropout: float = 0.5
) -> keras.Model:
    """Build STSTNet: images (batch, 28, 28, 3), 0..255 -> probabilities (batch, classes).

    Args:
        input_shape: height, width, channels; height and width of the form 6 n + 4.
        classes: number of classes.
        dropout: part of the pooled values set to zero in training.
    """
    images = keras.Input(tuple(input_shape), name="clip")
    streams = choose(ConvNormPool)(sum(STREAMS), momentum=MOMENTUM, epsilon=EPSILON, name="streams")
    x = streams(images)  # (batch, 10, 10, 16)
    x = choose(layers.Dropout)(dropout, name="dropout")(x)
    x = layers.AveragePooling2D(2, name="average_pool")(x)  # (batch, 5, 5, 16)
    x = layers.Flatten(name="flatten")(x)  # (batch, 400)
    limit = int(x.shape[-1]) ** -0.5
    x = layers.Dense(
        classes,
        activation="softmax",
        kernel_initializer=keras.initializers.RandomUniform(-limit, limit),
        bias_initializer=keras.initializers.RandomUniform(-limit, limit),
        name="fc",
    )(x)
    return keras.Model(images, x, name="ststnet")


def from_streams(
    arrays: Mapping[str, NDArray], channels: FlowOrder = FLOW_CHANNELS
) -> dict[str, NDArray]:
    """Convert tensors of the authors' PyTorch network to this network's variables.

    Args:
        arrays: by the names of a PyTorch state: ``conv1.weight`` (3, 3, 3, 3), filters first,
            ``conv1.bias``, ``bn1.weight``, ``bn1.bias``, ``bn1.running_mean``,
            ``bn1.running_var``, the same with 2 and 3, ``fc.weight`` (classes, 400), whose
            columns count channels before rows, and ``fc.bias``. Others are ignored.
        channels: what the tensors expect the channels of an image to be. The authors' own expect
            (strain, v, u), as the network's entry in ``networks.yaml`` says.

    Returns:
        Arrays by the variables' paths, such as ``streams/kernel``, for (u, v, strain).

    Raises:
        KeyError: a tensor is missing.
        ValueError: tensors don't fit together.
        ConfigError: ``channels`` doesn't name each channel once.
    """

    def joined(name: str) -> NDArray:
        layer, tensor = name.split(".")
        return np.concatenate([arrays[f"{layer}{stream}.{tensor}"] for stream in (1, 2, 3)])

    dense = arrays["fc.weight"]  # (classes, filters * side * side)
    side = round((dense.shape[1] / sum(STREAMS)) ** 0.5)
    dense = dense.reshape(len(dense), sum(STREAMS), side, side)
    dense = dense.transpose(2, 3, 1, 0)  # (side, side, filters, classes)
    kernels = joined("conv.weight").transpose(2, 3, 0, 1)  # (3, 3, filters, channels)
    kernels = in_flow_order(kernels, channels).transpose(0, 1, 3, 2)  # (3, 3, channels, filters)
    return {
        "streams/kernel": kernels,
        "streams/bias": joined("conv.bias"),
        "streams/gamma": joined("bn.weight"),
        "streams/beta": joined("bn.bias"),
        "streams/moving_mean": joined("bn.running_mean"),
        "streams/moving_variance": joined("bn.running_var"),
        "fc/kernel": dense.reshape(-1, dense.shape[-1]),
        "fc/bias": arrays["fc.bias"],
    }
