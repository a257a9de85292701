"""Facial dynamics map (FDM): the principal direction of the flow of every cuboid."""

from functools import lru_cache
from typing import Literal

import cv2
import numpy as np

from mer_keras.arrays import Array
from mer_keras.errors import ConfigError
from mer_keras.features.arguments import Grid, Whole, Zero, checked
from mer_keras.features.fields import Numbers, Values, block_numbers, flow_fields

#: Most rounds of the search for a direction, which ends when no pixel changes sides, and rounds
#: after which that is looked at: a round too many changes nothing.
MOST_ROUNDS, UNCHECKED = 100, 4
#: The search leaves out cuboids whose direction is found when at most this share is left.
LEFT_OUT = 0.8


@checked
def fdm(
    clip: Array,
    *,
    blocks: Grid = (8, 8),
    slices: Whole = 1,
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
            an argument can't be.
    """
    vectors = flow_fields(clip, "fdm", zero)  # (fields, height, width, 2)
    if slices > len(vectors):
        raise ConfigError(
            f"feature fdm: {slices} slices of {len(vectors)} flow fields, expected 1 to "
            f"{len(vectors)}"
        )
    count = block_numbers(vectors.shape[1:3], blocks, "fdm")[1]
    pixels, members, empty = _cuboids(vectors.shape[:3], (slices, *map(int, blocks)))
    components = vectors.transpose(3, 0, 1, 2).reshape(2, -1)  # (2, all pixels)
    flows = components.take(members, axis=1, mode="clip").swapaxes(0, 1)
    # (cuboids, 2, largest): what a smaller cuboid doesn't fill is no motion, which changes no sum.
    flows[empty[0], :, empty[1]] = 0
    sums = _principal_sums(flows)  # (slices * count, 2)
    if length == "mean":  # Where d stands, the dot products add up to the length of the sum.
        directions = sums / pixels[:, np.newaxis]
    else:
        norms = np.hypot(sums[:, 0], sums[:, 1])
        directions = sums / np.where(norms > 0, norms, 1)[:, np.newaxis]
    return directions.reshape(slices * count * 2).astype(np.float32)


@lru_cache(maxsize=16)
def _cuboids(
    shape: tuple[int, ...], parts: tuple[int, ...]
) -> tuple[Numbers, Numbers, tuple[Numbers, Numbers]]:
    """Which pixels of fields each cuboid holds.

    Args:
        shape: (fields, height, width).
        parts: slices, rows and columns of cuboids.

    Returns:
        number of pixels of each cuboid, (cuboids,); which they are, (cuboids, largest), rows of
        smaller cuboids being filled up with 0; and which places are filled up, rows and columns.
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
    members = np.zeros((slices * blocks, pixels.max()), np.int64)
    members[cuboid_of[order], place] = order
    rows_of, columns_of = np.nonzero(np.arange(pixels.max()) >= pixels[:, np.newaxis])
    return pixels, members, (rows_of, columns_of)


def _principal_sums(flows: Values) -> Values:
    """Sums of the flow whose dot product with the principal direction is positive, (cuboids, 2).

    A sum points into the direction; it is zero where vectors cancel out or nothing moves. Its
    length changes no sign of a dot product, so that no sum has to be normalised on the way.

    Args:
        flows: (cuboids, 2, pixels).
    """
    principal = np.empty(flows.shape[:2])
    unfinished, sums = np.arange(len(flows)), flows.sum(axis=2)
    for _ in range(MOST_ROUNDS // UNCHECKED):
        for _ in range(UNCHECKED):
            before = sums
            dots = (before[:, np.newaxis] @ flows)[:, 0]  # (cuboids, pixels)
            _, positive = cv2.threshold(dots, 0, 1, cv2.THRESH_BINARY)
            sums = np.vecdot(flows, positive[:, np.newaxis])  # (cuboids, 2)
        principal[unfinished] = sums
        changed = np.flatnonzero((sums != before).any(axis=1))
        if not len(changed):
            break
        # Cuboids whose sum stands are left out once they are many: a copy costs a round's time.
        if len(changed) <= LEFT_OUT * len(unfinished):
            unfinished, flows, sums = unfinished[changed], flows[changed], sums[changed]
    return principal
