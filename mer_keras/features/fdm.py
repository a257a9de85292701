"""Facial dynamics map (FDM): the principal direction of the flow of every cuboid."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np

from mer_keras.arrays import Array
from mer_keras.errors import ConfigError
from mer_keras.features.fields import Numbers, Values, Zero, block_numbers, flow_fields

#: Most rounds of the search for a direction; it ends when no pixel changes sides.
MOST_ROUNDS = 100
#: The search leaves out cuboids whose direction is found when at most this share is left.
LEFT_OUT = 0.7


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
    count = block_numbers(vectors.shape[1:3], blocks, "fdm")[1]
    pixels, members = _cuboids(vectors.shape[:3], (slices, *map(int, blocks)))
    # A place that a smaller cuboid leaves empty holds no motion, which changes no sum.
    flows = np.empty((len(members), 2, members.shape[1]))  # (cuboids, 2, largest)
    for component in range(2):
        flows[:, component] = np.append(vectors[..., component], 0.0)[members]
    directions = _principal_directions(flows)  # (slices * count, 2)
    if length == "mean":
        sums = np.maximum(_projections(flows, directions), 0).sum(axis=1)
        directions = directions * (sums / pixels)[:, np.newaxis]
    return directions.reshape(slices * count * 2).astype(np.float32)


@lru_cache(maxsize=16)
def _cuboids(shape: tuple[int, ...], parts: tuple[int, ...]) -> tuple[Numbers, Numbers]:
    """Which pixels of fields each cuboid holds.

    Args:
        shape: (fields, height, width).
        parts: slices, rows and columns of cuboids.

    Returns:
        number of pixels of each cuboid, (cuboids,), and which they are, (cuboids, largest); rows of
        smaller cuboids are filled up with the number of all pixels, which is no pixel's.
    """
    fields, height, width = shape
    slices, rows, columns = parts
    block_of, blocks = block_numbers((height, width), (rows, columns), "fdm")
    slice_of = np.arange(fields) * slices // fields  # (fields,)
    cuboid_of = (slice_of[:, np.newaxis, np.newaxis] * blocks + block_of).reshape(-1)
    pixels = np.bincount(cuboid_of, minlength=slices * blocks)
    order = np.argsort(cuboid_of, kind="stable")
    starts = np.cumsum(pixels) - pixels
    place = np.arange(len(order)) - np.repeat(starts, pixels)
    members = np.full((slices * blocks, pixels.max()), len(cuboid_of))
    members[cuboid_of[order], place] = order
    return pixels, members


def _principal_directions(flows: Values) -> Values:
    """Directions of length 1, (cuboids, 2), of flow, (cuboids, 2, pixels).

    They are zero where vectors cancel out or nothing moves.
    """
    directions = np.zeros(flows.shape[:2])
    unfinished = np.arange(len(flows))
    chosen = np.ones((len(flows), flows.shape[2]), bool)
    for _ in range(MOST_ROUNDS):
        sums = (flows @ chosen[..., np.newaxis].astype(np.float64))[..., 0]  # (cuboids, 2)
        norms = np.sqrt((sums * sums).sum(axis=1, keepdims=True))
        norms[norms == 0] = 1
        directions[unfinished] = units = sums / norms
        positive = _projections(flows, units) > 0  # (cuboids, pixels)
        changed = np.flatnonzero((positive != chosen).any(axis=1))
        if not len(changed):
            break
        chosen = positive
        # Cuboids whose choice stands are left out once they are many: a copy costs a round's time.
        if len(changed) <= LEFT_OUT * len(unfinished):
            unfinished, flows, chosen = unfinished[changed], flows[changed], chosen[changed]
    return directions


def _projections(flows: Values, directions: Values) -> Values:
    """Dot product of each pixel's flow with its cuboid's direction, (cuboids, pixels)."""
    return (directions[:, np.newaxis] @ flows)[:, 0]
