"""Features of optical flow: oracles, literal loops, properties, and fields that are odd."""

from pathlib import Path

import numpy as np
import pytest

from mer_keras.bench import flow_loops as loops
from mer_keras.errors import ConfigError
from mer_keras.features.bi_woof import bi_woof
from mer_keras.features.fdm import fdm
from mer_keras.features.flow import plain_flow
from mer_keras.features.hoof import fhofo, hoof
from mer_keras.features.mbh import mbh
from mer_keras.features.mdmo import mdmo

ORACLES = Path(__file__).with_name("flow_oracles.npz")
FEATURES = [hoof, fhofo, bi_woof, mbh, fdm, mdmo, plain_flow]
#: Shapes of fields: odd sides, the smallest, and several fields of one clip.
SHAPES = [(1, 13, 11), (1, 2, 2), (3, 9, 16)]
FUSIONS = ["concat", "sum", "signed", "vector"]


def waves(side=60):
    """A smooth field, (side, side, 2) float64."""
    y, x = np.mgrid[:side, :side].astype(float)
    u = np.sin(0.11 * x + 0.07 * y) + 0.25 * np.cos(0.005 * x * y)
    v = 0.8 * np.cos(0.09 * x - 0.13 * y) - 0.15 * np.sin(0.2 * y)
    return np.dstack([u, v])


def random_clip(shape, seed=0):
    """Random fields with some still pixels, (fields, height, width, 2) float32, and as lists."""
    rng = np.random.default_rng(seed)
    clip = rng.normal(size=(*shape, 2)).astype(np.float32)
    clip[rng.random(shape) < 0.1] = 0
    fields = [(field[..., 0].tolist(), field[..., 1].tolist()) for field in clip.astype(float)]
    return clip, fields


def blocks_for(shape):
    """Block grids for a field: one block, and as many as fit or 4x3."""
    return [(1, 1), (min(4, shape[1]), min(3, shape[2]))]


CASES = [(shape, blocks) for shape in SHAPES for blocks in blocks_for(shape)]


@pytest.fixture(scope="module")
def oracles():
    return np.load(ORACLES)


@pytest.mark.parametrize(
    ("name", "feature", "arguments"),
    [
        ("hoof_b5x5_8bins", hoof, {}),
        ("hoof_mirror_b1x1_30bins", hoof, {"blocks": (1, 1), "bins": 30, "mirror": True}),
        ("biwoof_b5x5_8bins", bi_woof, {}),
        ("biwoof_b6x6_8bins", bi_woof, {"blocks": (6, 6)}),
        ("biwoof_b8x8_8bins", bi_woof, {"blocks": (8, 8)}),
        ("biwoof_public_matlab_b5x5", bi_woof, {"public_code": True}),
        ("fhofo_b5x5_8bins", fhofo, {}),
        ("mdmo_grid6x6_one_flow", mdmo, {}),
        ("fdm_b8x8_one_flow", fdm, {}),
        ("mbh_b5x5_8bins", mbh, {}),
        ("fmbh_vector_b5x5_8bins", mbh, {"fusion": "vector"}),
    ],
)
def test_stored_vectors_of_a_smooth_field(oracles, name, feature, arguments):
    vector = feature(waves(), **arguments)
    assert vector.dtype == np.float32
    np.testing.assert_allclose(vector, oracles[name], rtol=0, atol=5e-7)


def test_the_stored_vector_of_two_fields(oracles):
    first = waves()
    u, v = first[..., 0], first[..., 1]
    second = np.dstack([0.5 * u + 0.2 * v, v - 0.3 * u])
    vector = mdmo(np.stack([first, second]))
    np.testing.assert_allclose(vector, oracles["mdmo_grid6x6_two_flows"], rtol=0, atol=5e-7)


@pytest.mark.parametrize(("shape", "blocks"), CASES)
@pytest.mark.parametrize("bins", [3, 8])
def test_histograms_of_directions_are_those_of_literal_loops(shape, blocks, bins):
    clip, fields = random_clip(shape)
    arguments = {"blocks": blocks, "bins": bins}
    np.testing.assert_allclose(hoof(clip, **arguments), loops.hoof(fields, blocks, bins), atol=1e-6)
    np.testing.assert_allclose(
        hoof(clip, **arguments, mirror=True), loops.hoof(fields, blocks, bins, True), atol=1e-6
    )
    np.testing.assert_allclose(
        fhofo(clip, **arguments), loops.fhofo(fields, blocks, bins), atol=1e-6
    )
    np.testing.assert_allclose(
        bi_woof(clip, **arguments), loops.bi_woof(fields, blocks, bins), atol=1e-6
    )


