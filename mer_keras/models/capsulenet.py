"""CapsuleNet, capsules with routing on the apex frame or on optical flow.

Paper: Van Quang, Chun, Tokuyama, "CapsuleNet for micro-expression recognition", FG 2019.

Architecture, for the colour image of the apex frame (224, 224, 3), 0..1:

=====================================  ===========  ==========
layer                                  output       parameters
=====================================  ===========  ==========
ResNet-18 up to its third stage,       28x28x256    2,782,784
without the max-pool of the stem
9x9 convolution, ReLU                  20x20x256    5,308,672
9x9 convolution of stride 2, as        1152x8       5,308,672
capsules of 8
capsules of the classes, 3 rounds      3x16         442,368
=====================================  ===========  ==========

A class's score is the length of its capsule. With ``trunk="none"`` the first 9x9 convolution reads
an image of 28x28 itself, such as optical flow: capsules without the rest of the network.

Parameters: 13,842,496 trained, as released, and 4,480 moving statistics.

Deviations: this suite's networks give probabilities and are trained by cross-entropy. A probability
is here a length divided by the sum of the lengths, which leaves the predicted class as it is; the
authors train lengths by a margin loss. They start the trunk from ImageNet's weights: without such a
file (``--start-from``) it starts at random, which is another experiment.

What the paper leaves open: nothing that the authors' code doesn't say.
"""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers

from mer_keras.layers.capsules import ClassCapsules, LogLengths, PrimaryCapsules
from mer_keras.models.blocks import pytorch_convolve, pytorch_start
from mer_keras.models.resnet18 import resnet18

#: Edge of the kernels in front of the capsules.
EDGE = 9


def build(
    input_shape: Sequence[int] = (224, 224, 3),
    classes: int = 3,
    *,
    trunk: Literal["resnet18", "none"] = "resnet18",
    maps: int = 256,
    scale: float = 1.0,
) -> keras.Model:
    """Build CapsuleNet: images (batch, height, width, 3) -> probabilities (batch, classes).

    Args:
        input_shape: height, width, channels.
        classes: number of classes.
        trunk: the layers below the capsules; ``none``: the image itself.
        maps: of the two convolutions in front of the capsules; a multiple of 8.
        scale: what values are multiplied with first.
    """
    images = keras.Input(tuple(input_shape), name="clip")
    x = layers.Rescaling(scale, name="scaled")(images)
    if trunk == "resnet18":
        x = resnet18(x, stages=3, stem_pool=False)  # (batch, 28, 28, 256)
    x = pytorch_convolve(x, maps, EDGE, padding="valid", activation="relu", name="conv")
    start = pytorch_start(int(x.shape[-1]) * EDGE * EDGE)
    x = layers.Conv2D(maps, EDGE, strides=2, name="primary", **start)(x)  # (batch, 6, 6, 256)
    x = PrimaryCapsules(8, name="primary_capsules")(x)
    x = ClassCapsules(classes, name="classes")(x)
    x = LogLengths(name="log_lengths")(x)
    return keras.Model(images, layers.Softmax(name="probabilities")(x), name="capsulenet")
