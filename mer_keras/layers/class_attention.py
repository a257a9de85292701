"""A classifier on a grid of cells whose own weights say where to look."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import keras
from keras import ops

from mer_keras.layers.base import PaperLayer
from mer_keras.layers.tensors import Shape, Tensor, check_positive, fixed

#: What a call gives: scores of the classes, or where they look in maps or in a picture.
Gives: TypeAlias = Literal["scores", "attention", "picture_attention"]

#: Added to the largest value of a class's map, which is 0 where the map is constant.
_LEAST = 1e-12


@keras.saving.register_keras_serializable(package="mer_keras")
class ClassAttentionHead(PaperLayer):
    """Scores of classes from pooled maps, and attention that has no parameters of its own.

    It may be called several times, and ``gives`` says what for:

    - ``scores``: the values of all cells times the kernel, and a bias.
    - ``attention``: where the classes look. For each class, the mean over channels of the kernel
      times the maps, minus its smallest value, divided by what is then its largest; then the mean
      over classes. The gradient reaches the kernel through it.
    - ``picture_attention``: the same for a picture, before any maps are made of it: the kernel's
      mean over channels times the picture's.

    The authors divide by the largest value as it is; a map that is constant, such as that of maps
    without any activity, would give NaN, so that 1e-12 is added here.

    Shapes: (batch, rows, columns, maps) -> scores (batch, classes), or attention
    (batch, rows, columns, 1) in 0..1. A picture may have another number of channels.

    Source: Xia et al., "Revealing the invisible with model and data shrinking", IEEE Transactions
    on Image Processing 2020; the authors' code.

    Args:
        classes: number of classes.
        maps: channels of what is scored.

    Raises:
        ValueError: an argument is not above 0.
    """

    def __init__(self, classes: int, maps: int, **kwargs: object) -> None:
        """See the class."""
        super().__init__(**kwargs)
        check_positive(self, classes=classes, maps=maps)
        self.classes = classes
        self.maps = maps

    def build(self, input_shape: Shape) -> None:
        """Create the kernel, (rows * columns * maps, classes), and the bias, (classes,).

        The kernel starts normally distributed with a deviation of 0.01, as in the authors' code.
        """
        rows, columns = (fixed(side) for side in input_shape[1:3])
        self.kernel = self.add_weight(
            name="kernel",
            shape=(rows * columns * self.maps, self.classes),
            initializer=keras.initializers.RandomNormal(stddev=0.01),
        )
        self.bias = self.add_weight(name="bias", shape=(self.classes,), initializer="zeros")

    def call(self, cells: Tensor, gives: Gives = "scores") -> Tensor:
        """Score the cells, or say where the classes look."""
        _, rows, columns, channels = cells.shape
        if gives == "scores":
            return ops.matmul(ops.reshape(cells, (-1, rows * columns * channels)), self.kernel) + (
                self.bias
            )
        kernel = ops.reshape(self.kernel, (rows, columns, self.maps, self.classes))
        if gives == "picture_attention":
            kernel = ops.mean(kernel, axis=2, keepdims=True)  # (rows, columns, 1, classes)
            cells = ops.mean(cells, axis=3, keepdims=True)  # (batch, rows, columns, 1)
        precise = keras.backend.result_type(self.compute_dtype, "float32")
        sums = ops.einsum("brcm,rcmk->brck", ops.cast(cells, precise), ops.cast(kernel, precise))
        of_class = sums / kernel.shape[2]  # means over channels, (batch, rows, columns, classes)
        of_class = of_class - ops.min(of_class, axis=(1, 2), keepdims=True)
        of_class = of_class / (ops.max(of_class, axis=(1, 2), keepdims=True) + _LEAST)
        return ops.cast(ops.mean(of_class, axis=-1, keepdims=True), self.compute_dtype)

    def compute_output_spec(self, cells: Tensor, gives: Gives = "scores") -> keras.KerasTensor:
        """Shape and format of scores, or of attention."""
        batch, rows, columns, _ = cells.shape
        shape = (batch, self.classes) if gives == "scores" else (batch, rows, columns, 1)
        return keras.KerasTensor(shape, self.compute_dtype)

    def multiply_accumulates(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Multiplications with additions for one clip, the same for scores and attention."""
        _, rows, columns, channels = input_shapes[0]
        return rows * columns * channels * self.classes
