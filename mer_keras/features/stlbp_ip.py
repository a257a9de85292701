"""Spatio-temporal local binary patterns of integral projections (STLBP-IP)."""

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mer_keras.arrays import Array
from mer_keras.features.arguments import Grid, NotNegative, Points, Positive, checked
from mer_keras.features.fields import Values, normalised
from mer_keras.features.local_binary_patterns import (
    Step,
    bin_table,
    circle,
    margins_of,
    pattern_codes,
)
from mer_keras.features.volumes import block_slices, check_room, gray_volume

FEATURE = "stlbp_ip"
#: Places of a line that make a pattern.
Mask: TypeAlias = Literal[3, 5, 7, 9, 11, 13, 15, 17]


@checked
def stlbp_ip(
    clip: Array,
    *,
    mask: Mask = 9,
    radius: Positive = 1,
    points: Points = 8,
    blocks: Grid = (5, 5),
    tolerance: NotNegative = 1e-6,
    public_code: bool = False,
) -> Array:
    """Return histograms of the patterns of the integral projections of difference frames.

    What frame t has more than the first frame is summed over columns, one value a row, and over
    rows. In space, each of the two lines has patterns of the ``mask`` - 1 neighbours on the line,
    of which the earliest is the highest bit; their histograms are averaged over the frames. In
    time, the lines of all frames form two images, xt (a row a frame) and yt (a column a frame),
    with uniform local binary patterns on a circle (Huang, Wang, Zhao and Pietikäinen, ICCV
    workshops 2015, section 2).

    Args:
        clip: gray frames (time, height, width) or (time, height, width, 1), uint8 or 0..1.
        mask: places of a line that make a pattern, odd, 3 to 17.
        radius: of the circle, in pixels and frames.
        points: neighbours on the circle.
        blocks: rows and columns; each block has projections of its own.
        tolerance: gray values that a neighbour may be darker than the place and still count.
        public_code: average over the frames as a public code does, which divides by their number
            after each frame, so that nearly all of the average is the last frame's.

    Returns:
        float32 (rows * columns * (2 * 2^(mask - 1) + 2 * bins),): block by block, patterns of the
        sums over columns, of the sums over rows, of the image xt and of the image yt, each with a
        sum of 1. Mask 9 and 8 points have 256 + 256 + 59 + 59 values a block.

    Raises:
        ConfigError: the clip is no gray clip, too small or too short, or has NaN; or an argument
            can't be.
    """
    volume = gray_volume(clip, FEATURE)
    margin, *_ = margins_of((radius, radius, radius))
    side = max(mask, 2 * margin + 1) // 2
    vectors: list[Values] = []
    for block in block_slices(volume.shape, (*blocks, 1), 0.0, FEATURE):
        part = volume[block]
        check_room((len(part) - 1, *part.shape[1:]), (margin, side, side), FEATURE)
        changes = part[1:] - part[0]  # (time - 1, rows, columns)
        of_rows, of_columns = changes.sum(axis=2), changes.sum(axis=1)  # (time - 1, places)
        vectors += [
            _in_space(of_rows, mask, tolerance, public_code),
            _in_space(of_columns, mask, tolerance, public_code),
            _in_time(of_columns, radius, points, tolerance),
            _in_time(of_rows.T, radius, points, tolerance),
        ]
    return np.concatenate(vectors).astype(np.float32)


def _in_space(lines: Values, mask: int, tolerance: float, public_code: bool) -> Values:
    """Mean histogram of the patterns along each frame's line, (2^(mask - 1),)."""
    half = mask // 2
    offsets = [offset for offset in range(-half, half + 1) if offset]
    steps: list[Step] = [(0.0, 0.0, float(offset)) for offset in reversed(offsets)]
    codes = pattern_codes(lines[:, np.newaxis], steps, (0, 0, half), "nearest", tolerance)
    counted = normalised(np.stack([_counts(frame, 2 ** (mask - 1)) for frame in codes]))
    if not public_code:
        return np.asarray(counted.mean(axis=0))
    average = np.zeros(counted.shape[1])
    for histogram in counted:
        average = (average + histogram) / len(counted)
    return average


def _in_time(image: Values, radius: float, points: int, tolerance: float) -> Values:
    """Histogram of the patterns of an image of time and one direction, (bins,)."""
    margin, *_ = margins_of((radius, radius, radius))
    table, bins = bin_table(points, "uniform", "ascending")
    steps = [(0.0, -radius * sine, radius * cosine) for cosine, sine in circle(points)]
    codes = pattern_codes(image[np.newaxis], steps, (0, margin, margin), "bilinear", tolerance)
    return normalised(_counts(table[codes], bins))


def _counts(codes: NDArray[np.uint16], bins: int) -> Values:
    return np.bincount(codes.reshape(-1), minlength=bins).astype(np.float64)
