import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mer_keras.clips.normalisation import normalise_clip

clips = arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5)))


def test_none_returns_the_clip_itself():
    clip = np.arange(6, dtype=np.uint8)
    assert normalise_clip(clip, "none") is clip


@given(clips)
def test_unit_spans_zero_to_one(clip):
    scaled = normalise_clip(clip, "unit")
    assert scaled.dtype == np.float32 and scaled.shape == clip.shape
    if clip.min() == clip.max():
        assert not scaled.any()
    else:
        assert scaled.min() == 0 and scaled.max() == 1


@given(clips)
def test_standard_has_mean_zero_and_deviation_one(clip):
    scaled = normalise_clip(clip, "standard")
    assert np.isfinite(scaled).all()
    assert scaled.mean() == pytest.approx(0, abs=1e-4)
    if clip.min() != clip.max():
        assert scaled.std() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("how", ["unit", "standard"])
@pytest.mark.parametrize("value", [0.0, 0.1, 255.0, -3.7])
def test_a_constant_clip_becomes_zeros(how, value):
    assert not normalise_clip(np.full((3, 4, 4), value, np.float32), how).any()


@pytest.mark.parametrize("how", ["unit", "standard"])
def test_the_input_is_not_changed_and_brightness_and_contrast_cancel(how):
    clip = np.random.default_rng(0).random((3, 5, 5)).astype(np.float32)
    before = clip.copy()
    normalised = normalise_clip(clip, how)
    np.testing.assert_array_equal(clip, before)
    np.testing.assert_allclose(normalise_clip(3 * clip + 7, how), normalised, atol=1e-5)
