"""Directions of flow in equal bins, and their histograms block by block.

With 8 bins, as most papers have them, no angle is computed: comparisons of the two components
divide the circle into sectors that are no wider than a bin. Sectors are counted, and the counts of
those in one bin are added at the end.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.features.fields import Numbers, Values

#: Added to an angle, in radians: an angle on the boundary of two bins falls into the upper one,
#: however a machine rounds the arc tangent.
BOUNDARY = 1e-9
#: Number of bins for which directions need no arc tangent.
OCTANTS = 8
#: Bin of each sector of ``direction_sectors``, by half of the circle (above first, since y grows
#: downwards), then by abs(x) below, at or above abs(y), then by x below, at or above 0. A bin of 0
#: stands where no vector can be.
_OCTANT_OF = np.array([1, 2, 2, 1, 0, 3, 0, 0, 3, 6, 6, 5, 7, 4, 5, 7, 0, 4])
#: Bin of each sector of ``centred_sectors``, by quadrant: right and down, left and down, right and
#: up, left and up; and in each from the axis x to the axis y.
_CENTRED_OCTANT_OF = np.array([0, 1, 2, 4, 3, 2, 0, 7, 6, 4, 5, 6])


class Sectors(NamedTuple):
    """Directions as numbers of sectors, each of which is a bin or a part of one.

    Attributes:
        number: integers of any shape, the sector of each vector.
        bin_of: (sectors,) the bin of each sector.
    """

    number: NDArray[np.integer]
    bin_of: Numbers


def direction_sectors(x: Values, y: Values, bins: int) -> Sectors:
    """Return the sector of each vector's direction; bins run from -180 degrees upwards.

    Bin k holds -180 + k * 360 / ``bins`` degrees and what lies above, up to the next bin; 180
    degrees is in the last bin, a vector of length 0 in that of 0 degrees.

    Args:
        x: component to the right, of any shape, without negative zeros.
        y: component down, likewise, of the same shape.
        bins: how many.
    """
    if bins != OCTANTS:
        return angle_sectors(np.arctan2(y, x), -np.pi, np.pi, bins)
    width, height = np.abs(x), np.abs(y)
    number = (width > height).view(np.int8) + (width >= height).view(np.int8)
    number *= np.int8(3)
    number += (x > 0).view(np.int8)
    number += (x >= 0).view(np.int8)
    number += (y >= 0).view(np.int8) * np.int8(9)
    return Sectors(number, _OCTANT_OF)


def centred_sectors(x: Values, y: Values, bins: int) -> Sectors:
    """Return the sector of each vector's direction; bin 0 is centred on 0 degrees.

    Bin k is centred on k * 360 / ``bins`` degrees; a vector of length 0 is in bin 0.

    Args:
        x: see ``direction_sectors``.
        y: likewise.
        bins: likewise.
    """
    if bins != OCTANTS:
        turns = (np.arctan2(y, x) + BOUNDARY) / (2 * np.pi)
        return Sectors(np.floor(turns * bins + 0.5).astype(np.int64) % bins, np.arange(bins))
    width, height = np.abs(x), np.abs(y)
    slope = np.tan(np.pi / OCTANTS)  # Of 22.5 degrees, the boundary next to an axis.
    number = (height > slope * width).view(np.int8) + (slope * height > width).view(np.int8)
    number += (x < 0).view(np.int8) * np.int8(3)
    number += (y < 0).view(np.int8) * np.int8(6)
    return Sectors(number, _CENTRED_OCTANT_OF)


def angle_sectors(angle: Values, first: float, last: float, bins: int) -> Sectors:
    """Return the bin of each angle between ``first`` and ``last``, in radians, as its sector."""
    share = (angle - first + BOUNDARY) / (last - first)
    return Sectors(np.minimum((share * bins).astype(np.int64), bins - 1), np.arange(bins))


def direction_bins(x: Values, y: Values, bins: int) -> Numbers:
    """Return the bin of each vector's direction, 0..bins-1; see ``direction_sectors``."""
    sectors = direction_sectors(x, y, bins)
    return sectors.bin_of[sectors.number]


def sector_cells(region_of: Numbers, sectors: Sectors) -> Numbers:
    """Number the pairs of region and sector of all pixels, (pixels,), region by region.

    Args:
        region_of: number of each pixel's region, of a shape that broadcasts to that of sectors.
        sectors: of each pixel.
    """
    return (region_of * len(sectors.bin_of) + sectors.number).reshape(-1)


def region_sums(
    region_of: Numbers, sectors: Sectors, votes: Values, regions: int, bins: int
) -> Values:
    """Sum the votes of each region and bin; all fields of a clip are summed together.

    Args:
        region_of: see ``sector_cells``.
        sectors: likewise.
        votes: of each pixel, shaped as its sectors.
        regions: how many.
        bins: how many.

    Returns:
        (regions, bins).
    """
    cells = sector_cells(region_of, sectors)
    shape = regions, len(sectors.bin_of)
    sums = np.bincount(cells, votes.reshape(-1), minlength=shape[0] * shape[1]).reshape(shape)
    return pooled(sums.astype(np.float64), sectors, bins)


def pooled(sums: Values | Numbers, sectors: Sectors, bins: int) -> Values:
    """Add up the sums of the sectors of a bin: (..., sectors) -> (..., bins)."""
    return sums @ np.eye(bins)[sectors.bin_of]


def lengths(x: Values, y: Values) -> Values:
    """Lengths of vectors, (..., height, width) as their components."""
    rows = -1, x.shape[-1]
    return np.asarray(cv2.magnitude(x.reshape(rows), y.reshape(rows)), np.float64).reshape(x.shape)
