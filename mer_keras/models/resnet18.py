"""ResNet-18 as PyTorch has it, up to a stage: what several networks read their images with.

Paper: He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016.
"""

from keras import layers

from mer_keras.layers.pooling import PaddedMaxPool
from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import convolve, counted_norm

#: Maps of the four stages.
STAGES = (64, 128, 256, 512)


def resnet18(x: Tensor, *, stages: int = 4, stem_pool: bool = True, shrink: int = 1) -> Tensor:
    """Return the maps of images, (batch, height, width, channels).

    Layers are called ``stem``, ``stage1a_first`` and so on.

    Args:
        x: images.
        stages: how many of the four stages.
        stem_pool: whether a max-pool stands behind the stem.
        shrink: what numbers of maps are divided by.

    Returns:
        (batch, height / 32, width / 32, 512), with all stages and the max-pool; sizes are rounded
        up after each halving.
    """
    x = convolve(x, STAGES[0] // shrink, (7, 7), 2, name="stem")
    x = layers.ReLU(name="stem_relu")(counted_norm("stem_norm")(x))
    if stem_pool:
        x = PaddedMaxPool(size=3, strides=2, padding=1, name="stem_pool")(x)
    for stage, filters in enumerate(STAGES[:stages], start=1):
        for letter in "ab":
            stride = 2 if letter == "a" and stage > 1 else 1
            x = _residual(x, filters // shrink, stride, f"stage{stage}{letter}")
    return x


def _residual(x: Tensor, filters: int, stride: int, name: str) -> Tensor:
    """Two 3x3 convolutions, and the input or a 1x1 convolution of it."""
    y = counted_norm(f"{name}_first_norm")(
        convolve(x, filters, (3, 3), stride, name=f"{name}_first")
    )
    y = layers.ReLU(name=f"{name}_first_relu")(y)
    y = counted_norm(f"{name}_second_norm")(convolve(y, filters, (3, 3), name=f"{name}_second"))
    if stride > 1:
        x = convolve(x, filters, (1, 1), stride, name=f"{name}_shortcut")
        x = counted_norm(f"{name}_shortcut_norm")(x)
    y = layers.Add(name=f"{name}_sum")([x, y])
    return layers.ReLU(name=f"{name}_out")(y)
