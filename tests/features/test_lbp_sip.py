from itertools import product

import numpy as np
import pytest

from mer_keras.errors import ConfigError
from mer_keras.features.lbp_sip import lbp_mop, lbp_sip
from tests.features.pattern_loop import counted, pattern, uniform_bin
from tests.features.volume import as_input, edges, noise


@pytest.mark.parametrize(
    ("shape", "radius", "blocks"),
    [
        ((9, 9, 11), (1, 1, 4), (3, 2, 1)),
        ((6, 13, 8), (3, 2, 1), (1, 1, 2)),
        ((3, 3, 3), (1, 1, 1), (1, 1, 1)),
    ],
)
def test_it_is_a_literal_loop(shape, radius, blocks):
    clip = noise(*shape)
    x, y, t = radius
    margin = max(x, y)
    spatial = [(0, 0, x), (0, -y, 0), (0, 0, -x), (0, y, 0)]
    temporal = [(t, 0, 0), (-t, 0, 0)]
    sides = [range(t, shape[0] - t)] + [range(margin, side - margin) for side in shape[1:]]
    codes = [
        np.array(
            [
                sum(
                    2**bit
                    for bit, step in enumerate(steps)
                    if clip[tuple(np.add(voxel, step))] >= clip[voxel]
                )
                for voxel in product(*sides)
            ]
        ).reshape([len(side) for side in sides])
        for steps in (spatial, temporal)
    ]
    expected = []
    for (t0, t1), (y0, y1), (x0, x1) in product(
        *(
            edges(len(side), count)
            for side, count in zip(sides, blocks[2:] + blocks[:2], strict=True)
        )
    ):
        for patterns, bins in zip(codes, (16, 4), strict=True):
            block = patterns[t0:t1, y0:y1, x0:x1].reshape(-1)
            expected += [np.mean(block == code) for code in range(bins)]
    for given in (clip, as_input(clip)):
        vector = lbp_sip(given, radius=radius, blocks=blocks)
        np.testing.assert_allclose(vector, expected, rtol=1e-6)
        assert vector.dtype == np.float32


def test_20_bins_a_block():
    assert lbp_sip(noise(10, 20, 20)).shape == (500,)
    flat = lbp_sip(np.full((10, 20, 20), 9, np.uint8)).reshape(25, 20)
    assert (flat[:, [15, 19]] == 1).all()
    assert np.count_nonzero(flat) == 50


def test_mean_planes_are_those_of_each_block():
    clip, radius = noise(7, 11, 13), (1, 1, 2)
    expected = []
    for (y0, y1), (x0, x1) in product(edges(11, 2), edges(13, 2)):
        part = clip[:, y0:y1, x0:x1].astype(float)
        for axis, plane in enumerate(("xy", "xt", "yt")):
            mean = np.repeat(part.mean(axis=axis, keepdims=True), part.shape[axis], axis=axis)
            space, time = 1, 2
            sides = [range(time, 7 - time)] + [
                range(space, side - space) for side in part.shape[1:]
            ]
            sides[axis] = sides[axis][:1]
            codes = [
                pattern(mean, voxel, plane, radius, 8, "bilinear") for voxel in product(*sides)
            ]
            expected += counted(
                {plane: np.array(codes).reshape(1, 1, -1)},
                (1, 1, 1),
                59,
                lambda code: uniform_bin(code, 8),
            )
    vector = lbp_mop(clip, radius=radius, blocks=(2, 2, 1))
    np.testing.assert_allclose(vector, expected, rtol=1e-6)
    assert vector.dtype == np.float32


@pytest.mark.parametrize("feature", [lbp_sip, lbp_mop])
def test_what_is_too_small_is_told(feature):
    with pytest.raises(ConfigError, match="at least 9x3x3"):
        feature(noise(8, 40, 40))
    with pytest.raises(ConfigError, match="NaN"):
        feature(np.full((10, 40, 40), np.inf, np.float32))
    with pytest.raises(ConfigError, match="would be empty"):
        feature(noise(10, 4, 6))
