"""A single ConvLSTM layer and two dense ones.

Paper: Shukla, Rai, Verlekar, "Micro-expression recognition using a shallow ConvLSTM-based
network", ACCV 2022 workshops.

Architecture, for clips of 9 x 90 x 90 x 1 in 0..1 and three classes:

==============================================  ===========  ===========
layer                                           output       parameters
==============================================  ===========  ===========
ConvLSTM2D, 32 filters 3x3 (section 3.2)        88x88x32     38,144
max-pool 2x2, stride 1 (section 3.2)            87x87x32     0
flatten                                         242,208      0
dense 48, sigmoid (section 3.3)                 48           11,626,032
dropout 0.3                                     48           0
dense softmax                                   3            147
==============================================  ===========  ===========

Parameters: none published; built 11,664,323 (three classes), 11,664,421 (five).

What the paper leaves open, and what is chosen: the padding of the convolution (``valid``); which
states go on (the last; ``all_states`` takes all nine). The equations 1, 2 and 4 have peephole
connections, which Keras' layer has not; ``peepholes`` adds them. Nothing else deviates.
"""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers

from mer_keras.layers.choice import choose
from mer_keras.models.blocks import convlstm


def build(
    input_shape: Sequence[int] = (9, 90, 90, 1),
    classes: int = 3,
    *,
    filters: int = 32,
    padding: Literal["valid", "same"] = "valid",
    all_states: bool = False,
    peepholes: bool = False,
    pool_stride: int = 1,
    units: int = 48,
    dropout: float = 0.3,
) -> keras.Model:
    """Build the network: clips (batch, time, height, width, channels) -> (batch, classes).

    Args:
        input_shape: time, height, width, channels.
        classes: number of classes.
        filters: of the ConvLSTM.
        padding: of its convolutions; the paper does not say. ``same`` gives 12,204,995
            parameters.
        all_states: pass the states of all frames on, not the last one only; 104,672,195
            parameters.
        peepholes: gates see the former cell state through a map of weights each, as equations 1,
            2 and 4 have it; 743,424 parameters more. Off, since the authors' Keras has none.
        pool_stride: of the max-pooling; the paper says 1. With 2: 3,012,035 parameters.
        units: of the first dense layer.
        dropout: between the dense layers.
    """
    clips = keras.Input(tuple(input_shape), name="clip")
    x = convlstm(
        clips, filters, padding=padding, return_sequences=all_states, peepholes=peepholes
    )  # (batch, 88, 88, 32)
    pool = layers.MaxPooling2D(2, strides=pool_stride, name="pool")
    if all_states:
        pool = choose(layers.TimeDistributed)(pool, name="pool_each")
    x = pool(x)  # (batch, 87, 87, 32)
    x = layers.Flatten(name="flatten")(x)  # (batch, 242208)
    x = layers.Dense(units, activation="sigmoid", name="hidden")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(classes, activation="softmax", name="classes")(x)
    return keras.Model(clips, x, name="shallow_convlstm")
