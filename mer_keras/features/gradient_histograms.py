"""Histograms of the directions of gradients on three orthogonal planes: HOG-TOP, HIGO-TOP, 3D-HOG.

Gradients are differences of the voxels on either side, not halved. Directions are sorted into bins
by comparing the two components with the bins' boundaries, so that no angle is computed.
"""

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mer_keras.arrays import Array
from mer_keras.errors import ConfigError
from mer_keras.features.volumes import (
    BlockRule,
    Coded,
    Values,
    check_room,
    coded_blocks,
    gray_volume,
    join,
)

#: Which planes: all three (``top``), both with time, or one of these.
Planes: TypeAlias = Literal["top", "xyot", "xot", "yot"]
PLANES_OF: dict[str, tuple[str, ...]] = {
    "top": ("xy", "xt", "yt"),
    "xyot": ("xt", "yt"),
    "xot": ("xt",),
    "yot": ("yt",),
}
#: Added to an angle, in radians: whole numbers hit 45 degrees exactly, and a direction on a
#: boundary belongs to the upper bin on every machine.
BOUNDARY = 1e-9
#: Bins of 3D-HOG in the plane xy, and in each of the two with time; two of the latter hold no
#: directions.
BINS_IN_SPACE, BINS_WITH_TIME, BINS_WITHOUT_MOTION = 8, 12, 2


def hog_top(
    clip: Array,
    *,
    bins: int = 8,
    signed: bool = True,
    soft: bool = False,
    planes: Planes = "top",
    blocks: Sequence[int] = (8, 8, 2),
    block_rule: BlockRule = "codes_then_blocks",
    overlap: float = 0.0,
    normalise: bool = True,
) -> Array:
    """Return histograms of gradient directions, each voxel weighted by its gradient's length.

    In a plane (a, b), the gradient is (I_a, I_b) by the filter [-1 0 1] and its direction is
    atan2(I_b, I_a) (Li et al., IEEE Transactions on Affective Computing 2018, section 4.2; the
    paper's own number of bins and normalisation aren't certain).

    Args:
        clip: gray frames (time, height, width) or (time, height, width, 1), uint8 or 0..1.
        bins: equal ones, the first begins at 0 degrees.
        signed: over 360 degrees; else opposite directions are one, over 180.
        soft: share a vote between the two bins whose centres are next to the direction.
        planes: ``top``: xy, xt and yt; ``xyot``: xt and yt; ``xot``: xt; ``yot``: yt.
        blocks: rows, columns and blocks in time.
        block_rule: see ``volumes.coded_blocks``.
        overlap: likewise.
        normalise: scale each histogram to a sum of 1; that of a flat block stays zero.

    Returns:
        float32 (rows * columns * times * planes * bins,): block by block (time, row, column), plane
        by plane.

    Raises:
        ConfigError: the clip is no gray clip, too small or too short, or has NaN; or an argument
            is none of those that there are.
    """
    volume = gray_volume(clip, "hog_top")

    def code(part: Values) -> list[Coded]:
        gradients = _gradients(part, "hog_top")
        return [
            coded
            for plane in _planes(planes, "hog_top")
            for coded in _votes(*_of_plane(gradients, plane), bins, signed, soft, equal=False)
        ]

    return _joined(volume, code, blocks, block_rule, overlap, normalise, soft, "hog_top")


def higo_top(
    clip: Array,
    *,
    bins: int = 8,
    signed: bool = True,
    soft: bool = False,
    planes: Planes = "top",
    blocks: Sequence[int] = (8, 8, 2),
    block_rule: BlockRule = "codes_then_blocks",
    overlap: float = 0.0,
    normalise: bool = True,
) -> Array:
    """Return histograms of gradient directions in which each gradient counts 1.

    As ``hog_top``, but the length of a gradient, and with it the illumination, doesn't matter
    (Li et al., IEEE Transactions on Affective Computing 2018, section 4.2). Voxels without a
    gradient have no vote.
    """
    volume = gray_volume(clip, "higo_top")

    def code(part: Values) -> list[Coded]:
        gradients = _gradients(part, "higo_top")
        return [
            coded
            for plane in _planes(planes, "higo_top")
            for coded in _votes(*_of_plane(gradients, plane), bins, signed, soft, equal=True)
        ]

    return _joined(volume, code, blocks, block_rule, overlap, normalise, soft, "higo_top")
