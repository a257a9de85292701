"""Local binary patterns on three orthogonal planes (LBP-TOP)."""

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
    block_vector,
    check_room,
    gray_volume,
)


@checked
def lbp_top(
    clip: Array,
    *,
    radius: Radius = (1, 1, 4),
    points: Points = 8,
    interpolation: Interpolation = "bilinear",
    tolerance: NotNegative = 1e-6,
    mapping: Mapping = "uniform",
    bin_order: BinOrder = "ascending",
    blocks: Blocks = (5, 5, 1),
    block_rule: BlockRule = "codes_then_blocks",
    overlap: Overlap = 0.0,
    normalise: bool = True,
) -> Array:
    """Return histograms of the local binary patterns in the planes xy, xt and yt of each block.

    Bit p of a voxel's pattern in a plane is 1 where its neighbour p on an ellipse in that plane is
    at least as bright (Zhao and Pietikäinen, IEEE TPAMI 2007, section 4, equations 10 and 11). The
    authors' code compares in single precision, and gives flat parts patterns that depend on their
    place; with ``tolerance`` all bits of flat parts are 1.

    Args:
        clip: gray frames (time, height, width) or (time, height, width, 1), uint8 or 0..1.
        radius: (x, y, t) in pixels and frames.
        points: neighbours in each plane.
        interpolation: of neighbours between voxels (see ``local_binary_patterns.neighbour``).
        tolerance: gray values that a neighbour may be darker.
        mapping: patterns -> bins (see ``local_binary_patterns.bin_table``).
        bin_order: likewise.
        blocks: rows, columns and blocks in time.
        block_rule: see ``volumes.Blocking``.
        overlap: likewise.
        normalise: scale each histogram to a sum of 1.

    Returns:
        float32 (rows * columns * times * 3 * bins,): block by block (time, row, column), plane by
        plane. 8 points have 59 bins with ``uniform``, 256 with ``none``.

    Raises:
        ConfigError: the clip is no gray clip, too small or too short, or has NaN; or an argument
            is none of those that there are.
    """
    volume = gray_volume(clip, "lbp_top")
    margins = margins_of(radius)
    table, bins = bin_table(points, mapping, bin_order)

    def code(part: Values) -> list[Coded]:
        check_room(part.shape, margins, "lbp_top")
        coded = []
        for plane in PLANES:
            steps = plane_steps(plane, radius, points)
            codes = pattern_codes(part, steps, margins, interpolation, tolerance)
            coded.append(Coded(table[codes], bins))
        return coded

    blocking = Blocking(blocks, block_rule, overlap, normalise)
    return block_vector(volume, code, blocking, "lbp_top")
