"""Histograms of oriented optical flow (HOOF) and their fuzzy form (FHOFO)."""

from typing import Literal

import numpy as np

from mer_keras.arrays import Array
from mer_keras.features.arguments import Grid, NotNegative, Positive, Whole, Zero, checked
from mer_keras.features.directions import (
    Sectors,
    angle_sectors,
    direction_sectors,
    lengths,
    region_sums,
)
from mer_keras.features.fields import block_numbers, flow_fields, normalised

#: Flow that is shorter, in pixels, has no direction and no vote in FHOFO.
SHORTEST = 1e-6


@checked
def hoof(
    clip: Array,
    *,
    blocks: Grid = (5, 5),
    bins: Whole = 8,
    mirror: bool = False,
    normalise: bool = True,
    fields: Literal["sum", "stack"] = "sum",
    zero: Zero = "none",
) -> Array:
    """Return histograms of the directions of flow, every pixel voting by the length of its flow.

    h(b) is the sum of sqrt(u^2 + v^2) over the pixels whose direction is in bin b, divided by the
    sum over all bins (Chaudhry et al., CVPR 2009, section 2, where left and right are folded
    together and the whole image is one block). For faces, papers count the full circle, block by
    block.

    Args:
        clip: (height, width, 2 or 3) or (fields, height, width, 2 or 3), channels u, v, strain.
        blocks: how many in a column and in a row.
        bins: over 360 degrees, or over 180 degrees with ``mirror``.
        mirror: fold left and right together: the direction of (abs(u), v), from -90 to 90 degrees.
        normalise: scale every block's histogram to a sum of 1; an empty one stays zero.
        fields: of a clip with several fields, ``sum`` adds their histograms before they are
            normalised, ``stack`` normalises each and joins them.
        zero: what no motion looks like (see ``fields.flow_fields``).

    Returns:
        float32 (rows * columns * bins,), block by block; with ``stack`` so many for each field.

    Raises:
        ConfigError: the clip is no flow, a block would be empty, or an argument can't be.
    """
    vectors = flow_fields(clip, "hoof", zero)  # (fields, height, width, 2)
    block_of, count = block_numbers(vectors.shape[1:3], blocks, "hoof")
    u, v = vectors[..., 0], vectors[..., 1]
    if mirror:
        number, bin_of = angle_sectors(np.arctan2(v, np.abs(u)), -np.pi / 2, np.pi / 2, bins)
    else:
        number, bin_of = direction_sectors(u, v, bins)
    votes = lengths(u, v)
    parts = [slice(None)] if fields == "sum" else [slice(i, i + 1) for i in range(len(vectors))]
    histograms = np.stack(
        [
            region_sums(block_of, Sectors(number[part], bin_of), votes[part], count, bins)
            for part in parts
        ]
    )  # (1 or fields, blocks, bins)
    if normalise:
        histograms = normalised(histograms)
    return histograms.reshape(-1).astype(np.float32)


@checked
def fhofo(
    clip: Array,
    *,
    blocks: Grid = (5, 5),
    bins: Whole = 8,
    width: Positive = 0.5,
    share_memberships: bool = True,
    shortest: NotNegative = SHORTEST,
    normalise: bool = True,
    zero: Zero = "none",
) -> Array:
    """Return fuzzy histograms of the directions of flow, whatever its length.

    Every pixel that moves votes for all bins: for bin b by exp(-d^2 / (2 s^2)), where d is the
    angle between its direction and the bin's middle. Happy and Routray (IEEE Transactions on
    Affective Computing, 2017) ignore the length in favour of the direction. Shape and width of the
    membership, and its normalisation, are a reading: the paper's text could not be had.

    Args:
        clip: (height, width, 2 or 3) or (fields, height, width, 2 or 3), channels u, v, strain.
        blocks: how many in a column and in a row.
        bins: over 360 degrees.
        width: s as a part of a bin.
        share_memberships: scale the votes of a pixel to a sum of 1.
        shortest: length of flow from which a pixel votes, exclusive.
        normalise: scale every block's histogram to a sum of 1; an empty one stays zero.
        zero: what no motion looks like (see ``fields.flow_fields``).

    Returns:
        float32 (rows * columns * bins,), block by block; fields are summed.

    Raises:
        ConfigError: the clip is no flow, a block would be empty, or an argument can't be.
    """
    vectors = flow_fields(clip, "fhofo", zero)  # (fields, height, width, 2)
    block_of, count = block_numbers(vectors.shape[1:3], blocks, "fhofo")
    u, v = vectors[..., 0], vectors[..., 1]
    moves = lengths(u, v) > shortest
    angle = np.arctan2(v, u)[moves]  # (moving pixels,)
    bin_width = 2 * np.pi / bins
    middles = -np.pi + (np.arange(bins) + 0.5) * bin_width
    # Angles between directions and middles, around the circle, in 0..pi.
    distance = np.abs(angle[np.newaxis] - middles[:, np.newaxis])  # (bins, moving pixels)
    distance = np.minimum(distance, 2 * np.pi - distance)
    votes = np.exp(-(distance**2) / (2 * (width * bin_width) ** 2))
    if share_memberships:
        votes /= votes.sum(axis=0)
    block_of_pixel = np.broadcast_to(block_of, moves.shape)[moves]
    histograms = np.stack(
        [np.bincount(block_of_pixel, votes_of_bin, minlength=count) for votes_of_bin in votes],
        axis=1,
    ).astype(np.float64)  # (blocks, bins)
    if normalise:
        histograms = normalised(histograms)
    return histograms.reshape(-1).astype(np.float32)
