"""HTNet, a hierarchical transformer on four areas of the face.

Paper: Wang, Zhang, Luo, Sankaranarayana, "HTNet for micro-expression recognition", Neurocomputing
602, 2024.

Architecture, for flow images (28, 28, 3), 0..255, of which four areas of 14x14 pixels are put
together (see ``layers.face_areas``):

=====================================  ==========  ===========
layer                                  output      parameters
=====================================  ==========  ===========
patches of 7x7, dense                  4x4x256     37,888
level 0: 16 blocks, 2 transformers     4x4x256     1,575,937
3x3 convolution, norm, max-pool        2x2x512     1,181,184
level 1: 4 blocks, 2 transformers      2x2x512     6,293,505
3x3 convolution, norm, max-pool        1x1x1024    4,721,664
level 2: 1 block, 10 transformers      1x1x1024    125,767,681
norm, mean over places, dense softmax  3           5,123
=====================================  ==========  ===========

A level adds one learned number a place of a block, then applies transformers: attention among the
places of a block and a network of two dense layers (GELU, four times as wide), each on normalised
values and added to its input. Heads are 85 wide, 3, 6 and 12 of them.

Parameters: 139,582,982, as released. **With the released sizes a block has one place.** It attends
to itself alone: its softmax is 1, attention is a linear map, and the 22,195,200 parameters of
queries and keys get no gradient, so that 117,387,782 are trained. Queries and keys are not computed
here, which changes no output. The network is a residual network of dense layers on patches with two
aggregations, and what the paper's figure of the number of heads shows is the width of that map and
chance. ``levels=2`` has attention among the four places of each area, as the paper's figure 2 draws
it.

The canvas is a function of the flow image and is made by the network's first layer, so that its
input is the flow image that other networks read. The authors find the areas by landmarks of each
apex frame, which needs the faces; their fixed points are those for clips without any.

What the paper leaves open: repeats (2, 2, 10) are those of the code, one of whose comments says
(2, 2, 8); initial weights are PyTorch's.
"""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers

from mer_keras.layers.face_areas import FaceAreas
from mer_keras.models.blocks import EPSILON, pytorch_dense
from mer_keras.models.hierarchy import encode


def build(
    input_shape: Sequence[int] = (28, 28, 3),
    classes: int = 3,
    *,
    crops: Literal["fixed", "none"] = "fixed",
    dim: int = 256,
    levels: int = 3,
    repeats: Sequence[int] = (2, 2, 10),
    idle: bool = False,
) -> keras.Model:
    """Build HTNet: images (batch, 28, 28, 3), 0..255 -> probabilities (batch, classes).

    Args:
        input_shape: height, width, channels; without crops, multiples of 7.
        classes: number of classes.
        crops: ``fixed`` puts areas around fixed points together, ``none`` reads images as they are.
        dim: channels of the first level; each further level has twice as many.
        levels: number of levels; the first has 2^(levels - 1) blocks along each side.
        repeats: transformers of each level, the last level's last; of more than there are levels,
            the first ones are left out.
        idle: whether queries and keys of blocks with one place are computed all the same.

    Raises:
        ValueError: too few ``repeats``, or the patches can't be cut into so many blocks.
    """
    images = keras.Input(tuple(input_shape), name="clip")
    canvas = FaceAreas(name="areas")(images) if crops == "fixed" else images
    x = encode(canvas, dim=dim, levels=levels, repeats=repeats, idle=idle)
    x = layers.LayerNormalization(epsilon=EPSILON, name="norm")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    x = pytorch_dense(x, classes, activation="softmax", name="classes")
    return keras.Model(images, x, name="htnet")
