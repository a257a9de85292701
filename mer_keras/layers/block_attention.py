"""Attention among the places of each block of a map."""

from collections.abc import Sequence

import keras
from keras import ops

from mer_keras.layers.base import Free, PaperLayer
from mer_keras.layers.conversion import is_converting
from mer_keras.layers.tensors import Shape, Tensor, check_positive, fixed


@keras.saving.register_keras_serializable(package="mer_keras")
class BlockPositions(Free, PaperLayer):
    """Add one learned number to each place of a block, the same for all channels and all blocks.

    Shapes: (batch, height, width, channels) -> the same. The numbers start normally distributed
    with a deviation of 1.

    Source: HTNet (Wang et al., Neurocomputing 2024), the authors' code.

    Args:
        blocks: number of blocks along each side of the map.

    Raises:
        ValueError: ``blocks`` is not above 0.
    """

    def __init__(self, blocks: int, **kwargs: object) -> None:
        """See the class."""
        super().__init__(**kwargs)
        check_positive(self, blocks=blocks)
        self.blocks = blocks

    def build(self, input_shape: Shape) -> None:
        """Create one number a place of a block.

        Raises:
            ValueError: the map can't be cut into so many blocks.
        """
        high, wide = _block_sides(input_shape, self.blocks)
        self.positions = self.add_weight(
            name="positions",
            shape=(high * wide,),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )

    def call(self, maps: Tensor) -> Tensor:
        """Add the numbers."""
        high, wide = _block_sides(maps.shape, self.blocks)
        of_block = ops.reshape(self.positions, (1, high, wide, 1))
        # A converter adds the bias of the layer before to these numbers, one for each channel.
        channels = maps.shape[-1] if is_converting() else 1
        return maps + ops.tile(of_block, (1, self.blocks, self.blocks, channels))


@keras.saving.register_keras_serializable(package="mer_keras")
class BlockAttention(PaperLayer):
    """Self-attention with several heads among the places of each block.

    Queries, keys and values are matrices without bias, each head ``head_width`` wide; places of a
    block attend to each other by softmax(q k / sqrt(head_width)); a matrix with a bias joins the
    heads.

    A block of one place attends to itself alone. The softmax of its one score is 1 whatever the
    queries and keys are, so that they get no gradient. They are then kept as weights that aren't
    trained and aren't computed with: the layer is the same function, and has the published count of
    parameters. ``full`` computes them all the same.

    Shapes: (batch, height, width, channels) -> the same.

    Source: HTNet (Wang et al., Neurocomputing 2024), the authors' code; initial weights are
    PyTorch's.

    Args:
        heads: number of heads.
        head_width: queries, keys and values of a head.
        blocks: number of blocks along each side of the map.
        full: whether queries and keys are computed and trained where they change nothing.

    Raises:
        ValueError: a number is not above 0.
    """

    def __init__(
        self, heads: int, head_width: int, blocks: int, *, full: bool = False, **kwargs: object
    ) -> None:
        """See the class."""
        super().__init__(**kwargs)
        check_positive(self, heads=heads, head_width=head_width, blocks=blocks)
        self.heads = heads
        self.head_width = head_width
        self.blocks = blocks
        self.full = full

    @property
    def inner(self) -> int:
        """Width of all heads together."""
        return self.heads * self.head_width

    def is_idle(self, maps_shape: Shape) -> bool:
        """Whether queries and keys change nothing and are left out."""
        return not self.full and _block_sides(maps_shape, self.blocks) == (1, 1)

    def build(self, input_shape: Shape) -> None:
        """Create the matrices.

        Raises:
            ValueError: the map can't be cut into so many blocks.
        """
        channels = fixed(input_shape[-1])

        def matrix(name: str, rows: int, columns: int, trainable: bool = True) -> keras.Variable:
            limit = rows**-0.5
            uniform = keras.initializers.RandomUniform(-limit, limit)
            shape = (rows, columns)
            return self.add_weight(name=name, shape=shape, initializer=uniform, trainable=trainable)

        trained = not self.is_idle(input_shape)
        self.query_key_kernel = matrix("query_key_kernel", channels, 2 * self.inner, trained)
        self.value_kernel = matrix("value_kernel", channels, self.inner)
        self.output_kernel = matrix("output_kernel", self.inner, channels)
        limit = self.inner**-0.5
        self.output_bias = self.add_weight(
            name="output_bias",
            shape=(channels,),
            initializer=keras.initializers.RandomUniform(-limit, limit),
        )

    def call(self, maps: Tensor) -> Tensor:
        """Attend as the class says."""
        values = ops.matmul(maps, self.value_kernel)  # (batch, height, width, inner)
        if not self.is_idle(maps.shape):
            values = self._attended(ops.matmul(maps, self.query_key_kernel), values)
        return ops.matmul(values, self.output_kernel) + self.output_bias

    def _attended(self, queries_and_keys: Tensor, values: Tensor) -> Tensor:
        """Weighted sums of the values, (batch, height, width, inner)."""
        _, height, width, _ = values.shape
        high, wide = _block_sides(values.shape, self.blocks)

        def of_heads(maps: Tensor) -> Tensor:
            shape = (-1, self.blocks, high, self.blocks, wide, self.heads, self.head_width)
            cut = ops.transpose(ops.reshape(maps, shape), (0, 1, 3, 5, 2, 4, 6))
            # (batch, blocks, blocks, heads, places, head_width)
            return ops.reshape(cut, (-1, high * wide, self.head_width))

        queries, keys = ops.split(queries_and_keys, 2, axis=-1)
        scores = ops.matmul(of_heads(queries), ops.transpose(of_heads(keys), (0, 2, 1)))
        weights = ops.softmax(scores * self.head_width**-0.5, axis=-1)
        sums = ops.matmul(weights, of_heads(values))  # (..., places, head_width)
        shape = (-1, self.blocks, self.blocks, self.heads, high, wide, self.head_width)
        sums = ops.transpose(ops.reshape(sums, shape), (0, 1, 4, 2, 5, 3, 6))
        return ops.reshape(sums, (-1, height, width, self.inner))

    def multiply_accumulates(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Multiplications with additions for one clip."""
        _, height, width, channels = input_shapes[0]
        matrices = 2 if self.is_idle(input_shapes[0]) else 4
        high, wide = _block_sides(input_shapes[0], self.blocks)
        pairs = 0 if self.is_idle(input_shapes[0]) else 2 * self.inner * high * wide
        return height * width * (matrices * channels * self.inner + pairs)


def _block_sides(shape: Shape, blocks: int) -> tuple[int, int]:
    """Height and width of a block of a map, (batch, height, width, channels).

    Raises:
        ValueError: the map can't be cut into so many blocks.
    """
    height, width = (fixed(side) for side in shape[1:3])
    if height % blocks or width % blocks:
        raise ValueError(f"a map of {height}x{width} can't be cut into {blocks}x{blocks} blocks")
    return height // blocks, width // blocks
