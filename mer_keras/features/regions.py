"""Regions of a face: which pixels belong to which, by landmarks or by a grid."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from mer_keras.errors import ConfigError
from mer_keras.features.fields import Numbers, Values, block_numbers

#: Points of a face, and those of them that move with the head alone: jaw and tip of the nose.
LANDMARKS = 68
RIGID = (0, 1, 2, 3, 4, 5, 11, 12, 13, 14, 15, 16, 30)
#: Outer corners of the eyes, between which ``brow_lift`` is measured.
EYE_CORNERS = (36, 45)


class Regions(NamedTuple):
    """Pixels of regions; a pixel may belong to several regions or to none.

    Attributes:
        region: (members,) number of the region.
        pixel: (members,) number of the pixel, row by row; None: the members are all pixels, in
            their order.
        total: how many regions there are.
    """

    region: Numbers
    pixel: Numbers | None
    total: int


def grid_regions(shape: Sequence[int], grid: Sequence[int], feature: str) -> Regions:
    """The blocks of a grid as regions; see ``fields.block_numbers``."""
    block_of, total = block_numbers(shape, grid, feature)
    return Regions(block_of.reshape(-1), None, total)


def landmark_regions(
    shape: Sequence[int], landmarks: Sequence[Sequence[float]], brow_lift: float, feature: str
) -> Regions:
    """The 36 regions of MDMO, which landmarks bound.

    Args:
        shape: height and width of the field, in pixels.
        landmarks: (68, 2) x and y, in pixels of the field.
        brow_lift: how far the regions reach above the brows, as a part of the distance between the
            outer corners of the eyes.
        feature: name of the feature, for messages.

    Raises:
        ConfigError: these are no 68 points, or a region has no pixel of the field.
    """
    height, width = shape
    points = checked_landmarks(landmarks, feature)
    first, second = (points[corner] for corner in EYE_CORNERS)
    lift = brow_lift * float(np.linalg.norm(second - first))
    members: list[tuple[Numbers, Numbers]] = []
    corners = _corners()
    for number, names in enumerate(corners):
        outline = np.rint([_point(name, points, lift) for name in names]).astype(np.int32)
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [outline], 1)
        pixels = np.flatnonzero(mask)
        if not len(pixels):
            raise ConfigError(
                f"feature {feature}: region {number + 1} of {len(corners)}, between the points "
                f"{', '.join(names)}, has no pixel of a field of {height}x{width}: landmarks are "
                "given in pixels of the field"
            )
        members.append((np.full(len(pixels), number), pixels))
    region, pixel = (np.concatenate(part) for part in zip(*members, strict=True))
    return Regions(region, pixel, len(corners))


def checked_landmarks(landmarks: Sequence[Sequence[float]], feature: str) -> Values:
    """Return landmarks as float64 (68, 2).

    Raises:
        ConfigError: they have another shape, or one isn't finite.
    """
    points = np.asarray(landmarks, np.float64)
    if points.shape != (LANDMARKS, 2) or not np.isfinite(points).all():
        raise ConfigError(
            f"feature {feature}: landmarks of shape {points.shape}, expected {LANDMARKS} finite "
            "points (x, y)"
        )
    return points


def without_head_motion(fields: Values, points: Values) -> Values:
    """Subtract the affine motion of the head from flow.

    The affine map is fitted, by least squares, to the flow at 13 landmarks of the jaw and the nose.

    Args:
        fields: (fields, height, width, 2) flow.
        points: (68, 2) landmarks, in pixels of the fields.

    Returns:
        (fields, height, width, 2).
    """
    height, width = fields.shape[1:3]
    rigid = points[list(RIGID)]  # (13, 2)
    columns = np.clip(np.rint(rigid[:, 0]), 0, width - 1).astype(np.int64)
    rows = np.clip(np.rint(rigid[:, 1]), 0, height - 1).astype(np.int64)
    design = np.column_stack([columns, rows, np.ones(len(RIGID))])  # (13, 3)
    y, x = np.mgrid[:height, :width]
    everywhere = np.stack([x, y, np.ones_like(x)], axis=-1)  # (height, width, 3)
    # The affine map of each field, (3, 2).
    maps = [np.linalg.lstsq(design, field[rows, columns], rcond=None)[0] for field in fields]
    return np.stack([field - everywhere @ map_ for field, map_ in zip(fields, maps, strict=True)])


@cache
def _corners() -> tuple[tuple[str, ...], ...]:
    """Names of the corners of each region, as ``mdmo_regions.yaml`` explains them."""
    text = Path(__file__).with_name("mdmo_regions.yaml").read_text(encoding="utf-8")
    return tuple(tuple(names) for names in yaml.safe_load(text)["regions"])


def _point(name: str, points: Values, lift: float) -> NDArray[np.float64]:
    """A corner by its name, (2,)."""
    if "/" in name:
        first, second = name.split("/")
        return (_point(first, points, lift) + _point(second, points, lift)) / 2
    x, y = points[int(name.rstrip("^"))]
    return np.array([x, max(y - lift, 0) if name.endswith("^") else y])
