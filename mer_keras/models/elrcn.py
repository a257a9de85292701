"""ELRCN, VGG-16 on images of flow and an LSTM over them.

Paper: Khor, See, Phan, Lin, "Enriched long-term recurrent convolutional network for facial
micro-expression recognition", FG 2018.

Architecture, for nine pictures (9, 224, 224, 4) of flow (u, v, length) and strain, 0..255:

=====================================  ==========  ===========
layer                                  output      parameters
=====================================  ==========  ===========
VGG-16's convolutions on each picture  9x7x7x512   14,715,264
two dense layers, ReLU, dropout 0.5    9x4,096     119,545,856
LSTM, last state                       3,000       85,164,000
dense, ReLU                            128         384,128
dense, sigmoid divided by its sum      5           645
=====================================  ==========  ===========

That is SE, where images are stacked as channels. TE, where features are, has a VGG-16 for each of
several inputs, whose 4,096 values stand side by side in front of the LSTM.

Parameters, all trained: 219,809,893 of SE. With the head of 20,485 that VGG-16 has while it is
trained alone, they are 219,830,378 as in the authors' code. TE with flow and strain: 403,221,861,
and 403,262,831 with both heads.

Deviations: the authors train VGG-16 on single pictures first, then the LSTM on its stored values.
A method here trains one network in each fold, so that both are trained together. Where VGG-16 is
``frozen`` up to its first dense layer, its values of a clip are computed once, and are stored where
its weights come from a file (see ``training.frozen``). The gates' hard sigmoid has a slope of 1/6,
Keras' today, where the Keras of the time had 1/5. **VGG-16 starts at random**: the authors start
TE from weights of VGG-Face, which a file may give (``--start-from``); without it this is another
experiment.

What the paper leaves open: how values are scaled. Here they are divided by 255.
"""

from collections.abc import Sequence

import keras
from keras import layers

from mer_keras.arrays import Shape, each_shape
from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import each_frame
from mer_keras.models.vgg16 import MAPS, convolutions, dense_layers

#: Names of the inputs of TE, which begin the names of their layers.
STREAMS = ("flow", "strain", "gray")


def build(
    input_shape: Shape = (9, 224, 224, 4),
    classes: int = 5,
    *,
    lstm_units: int = 3000,
    lstm_layers: int = 1,
    recurrent_activation: str = "hard_sigmoid",
    maps: Sequence[int] = MAPS,
    units: int = 4096,
    hidden: int = 128,
    frozen: bool = False,
    scale: float = 1 / 255,
    drop: float = 0.5,
) -> keras.Model:
    """Build ELRCN: clips (batch, time, height, width, channels), 0..255 -> (batch, classes).

    Args:
        input_shape: time, height, width, channels; of TE one for each of two or three inputs.
        classes: number of classes.
        lstm_units: of each LSTM.
        lstm_layers: number of LSTM layers.
        recurrent_activation: of the LSTM's gates.
        maps: of VGG-16's five groups of convolutions.
        units: of each of VGG-16's dense layers.
        hidden: units of the dense layer behind the LSTM.
        frozen: whether VGG-16 up to its first dense layer keeps the weights that it starts with.
        scale: what values are multiplied with first.
        drop: part of VGG-16's units set to zero in training.

    Raises:
        ValueError: there are more than three inputs.
    """
    shapes = each_shape(input_shape)
    if len(shapes) > len(STREAMS):
        raise ValueError(f"{len(shapes)} inputs, expected 1 to {len(STREAMS)}")
    names = ("clip",) if len(shapes) == 1 else STREAMS[: len(shapes)]
    clips = [keras.Input(shape, name=name) for shape, name in zip(shapes, names, strict=True)]
    features = []
    for clip, name in zip(clips, names, strict=True):
        prefix = "" if len(clips) == 1 else f"{name}_"
        x = layers.Rescaling(scale, name=f"{prefix}scaled")(clip)
        features.append(_features(x, prefix, maps, units, drop))
    x = layers.Concatenate(name="features")(features) if len(features) > 1 else features[0]
    for number in range(1, lstm_layers + 1):
        lstm = layers.LSTM(
            lstm_units,
            recurrent_activation=recurrent_activation,
            return_sequences=number < lstm_layers,
            name=f"lstm{number}",
        )
        x = lstm(x)
    x = layers.Dense(hidden, activation="relu", name="hidden")(x)
    # The loss divides sigmoids by their sum; so does the softmax of their logarithms.
    x = layers.Dense(classes, activation="log_sigmoid", name="classes")(x)
    outputs = layers.Softmax(name="probabilities")(x)
    inputs = clips if len(clips) > 1 else clips[0]
    network = keras.Model(inputs, outputs, name="elrcn" if len(clips) == 1 else "elrcn_te")
    for layer in network.layers:
        if frozen and layer.name.endswith(("frames", "fc6")):
            layer.trainable = False
    return network


def _features(x: Tensor, prefix: str, maps: Sequence[int], units: int, drop: float) -> Tensor:
    """VGG-16's second dense layer of each picture, (batch, time, 4096)."""
    picture = keras.Input(tuple(x.shape[2:]), name=f"{prefix}picture")
    encoder = keras.Model(picture, convolutions(picture, maps, prefix))
    maps_of_frames = each_frame(encoder, x, name=f"{prefix}frames")  # (batch, time, 7, 7, 512)
    flat = layers.Reshape((int(x.shape[1]), -1), name=f"{prefix}flat")(maps_of_frames)
    return dense_layers(flat, units, drop, prefix)
