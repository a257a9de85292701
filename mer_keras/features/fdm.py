"""Facial dynamics map (FDM): the principal direction of the flow of every cuboid."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from mer_keras.arrays import Array
from mer_keras.errors import ConfigError
from mer_keras.features.fields import Numbers, Values, Zero, block_numbers, flow_fields

#: Most rounds of the search for a direction; it ends when no pixel changes sides.
MOST_ROUNDS = 100


def fdm(
    clip: Array,
    *,
    blocks: Sequence[int] = (8, 8),
    slices: int = 1,
    length: Literal["mean", "unit"] = "mean",
    zero: Zero = "none",
) -> Array:
    """Return the principal direction of the flow in each cuboid of a clip.

    Xu, Zhang and Wang (IEEE Transactions on Affective Computing, 2017) find it by iteration: d is
    the normalised sum of all flow vectors of the cuboid; then, again and again, the normalised sum
    of those whose dot product with d is positive, until d stands. What length the direction has,
    the grid and the number of slices are a reading: the paper's text could not be had.

    Args:
        clip: (height, width, 2 or 3) or (fields, height, width, 2 or 3), channels u, v, strain.
        blocks: how many in a column and in a row.
        slices: of time; each joins neighbouring fields.
        length: ``mean``: d times the mean of all positive dot products with d, over all pixels of
            the cuboid; ``unit``: d, of length 1.
        zero: what no motion looks like (see ``fields.flow_fields``).

    Returns:
        float32 (slices * rows * columns * 2,): x and y of cuboid after cuboid, slice after slice.

    Raises:
        ConfigError: the clip is no flow, has fewer fields than slices, a cuboid would be empty, or
            ``length`` is unknown.
    """
    vectors = flow_fields(clip, "fdm", zero)  # (fields, height, width, 2)
    if length not in ("mean", "unit"):
        raise ConfigError(f"feature fdm: length {length!r}, expected 'mean' or 'unit'")
    if not 1 <= slices <= len(vectors):
        raise ConfigError(
            f"feature fdm: {slices} slices of {len(vectors)} flow fields, expected 1 to "
            f"{len(vectors)}"
        )
    block_of, count = block_numbers(*vectors.shape[1:3], blocks, "fdm")
    slice_of = np.arange(len(vectors)) * slices // len(vectors)  # (fields,)
    cuboid_of = (slice_of[:, np.newaxis, np.newaxis] * count + block_of).reshape(-1)
    pixels, members = _cuboids(cuboid_of, slices * count)  # (cuboids,), (cuboids, largest)
    # A place that a smaller cuboid leaves empty holds no motion, which changes no sum.
    padded = np.concatenate([vectors.reshape(-1, 2), np.zeros((1, 2))])
    u, v = (np.ascontiguousarray(padded[:, axis])[members] for axis in range(2))
    directions = _principal_directions(u, v)  # (cuboids, 2)
    if length == "mean":
        sums = np.maximum(_projections(u, v, directions), 0).sum(axis=1)
        directions = directions * (sums / pixels)[:, np.newaxis]
    return directions.reshape(-1).astype(np.float32)


def _cuboids(cuboid_of: Numbers, cuboids: int) -> tuple[Numbers, Numbers]:
    """Number of pixels of each cuboid, (cuboids,), and which they are, (cuboids, largest).

    Rows of smaller cuboids are filled up with the number of pixels, which is no pixel's.
    """
    pixels = np.bincount(cuboid_of, minlength=cuboids)
    order = np.argsort(cuboid_of, kind="stable")
    starts = np.cumsum(pixels) - pixels
    place = np.arange(len(order)) - np.repeat(starts, pixels)
    members = np.full((cuboids, pixels.max()), len(cuboid_of))
    members[cuboid_of[order], place] = order
    return pixels, members


def _principal_directions(u: Values, v: Values) -> Values:
    """Directions of length 1, (cuboids, 2), of flow, (cuboids, pixels) each component.

    They are zero where vectors cancel out or nothing moves.
    """
    directions = np.zeros((len(u), 2))
    unfinished = np.arange(len(u))
    chosen = np.ones(u.shape, bool)
    for _ in range(MOST_ROUNDS):
        sums = np.stack([np.einsum("cp,cp->c", part, chosen) for part in (u, v)], axis=1)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        units = np.divide(sums, norms, out=np.zeros_like(sums), where=norms > 0)
        directions[unfinished] = units
        positive = _projections(u, v, units) > 0
        # Only cuboids whose choice has changed take part in the next round.
        changed = np.flatnonzero((positive != chosen).any(axis=1))
        if not len(changed):
            break
        unfinished = unfinished[changed]
        u, v, chosen = u[changed], v[changed], positive[changed]
    return directions


def _projections(u: Values, v: Values, directions: Values) -> Values:
    """Dot product of each pixel's flow with its cuboid's direction, (cuboids, pixels)."""
    return u * directions[:, :1] + v * directions[:, 1:]
