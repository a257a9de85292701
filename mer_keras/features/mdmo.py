"""Main directional mean optical flow (MDMO)."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from mer_keras.arrays import Array
from mer_keras.errors import ConfigError
from mer_keras.features.fields import Numbers, Values, Zero, direction_bins, flow_fields
from mer_keras.features.regions import (
    Regions,
    checked_landmarks,
    grid_regions,
    landmark_regions,
    without_head_motion,
)

#: 20 pixels on a face of 112, whose outer eye corners are taken to be 60 pixels apart.
BROW_LIFT = 1 / 3


def mdmo(
    clip: Array,
    *,
    landmarks: Sequence[Sequence[float]] | None = None,
    grid: Sequence[int] = (6, 6),
    align: bool = True,
    brow_lift: float = BROW_LIFT,
    bins: int = 8,
    angles: Literal["polar", "cos_sin"] = "polar",
    beta: float | None = None,
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
        ConfigError: the clip is no flow, a region would be empty, or ``angles`` is unknown.
    """
    vectors = flow_fields(clip, "mdmo", zero)  # (fields, height, width, 2)
    if angles not in ("polar", "cos_sin"):
        raise ConfigError(f"feature mdmo: angles {angles!r}, expected 'polar' or 'cos_sin'")
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
    u, v = field.reshape(-1, 2).T  # (pixels,) each
    bin_of = _centred_bins(u, v, bins)  # (pixels,)
    if regions.pixel is not None:
        bin_of = bin_of[regions.pixel]  # (members,)
        u, v = u[regions.pixel], v[regions.pixel]  # (members,) each
    cells = regions.region * bins + bin_of
    shape = (regions.total, bins)
    counts = np.bincount(cells, minlength=regions.total * bins).reshape(shape)
    sums_u, sums_v = (
        np.bincount(cells, values, minlength=regions.total * bins).reshape(shape)
        for values in (u, v)
    )
    fullest = np.arange(regions.total), counts.argmax(axis=1)  # (regions,) each
    return np.stack([sums_u[fullest], sums_v[fullest]], axis=1) / counts[fullest][:, np.newaxis]


def _centred_bins(u: Values, v: Values, bins: int) -> Numbers:
    """Bins of which the first is centred on 0 degrees, the second on 360 / ``bins``, and so on."""
    if bins % 2:
        turns = np.arctan2(v, u) / (2 * np.pi) + 0.5 / bins
        return np.floor(turns * bins).astype(np.int64) % bins
    half_bin = np.pi / bins
    turned_u = u * np.cos(half_bin) - v * np.sin(half_bin)
    turned_v = u * np.sin(half_bin) + v * np.cos(half_bin)
    # Bins of ``direction_bins`` begin at -180 degrees: half of them lie before 0 degrees.
    return (direction_bins(turned_u, turned_v, bins) + bins // 2) % bins
