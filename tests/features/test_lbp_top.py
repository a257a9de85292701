import numpy as np
import pytest
from skimage.feature import local_binary_pattern

from mer_keras.errors import ConfigError
from mer_keras.features.lbp_top import lbp_top
from tests.features.pattern_loop import codes, counted, uniform_bin
from tests.features.volume import STORED, as_input, noise, volume


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize(
    ("shape", "radius", "points", "blocks"),
    [
        ((9, 9, 11), (1, 1, 4), 8, (3, 2, 1)),  # Odd sides; one frame has full neighbourhoods.
        ((6, 13, 8), (3, 2, 1), 8, (1, 1, 1)),  # One block, three different radii.
        ((5, 7, 9), (1, 1, 1), 4, (2, 3, 2)),
        ((3, 3, 3), (1, 1, 1), 8, (1, 1, 1)),  # One voxel.
        ((7, 11, 9), (1.5, 1, 2.5), 6, (3, 2, 1)),
    ],
)
def test_it_is_a_literal_loop(shape, radius, points, blocks, interpolation):
    clip = noise(*shape, seed=points)
    patterns = codes(clip, radius, points, interpolation)
    arguments = {
        "radius": radius,
        "points": points,
        "blocks": blocks,
        "interpolation": interpolation,
    }
    whole = lbp_top(clip, mapping="none", **arguments)
    np.testing.assert_allclose(whole, counted(patterns, blocks, 2**points), rtol=1e-6)
    bins = points * (points - 1) + 3
    uniform = counted(patterns, blocks, bins, lambda code: uniform_bin(code, points))
    np.testing.assert_allclose(lbp_top(clip, **arguments), uniform, rtol=1e-6)


@pytest.mark.parametrize("name", [name for name in STORED if name.startswith("oulu_n")])
def test_it_counts_what_the_authors_program_counts(name):
    """Their MATLAB in GNU Octave: equal with ``nearest``; ``bilinear`` differs where it has ties,
    since it interpolates in single precision."""
    _, points, radius, bilinear = name.split("_")
    found = lbp_top(
        volume(),
        radius=[int(side) for side in radius],
        points=int(points[1:]),
        interpolation="bilinear" if bilinear == "1" else "nearest",
        mapping="none",
        blocks=(1, 1, 1),
    )
    differing = np.abs(found - STORED[name]).sum() / 2 / 3  # Share of the voxels of all planes.
    assert differing < (0.003 if bilinear == "1" else 1e-6)


def test_the_authors_table_has_the_other_patterns_in_bin_0():
    found = lbp_top(
        volume(), radius=(1, 1, 1), interpolation="nearest", bin_order="oulu_file", blocks=(1, 1, 1)
    )
    np.testing.assert_allclose(found, STORED["oulu_u_111_0"], atol=1e-7)


def test_blocks_that_are_cut_first_are_those_of_public_scripts():
    found = lbp_top(volume(), block_rule="blocks_then_codes", bin_order="oulu_file")
    np.testing.assert_allclose(found, STORED["oulu_blocks_cut_first_5x5"], atol=1e-7)


def test_the_plane_xy_is_that_of_scikit_image():
    clip = noise(3, 12, 15)
    found = lbp_top(clip, radius=(1, 1, 1), mapping="none", blocks=(1, 1, 1)).reshape(3, 256)
    frame = local_binary_pattern(clip[1], 8, 1, "default")[1:-1, 1:-1]
    expected = np.bincount(frame.astype(int).reshape(-1), minlength=256) / frame.size
    np.testing.assert_allclose(found[0], expected, atol=1e-7)


def test_bins_can_stand_in_the_order_of_scikit_image():
    clip = noise(3, 12, 15)
    arguments = {"radius": (1, 1, 1), "blocks": (1, 1, 1), "bin_order": "nri_uniform"}
    frame = local_binary_pattern(clip[1], 8, 1, "nri_uniform")[1:-1, 1:-1]
    expected = np.bincount(frame.astype(int).reshape(-1), minlength=59) / frame.size
    np.testing.assert_allclose(lbp_top(clip, **arguments)[:59], expected, atol=1e-7)


@pytest.mark.parametrize("gray", [0, 1, 37, 255])
@pytest.mark.parametrize("radius", [(1, 1, 1), (3, 3, 3), (1, 1, 4)])
def test_flat_clips_have_one_pattern(gray, radius):
    """Single precision without a tolerance gives 255, 223 or 127, by place and gray value."""
    for clip in (np.full((9, 15, 15), gray, np.uint8), as_input(np.full((9, 15, 15), gray))):
        patterns = lbp_top(clip, radius=radius, mapping="none", blocks=(2, 2, 1)).reshape(12, 256)
        assert (patterns[:, 255] == 1).all()


