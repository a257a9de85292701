"""ICE-GAN's discriminator alone: convolutions and capsules on the apex frame.

Paper: Yu, Zhang, Song, Cai, "ICE-GAN: Identity-aware and capsule-enhanced GAN for micro-expression
recognition and synthesis", arXiv 2020.

Architecture, for gray apex frames (128, 128, 1):

=====================================  ==========  ==========
layer                                  output      parameters
=====================================  ==========  ==========
4x4 convolutions of stride 2 (64, 128  16x16x256   657,216
and 256 maps), LeakyReLU 0.2
4x4 convolutions of stride 1 (512 and  14x14x512   6,294,016
512 maps), LeakyReLU 0.2
1x1 convolutions (64 of stride 2, 128) 8x8x128     41,152
capsules of 8 channels                 1,024x8     0
capsules of the classes, 3 rounds      3x32        786,432
=====================================  ==========  ==========

All convolutions are divided by their largest singular value. Batch normalisation stands behind all
of them but the first and the last two. A class's score is the length of its capsule; weights of the
routing are a softmax over the primary capsules, not over the classes.

Parameters: 7,778,816 trained, and 4,480 moving statistics and vectors of the singular values.

**This is not ICE-GAN**: there is no generator, no drawn face, no real-or-drawn capsule (262,144
parameters) and no decoder (89,725,440) whose reconstruction takes part in the loss. The authors
released no training code, so that the whole can't be rebuilt.

Deviations: this suite's networks give probabilities and are trained by cross-entropy. A probability
is a length divided by the sum of the lengths; the authors train lengths by a margin loss.

What is open: everything about the training but learning rate, batch size and number of epochs.
"""

from collections.abc import Sequence

import keras
from keras import layers

from mer_keras.layers.capsules import ClassCapsules, LogLengths, PrimaryCapsules
from mer_keras.layers.spectral import SpectralConv2D
from mer_keras.models.blocks import counted_norm

#: Maps, kernel edge, stride, and whether there is a bias and a normalisation.
CONVOLUTIONS = (
    (64, 4, 2, True, False),
    (128, 4, 2, False, True),
    (256, 4, 2, False, True),
    (512, 4, 1, False, True),
    (512, 4, 1, True, True),
)


def build(
    input_shape: Sequence[int] = (128, 128, 1),
    classes: int = 3,
    *,
    spectral: bool = True,
    shrink: int = 1,
    width: int = 32,
    scale: float = 1.0,
) -> keras.Model:
    """Build the discriminator: apex frames (batch, 128, 128, 1), 0..1 -> (batch, classes).

    Args:
        input_shape: height, width, channels.
        classes: number of classes.
        spectral: whether convolutions are divided by their largest singular value.
        shrink: what numbers of maps are divided by; 1, 2, 4, 8 or 16.
        width: values of a class's capsule.
        scale: what values are multiplied with first.
    """
    images = keras.Input(tuple(input_shape), name="clip")
    x = layers.Rescaling(scale, name="scaled")(images)
    convolution = SpectralConv2D if spectral else layers.Conv2D
    for number, (maps, edge, stride, bias, is_normalised) in enumerate(CONVOLUTIONS, start=1):
        name = f"conv{number}"
        x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
        x = convolution(maps // shrink, edge, strides=stride, use_bias=bias, name=name)(x)
        if is_normalised:
            x = counted_norm(f"{name}_norm")(x)
        x = layers.LeakyReLU(0.2, name=f"{name}_relu")(x)
    x = layers.ZeroPadding2D(1, name="conv6_pad")(x)
    x = convolution(64 // shrink, 1, strides=2, name="conv6")(x)
    x = convolution(128 // shrink, 1, name="conv7")(x)  # (batch, 8, 8, 128)
    x = PrimaryCapsules(8, name="primary_capsules")(x)
    x = ClassCapsules(classes, width, coupling="capsules", name="classes")(x)
    x = LogLengths(name="log_lengths")(x)
    outputs = layers.Softmax(name="probabilities")(x)
    return keras.Model(images, outputs, name="icegan_discriminator")
