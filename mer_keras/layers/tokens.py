"""From clips to tokens, and from tokens to one vector."""

import keras
from keras import ops

from mer_keras.layers.base import Free, PaperLayer, Unmasked
from mer_keras.layers.tensors import Shape, Tensor, check_positive, fixed


@keras.saving.register_keras_serializable(package="mer_keras")
class GridBlocks(Free, PaperLayer):
    """Cut every frame into a grid and stack each cell over time.

    Shapes: (batch, time, height, width, channels) -> (batch, rows * columns, time, height / rows,
    width / columns, channels); cells in reading order.

    Source: ESANN 2025, section 2, first model (3x3 grid, nine 30x30x13 blocks).

    Args:
        rows: of the grid.
        columns: of the grid.

    Raises:
        ValueError: an argument is not above 0.
    """

    def __init__(self, rows: int = 3, columns: int = 3, **kwargs: object) -> None:
        """See the class."""
        super().__init__(**kwargs)
        check_positive(self, rows=rows, columns=columns)
        self.rows = rows
        self.columns = columns

    def build(self, input_shape: Shape) -> None:
        """Check that the grid divides the frame.

        Raises:
            ValueError: it does not.
        """
        height, width = (fixed(side) for side in input_shape[2:4])
        if height % self.rows or width % self.columns:
            raise ValueError(
                f"a grid of {self.rows}x{self.columns} does not divide frames of {height}x{width}: "
                "choose a size that it divides"
            )

    def call(self, clips: Tensor) -> Tensor:
        """Cut clips as the class says."""
        _, time, height, width, channels = clips.shape
        high, wide = height // self.rows, width // self.columns
        cells = ops.reshape(clips, (-1, time, self.rows, high, self.columns, wide, channels))
        # (batch, rows, columns, time, height / rows, width / columns, channels)
        cells = ops.transpose(cells, (0, 2, 4, 1, 3, 5, 6))
        return ops.reshape(cells, (-1, self.rows * self.columns, time, high, wide, channels))


@keras.saving.register_keras_serializable(package="mer_keras")
class PositionalEmbedding(Free, Unmasked, keras.layers.Layer):
    """Add a learned vector to each token.

    Shapes: (batch, tokens, width) -> the same. The vectors start uniform in +-0.05.

    Source: ESANN 2025, section 2 ("positional embedding is added to the feature vectors"); that
    it is learned is a reading.
    """

    def build(self, input_shape: Shape) -> None:
        """Create one vector a token."""
        self.embedding = self.add_weight(
            name="embedding", shape=tuple(input_shape[1:]), initializer="uniform"
        )

    def call(self, tokens: Tensor) -> Tensor:
        """Add the vectors."""
        return tokens + self.embedding


@keras.saving.register_keras_serializable(package="mer_keras")
class TokenAt(Free, PaperLayer):
    """Read out one token.

    Shapes: (batch, tokens, width) -> (batch, width).

    Source: ESANN 2025, section 2 (onset, apex or offset token).

    Args:
        index: of the token; negative numbers count from the end.
    """

    def __init__(self, index: int, **kwargs: object) -> None:
        """See the class."""
        super().__init__(**kwargs)
        self.index = index

    def call(self, tokens: Tensor) -> Tensor:
        """Take the token."""
        return tokens[:, self.index]
