import numpy as np
import pytest
from skimage.feature import local_binary_pattern

from mer_keras.video import features
from mer_keras.video.blocks import BLOCK_OF_PIXEL, counted_blocks, mean_of_greatest, region_of
from mer_keras.video.features import FlowDifference, LbpDifference, feature_of, head_motion
from mer_keras.video.options import SIDE, SpotOptions
from tests.video.recordings import texture

FACE = texture((SIDE, SIDE))
#: Edges of the 6 x 6 blocks of 128 pixels.
EDGES = [0, 21, 43, 64, 85, 107, 128]


def test_blocks_are_six_by_six():
    for block in range(36):
        row, column = divmod(block, 6)
        of_block = BLOCK_OF_PIXEL[EDGES[row] : EDGES[row + 1], EDGES[column] : EDGES[column + 1]]
        assert (of_block == block).all()


def test_the_greatest_third():
    assert mean_of_greatest(np.array([1.0, 9, 3, 7, 5, 11])) == 10
    assert mean_of_greatest(np.array([4.0])) == 4
    assert mean_of_greatest(np.array([])) == 0


def test_regions_by_their_blocks():
    values = np.zeros((6, 6))
    values[4, 1:3] = 1
    assert region_of(values.ravel()) == "mouth"
    assert counted_blocks(()).all()
    assert (
        counted_blocks(("eyes",)).reshape(6, 6)[2].tolist()
        == [False, False, True, True] + [False] * 2
    )


def by_the_definition(first, second, counted, whole_circle):
    """The value of MDMD, pixel by pixel."""
    blocks = []
    for block in range(36):
        row, column = divmod(block, 6)
        pixels = []
        for y in range(EDGES[row], EDGES[row + 1]):
            for x in range(EDGES[column], EDGES[column + 1]):
                u, v = (float(value) for value in first[y, x])
                angle = np.arctan2(v, u) if whole_circle else np.arctan(v / u)
                direction = int(angle % (2 * np.pi) // (np.pi / 2))
                length = np.hypot(*second[y, x])
                pixels.append((direction, np.hypot(u, v) - length))
        counts = [sum(direction == d for direction, _ in pixels) for d in range(4)]
        commonest = counts.index(max(counts))
        values = sorted((d for direction, d in pixels if direction == commonest), reverse=True)
        third = max(1, round(len(values) / 3))
        blocks.append(sum(values[:third]) / third)
    blocks = sorted((b for b, counts in zip(blocks, counted, strict=True) if counts), reverse=True)
    third = round(len(blocks) / 3)
    return sum(blocks[:third]) / third


@pytest.mark.parametrize("released", [False, True])
def test_flow_difference_is_what_it_is_defined_as(monkeypatch, released):
    rng = np.random.default_rng(1)
    fields = [rng.normal(0.2, 1, (SIDE, SIDE, 2)).astype(np.float32) for _ in range(2)]
    given = iter(fields)
    monkeypatch.setattr(features, "optical_flow", lambda *_: next(given))
    options = SpotOptions.released() if released else SpotOptions()
    found = FlowDifference(options).compare(FACE, FACE, FACE)
    if not released:
        fields = [field - head_motion(field) for field in fields]
    expected = by_the_definition(*fields, counted_blocks(options.ignore), options.whole_circle)
    assert found.value == pytest.approx(expected, rel=1e-5)


def test_motion_that_comes_and_goes_counts_and_motion_that_stays_does_not():
    y, x = np.mgrid[:SIDE, :SIDE]
    bump = 2 * np.exp(-((x - 40) ** 2 + (y - 100) ** 2) / 200)

    def warped(share):
        import cv2

        from_x = (x - share * bump).astype(np.float32)
        return cv2.remap(FACE, from_x, y.astype(np.float32), cv2.INTER_LINEAR)

    feature = feature_of(SpotOptions())
    comes_and_goes = feature.compare(FACE, warped(1), FACE).value
    stays = feature.compare(FACE, warped(1), warped(1)).value
    head = feature.compare(FACE, np.roll(FACE, 1, axis=1), FACE)
    assert comes_and_goes > 0.2
    assert abs(stays) < 0.05
    assert head.value < 0.1  # The whole face moves: it is the head.
    assert feature.compare(FACE, FACE, np.roll(FACE, 2, axis=1)).head_px == pytest.approx(
        2, abs=0.2
    )


def test_lbp_histograms_are_those_of_scikit_image():
    prepared = LbpDifference(SpotOptions(method="lbp_difference")).prepare(FACE)
    assert prepared.shape == (36, 59)
    codes = local_binary_pattern(FACE, 8, 1, "nri_uniform")[1:-1, 1:-1]
    blocks = BLOCK_OF_PIXEL[1:-1, 1:-1]
    for block in (0, 14, 35):
        expected = np.bincount(codes[blocks == block].astype(int), minlength=59)
        # The order of the bins differs, so that their sorted shares are compared.
        shares = np.sort(expected / expected.sum())
        assert np.allclose(np.sort(prepared[block]), shares, atol=2e-3)


def test_lbp_difference_is_chi_square_of_the_greatest_blocks():
    feature = LbpDifference(SpotOptions(method="lbp_difference", ignore=()))
    before, now, after = (feature.prepare(texture((SIDE, SIDE), seed)) for seed in range(3))
    mean = (before + after) / 2
    blocks = sorted(
        (
            sum((a - b) ** 2 / (a + b) for a, b in zip(now[i], mean[i], strict=True) if a + b)
            for i in range(36)
        ),
        reverse=True,
    )
    found = feature.compare(before, now, after)
    assert found.value == pytest.approx(sum(blocks[:12]) / 12, rel=1e-4)
    assert np.isnan(found.head_px)
    assert feature.compare(now, now, now).value == 0
