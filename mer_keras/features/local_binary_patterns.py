"""Local binary patterns of a volume in any plane: neighbours, codes, tables of bins."""

import itertools
import math
from collections.abc import Sequence
from functools import cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mer_keras.features.fields import Values

Interpolation: TypeAlias = Literal["bilinear", "nearest"]
Mapping: TypeAlias = Literal["uniform", "none"]
BinOrder: TypeAlias = Literal["ascending", "oulu_file", "nri_uniform"]
#: Steps from a voxel to a neighbour: frames, rows downwards, columns to the right.
Step: TypeAlias = tuple[float, float, float]

#: The three orthogonal planes.
PLANES = ("xy", "xt", "yt")


def circle(points: int) -> list[tuple[float, float]]:
    """Return cosine and sine of ``points`` equal angles from 0 on.

    They are rounded to 12 digits: the cosine of 270 degrees must be 0, or an exact neighbour would
    be taken for the voxel before it.
    """
    angles = [2 * math.pi * point / points for point in range(points)]
    return [(round(math.cos(angle), 12), round(math.sin(angle), 12)) for angle in angles]


def plane_steps(plane: str, radius: Sequence[float], points: int) -> list[Step]:
    """Return the neighbours of a voxel on an ellipse in one of the three planes.

    In plane xy, neighbour p at angle a = 2 pi p / P is (t, y - Ry sin a, x + Rx cos a), in xt it is
    (t + Rt sin a, y, x + Rx cos a), in yt it is (t + Rt cos a, y - Ry sin a, x): as in the code
    that the authors of LBP-TOP published.

    Args:
        plane: one of ``PLANES``.
        radius: (Rx, Ry, Rt).
        points: P.
    """
    x, y, t = radius
    if plane == "xy":
        return [(0.0, -y * sine, x * cosine) for cosine, sine in circle(points)]
    if plane == "xt":
        return [(t * sine, 0.0, x * cosine) for cosine, sine in circle(points)]
    return [(t * cosine, -y * sine, 0.0) for cosine, sine in circle(points)]


def margins_of(radius: Sequence[float]) -> tuple[int, int, int]:
    """Return frames, rows and columns between a voxel that gets a code and the rim.

    Rows and columns have the same margin, that of the larger radius.

    Args:
        radius: (Rx, Ry, Rt).
    """
    space = math.ceil(max(radius[:2]))
    return math.ceil(radius[2]), space, space


def neighbour(
    volume: Values, step: Step, margins: Sequence[int], interpolation: Interpolation
) -> Values:
    """Return what lies a step away from every inner voxel.

    Args:
        volume: (time, height, width).
        step: frames, rows, columns.
        margins: of the inner voxels, no smaller than the step.
        interpolation: ``bilinear`` between the voxels around, or ``nearest``, halves upwards.

    Returns:
        float64 (time - 2 margins, height - 2 margins, width - 2 margins).
    """
    corners: list[list[tuple[int, float]]] = []
    for distance in step:
        if interpolation == "nearest":
            corners.append([(math.floor(distance + 0.5), 1.0)])
            continue
        below = math.floor(distance)
        share = distance - below
        corners.append([(below, 1 - share), (below + 1, share)] if share else [(below, 1.0)])
    total: Values | None = None
    for corner in itertools.product(*corners):
        weight = math.prod(share for _, share in corner)
        shifted = volume[
            tuple(
                slice(margin + shift, side - margin + shift)
                for (shift, _), margin, side in zip(corner, margins, volume.shape, strict=True)
            )
        ]
        if weight == 1:
            return shifted
        total = weight * shifted if total is None else total + weight * shifted
    assert total is not None  # noqa: S101 - There is at least one corner.
    return total


def centre(volume: Values, margins: Sequence[int]) -> Values:
    """Return the inner voxels themselves; see ``neighbour``."""
    return neighbour(volume, (0.0, 0.0, 0.0), margins, "nearest")


def pattern_codes(
    volume: Values,
    steps: Sequence[Step],
    margins: Sequence[int],
    interpolation: Interpolation,
    tolerance: float,
) -> NDArray[np.uint16]:
    """Return the pattern of every inner voxel: bit p is set where neighbour p >= the voxel.

    Args:
        volume: (time, height, width) gray values.
        steps: the neighbours, at most 16.
        margins: see ``neighbour``.
        interpolation: see ``neighbour``.
        tolerance: what a neighbour may lie below, in gray values, as rounding may put it there.

    Returns:
        uint16, shaped as the inner voxels.
    """
    threshold = centre(volume, margins) - tolerance
    codes = np.zeros(threshold.shape, np.uint16)
    for bit, step in enumerate(steps):
        set_bits = neighbour(volume, step, margins, interpolation) >= threshold
        codes |= set_bits.astype(np.uint16) << np.uint16(bit)
    return codes


@cache
def bin_table(points: int, mapping: Mapping, order: BinOrder) -> tuple[NDArray[np.uint16], int]:
    """Return the bin of each pattern, and how many bins there are.

    Args:
        points: neighbours.
        mapping: ``none``: each of the 2^points patterns has its own bin. ``uniform``: those with at
            most two changes around the circle have, all others share one.
        order: of the uniform bins. ``ascending``: by pattern, the shared bin last. ``oulu_file``:
            the shared bin first, as in the table that came with the authors' LBP-TOP.
            ``nri_uniform``: by number of ones, then by rotation, the shared bin last, as in
            scikit-image.

    Returns:
        uint16 (2^points,) bins, and their number: 2^points, or points (points - 1) + 3.
    """
    patterns = range(2**points)
    if mapping == "none":
        return np.arange(2**points, dtype=np.uint16), 2**points
    uniform = [pattern for pattern in patterns if _changes(pattern, points) <= 2]
    if order == "nri_uniform":
        uniform.sort(key=lambda pattern: (pattern.bit_count(), _rotation(pattern, points)))
    first = 1 if order == "oulu_file" else 0
    table = np.full(2**points, 0 if first else len(uniform), np.uint16)
    table[uniform] = np.arange(len(uniform)) + first
    return table, len(uniform) + 1


def _changes(pattern: int, points: int) -> int:
    """Changes between neighbouring bits around the circle."""
    turned = pattern >> 1 | (pattern & 1) << points - 1
    return (pattern ^ turned).bit_count()


def _rotation(pattern: int, points: int) -> int:
    """Turns downwards, by a bit each, that bring the ones of a uniform pattern to the lowest bits.

    0 for the patterns without a one and without a zero.
    """
    lowest = (1 << pattern.bit_count()) - 1
    for turns in range(points):
        if pattern == lowest:
            return (points - turns) % points
        pattern = pattern >> 1 | (pattern & 1) << points - 1
    return 0
