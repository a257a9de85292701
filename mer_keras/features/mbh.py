"""Motion boundary histograms (MBH), and fusions of their two parts (FMBH)."""

from typing import Literal

import numpy as np

from mer_keras.arrays import Array
from mer_keras.features.arguments import Grid, Whole, checked
from mer_keras.features.directions import (
    angle_sectors,
    direction_sectors,
    lengths,
    region_sums,
)
from mer_keras.features.fields import Values, block_numbers, flow_fields, gradients, normalised


@checked
def mbh(
    clip: Array,
    *,
    blocks: Grid = (5, 5),
    bins: Whole = 8,
    fusion: Literal["concat", "sum", "signed", "vector"] = "concat",
    normalise: bool = True,
) -> Array:
    """Return histograms of the directions in which flow changes.

    Of u and of v, every pixel votes for the direction of the gradient, by its length: motion
    boundary histograms (Dalal, Triggs and Schmid, ECCV 2006, section 4). A constant flow has no
    gradient, so that neither a moving head nor an unknown zero of the flow matters.

    Lu, Kpalma and Ronsin (Signal Processing: Image Communication, 2018) fuse the parts of u and v
    into one histogram (FMBH). How they do it isn't known here; ``sum``, ``signed`` and ``vector``
    are readings.

    Args:
        clip: (height, width, 2 or 3) or (fields, height, width, 2 or 3), channels u, v, strain;
            histograms of several fields are summed.
        blocks: how many in a column and in a row.
        bins: over 360 degrees, but over 90 degrees for ``vector``.
        fusion: ``concat`` joins the histograms of (ux, uy) and of (vx, vy) block by block; ``sum``
            adds the two; ``signed`` counts the vectors (ux + vx, uy + vy); ``vector`` counts
            (sqrt(ux^2 + vx^2), sqrt(uy^2 + vy^2)).
        normalise: scale every histogram to a sum of 1; an empty one stays zero.

    Returns:
        float32 (2 * rows * columns * bins,) for ``concat``, half as long for the others.

    Raises:
        ConfigError: the clip is no flow, a block would be empty, or an argument can't be.
    """
    vectors = flow_fields(clip, "mbh")  # (fields, height, width, 2)
    block_of, count = block_numbers(vectors.shape[1:3], blocks, "mbh")
    u_x, u_y = gradients(vectors[..., 0])  # (fields, height, width) each
    v_x, v_y = gradients(vectors[..., 1])

    def histogram(x: Values, y: Values) -> Values:
        return region_sums(block_of, direction_sectors(x, y, bins), lengths(x, y), count, bins)

    if fusion == "concat":
        parts = [histogram(u_x, u_y), histogram(v_x, v_y)]
    elif fusion == "sum":
        parts = [histogram(u_x, u_y) + histogram(v_x, v_y)]
    elif fusion == "signed":
        parts = [histogram(u_x + v_x, u_y + v_y)]
    else:
        horizontal, vertical = np.hypot(u_x, v_x), np.hypot(u_y, v_y)
        sectors = angle_sectors(np.arctan2(vertical, horizontal), 0.0, np.pi / 2, bins)
        parts = [region_sums(block_of, sectors, lengths(horizontal, vertical), count, bins)]
    histograms = np.stack(parts, axis=1)  # (blocks, 1 or 2, bins)
    if normalise:
        histograms = normalised(histograms)
    return histograms.reshape(-1).astype(np.float32)
