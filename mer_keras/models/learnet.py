"""LEARNet, four branches of convolutions on a dynamic image.

Paper: Verma, Vipparthi, Singh, Murala, "LEARNet: Dynamic imaging network for micro expression
recognition", IEEE Transactions on Image Processing 2020.

Architecture, for one dynamic image (112, 112, 3) of all frames of a clip. All convolutions have
stride 2, zero padding, a bias and ReLU:

=====================================  ==========  ==========
layer                                  output      parameters
=====================================  ==========  ==========
3x3 convolution                        56x56x16    448
four branches of a 1x1, a 3x3 and a    7x7x64      224,704
5x5 convolution (16, 32, 64 maps)      each
batch normalisation of the sums of     -           192
branches 1 and 2, 3 and 4, behind the
first and the second layer
the four branches side by side, batch  4x4x256     590,592
normalisation, 3x3 convolution
dense, ReLU, dropout 0.5               256         1,048,832
dense softmax                          3           771
=====================================  ==========  ==========

Branches 2 and 4 read the normalised sums, branches 1 and 3 themselves.

Parameters: 1,865,539 trained, and 704 moving statistics: 1,866,243, as the authors' code.

What the paper's code leaves open: the recipe, which frames make the image and how faces are cut.
"""

from collections.abc import Sequence

import keras
from keras import layers

from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import dropout, normalise

#: Maps and kernel edges of the three layers of a branch.
BRANCH = ((16, 1), (32, 3), (64, 5))


def build(
    input_shape: Sequence[int] = (112, 112, 3),
    classes: int = 3,
    *,
    units: int = 256,
    scale: float = 1.0,
    drop: float = 0.5,
) -> keras.Model:
    """Build LEARNet: dynamic images (batch, 112, 112, 3) -> probabilities (batch, classes).

    Args:
        input_shape: height, width, channels.
        classes: number of classes.
        units: of the dense layer.
        scale: what values are multiplied with first.
        drop: part of the units set to zero in training.
    """
    images = keras.Input(tuple(input_shape), name="clip")
    x = layers.Rescaling(scale, name="scaled")(images)
    stem = _halve(x, 16, 3, "stem")  # (batch, 56, 56, 16)
    branches = [stem] * 4
    for letter, (filters, edge) in zip("abc", BRANCH, strict=True):
        outputs = [
            _halve(branch, filters, edge, f"branch{number}_{letter}")
            for number, branch in enumerate(branches, start=1)
        ]
        branches = outputs if letter == "c" else _joined(outputs, letter)
    x = layers.Concatenate(name="branches")(branches)  # (batch, 7, 7, 256)
    x = normalise(x, "branches_norm", "keras")
    x = _halve(x, 256, 3, "conv")  # (batch, 4, 4, 256)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(units, activation="relu", name="dense")(x)
    x = dropout(x, drop, name="dropout")
    x = layers.Dense(classes, activation="softmax", name="classes")(x)
    return keras.Model(images, x, name="learnet")


def _halve(x: Tensor, filters: int, edge: int, name: str) -> Tensor:
    """Convolve with stride 2, then apply ReLU."""
    convolution = layers.Conv2D(
        filters, edge, strides=2, padding="same", activation="relu", name=name
    )
    return convolution(x)


def _joined(branches: Sequence[Tensor], letter: str) -> list[Tensor]:
    """What the next layers read: branches 1 and 3 as they are, sums in place of 2 and 4."""
    joined = []
    for first, second in ((0, 1), (2, 3)):
        name = f"sum{first + 1}{second + 1}_{letter}"
        total = layers.Add(name=name)([branches[first], branches[second]])
        joined += [branches[first], normalise(total, f"{name}_norm", "keras")]
    return joined
