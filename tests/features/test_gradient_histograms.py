import math
from itertools import product

import numpy as np
import pytest

from mer_keras.errors import ConfigError
from mer_keras.features.gradient_histograms import direction_bins, higo_top, hog_3d, hog_top
from tests.features.volume import as_input, edges, noise

PLANES = {"top": ("xy", "xt", "yt"), "xyot": ("xt", "yt"), "xot": ("xt",), "yot": ("yt",)}


def gradient(volume, voxel):
    """Differences of the voxels on either side, by axis."""
    slopes = {}
    for axis, name in enumerate("tyx"):
        step = np.eye(3, dtype=int)[axis]
        slopes[name] = volume[tuple(voxel + step)] - volume[tuple(voxel - step)]
    return slopes


def votes_top(a, b, bins, signed, soft, equal):
    """Bins and votes of one voxel in one plane."""
    length = math.hypot(a, b)
    vote = float(length > 0) if equal else length
    span = 360 if signed else 180
    turns = math.degrees(math.atan2(b, a) + 1e-9) % 360 % span / span
    if not soft:
        return [(min(int(turns * bins), bins - 1), vote)]
    below = math.floor(turns * bins - 0.5)
    share = turns * bins - 0.5 - below
    return [(below % bins, vote * (1 - share)), ((below + 1) % bins, vote * share)]


def votes_3d(plane, a, b):
    """The same for 3D-HOG: two bins after the directions where time doesn't change anything."""
    count = 8 if plane == "xy" else 10
    if plane != "xy" and b == 0:
        return [(10, abs(a))] if a else [(11, 1.0)]
    return votes_top(a, b, count, True, False, False)


def loop(clip, blocks, planes, bins_of, votes):
    """Histograms of all blocks and planes, each with a sum of 1 where it has any vote."""
    volume = clip.astype(float)
    rows, columns, times = blocks
    inner = [side - 2 for side in volume.shape]
    joined = []
    for block in product(edges(inner[0], times), edges(inner[1], rows), edges(inner[2], columns)):
        for plane in planes:
            histogram = [0.0] * bins_of(plane)
            for voxel in product(*(range(start + 1, stop + 1) for start, stop in block)):
                slopes = gradient(volume, np.array(voxel))
                for number, vote in votes(plane, slopes[plane[0]], slopes[plane[1]]):
                    histogram[number] += vote
            total = sum(histogram)
            joined += [vote / total if total else 0.0 for vote in histogram]
    return joined


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(
    ("bins", "signed", "planes"),
    [
        (8, True, "top"),
        (9, True, "xyot"),
        (5, False, "xot"),
        (1, True, "yot"),
    ],
)
@pytest.mark.parametrize(("shape", "blocks"), [((6, 7, 9), (2, 3, 2)), ((3, 3, 3), (1, 1, 1))])
def test_top_histograms_are_a_literal_loop(shape, blocks, bins, signed, planes, soft):
    clip = noise(*shape)
    arguments = {"bins": bins, "signed": signed, "planes": planes, "soft": soft, "blocks": blocks}
    for feature, equal in ((hog_top, False), (higo_top, True)):
        expected = loop(
            clip,
            blocks,
            PLANES[planes],
            lambda _: bins,
            lambda _, a, b, equal=equal: votes_top(a, b, bins, signed, soft, equal),
        )
        for given in (clip, as_input(clip)):
            vector = feature(given, **arguments)
            assert vector.dtype == np.float32
            np.testing.assert_allclose(vector, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("shape", "blocks"), [((6, 7, 9), (2, 3, 2)), ((3, 3, 3), (1, 1, 1))])
def test_3d_histograms_are_a_literal_loop(shape, blocks):
    clip = noise(*shape)
    expected = loop(clip, blocks, PLANES["top"], lambda plane: 8 if plane == "xy" else 12, votes_3d)
    vector = hog_3d(clip, blocks=blocks)
    assert vector.shape == (32 * math.prod(blocks),)
    np.testing.assert_allclose(vector, expected, rtol=1e-6)


