"""Features as plain Python loops of the same definition: what vectorised code is measured against.

They follow the definitions voxel by voxel, and take the arguments that are measured and no others.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mer_keras.features.local_binary_patterns import bin_table, plane_steps

Gray = NDArray[np.uint8]


def lbp_top(clip: Gray, radius: Sequence[int], blocks: Sequence[int]) -> NDArray[np.float64]:
    """LBP-TOP with 8 points, bilinear, uniform; see ``features.lbp_top.lbp_top``.

    Args:
        clip: (time, height, width).
        radius: (x, y, t).
        blocks: (rows, columns, 1).
    """
    volume = clip.tolist()
    space, time = max(radius[:2]), radius[2]
    table, bins = bin_table(8, "uniform", "ascending")
    bin_of = table.tolist()
    steps = {plane: plane_steps(plane, radius, 8) for plane in ("xy", "xt", "yt")}
    inner = [
        side - 2 * margin for side, margin in zip(clip.shape, (time, space, space), strict=True)
    ]
    rows, columns, _ = blocks
    counts = np.zeros((rows, columns, 3, bins))
    for t in range(inner[0]):
        for y in range(inner[1]):
            for x in range(inner[2]):
                block = _part(y, inner[1], rows), _part(x, inner[2], columns)
                centre = volume[t + time][y + space][x + space]
                for number, neighbours in enumerate(steps.values()):
                    code = 0
                    for point, (dt, dy, dx) in enumerate(neighbours):
                        place = (t + time + dt, y + space + dy, x + space + dx)
                        if _between(volume, *place) >= centre - 1e-6:
                            code += 1 << point
                    counts[*block, number, bin_of[code]] += 1
    return (counts / counts.sum(axis=-1, keepdims=True)).reshape(-1)


def hog_top(clip: Gray, blocks: Sequence[int], *, equal: bool) -> NDArray[np.float64]:
    """HOG-TOP with 8 bins, or with equal votes HIGO-TOP; see ``features.gradient_histograms``.

    Args:
        clip: (time, height, width).
        blocks: (rows, columns, times).
        equal: whether each gradient counts 1.
    """
    volume = clip.tolist()
    times, height, width = (side - 2 for side in clip.shape)
    rows, columns, parts = blocks
    sums = np.zeros((parts, rows, columns, 3, 8))
    for t in range(times):
        for y in range(height):
            for x in range(width):
                block = _part(t, times, parts), _part(y, height, rows), _part(x, width, columns)
                along_t = volume[t + 2][y + 1][x + 1] - volume[t][y + 1][x + 1]
                along_y = volume[t + 1][y + 2][x + 1] - volume[t + 1][y][x + 1]
                along_x = volume[t + 1][y + 1][x + 2] - volume[t + 1][y + 1][x]
                planes = ((along_x, along_y), (along_x, along_t), (along_y, along_t))
                for number, (a, b) in enumerate(planes):
                    angle = (math.atan2(b, a) + 1e-9) % (2 * math.pi)
                    vote = float(a != 0 or b != 0) if equal else math.hypot(a, b)
                    sums[*block, number, min(int(angle / (2 * math.pi) * 8), 7)] += vote
    totals = sums.sum(axis=-1, keepdims=True)
    return np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0).reshape(-1)


def _part(place: int, side: int, parts: int) -> int:
    """Number of the part of a side that a place belongs to: part i begins at i * side // parts."""
    return ((place + 1) * parts - 1) // side


def _between(volume: list[list[list[int]]], t: float, y: float, x: float) -> float:
    """The gray value at a place between voxels."""
    floors = math.floor(t), math.floor(y), math.floor(x)
    shares = t - floors[0], y - floors[1], x - floors[2]
    total = 0.0
    for above_t in (0, 1) if shares[0] else (0,):
        for above_y in (0, 1) if shares[1] else (0,):
            for above_x in (0, 1) if shares[2] else (0,):
                weight = (
                    (shares[0] if above_t else 1 - shares[0])
                    * (shares[1] if above_y else 1 - shares[1])
                    * (shares[2] if above_x else 1 - shares[2])
                )
                value = volume[floors[0] + above_t][floors[1] + above_y][floors[2] + above_x]
                total += weight * value
    return total