@pytest.mark.parametrize(
    ("arguments", "length"),
    [
        ({}, 4425),
        ({"radius": (3, 3, 3), "blocks": (8, 8, 1)}, 11328),
        ({"radius": (3, 3, 3), "blocks": (8, 8, 2), "mapping": "none"}, 98304),
        ({"points": 4, "mapping": "none"}, 1200),
    ],
)
def test_lengths_are_those_of_the_literature(arguments, length):
    vector = lbp_top(volume(), **arguments)
    assert vector.shape == (length,)
    assert vector.dtype == np.float32


def test_whole_numbers_and_the_values_of_inputs_give_the_same_vector():
    clip = noise(10, 20, 17)
    np.testing.assert_array_equal(lbp_top(as_input(clip)), lbp_top(clip))
    np.testing.assert_array_equal(lbp_top(as_input(clip)[..., 0]), lbp_top(clip))


def test_more_light_changes_nothing():
    clip = noise(10, 20, 17) // 2
    np.testing.assert_array_equal(lbp_top(clip + 40), lbp_top(clip))
    np.testing.assert_array_equal(lbp_top(clip * 2), lbp_top(clip))


def test_without_normalisation_voxels_are_counted():
    counts = lbp_top(noise(10, 20, 17), normalise=False, blocks=(2, 3, 1)).reshape(6, 3, 59)
    sizes = [2 * rows * columns for rows in (9, 9) for columns in (5, 5, 5)]
    assert counts.sum(axis=2).tolist() == [[size] * 3 for size in sizes]


def test_overlapping_blocks_are_longer_and_count_voxels_twice():
    clip = noise(3, 14, 12)
    patterns = codes(clip, (1, 1, 1), 4)["xy"]  # 12 rows, 10 columns
    found = lbp_top(
        clip,
        radius=(1, 1, 1),
        points=4,
        mapping="none",
        blocks=(2, 1, 1),
        overlap=0.5,
        normalise=False,
    ).reshape(2, 3, 16)
    for block, rows in enumerate([slice(0, 8), slice(4, 12)]):
        expected = np.bincount(patterns[:, rows].reshape(-1), minlength=16)
        np.testing.assert_array_equal(found[block, 0], expected)


@pytest.mark.parametrize(
    ("clip", "arguments", "message"),
    [
        (np.zeros((8, 20, 20), np.uint8), {}, "8x20x20 voxels.*at least 9x3x3.*more frames"),
        (np.zeros((10, 2, 20), np.uint8), {}, "at least 9x3x3"),
        (np.zeros((10, 6, 6), np.uint8), {}, "5x5x1 blocks.*2x4x4.*would be empty"),
        (np.zeros((10, 12, 12), np.uint8), {"block_rule": "blocks_then_codes"}, "10x2x2 voxels"),
        (np.zeros((10, 12), np.uint8), {}, r"shape \(10, 12\), expected gray frames"),
        (np.zeros((10, 12, 12, 3), np.uint8), {}, "expected gray frames"),
        (np.full((10, 12, 12), np.nan, np.float32), {}, "NaN or infinite"),
        (noise(10, 12, 12), {"radius": (1, 0, 4)}, "three numbers above 0"),
        (noise(10, 12, 12), {"radius": (1, 4)}, "three numbers above 0"),
        (noise(10, 12, 12), {"points": 20}, "points 20, expected a whole number from 2 to 16"),
        (noise(10, 12, 12), {"mapping": "riu2"}, "mapping 'riu2'"),
        (noise(10, 12, 12), {"bin_order": "any"}, "bin_order 'any'"),
        (noise(10, 12, 12), {"blocks": (5, 5)}, "three positive numbers"),
        (noise(10, 12, 12), {"blocks": (0, 5, 1)}, "three positive numbers"),
        (noise(10, 12, 12), {"overlap": 1.0}, "at least 0 and below 1"),
        (noise(10, 12, 12), {"block_rule": "none"}, "block_rule 'none'"),
        (noise(10, 32, 32), {"block_rule": "blocks_then_codes", "overlap": 0.5}, "without an"),
    ],
)
def test_what_cannot_be_computed_is_told(clip, arguments, message):
    with pytest.raises(ConfigError, match=f"(?s){message}"):
        lbp_top(clip, **arguments)
