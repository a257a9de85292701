"""Levels of transformers on ever larger areas of an image: what HTNet and CausalNet are made of.

A map of patches is cut into blocks, 2^(levels - 1) of them along each side. Transformers attend
within a block; then a convolution of the whole map and a max-pool halve the map's sides and double
its channels, and there are half as many blocks along each side, until there is one.

Source: Wang et al., "HTNet for micro-expression recognition", Neurocomputing 2024, and its code.
"""

from collections.abc import Sequence

from keras import layers

from mer_keras.layers.block_attention import BlockAttention, BlockPositions
from mer_keras.layers.pooling import PaddedMaxPool
from mer_keras.layers.tensors import Tensor
from mer_keras.models.blocks import EPSILON, pytorch_convolve, pytorch_dense, pytorch_start

#: Edge of a patch in pixels.
PATCH = 7
#: Heads of the first level; each further level has twice as many.
HEADS = 3
#: Width of the hidden layer of a transformer, as a multiple of its own.
HIDDEN = 4


def encode(
    images: Tensor,
    *,
    dim: int,
    levels: int,
    repeats: Sequence[int],
    hidden: int = HIDDEN,
    idle: bool = False,
    prefix: str = "",
) -> Tensor:
    """Encode images, (batch, height, width, channels), sides multiples of 7.

    Args:
        images: 0..255, as they are.
        dim: channels of the first level.
        levels: number of levels.
        repeats: transformers of each level; of more than there are levels, the first ones are left
            out.
        hidden: width of the hidden layer of a transformer, as a multiple of its own.
        idle: whether queries and keys of blocks with one place are computed all the same.
        prefix: of all layers' names, where a network has several encoders.

    Returns:
        (batch, height / 7 / 2^(levels - 1), the same of the width, dim 2^(levels - 1)).

    Raises:
        ValueError: there are no levels, too few ``repeats``, or images of another size.
    """
    if not 1 <= levels <= len(repeats):
        raise ValueError(
            f"{levels} levels with {len(repeats)} repeats, expected one for each level"
        )
    height, width, channels = (int(size) for size in images.shape[1:])
    if height % PATCH or width % PATCH:
        raise ValueError(f"patches of {PATCH}x{PATCH} don't divide images of {height}x{width}")
    # A kernel's values stand in the order row, column, channel, as those of a patch in the code.
    start = pytorch_start(PATCH * PATCH * channels)
    x = layers.Conv2D(dim, PATCH, strides=PATCH, name=f"{prefix}patches", **start)(images)
    for level, transformers in enumerate(repeats[-levels:]):
        blocks = 2 ** (levels - 1 - level)
        heads, head_width = HEADS * 2**level, dim // HEADS
        x = BlockPositions(blocks, name=f"{prefix}level{level}_positions")(x)
        for number in range(transformers):
            name = f"{prefix}level{level}_transformer{number}"
            attention = BlockAttention(
                heads, head_width, blocks, full=idle, name=f"{name}_attention"
            )
            x = _transform(x, attention, hidden, name)
        if level < levels - 1:
            x = _aggregate(x, f"{prefix}level{level}_aggregate")
    return x


def _transform(x: Tensor, attention: BlockAttention, hidden: int, name: str) -> Tensor:
    """Attention and a network of two dense layers, each on normalised values and added."""
    normal = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_attention_norm")(x)
    x = layers.Add(name=f"{name}_attended")([x, attention(normal)])
    width = int(x.shape[-1])
    y = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_dense_norm")(x)
    y = pytorch_dense(y, hidden * width, activation="gelu", name=f"{name}_dense1")
    y = pytorch_dense(y, width, name=f"{name}_dense2")
    return layers.Add(name=f"{name}_out")([x, y])


def _aggregate(x: Tensor, name: str) -> Tensor:
    """(batch, height, width, channels) -> (batch, height / 2, width / 2, 2 channels)."""
    x = pytorch_convolve(x, 2 * int(x.shape[-1]), 3, name=name)
    x = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm")(x)
    return PaddedMaxPool(3, 2, 1, name=f"{name}_pool")(x)
