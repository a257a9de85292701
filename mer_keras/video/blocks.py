"""The 6 x 6 blocks that a face is divided into, and which of them are what."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from mer_keras.video.options import SIDE

#: Blocks along each side.
BLOCKS = 6
#: Of all blocks, this share with the greatest values is averaged (12 of 36).
_GREATEST = 1 / 3
#: The nose: rows and columns of the aligned face, as shares of its side.
NOSE = (
    slice(round(0.38 * SIDE), round(0.62 * SIDE)),
    slice(round(0.41 * SIDE), round(0.59 * SIDE)),
)
#: Rows and columns of the blocks of each region of the face, from 0 at the upper left.
REGIONS: dict[str, tuple[Sequence[int], Sequence[int]]] = {
    "brows": ((0, 1), range(BLOCKS)),
    "eyes": ((2,), (0, 1, 4, 5)),
    "nose": ((2, 3), (2, 3)),
    "cheeks": ((3,), (0, 1, 4, 5)),
    "mouth": ((4, 5), range(BLOCKS)),
}
#: Pixel rows or columns at which blocks begin and the last one ends.
EDGES = np.linspace(0, SIDE, BLOCKS + 1).round().astype(int)
#: The index of each pixel's block, (SIDE, SIDE), 0 to 35 row by row.
_LINE = np.searchsorted(EDGES, np.arange(SIDE), side="right") - 1
BLOCK_OF_PIXEL: NDArray[np.intp] = (_LINE[:, None] * BLOCKS + _LINE[None, :]).astype(np.intp)


def counted_blocks(ignore: Iterable[str]) -> NDArray[np.bool_]:
    """Say which blocks count, (36,): all but those of some regions."""
    counted = np.ones((BLOCKS, BLOCKS), bool)
    for region in ignore:
        rows, columns = REGIONS[region]
        counted[np.ix_(list(rows), list(columns))] = False
    return counted.ravel()


def mean_of_greatest(values: NDArray[np.floating], share: float = _GREATEST) -> float:
    """Mean of the greatest values; at least one is taken, and of none it is 0."""
    if not values.size:
        return 0.0
    count = max(1, round(share * values.size))
    return float(np.partition(values, values.size - count)[-count:].mean())


def region_of(values: NDArray[np.floating]) -> str:
    """Name the region whose blocks have the greatest mean of their greatest third.

    Args:
        values: (36,), of the blocks row by row.
    """
    square = values.reshape(BLOCKS, BLOCKS)
    means = {
        region: mean_of_greatest(square[np.ix_(list(rows), list(columns))].ravel())
        for region, (rows, columns) in REGIONS.items()
    }
    return max(means, key=lambda region: means[region])


def block_means(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean of an image in each block, (SIDE, SIDE) -> (36,)."""
    sums = np.bincount(BLOCK_OF_PIXEL.ravel(), values.ravel(), BLOCKS**2)
    return np.asarray(sums / np.bincount(BLOCK_OF_PIXEL.ravel(), minlength=BLOCKS**2))
