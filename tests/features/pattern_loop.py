"""Local binary patterns as their definition reads, voxel by voxel."""

import math
from itertools import product

import numpy as np

from tests.features.volume import edges

PLANES = ("xy", "xt", "yt")


def value_at(volume, t, y, x, interpolation):
    """The gray value at a place between voxels."""
    if interpolation == "nearest":
        return volume[math.floor(t + 0.5), math.floor(y + 0.5), math.floor(x + 0.5)]
    total = 0.0
    floors = [math.floor(place + 1e-9) for place in (t, y, x)]
    for corner in product((0, 1), repeat=3):
        weight = 1.0
        for place, floor, step in zip((t, y, x), floors, corner, strict=True):
            share = max(0.0, place - floor)
            weight *= share if step else 1 - share
        if weight > 1e-9:
            total += weight * volume[tuple(f + c for f, c in zip(floors, corner, strict=True))]
    return total


def place_of(plane, point, points, radius):
    """Steps (t, y, x) to neighbour ``point``."""
    angle = 2 * math.pi * point / points
    x, y, t = radius
    sine, cosine = math.sin(angle), math.cos(angle)
    return {
        "xy": (0, -y * sine, x * cosine),
        "xt": (t * sine, 0, x * cosine),
        "yt": (t * cosine, -y * sine, 0),
    }[plane]


def pattern(volume, voxel, plane, radius, points, interpolation):
    """The pattern of one voxel."""
    code = 0
    for point in range(points):
        steps = place_of(plane, point, points, radius)
        place = [a + b for a, b in zip(voxel, steps, strict=True)]
        # An exact neighbour must not be missed by the rounding of a sine.
        place = [round(value, 9) for value in place]
        if value_at(volume, *place, interpolation) >= volume[voxel] - 1e-6:
            code += 2**point
    return code


def codes(volume, radius, points, interpolation="bilinear"):
    """Patterns of all inner voxels in each plane, by plane."""
    volume = volume.astype(float)
    space, time = math.ceil(max(radius[:2])), math.ceil(radius[2])
    sides = [range(time, volume.shape[0] - time)]
    sides += [range(space, side - space) for side in volume.shape[1:]]
    return {
        plane: np.array(
            [
                [
                    [pattern(volume, (t, y, x), plane, radius, points, interpolation) for x in xs]
                    for y in ys
                ]
                for t in ts
            ]
        )
        for ts, ys, xs in [sides]
        for plane in PLANES
    }


def uniform_bin(code, points):
    """Bin of a pattern: uniform ones in ascending order, the others last."""

    def changes(number):
        bits = [number >> point & 1 for point in range(points)]
        return sum(bits[point] != bits[point - 1] for point in range(points))

    uniform = [number for number in range(2**points) if changes(number) <= 2]
    return uniform.index(code) if code in uniform else len(uniform)


def counted(of_planes, blocks, bins, bin_of=lambda code: code):
    """Histograms of blocks (time, row, column) and planes, each with a sum of 1, joined."""
    rows, columns, times = blocks
    first = next(iter(of_planes.values()))
    joined = []
    for (t0, t1), (y0, y1), (x0, x1) in product(
        edges(first.shape[0], times), edges(first.shape[1], rows), edges(first.shape[2], columns)
    ):
        for codes_of_plane in of_planes.values():
            histogram = [0] * bins
            for code in codes_of_plane[t0:t1, y0:y1, x0:x1].flat:
                histogram[bin_of(int(code))] += 1
            joined += [count / sum(histogram) for count in histogram]
    return joined
