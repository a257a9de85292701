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
    u, v = vectors[..., 0].reshape(-1), vectors[..., 1].reshape(-1)
    directions = _principal_directions(u, v, cuboid_of, slices * count)  # (cuboids, 2)
    if length == "mean":
        projections = _projections(u, v, directions, cuboid_of)  # (pixels,)
        sums = np.bincount(cuboid_of, np.maximum(projections, 0), minlength=slices * count)
        pixels = np.bincount(cuboid_of, minlength=slices * count)
        directions = directions * (sums / pixels)[:, np.newaxis]
    return directions.reshape(-1).astype(np.float32)


def _principal_directions(u: Values, v: Values, cuboid_of: Numbers, cuboids: int) -> Values:
    """Directions of length 1, (cuboids, 2); zero where vectors cancel out or nothing moves."""
    directions = np.zeros((cuboids, 2))
    unfinished = np.ones(cuboids, bool)
    chosen = np.ones(len(u), bool)
    for _ in range(MOST_ROUNDS):
        sums = np.stack(
            [np.bincount(cuboid_of, part * chosen, minlength=cuboids) for part in (u, v)], axis=1
        )
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        units = np.divide(sums, norms, out=np.zeros_like(sums), where=norms > 0)
        directions[unfinished] = units[unfinished]
        positive = _projections(u, v, directions, cuboid_of) > 0
        unfinished[:] = False
        unfinished[cuboid_of[positive != chosen]] = True
        # Only pixels of cuboids whose choice has changed take part in the next round.
        stays = unfinished[cuboid_of]
        u, v, cuboid_of, chosen = u[stays], v[stays], cuboid_of[stays], positive[stays]
        if not len(u):
            break
    return directions


def _projections(u: Values, v: Values, directions: Values, cuboid_of: Numbers) -> Values:
    """Dot product of each pixel's flow with its cuboid's direction, (pixels,)."""
    return u * directions[cuboid_of, 0] + v * directions[cuboid_of, 1]
