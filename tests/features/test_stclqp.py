import math
from itertools import product

import numpy as np
import pytest

from mer_keras.errors import ConfigError
from mer_keras.features.lbp_top import lbp_top
from mer_keras.features.stclqp import stclqp
from tests.features.pattern_loop import PLANES, place_of, value_at
from tests.features.volume import as_input, edges, noise

#: Which way a plane's first and second direction point, (t, y, x).
DIRECTIONS = {
    "xy": ((0, 0, 1), (0, -1, 0)),
    "xt": ((0, 0, 1), (1, 0, 0)),
    "yt": ((1, 0, 0), (0, -1, 0)),
}


def components(clip, plane, radius, points):
    """Patterns of sign, magnitude and orientation of all inner voxels, and their sides."""
    volume = clip.astype(float)
    space, time = max(radius[:2]), radius[2]
    sides = [range(time, volume.shape[0] - time)]
    sides += [range(space, side - space) for side in volume.shape[1:]]
    voxels = list(product(*sides))
    differences = {
        voxel: [
            value_at(volume, *np.round(np.add(voxel, place), 9), "bilinear") - volume[voxel]
            for place in (place_of(plane, point, points, radius) for point in range(points))
        ]
        for voxel in voxels
    }
    mean = np.mean([abs(value) for values in differences.values() for value in values])
    codes = [[], [], []]
    for voxel in voxels:
        slope = [
            (volume[tuple(np.add(voxel, way))] - volume[tuple(np.subtract(voxel, way))]) / 2
            for way in DIRECTIONS[plane]
        ]
        towards = [
            slope[0] * math.cos(2 * math.pi * point / points)
            + slope[1] * math.sin(2 * math.pi * point / points)
            for point in range(points)
        ]
        bits = [
            [value >= -1e-6 for value in differences[voxel]],
            [abs(value) >= mean - 1e-6 for value in differences[voxel]],
            [value >= -1e-6 for value in towards],
        ]
        for patterns, of_component in zip(codes, bits, strict=True):
            patterns.append(sum(2**point for point, bit in enumerate(of_component) if bit))
    return [np.array(patterns).reshape([len(side) for side in sides]) for patterns in codes]


@pytest.mark.parametrize(
    ("shape", "radius", "blocks"),
    [((7, 9, 8), (1, 1, 2), (2, 1, 1)), ((3, 5, 5), (2, 2, 1), (1, 1, 1))],
)
def test_it_is_a_literal_loop(shape, radius, blocks):
    clip, points = noise(*shape), 4
    codes = [components(clip, plane, radius, points) for plane in PLANES]
    inner = codes[0][0].shape
    expected = []
    for (y0, y1), (x0, x1) in product(edges(inner[1], blocks[0]), edges(inner[2], blocks[1])):
        for of_plane in codes:
            for patterns in of_plane:
                block = patterns[:, y0:y1, x0:x1].reshape(-1)
                expected += [np.mean(block == code) for code in range(2**points)]
    for given in (clip, as_input(clip)):
        vector = stclqp(given, radius=radius, points=points, blocks=blocks)
        assert vector.dtype == np.float32
        np.testing.assert_allclose(vector, expected, rtol=1e-6)


def test_signs_are_the_patterns_of_lbp_top():
    clip = noise(10, 12, 14)
    signs = stclqp(clip).reshape(25, 3, 3, 256)[:, :, 0]
    np.testing.assert_array_equal(signs.reshape(-1), lbp_top(clip, mapping="none"))


def test_a_flat_clip_has_one_pattern():
    vector = stclqp(np.full((10, 20, 20), 5, np.uint8)).reshape(25, 9, 256)
    assert (vector[..., 255] == 1).all()


def test_what_cannot_be_computed_is_told():
    with pytest.raises(ConfigError, match="at least 9x3x3"):
        stclqp(noise(8, 20, 20))
    with pytest.raises(ConfigError, match="NaN"):
        stclqp(noise(10, 20, 20) * np.nan)
    with pytest.raises(ConfigError, match="would be empty"):
        stclqp(noise(10, 6, 6))
    with pytest.raises(ConfigError, match="points 30, expected a whole number from 2 to 16"):
        stclqp(noise(10, 20, 20), points=30)
