"""Spatio-temporal completed local patterns (the first stage of STCLQP)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mer_keras.arrays import Array
from mer_keras.features.arguments import (
    BlockRule,
    Blocks,
    NotNegative,
    Overlap,
    Points,
    Radius,
    checked,
)
from mer_keras.features.local_binary_patterns import (
    PLANES,
    Interpolation,
    bin_table,
    centre,
    circle,
    margins_of,
    neighbour,
    plane_steps,
)
from mer_keras.features.volumes import (
    Blocking,
    Coded,
    Values,
    block_vector,
    check_room,
    gray_volume,
)

#: The axes (frames, rows, columns) that point along a plane's first and second direction, and
#: which way: rows grow downwards, and an angle upwards.
AXES = {"xy": ((2, 1), (1, -1)), "xt": ((2, 1), (0, 1)), "yt": ((0, 1), (1, -1))}


@checked
def stclqp(
    clip: Array,
    *,
    radius: Radius = (1, 1, 4),
    points: Points = 8,
    interpolation: Interpolation = "bilinear",
    tolerance: NotNegative = 1e-6,
    blocks: Blocks = (5, 5, 1),
    block_rule: BlockRule = "codes_then_blocks",
    overlap: Overlap = 0.0,
    normalise: bool = True,
) -> Array:
    """Return histograms of sign, magnitude and orientation patterns, before they are quantised.

    Of a voxel and its neighbour p in a plane, bit p of the sign pattern says whether the neighbour
    is at least as bright; of the magnitude pattern, whether their difference is at least the mean
    of all such differences in this plane of the clip; of the orientation pattern, whether the
    gradient at the voxel points towards the neighbour (a cosine of 0 or more). The patterns are
    those of Huang, Zhao, Hong, Zheng and Pietikäinen, Neurocomputing 2016; the radii, the threshold
    and the orientation are the reading here, since the paper's own definitions aren't at hand.
    The codebook that quantises patterns is learnt from training clips: see
    ``methods.codebook.Codebook``, which this vector is made for.

    Args:
        clip: gray frames (time, height, width) or (time, height, width, 1), uint8 or 0..1.
        radius: (x, y, t) in pixels and frames.
        points: neighbours in each plane.
        interpolation: of neighbours between voxels.
        tolerance: what a comparison may fall short by, as rounding may.
        blocks: rows, columns and blocks in time.
        block_rule: see ``volumes.Blocking``.
        overlap: likewise.
        normalise: scale each histogram to a sum of 1.

    Returns:
        float32 (rows * columns * times * 9 * 2^points,): block by block (time, row, column), plane
        by plane (xy, xt, yt), component by component, a bin a pattern.

    Raises:
        ConfigError: the clip is no gray clip, too small or too short, or has NaN; or an argument
            is none of those that there are.
    """
    volume = gray_volume(clip, "stclqp")
    margins = margins_of(radius)
    bins = bin_table(points, "none", "ascending")[1]

    def code(part: Values) -> list[Coded]:
        check_room(part.shape, margins, "stclqp")
        coded = []
        for plane in PLANES:
            steps = plane_steps(plane, radius, points)
            middle = centre(part, margins)
            differences = np.stack(
                [neighbour(part, step, margins, interpolation) - middle for step in steps]
            )  # (points, time, rows, columns)
            lengths = np.abs(differences)
            gradient = [
                sign * np.gradient(part, axis=axis)[_inner(part, margins)]
                for axis, sign in AXES[plane]
            ]
            towards = np.stack(
                [cosine * gradient[0] + sine * gradient[1] for cosine, sine in circle(points)]
            )
            coded += [
                Coded(_patterns(differences >= -tolerance), bins),
                Coded(_patterns(lengths >= lengths.mean() - tolerance), bins),
                Coded(_patterns(towards >= -tolerance), bins),
            ]
        return coded

    blocking = Blocking(blocks, block_rule, overlap, normalise)
    return block_vector(volume, code, blocking, "stclqp")


def _patterns(bits: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Bits along the first axis -> patterns, bit p worth 2^p."""
    worth = np.uint16(1) << np.arange(len(bits), dtype=np.uint16)
    return np.tensordot(worth, bits.astype(np.uint16), axes=1).astype(np.uint16)


def _inner(part: Values, margins: Sequence[int]) -> tuple[slice, ...]:
    return tuple(
        slice(margin, side - margin) for margin, side in zip(margins, part.shape, strict=True)
    )
