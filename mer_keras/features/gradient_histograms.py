"""Histograms of the directions of gradients on three orthogonal planes: HOG-TOP, HIGO-TOP, 3D-HOG.

Gradients are differences of the voxels on either side, not halved. Directions are sorted into bins
by comparing the two components with the bins' boundaries, so that no angle is computed.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple, TypeAlias

import numpy as np
from pydantic import Field

from mer_keras.arrays import Array
from mer_keras.features.arguments import BlockRule, Blocks, Expected, Overlap, Whole, checked
from mer_keras.features.fields import Numbers
from mer_keras.features.volumes import (
    Blocking,
    Coded,
    Values,
    block_vector,
    check_room,
    gray_volume,
)

#: Which planes: all three (``top``), both with time, or one of these.
Planes: TypeAlias = Literal["top", "xyot", "xot", "yot"]
#: Bins of the directions in each plane.
Directions: TypeAlias = Annotated[
    Sequence[Whole],
    Field(min_length=3, max_length=3),
    Expected("three positive numbers (xy, xt, yt)"),
]
PLANES_OF: dict[str, tuple[str, ...]] = {
    "top": ("xy", "xt", "yt"),
    "xyot": ("xt", "yt"),
    "xot": ("xt",),
    "yot": ("yt",),
}
#: Added to an angle, in radians: whole numbers hit 45 degrees exactly, and a direction on a
#: boundary belongs to the upper bin on every machine.
BOUNDARY = 1e-9
#: Bins of 3D-HOG in plane xy, its directions in a plane with time, and the bins without a direction
#: there.
IN_SPACE, WITH_TIME, WITHOUT_MOTION = 8, 10, 2
#: Frames, rows and columns on either side of a voxel that has a gradient.
MARGINS = (1, 1, 1)
#: Greatest gray value of a file: whole gradients have (2 * 255 + 1)^2 values, which are looked up.
GRAY_MAX = 255


@checked
def hog_top(
    clip: Array,
    *,
    bins: Whole = 8,
    signed: bool = True,
    soft: bool = False,
    planes: Planes = "top",
    blocks: Blocks = (8, 8, 2),
    block_rule: BlockRule = "codes_then_blocks",
    overlap: Overlap = 0.0,
    normalise: bool = True,
) -> Array:
    """Return histograms of gradient directions, each voxel weighted by its gradient's length.

    In a plane (a, b), the gradient is (I_a, I_b) by the filter [-1 0 1] and its direction is
    atan2(I_b, I_a) (Li et al., IEEE Transactions on Affective Computing 2018, section on HIGO; the
    number of bins and the normalisation of the paper aren't certain).

    Args:
        clip: gray frames (time, height, width) or (time, height, width, 1), uint8 or 0..1.
        bins: equal ones, of which the first begins at 0 degrees.
        signed: over 360 degrees; else opposite directions are one, over 180.
        soft: share a vote between the two bins whose centres are next to the direction.
        planes: ``top``: xy, xt and yt; ``xyot``: xt and yt; ``xot``: xt; ``yot``: yt.
        blocks: rows, columns and blocks in time.
        block_rule: see ``volumes.Blocking``.
        overlap: likewise.
        normalise: scale each histogram to a sum of 1; that of a flat block stays zero.

    Returns:
        float32 (rows * columns * times * planes * bins,): block by block (time, row, column), plane
        by plane.

    Raises:
        ConfigError: the clip is no gray clip, too small or too short, or has NaN; or an argument
            is none of those that there are.
    """
    code = _coder("hog_top", planes, [_Voting(bins, signed, soft)] * 3)
    volume = gray_volume(clip, "hog_top")
    blocking = Blocking(blocks, block_rule, overlap, normalise)
    return block_vector(volume, code, blocking, "hog_top")


@checked
def higo_top(
    clip: Array,
    *,
    bins: Whole = 8,
    signed: bool = True,
    soft: bool = False,
    planes: Planes = "top",
    blocks: Blocks = (8, 8, 2),
    block_rule: BlockRule = "codes_then_blocks",
    overlap: Overlap = 0.0,
    normalise: bool = True,
) -> Array:
    """Return histograms of gradient directions in which each gradient counts 1.

    As ``hog_top``, but the length of a gradient, and with it the illumination, doesn't matter
    (Li et al., IEEE Transactions on Affective Computing 2018, section on HIGO). Voxels without a
    gradient have no vote.

    Args:
        clip: see ``hog_top``, as all arguments.
        bins: likewise.
        signed: likewise.
        soft: likewise.
        planes: likewise.
        blocks: likewise.
        block_rule: likewise.
        overlap: likewise.
        normalise: likewise.

    Returns:
        float32 (rows * columns * times * planes * bins,), ordered as that of ``hog_top``.

    Raises:
        ConfigError: see ``hog_top``.
    """
    code = _coder("higo_top", planes, [_Voting(bins, signed, soft, equal=True)] * 3)
    volume = gray_volume(clip, "higo_top")
    blocking = Blocking(blocks, block_rule, overlap, normalise)
    return block_vector(volume, code, blocking, "higo_top")


@checked
def hog_3d(
    clip: Array,
    *,
    directions: Directions = (IN_SPACE, WITH_TIME, WITH_TIME),
    blocks: Blocks = (5, 5, 1),
    block_rule: BlockRule = "codes_then_blocks",
    overlap: Overlap = 0.0,
    normalise: bool = True,
) -> Array:
    """Return histograms of gradient directions in space and time, with bins for no motion.

    The planes with time have two more bins: one for a gradient in space and none in time, one for
    no gradient at all. A voxel votes with its gradient's length, in the last bin with 1
    (Polikovsky, Kameda and Ohta, ICDP 2009, with blocks of a grid in place of cubes around
    landmarks, as where the method is a baseline. What the two bins mean, and how voxels vote, is
    the reading here).

    Args:
        clip: gray frames (time, height, width) or (time, height, width, 1), uint8 or 0..1.
        directions: bins over 360 degrees in the planes xy, xt and yt, without the two.
        blocks: rows, columns and blocks in time.
        block_rule: see ``volumes.Blocking``.
        overlap: likewise.
        normalise: scale each histogram to a sum of 1.

    Returns:
        float32 (rows * columns * times * (sum of directions + 4),): block by block (time, row,
        column), plane by plane.

    Raises:
        ConfigError: the clip is no gray clip, too small or too short, or has NaN; or an argument
            is none of those that there are.
    """
    volume = gray_volume(clip, "hog_3d")
    votings = [
        _Voting(count, motionless=plane != "xy")
        for plane, count in zip(PLANES_OF["top"], directions, strict=True)
    ]
    code = _coder("hog_3d", "top", votings)
    blocking = Blocking(blocks, block_rule, overlap, normalise)
    return block_vector(volume, code, blocking, "hog_3d")


def direction_bins(a: Values, b: Values, bins: int, *, signed: bool = True) -> Numbers:
    """Return the bin of the direction of each vector (a, b), bin 0 from 0 degrees on.

    Args:
        a: first component, of any shape.
        b: second component, of the same shape.
        bins: equal ones.
        signed: over 360 degrees; else over 180, opposite vectors being one.

    Returns:
        0..bins-1, shaped as the components; 0 for a vector of length 0.
    """
    room = BOUNDARY * np.maximum(np.abs(a), np.abs(b))
    # A vector of 180 degrees or more is turned by 180 degrees, into the upper half of the plane.
    lower = (b < -room) | ((a < 0) & (b <= room))
    turn = np.where(lower, -1.0, 1.0)
    a, b = a * turn, b * turn
    # An odd number of bins has one across 180 degrees: bins are halved first, joined at the end.
    divided = 2 if signed and bins % 2 else 1
    in_half = bins * divided // 2 if signed else bins
    bin_of = np.zeros(a.shape, np.int64)
    for boundary in range(1, in_half):
        angle = math.pi * boundary / in_half
        bin_of += round(math.cos(angle), 12) * b - round(math.sin(angle), 12) * a >= -room
    if signed:
        bin_of += in_half * lower
    bin_of //= divided
    return bin_of


class _Voting(NamedTuple):
    """How the gradient of a voxel becomes a vote.

    Attributes:
        bins: number of bins of directions; ``motionless`` adds ``WITHOUT_MOTION`` more.
        signed: see ``hog_top``.
        soft: likewise.
        equal: each vote is 1, else the gradient's length.
        motionless: see ``hog_3d``.
    """

    bins: int
    signed: bool = True
    soft: bool = False
    equal: bool = False
    motionless: bool = False


def _coder(
    feature: str, planes: str, votings: Sequence[_Voting]
) -> Callable[[Values], Sequence[Coded]]:
    """Return the function that codes a part of a volume in each of some planes, one voting each."""

    def code(part: Values) -> list[Coded]:
        check_room(part.shape, MARGINS, feature)
        gradients = _gradients(part)
        whole = part.min() >= 0 and part.max() <= GRAY_MAX and np.array_equal(part, np.rint(part))
        return [
            _coded(gradients[plane[0]], gradients[plane[1]], voting, whole=whole)
            for plane, voting in zip(PLANES_OF[planes], votings, strict=False)
        ]

    return code


def _gradients(part: Values) -> dict[str, Values]:
    """Differences along each axis of the inner voxels."""
    return {
        "t": part[2:, 1:-1, 1:-1] - part[:-2, 1:-1, 1:-1],
        "y": part[1:-1, 2:, 1:-1] - part[1:-1, :-2, 1:-1],
        "x": part[1:-1, 1:-1, 2:] - part[1:-1, 1:-1, :-2],
    }


def _coded(a: Values, b: Values, voting: _Voting, *, whole: bool) -> Coded:
    """Bins and votes of all voxels; those of whole numbers are looked up."""
    count = voting.bins + (WITHOUT_MOTION if voting.motionless else 0)
    if not whole:
        bin_of, votes = _votes(a, b, voting)
        return Coded(bin_of, count, votes)
    bin_of, votes = _votes_of_whole_numbers(voting)
    values = 2 * GRAY_MAX + 1
    place = (a * values + (b + (GRAY_MAX * values + GRAY_MAX))).astype(np.int64)
    return Coded(
        bin_of.take(place, axis=-1, mode="clip"), count, votes.take(place, axis=-1, mode="clip")
    )


@lru_cache(maxsize=16)
def _votes_of_whole_numbers(voting: _Voting) -> tuple[Numbers, Values]:
    """``_votes`` of every (a, b) of whole numbers from -255 to 255, a by a."""
    values = np.arange(-GRAY_MAX, GRAY_MAX + 1, dtype=np.float64)
    a, b = np.meshgrid(values, values, indexing="ij")
    return _votes(a.reshape(-1), b.reshape(-1), voting)


def _votes(a: Values, b: Values, voting: _Voting) -> tuple[Numbers, Values]:
    """Bin and vote of each gradient (a, b); with a first axis of 2 for ``soft`` votes."""
    nothing = (a == 0) & (b == 0)
    votes = np.where(nothing, 0.0, 1.0) if voting.equal else np.hypot(a, b)
    bins, signed = voting.bins, voting.signed
    if voting.soft:
        span = 2 * math.pi if signed else math.pi
        place = np.arctan2(b, a) % span / span * bins - 0.5  # In bins, from the centre of bin 0.
        below = np.floor(place)
        share = place - below
        neighbours = np.stack([below, below + 1]).astype(np.int64) % bins
        return neighbours, np.stack([votes * (1 - share), votes * share])
    bin_of = direction_bins(a, b, bins, signed=signed)
    if voting.motionless:
        bin_of[b == 0] = bins
        bin_of[nothing] = bins + 1
        votes[nothing] = 1
    return bin_of, votes
