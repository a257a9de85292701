"""Local binary patterns of few points: six intersection points (LBP-SIP), mean planes (LBP-MOP)."""

import numpy as np

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
    BinOrder,
    Interpolation,
    Mapping,
    bin_table,
    margins_of,
    pattern_codes,
    plane_steps,
)
from mer_keras.features.volumes import (
    Blocking,
    Coded,
    Values,
    block_slices,
    block_vector,
    check_room,
    gray_volume,
    histograms,
)


@checked
def lbp_sip(
    clip: Array,
    *,
    radius: Radius = (1, 1, 4),
    tolerance: NotNegative = 1e-6,
    blocks: Blocks = (5, 5, 1),
    block_rule: BlockRule = "codes_then_blocks",
    overlap: Overlap = 0.0,
    normalise: bool = True,
) -> Array:
    """Return histograms of the patterns of the six points where the three planes meet.

    The four points in the frame, right, up, left and down (bits 0 to 3), give one of 16 patterns,
    the two in time, later and earlier (bits 0 and 1), one of 4. All six are compared with the voxel
    between them (Wang, See, Phan and Oh, ACCV 2014, section 3, which counts 20 bins; that they are
    16 and 4 is the reading here).

    Args:
        clip: gray frames (time, height, width) or (time, height, width, 1), uint8 or 0..1.
        radius: (x, y, t) in pixels and frames.
        tolerance: gray values that a neighbour may be darker than the voxel and still count.
        blocks: rows, columns and blocks in time.
        block_rule: see ``volumes.Blocking``.
        overlap: likewise.
        normalise: scale each of the two histograms to a sum of 1.

    Returns:
        float32 (rows * columns * times * 20,): block by block (time, row, column), 16 bins of space
        and 4 of time.

    Raises:
        ConfigError: the clip is no gray clip, too small or too short, or has NaN; or an argument
            is none of those that there are.
    """
    volume = gray_volume(clip, "lbp_sip")
    margins = margins_of(radius)
    x, y, t = radius
    in_space = [(0.0, 0.0, x), (0.0, -y, 0.0), (0.0, 0.0, -x), (0.0, y, 0.0)]
    in_time = [(t, 0.0, 0.0), (-t, 0.0, 0.0)]

    def code(part: Values) -> list[Coded]:
        check_room(part.shape, margins, "lbp_sip")
        return [
            Coded(pattern_codes(part, steps, margins, "bilinear", tolerance), 2 ** len(steps))
            for steps in (in_space, in_time)
        ]

    blocking = Blocking(blocks, block_rule, overlap, normalise)
    return block_vector(volume, code, blocking, "lbp_sip")


@checked
def lbp_mop(
    clip: Array,
    *,
    radius: Radius = (1, 1, 4),
    points: Points = 8,
    interpolation: Interpolation = "bilinear",
    tolerance: NotNegative = 1e-6,
    mapping: Mapping = "uniform",
    bin_order: BinOrder = "ascending",
    blocks: Blocks = (5, 5, 1),
    overlap: Overlap = 0.0,
    normalise: bool = True,
) -> Array:
    """Return histograms of the patterns of the three mean planes of each block.

    A block's mean frame, its mean over rows (an image of time and columns) and its mean over
    columns (time and rows) stand for all its planes (Wang, See, Phan and Oh, PLoS ONE 2015). Each
    plane has the neighbours that it has in ``lbp_top.lbp_top``.

    Args:
        clip: gray frames (time, height, width) or (time, height, width, 1), uint8 or 0..1.
        radius: (x, y, t) in pixels and frames.
        points: see ``lbp_top.lbp_top``, as the arguments after it.
        interpolation: likewise.
        tolerance: likewise.
        mapping: likewise.
        bin_order: likewise.
        blocks: rows, columns and blocks in time; means are taken in each.
        overlap: see ``volumes.parts``.
        normalise: scale each histogram to a sum of 1.

    Returns:
        float32 (rows * columns * times * 3 * bins,), ordered as that of ``lbp_top.lbp_top``.

    Raises:
        ConfigError: the clip is no gray clip, too small or too short, or has NaN; or an argument
            is none of those that there are.
    """
    volume = gray_volume(clip, "lbp_mop")
    margins = margins_of(radius)
    table, bins = bin_table(points, mapping, bin_order)
    counted = []
    for block in block_slices(volume.shape, blocks, overlap, "lbp_mop"):
        part = volume[block]
        check_room(part.shape, margins, "lbp_mop")
        for axis, plane in enumerate(("xy", "xt", "yt")):
            mean = part.mean(axis=axis, keepdims=True)  # One frame, row or column.
            across = [0 if axis == other else margin for other, margin in enumerate(margins)]
            steps = plane_steps(plane, radius, points)
            codes = pattern_codes(mean, steps, across, interpolation, tolerance)
            counted += histograms([Coded(table[codes], bins)], normalise=normalise)
    return np.concatenate(counted).astype(np.float32)
