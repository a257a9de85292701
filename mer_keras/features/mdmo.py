"""Main directional mean optical flow (MDMO)."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from mer_keras.arrays import Array
from mer_keras.features.arguments import Grid, NotNegative, Share, Whole, Zero, checked
from mer_keras.features.directions import Sectors, centred_sectors, pooled, sector_cells
from mer_keras.features.fields import Values, flow_fields
from mer_keras.features.regions import (
    Regions,
    checked_landmarks,
    grid_regions,
    landmark_regions,
    without_head_motion,
)

#: 20 pixels on a face of 112, whose outer eye corners are taken to be 60 pixels apart.
BROW_LIFT = 1 / 3


@checked
def mdmo(
    clip: Array,
    *,
    landmarks: Sequence[Sequence[float]] | None = None,
    grid: Grid = (6, 6),
    align: bool = True,
    brow_lift: NotNegative = BROW_LIFT,
    bins: Whole = 8,
    angles: Literal["polar", "cos_sin"] = "polar",
    beta: Share | None = None,
    zero: Zero = "none",
) -> Array:
    """Return length and direction of the main motion of each region of the face.

    In every field and region, the pixels are counted by direction, in bins around 0, 45, 90 ...
    degrees; of the fullest bin (the first of equals, counted from 0 degrees) the mean flow is
    taken. These vectors are averaged over the fields and written as lengths, divided by the
    largest, and angles (Liu et al., IEEE Transactions on Affective Computing, 2016, sections 3.2 to
    3.4: 36 regions, 72 values).

    Args:
        clip: (height, width, 2 or 3) or (fields, height, width, 2 or 3), channels u, v, strain: the
            flow from the first frame to every later one.
        landmarks: 68 points (x, y) in pixels of the field, which bound 36 regions; the same for all
            clips, whose faces must be aligned to them. None: the regions are those of ``grid``.
        grid: rows and columns of regions, where there are no landmarks.
        align: where there are landmarks, subtract the affine motion of 13 of them that move with
            the head.
        brow_lift: see ``regions.landmark_regions``.
        bins: over 360 degrees.
        angles: ``polar``: an angle in (-pi, pi], as published; ``cos_sin``: its cosine and sine,
            which don't jump at 180 degrees.
        beta: weight of the lengths, that of the angles being 1 - beta; None: both as they are.
        zero: what no motion looks like (see ``fields.flow_fields``).

    Returns:
        float32 (2 * regions,): all lengths, then all angles; or (3 * regions,): lengths, cosines,
        sines.

    Raises:
        ConfigError: the clip is no flow, a region would be empty, or an argument can't be.
    """
    vectors = flow_fields(clip, "mdmo", zero)  # (fields, height, width, 2)
    if landmarks is None:
        regions = grid_regions(vectors.shape[1:3], grid, "mdmo")
    else:
        regions = landmark_regions(vectors.shape[1:3], landmarks, brow_lift, "mdmo")
        if align:
            vectors = without_head_motion(vectors, checked_landmarks(landmarks, "mdmo"))
    main = np.mean([_main_motion(field, regions, bins) for field in vectors], axis=0)
    lengths = np.hypot(main[:, 0], main[:, 1])  # (regions,)
    largest = lengths.max()
    lengths = lengths / largest if largest > 0 else lengths
    angle = np.arctan2(main[:, 1], main[:, 0])
    parts = [angle] if angles == "polar" else [np.cos(angle), np.sin(angle)]
    if beta is not None:
        lengths, parts = beta * lengths, [(1 - beta) * part for part in parts]
    return np.concatenate([lengths, *parts]).astype(np.float32)


def _main_motion(field: Values, regions: Regions, bins: int) -> Values:
    """Mean flow of the fullest direction bin of each region of a field, (regions, 2)."""
    u, v = field[..., 0].reshape(-1), field[..., 1].reshape(-1)  # (pixels,) each
    sectors = centred_sectors(u, v, bins)
    if regions.pixel is not None:
        sectors = Sectors(sectors.number[regions.pixel], sectors.bin_of)  # (members,)
        u, v = u[regions.pixel], v[regions.pixel]  # (members,) each
    cells = sector_cells(regions.region, sectors)  # (members,)
    shape = regions.total, len(sectors.bin_of)
    in_sector = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
    counts = pooled(in_sector, sectors, bins)  # (regions, bins)
    fullest = counts.argmax(axis=1)[:, np.newaxis]  # (regions, 1)
    chosen = np.flatnonzero((sectors.bin_of == fullest).reshape(-1)[cells])
    region = regions.region[chosen]
    sums = [np.bincount(region, values[chosen], minlength=regions.total) for values in (u, v)]
    return np.stack(sums, axis=1) / counts.max(axis=1, keepdims=True)