def test_gray_values_need_not_be_whole():
    """Votes of whole numbers are looked up, those of others are computed."""
    clip = np.random.default_rng(0).random((5, 8, 7)) * 1.4 - 0.2
    blocks = (2, 1, 1)
    for equal, feature in enumerate((hog_top, higo_top)):
        expected = loop(
            clip,
            blocks,
            PLANES["top"],
            lambda _: 8,
            lambda _, a, b, equal=equal: votes_top(a, b, 8, True, False, equal),
        )
        np.testing.assert_allclose(feature(clip, blocks=blocks), expected, rtol=1e-5)
    slow = np.repeat(clip[:1], 5, axis=0)
    slow[3:] = clip[1]
    expected = loop(slow, blocks, PLANES["top"], lambda plane: 8 if plane == "xy" else 12, votes_3d)
    np.testing.assert_allclose(hog_3d(slow, blocks=blocks), expected, rtol=1e-5)


def test_a_clip_that_does_not_move_has_only_the_bins_without_motion():
    clip = np.repeat(noise(1, 20, 20), 10, axis=0)
    vector = hog_3d(clip).reshape(25, 32)
    assert not vector[:, 8:18].any()
    assert not vector[:, 20:30].any()
    np.testing.assert_allclose(vector[:, [18, 19]].sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("bins", [1, 2, 3, 5, 8, 12, 300])
@pytest.mark.parametrize("signed", [True, False])
def test_directions_need_no_angle(bins, signed):
    rng = np.random.default_rng(bins)
    vectors = np.concatenate([rng.normal(size=(2000, 2)), rng.integers(-3, 4, (2000, 2))])
    a, b = vectors[np.any(vectors, axis=1)].T
    span = 2 * np.pi if signed else np.pi
    angles = (np.arctan2(b, a) + 1e-9) % (2 * np.pi) % span
    expected = np.minimum((angles / span * bins).astype(int), bins - 1)
    np.testing.assert_array_equal(direction_bins(a, b, bins, signed=signed), expected)


def test_a_direction_on_a_boundary_is_in_the_upper_bin():
    eight = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]
    a, b = np.array(eight, float).T
    assert direction_bins(a, b, 8).tolist() == list(range(8))
    assert direction_bins(a, b, 4, signed=False).tolist() == [0, 1, 2, 3] * 2


def test_light_changes_lengths_and_no_directions():
    clip = noise(10, 20, 20) // 2
    np.testing.assert_array_equal(higo_top(clip * 2), higo_top(clip))
    np.testing.assert_array_equal(higo_top(clip + 40), higo_top(clip))
    brighter_half = clip.copy()
    brighter_half[:, :, 10:] *= 2
    assert np.abs(hog_top(brighter_half) - hog_top(clip)).max() > 0.01


@pytest.mark.parametrize("feature", [hog_top, higo_top])
def test_a_flat_clip_has_no_direction(feature):
    vector = feature(np.full((10, 20, 20), 200, np.uint8))
    assert vector.shape == (8 * 8 * 2 * 3 * 8,)
    assert not vector.any()


@pytest.mark.parametrize("feature", [hog_top, higo_top, hog_3d])
def test_blocks_can_be_cut_first(feature):
    clip = noise(10, 21, 23)
    first = feature(clip, blocks=(2, 2, 1), block_rule="blocks_then_codes").reshape(4, -1)
    for number, (y, x) in enumerate(product((0, 10), (0, 11))):
        alone = feature(clip[:, y : y + 10, x : x + 11], blocks=(1, 1, 1))
        np.testing.assert_array_equal(first[number], alone)


@pytest.mark.parametrize(
    ("feature", "clip", "arguments", "message"),
    [
        (hog_top, noise(2, 20, 20), {}, "at least 3x3x3"),
        (higo_top, noise(3, 20, 20), {}, "8x8x2 blocks.*1x18x18.*would be empty"),
        (hog_3d, noise(10, 20, 20) * np.nan, {}, "NaN"),
        (hog_top, noise(10, 20, 20), {"planes": "xyz"}, "planes 'xyz', expected 'top', 'xyot'"),
        (hog_top, noise(10, 20, 20), {"bins": 0}, "bins 0, expected greater than or equal to 1"),
        (hog_3d, noise(10, 20, 20), {"directions": (8, 0, 10)}, "three positive numbers"),
    ],
)
def test_what_cannot_be_computed_is_told(feature, clip, arguments, message):
    with pytest.raises(ConfigError, match=message):
        feature(clip, **arguments)
