from itertools import product

import numpy as np
import pytest

from mer_keras.errors import ConfigError
from mer_keras.features.stlbp_ip import stlbp_ip
from tests.features.pattern_loop import pattern, uniform_bin
from tests.features.volume import STORED, as_input, edges, noise, volume


def in_space(lines, mask):
    """Mean over the frames of the histogram of the patterns along each line."""
    half, mean = mask // 2, [0.0] * 2 ** (mask - 1)
    for line in lines:
        places = range(half, len(line) - half)
        for place in places:
            code = 0
            for other in [*range(place - half, place), *range(place + 1, place + half + 1)]:
                code = 2 * code + (line[other] >= line[place])  # The earliest ends up highest.
            mean[code] += 1 / len(places) / len(lines)
    return mean


def in_time(image):
    """Histogram of the uniform patterns of an image."""
    rows, columns = image.shape
    bins = [0.0] * 59
    volume = image[np.newaxis]
    voxels = list(product([0], range(1, rows - 1), range(1, columns - 1)))
    for voxel in voxels:
        code = pattern(volume, voxel, "xy", (1, 1, 1), 8, "bilinear")
        bins[uniform_bin(code, 8)] += 1 / len(voxels)
    return bins


@pytest.mark.parametrize(
    ("shape", "mask", "blocks"), [((6, 15, 21), 5, (2, 3)), ((4, 9, 9), 9, (1, 1))]
)
def test_it_is_a_literal_loop(shape, mask, blocks):
    clip = noise(*shape)
    expected = []
    for (y0, y1), (x0, x1) in product(edges(shape[1], blocks[0]), edges(shape[2], blocks[1])):
        part = clip[:, y0:y1, x0:x1].astype(float)
        changes = [frame - part[0] for frame in part[1:]]
        of_rows = np.array([[sum(row) for row in change] for change in changes])
        of_columns = np.array([[sum(column) for column in change.T] for change in changes])
        expected += in_space(of_rows, mask) + in_space(of_columns, mask)
        expected += in_time(of_columns) + in_time(of_rows.T)
    for given in (clip, as_input(clip)):
        vector = stlbp_ip(given, mask=mask, blocks=blocks)
        assert vector.dtype == np.float32
        np.testing.assert_allclose(vector, expected, rtol=1e-5, atol=1e-7)


def test_it_gives_the_numbers_of_a_public_program():
    """MATLAB in GNU Octave; its average over frames divides by their number in each frame."""
    vector = stlbp_ip(volume(), blocks=(1, 1), public_code=True)
    np.testing.assert_allclose(vector[:512], STORED["stlbp_ip_xy_public"], atol=1e-7)
    np.testing.assert_allclose(vector[512:571], STORED["stlbp_ip_xt_public"], atol=1e-7)
    np.testing.assert_allclose(vector[571:], STORED["stlbp_ip_yt_public"], atol=1e-7)
    average = stlbp_ip(volume(), blocks=(1, 1))
    assert vector[:512].sum() == pytest.approx(0.25)
    assert average[:512].sum() == pytest.approx(2)
    np.testing.assert_array_equal(average[512:], vector[512:])


def test_630_values_a_block_and_flat_clips_have_one_pattern():
    vector = stlbp_ip(np.full((10, 50, 50), 77, np.uint8)).reshape(25, 630)
    assert (vector[:, [255, 511, 512 + 57, 571 + 57]] == 1).all()
    assert np.count_nonzero(vector) == 100


@pytest.mark.parametrize(
    ("clip", "arguments", "message"),
    [
        (noise(3, 50, 50), {}, "2x10x10 voxels.*at least 3x9x9"),
        (noise(10, 40, 40), {}, "9x8x8 voxels.*at least 3x9x9"),
        (noise(10, 50, 50), {"mask": 8}, "mask 8, expected 3, 5, 7"),
        (noise(10, 50, 50), {"blocks": (5, 5, 1)}, "expected"),
        (noise(10, 50, 50) * np.nan, {}, "NaN"),
        (noise(10, 4, 4), {}, "would be empty"),
    ],
)
def test_what_cannot_be_computed_is_told(clip, arguments, message):
    with pytest.raises(ConfigError, match=message):
        stlbp_ip(clip, **arguments)
