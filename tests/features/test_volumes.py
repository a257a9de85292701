from itertools import pairwise

import numpy as np
import pytest

from mer_keras.errors import ConfigError
from mer_keras.features.volumes import (
    Blocking,
    Coded,
    block_slices,
    block_vector,
    coded_blocks,
    gray_volume,
    histograms,
    parts,
)
from tests.features.volume import as_input, edges, noise


def test_gray_values_of_inputs_are_whole_again():
    clip = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    for given in (clip, as_input(clip), as_input(clip)[..., 0].astype(np.float64)):
        volume = gray_volume(given, "x")
        assert volume.dtype == np.float64
        np.testing.assert_array_equal(volume, clip)


def test_gray_values_between_whole_numbers_stay():
    clip = np.array([0.0, 0.1, -0.2, 1.3]).reshape(1, 2, 2)
    np.testing.assert_array_equal(gray_volume(clip, "x"), clip * 255)


@pytest.mark.parametrize("side", [1, 5, 26, 128])
@pytest.mark.parametrize("count", [1, 3, 5])
def test_parts_meet_and_differ_by_a_voxel(side, count):
    found = [(part.start, part.stop) for part in parts(side, count)]
    assert found == edges(side, count)
    lengths = [stop - start for start, stop in found]
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize("overlap", [0.25, 0.5, 0.7])
@pytest.mark.parametrize(("side", "count"), [(26, 5), (100, 8), (7, 1)])
def test_parts_that_overlap_span_the_side_and_share_what_is_asked(side, count, overlap):
    found = parts(side, count, overlap)
    assert (found[0].start, found[-1].stop) == (0, side)
    length = side / (1 + (count - 1) * (1 - overlap))
    for left, right in pairwise(found):
        assert left.stop - right.start == pytest.approx(overlap * length, abs=1)
    assert all(part.stop - part.start == pytest.approx(length, abs=1) for part in found)


def test_blocks_go_by_time_then_row_then_column():
    blocks = block_slices((2, 4, 3), (2, 3, 2), 0.0, "x")
    order = np.arange(24).reshape(2, 4, 3)
    firsts = [int(order[block].flat[0]) for block in blocks]
    assert firsts == [t * 12 + y * 6 + x for t in range(2) for y in range(2) for x in range(3)]


def test_a_block_without_a_voxel_is_refused():
    with pytest.raises(ConfigError, match=r"2x4x1 blocks.*of 5x9x3 voxels.*would be empty"):
        block_slices((5, 9, 3), (2, 4, 1), 0.0, "x")


def test_what_is_left_over_is_dropped_where_blocks_come_first():
    volume = noise(5, 7, 9).astype(float)
    codes = list(
        coded_blocks(
            volume,
            lambda part: [Coded(part, 256)],
            Blocking((2, 4, 1), "blocks_then_codes", 0, normalise=False),
            "",
        )
    )
    assert [planes[0].bin_of.shape for planes in codes] == [(5, 3, 2)] * 8
    np.testing.assert_array_equal(codes[7][0].bin_of, volume[:, 3:6, 6:8])


def test_votes_are_summed_and_a_block_without_votes_stays_zero():
    bin_of = np.array([[[0, 2, 2]]])
    votes = np.array([[[0.5, 1.0, 2.5]]])
    (summed,) = histograms([Coded(bin_of, 4, votes)], normalise=False)
    assert summed.tolist() == [0.5, 0, 3.5, 0]
    (shares,) = histograms([Coded(bin_of, 4, votes)], normalise=True)
    assert shares.tolist() == [0.125, 0, 0.875, 0]
    (none,) = histograms([Coded(bin_of, 4, votes * 0)], normalise=True)
    assert none.tolist() == [0, 0, 0, 0]


def test_a_voxel_may_vote_for_several_bins():
    bin_of = np.stack([np.zeros((1, 2, 2), int), np.ones((1, 2, 2), int)])
    votes = np.stack([np.full((1, 2, 2), 0.25), np.full((1, 2, 2), 0.75)])
    blocks = coded_blocks(
        np.zeros((1, 2, 2)),
        lambda _: [Coded(bin_of, 2, votes)],
        Blocking((2, 1, 1), "codes_then_blocks", 0.0, normalise=False),
        "x",
    )
    for planes in blocks:
        assert histograms(planes, normalise=False)[0].tolist() == [0.5, 1.5]


@pytest.mark.parametrize("normalise", [False, True])
def test_blocks_that_do_not_overlap_are_counted_together_as_one_by_one(normalise):
    volume = noise(5, 9, 8).astype(float)
    votes = np.random.default_rng(0).random((5, 9, 8))

    def code(part):
        return [Coded(part.astype(int), 256), Coded(part.astype(int) // 30, 8, votes)]

    blocking = Blocking((3, 2, 2), "codes_then_blocks", 0.0, normalise)
    expected = [
        histogram
        for planes in coded_blocks(volume, code, blocking, "x")
        for histogram in histograms(planes, normalise=normalise)
    ]
    vector = block_vector(volume, code, blocking, "x")
    np.testing.assert_allclose(vector, np.concatenate(expected), rtol=1e-6)
