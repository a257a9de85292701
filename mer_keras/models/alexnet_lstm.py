"""AlexNet on every frame and an LSTM over them: a reading of TLCNN.

Paper: Wang, Li, Liu, Yan, Ou, Huang, Xu, Fu, "Micro-expression recognition with small sample size
by transferring long-term convolutional neural network", Neurocomputing 2018.

Architecture, for clips (16, 227, 227, 3), 0..1: AlexNet without groups up to its second dense layer
on every frame (58,281,344 parameters, 16 x 4,096), an LSTM of 256 units whose last state is read
(4,457,472), a dense softmax (1,285).

Parameters, all trained: 62,740,101; 62,480,773 up to the first dense layer and with 1,024 units.

**This is a reading, not the published network**: no code is public, and kernels, units, frames and
optimizer stand only in the paper. 62 million parameters, which a table quotes, and "five
convolutional and three fully connected layers" point to AlexNet.

**It starts at random here**, where the paper transfers from faces with macro-expressions, then from
single frames; a weight file gives a start (``--start-from``).

What the paper leaves open here: everything but the two parts and the two transfers.
"""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers

from mer_keras.models.alexnet import MAPS, MEANS, centred, convolutions, dense_layers
from mer_keras.models.blocks import each_frame

_MEANS = tuple(mean / 255 for mean in MEANS)


def build(
    input_shape: Sequence[int] = (16, 227, 227, 3),
    classes: int = 5,
    *,
    groups: int = 1,
    lrn: bool = True,
    feature: Literal["fc6", "fc7"] = "fc7",
    lstm_units: int = 256,
    maps: Sequence[int] = MAPS,
    units: int = 4096,
    means: Sequence[float] = _MEANS,
    scale: float = 1.0,
    drop: float = 0.5,
) -> keras.Model:
    """Build the network: clips (batch, time, height, width, 3), 0..1 -> (batch, classes).

    Args:
        input_shape: time, height, width, channels; 67 pixels or more.
        classes: number of classes.
        groups: of AlexNet's second, fourth and fifth convolution.
        lrn: whether AlexNet's maps are normalised.
        feature: the dense layer of AlexNet whose values the LSTM reads.
        lstm_units: of the LSTM.
        maps: of AlexNet's convolutions.
        units: of AlexNet's dense layers.
        means: of the channels, which are subtracted; one for each, or none.
        scale: what the differences are multiplied with.
        drop: part of the units set to zero in training.

    Raises:
        ValueError: the means are not as many as the channels.
    """
    clips = keras.Input(tuple(input_shape), name="clip")
    x = centred(clips, means, scale)
    frame = keras.Input(tuple(input_shape[1:]), name="frame")
    encoder = keras.Model(frame, convolutions(frame, groups=groups, lrn=lrn, maps=maps))
    x = each_frame(encoder, x, name="frames")  # (batch, time, 6, 6, 256)
    x = layers.Reshape((int(input_shape[0]), -1), name="flat")(x)
    x = dense_layers(x, units, drop, last=int(feature[-1]))  # (batch, time, 4096)
    x = layers.LSTM(lstm_units, name="lstm")(x)
    x = layers.Dense(classes, activation="softmax", name="classes")(x)
    return keras.Model(clips, x, name="alexnet_lstm")