@pytest.mark.parametrize(("shape", "blocks"), CASES)
@pytest.mark.parametrize("fusion", FUSIONS)
def test_motion_boundaries_are_those_of_literal_loops(shape, blocks, fusion):
    clip, fields = random_clip(shape)
    expected = loops.mbh(fields, blocks, 8, fusion)
    np.testing.assert_allclose(mbh(clip, blocks=blocks, fusion=fusion), expected, atol=1e-6)


@pytest.mark.parametrize(("shape", "blocks"), CASES)
@pytest.mark.parametrize("length", ["mean", "unit"])
def test_principal_directions_are_those_of_a_literal_loop(shape, blocks, length):
    clip, fields = random_clip(shape)
    for slices in {1, shape[0]}:
        expected = loops.fdm(fields, blocks, slices, length)
        vector = fdm(clip, blocks=blocks, slices=slices, length=length)
        np.testing.assert_allclose(vector, expected, atol=1e-6)


def test_flow_across_the_principal_direction_is_left_out():
    """Whole numbers hit a right angle exactly, and rounding must not decide about them."""
    whole = np.random.default_rng(0).integers(-3, 4, (2, 13, 11, 2)).astype(np.float32)
    fields = [(field[..., 0].tolist(), field[..., 1].tolist()) for field in whole.astype(float)]
    for blocks in [(1, 1), (4, 3)]:
        expected = loops.fdm(fields, blocks, 1, "mean")
        np.testing.assert_allclose(fdm(whole, blocks=blocks), expected, atol=1e-6)
        expected = loops.mdmo(fields, loops.grid(13, 11, *blocks), 8)
        np.testing.assert_allclose(mdmo(whole, grid=blocks), expected, atol=1e-6)
    field = np.tile(np.array([[[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]]), (2, 1, 1))
    np.testing.assert_allclose(fdm(field, blocks=(1, 1)), [1 / 3, 0], atol=1e-7)


@pytest.mark.parametrize(("shape", "blocks"), CASES)
def test_main_directions_are_those_of_a_literal_loop(shape, blocks):
    clip, fields = random_clip(shape)
    expected = loops.mdmo(fields, loops.grid(*shape[1:], *blocks), 8)
    np.testing.assert_allclose(mdmo(clip, grid=blocks), expected, atol=1e-6)


def test_the_public_code_of_bi_woof_loses_a_direction():
    """Motion between 135 and 180 degrees leaves no trace in it."""
    field = np.zeros((20, 20, 2))
    field[..., 0], field[..., 1] = -1 + 0.01 * np.arange(20), 0.5  # 153 degrees and less
    assert bi_woof(field, blocks=(2, 2)).any()
    assert not bi_woof(field, blocks=(2, 2), public_code=True).any()


@pytest.mark.parametrize("feature", FEATURES)
def test_nothing_moves(feature):
    """A field of zeros has a vector of zeros, and so has every field without a direction."""
    vector = feature(np.zeros((17, 15, 3), np.float32))
    assert vector.dtype == np.float32
    assert not vector.any()


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_no_number_is_refused(feature, value):
    field = np.ones((17, 15, 3), np.float32)
    field[3, 4, 1] = value
    with pytest.raises(ConfigError, match=r"the flow has NaN or infinite values"):
        feature(field)


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize(
    "shape", [(12, 12), (12, 12, 1), (2, 12, 12, 4), (0, 12, 12, 2), (1, 12, 2)]
)
def test_what_is_no_flow_field_is_refused(feature, shape):
    with pytest.raises(ConfigError, match=rf"feature {feature.__name__}: a "):
        feature(np.zeros(shape, np.float32))


@pytest.mark.parametrize("feature", [hoof, fhofo, bi_woof, mbh, fdm])
@pytest.mark.parametrize("blocks", [(13, 2), (2, 12), (0, 2), (2,), (2, 2, 1)])
def test_blocks_without_pixels_are_refused(feature, blocks):
    with pytest.raises(ConfigError, match=r"would be empty|expected two positive numbers"):
        feature(np.ones((12, 11, 2), np.float32), blocks=blocks)


@pytest.mark.parametrize(
    ("feature", "arguments"),
    [
        (hoof, {"fields": "mean"}),
        (bi_woof, {"strain": "given"}),
        (bi_woof, {"strain": "channel"}),
        (mbh, {"fusion": "both"}),
        (fdm, {"length": "long"}),
        (fdm, {"slices": 2}),
        (mdmo, {"angles": "degrees"}),
        (plain_flow, {"values": "u"}),
        (plain_flow, {"values": "strain"}),
        (plain_flow, {"size": 0}),
        (hoof, {"zero": "mean"}),
        (hoof, {"zero": "mode"}),
    ],
)
def test_arguments_without_meaning_are_refused(feature, arguments):
    with pytest.raises(ConfigError, match=rf"feature {feature.__name__}: "):
        feature(waves(16), **arguments)


@pytest.mark.parametrize("feature", [hoof, fhofo, bi_woof, mbh, fdm, mdmo])
def test_the_clip_is_left_as_it_is(feature):
    clip = waves(20)
    before = clip.copy()
    feature(clip)
    np.testing.assert_array_equal(clip, before)


@pytest.mark.parametrize("feature", [hoof, bi_woof, mbh, mdmo])
def test_twice_the_motion_is_the_same_vector(feature):
    np.testing.assert_allclose(feature(waves(40)), feature(2 * waves(40)), atol=1e-6)


def test_the_motion_of_the_whole_head_leaves_no_boundary():
    np.testing.assert_allclose(mbh(waves(40)), mbh(waves(40) + np.array([3, -7])), atol=1e-5)


def test_a_boundary_between_bins_belongs_to_the_upper_one():
    """Integer flow hits 45 degrees exactly; a negative zero must not turn it round."""
    directions = [(-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -0.0)]
    for (u, v), expected in zip(directions, [1, 2, 3, 4, 5, 6, 7, 7, 7], strict=True):
        field = np.tile(np.array([u, v], float), (4, 4, 1))
        assert hoof(field, blocks=(1, 1)).argmax() == expected


def test_fields_are_summed_or_stacked():
    clip, _ = random_clip((3, 8, 8))
    stacked = hoof(clip, blocks=(2, 2), fields="stack")
    assert stacked.shape == (3 * 4 * 8,)
    np.testing.assert_array_equal(stacked[32:64], hoof(clip[1], blocks=(2, 2)))
    raw = hoof(clip, blocks=(1, 1), normalise=False)
    assert raw.sum() == pytest.approx(np.hypot(clip[..., 0], clip[..., 1]).sum(), rel=1e-5)


@pytest.mark.parametrize("zero", ["mode", "median", "mid"])
def test_the_zero_of_scaled_flow(zero):
    """Each is what most pixels of a still face have; one that moves stands out."""
    field = np.full((21, 21, 3), 127.5 if zero == "mid" else 90.0, np.float32)
    field[2:5, 2:5] = 200
    lengths = plain_flow(field, values="length", zero=zero).reshape(21, 21)
    assert np.count_nonzero(lengths) == 9
    assert lengths[3, 3] == pytest.approx(np.hypot(*2 * [200 - field[0, 0, 0]]))


def test_the_mode_is_that_of_a_smoothed_histogram():
    """Ten pixels of one value are fewer than forty around another."""
    values = np.concatenate([np.full(10, 30), np.repeat(np.arange(120, 128), 5), [200] * 14])
    field = np.repeat(values.reshape(8, 8, 1), 2, axis=-1).astype(np.float32)
    lengths = plain_flow(field, values="uv", zero="mode").reshape(8, 8, 2)
    assert lengths[0, 0, 0] == 30 - 123


def test_strain_is_computed_or_brought():
    field = np.dstack([waves(30), np.ones((30, 30))])
    flat = bi_woof(field, strain="channel")
    local = hoof(field)
    np.testing.assert_allclose(flat, local / np.linalg.norm(local), atol=1e-6)


def test_plain_flow_is_made_smaller():
    field = np.dstack([waves(8), np.ones((8, 8))])
    vector = plain_flow(field, values="uv_strain", size=4)
    expected = field.reshape(4, 2, 4, 2, 3).mean(axis=(1, 3))  # Area interpolation by halves.
    np.testing.assert_allclose(vector, expected.reshape(-1), atol=1e-6)
    assert np.linalg.norm(plain_flow(field, unit=True)) == pytest.approx(1)
