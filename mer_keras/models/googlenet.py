"""GoogLeNet, the first Inception network, as a baseline on an image of each clip.

Paper: Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich, "Going deeper with
convolutions", CVPR 2015.

Architecture, for images (224, 224, 3): a 7x7 convolution of stride 2, a max-pool and local response
normalisation; a 1x1 and a 3x3 convolution, normalisation and a max-pool (28x28x192); nine modules
of four branches with max-pools between them (7x7x1024); the mean of each map, dropout 0.4 and a
dense softmax. All convolutions have a bias and ReLU. The classifiers at the side, which only help
to train it, are left out.

Parameters, all trained: 5,978,677 with five classes, 6,998,552 with ImageNet's 1,000.

**It starts at random here.** Baselines start from ImageNet's weights, which a file gives
(``--start-from``); without it this is another experiment.

What is open: the input and the recipe of the baseline that tables quote.
"""

from collections.abc import Sequence

import keras
from keras import layers

from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import convolve, dropout, response_norm

#: Maps of a module's branches: 1x1; 1x1 and 3x3; 1x1 and 5x5; 1x1 behind a pool (table 1).
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def build(
    input_shape: Sequence[int] = (224, 224, 3),
    classes: int = 5,
    *,
    shrink: int = 1,
    scale: float = 1 / 255,
    drop: float = 0.4,
) -> keras.Model:
    """Build GoogLeNet: images (batch, 224, 224, 3), 0..255 -> probabilities (batch, classes).

    Args:
        input_shape: height, width, channels.
        classes: number of classes.
        shrink: what all numbers of maps are divided by.
        scale: what values are multiplied with first.
        drop: part of the last values set to zero in training.
    """
    images = keras.Input(tuple(input_shape), name="clip")
    x = layers.Rescaling(scale, name="scaled")(images)
    x = _convolve(x, 64 // shrink, 7, "conv1", strides=2)
    x = response_norm(_pool(x, "pool1"), name="norm1")  # (batch, 56, 56, 64)
    x = _convolve(x, 64 // shrink, 1, "conv2_reduce")
    x = response_norm(_convolve(x, 192 // shrink, 3, "conv2"), name="norm2")
    x = _pool(x, "pool2")  # (batch, 28, 28, 192)
    for name, maps in MODULES.items():
        if name in ("4a", "5a"):
            x = _pool(x, f"pool{int(name[0]) - 1}")
        x = _module(x, [count // shrink for count in maps], f"inception{name}")
    x = layers.GlobalAveragePooling2D(name="mean")(x)  # (batch, 1024)
    x = dropout(x, drop, name="dropout")
    x = layers.Dense(classes, activation="softmax", name="classes")(x)
    return keras.Model(images, x, name="googlenet")


def _module(x: Tensor, maps: Sequence[int], name: str) -> Tensor:
    """Four branches side by side."""
    ones, reduce3, threes, reduce5, fives, pooled = maps
    branches = [
        _convolve(x, ones, 1, f"{name}_1x1"),
        _convolve(_convolve(x, reduce3, 1, f"{name}_3x3_reduce"), threes, 3, f"{name}_3x3"),
        _convolve(_convolve(x, reduce5, 1, f"{name}_5x5_reduce"), fives, 5, f"{name}_5x5"),
        _convolve(_pool(x, f"{name}_pool", strides=1), pooled, 1, f"{name}_pool_1x1"),
    ]
    return layers.Concatenate(name=name)(branches)


def _convolve(x: Tensor, filters: int, edge: int, name: str, strides: int = 1) -> Tensor:
    """Convolve with a bias, then apply ReLU."""
    # Initial kernels keep the size of values through 22 layers (He et al., ICCV 2015).
    x = convolve(
        x,
        filters,
        (edge, edge),
        strides,
        name=name,
        use_bias=True,
        kernel_initializer="he_uniform",
    )
    return layers.ReLU(name=f"{name}_relu")(x)


def _pool(x: Tensor, name: str, strides: int = 2) -> Tensor:
    """Greatest of 3x3 values; sizes are rounded up."""
    return layers.MaxPooling2D(3, strides=strides, padding="same", name=name)(x)
