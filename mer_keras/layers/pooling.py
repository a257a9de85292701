"""Pooling and enlarging as PyTorch has them, where Keras' own layers see other windows."""

import math

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from mer_keras.layers.base import Free, PaperLayer
from mer_keras.layers.streams import pad_in_front
from mer_keras.layers.tensors import Shape, Tensor, check_positive, fixed


@keras.saving.register_keras_serializable(package="mer_keras")
class PaddedMaxPool(Free, PaperLayer):
    """Max-pooling whose windows begin ``padding`` places before the first row and column.

    What is padded is never the maximum. TensorFlow's ``same`` puts the windows of a stride above 1
    elsewhere: with 3x3 windows and a stride of 2 on 4x4 places they begin at 0 and 2, here at -1
    and 1.

    Shapes: (batch, height, width, channels) -> (batch, (height + 2 padding - size) / strides + 1,
    the same of the width, channels), rounded down.

    Source: PyTorch's ``MaxPool2d(size, strides, padding)``, which HTNet (3, 2, 1) and RCN-P
    (3, 3, 1) use.

    Args:
        size: edge of the windows.
        strides: distance of the windows.
        padding: places before the first and behind the last row and column; at most half of
            ``size``.

    Raises:
        ValueError: an argument is not above 0, or ``padding`` is too large.
    """

    def __init__(self, size: int = 3, strides: int = 2, padding: int = 1, **kwargs: object) -> None:
        """See the class."""
        super().__init__(**kwargs)
        check_positive(self, size=size, strides=strides, padding=padding)
        if 2 * padding > size:
            raise ValueError(
                f"{type(self).__name__}: padding is {padding}, expected at most half of {size}"
            )
        self.size = size
        self.strides = strides
        self.padding = padding

    def call(self, maps: Tensor) -> Tensor:
        """Pool as the class says."""
        lowest = float("-inf")
        padded = pad_in_front(maps, self.padding, self.padding, lowest)
        for axis in (1, 2):
            # The last window may end within the padding behind the last place.
            windows = self._windows(maps.shape[axis])
            missing = (windows - 1) * self.strides + self.size - padded.shape[axis]
            if missing > 0:
                shape = list(padded.shape)
                shape[0], shape[axis] = ops.shape(padded)[0], missing
                behind = ops.full(tuple(shape), lowest, padded.dtype)
                padded = ops.concatenate([padded, behind], axis=axis)
        return ops.max_pool(padded, self.size, strides=self.strides, padding="valid")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the pooled maps."""
        height, width = (self._windows(fixed(side)) for side in input_shape[1:3])
        return input_shape[0], height, width, input_shape[3]

    def _windows(self, side: int) -> int:
        return (side + 2 * self.padding - self.size) // self.strides + 1


class _OnBothAxes(PaperLayer):
    """Rows and columns mixed by one fixed matrix each."""

    def __init__(self, rows: int, columns: int, **kwargs: object) -> None:
        """See the class."""
        super().__init__(**kwargs)
        check_positive(self, rows=rows, columns=columns)
        self.rows = rows
        self.columns = columns

    def mixing(self, places: int, cells: int) -> NDArray[np.float64]:
        """Share of each place in each cell, (cells, places)."""
        raise NotImplementedError

    def call(self, maps: Tensor) -> Tensor:
        """Mix rows, then columns."""
        _, height, width, channels = maps.shape
        of_rows = ops.convert_to_tensor(self.mixing(height, self.rows), maps.dtype)
        of_columns = ops.convert_to_tensor(self.mixing(width, self.columns), maps.dtype)
        mixed = ops.matmul(of_rows, ops.reshape(maps, (-1, height, width * channels)))
        mixed = ops.matmul(of_columns, ops.reshape(mixed, (-1, width, channels)))
        return ops.reshape(mixed, (-1, self.rows, self.columns, channels))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the cells."""
        return input_shape[0], self.rows, self.columns, input_shape[3]


@keras.saving.register_keras_serializable(package="mer_keras")
class AdaptiveAveragePool(Free, _OnBothAxes):
    """Means over a grid of so many cells, whatever the size of the maps.

    Cell i of m averages the places floor(i n / m) to ceil((i + 1) n / m) - 1 of n. Cells overlap
    where m does not divide n, and repeat places where m is above n.

    Shapes: (batch, height, width, channels) -> (batch, rows, columns, channels).

    Source: PyTorch's ``AdaptiveAvgPool2d``, by which the RCNs feed their head.

    Args:
        rows: cells along the height.
        columns: cells along the width.

    Raises:
        ValueError: an argument is not above 0.
    """

    def mixing(self, places: int, cells: int) -> NDArray[np.float64]:
        """Equal shares of the places of each cell."""
        shares = np.zeros((cells, places))
        for cell in range(cells):
            first, end = cell * places // cells, math.ceil((cell + 1) * places / cells)
            shares[cell, first:end] = 1 / (end - first)
        return shares

    def call(self, maps: Tensor) -> Tensor:
        """Average; windows of one size are left to the backend."""
        _, height, width, _ = maps.shape
        if height % self.rows or width % self.columns:
            return super().call(maps)
        window = (height // self.rows, width // self.columns)
        return ops.average_pool(maps, window, strides=window, padding="valid")


@keras.saving.register_keras_serializable(package="mer_keras")
class NearestEnlarge(Free, _OnBothAxes):
    """Maps of another size by repeating or leaving out places: place i of m is i n / m, cut.

    Shapes: (batch, height, width, channels) -> (batch, rows, columns, channels).

    Source: PyTorch's ``interpolate`` with its mode ``nearest``, by which RCN-C and RCN-F enlarge
    their attention map.

    Args:
        rows: height of the result.
        columns: width of the result.

    Raises:
        ValueError: an argument is not above 0.
    """

    def mixing(self, places: int, cells: int) -> NDArray[np.float64]:
        """One place for each cell."""
        return np.eye(places)[np.arange(cells) * places // cells]
