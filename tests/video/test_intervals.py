import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.video.intervals import contrast_of, overlap, spans_of, threshold_of
from mer_keras.video.options import SpotOptions

FRAMES = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted).map(tuple)


@given(FRAMES, FRAMES)
def test_overlap_is_intersection_over_union(first, second):
    a, b = (set(range(low, high + 1)) for low, high in (first, second))
    assert overlap(first, second) == pytest.approx(len(a & b) / len(a | b))


def test_contrast_by_the_definition():
    feature = np.random.default_rng(0).normal(size=30)
    feature[12] = np.nan
    contrast = contrast_of(feature, 4, negative_to_zero=False)
    for i in range(30):
        inside = 4 <= i < 26
        expected = feature[i] - (feature[i - 4] + feature[i + 4]) / 2 if inside else np.nan
        assert contrast[i] == pytest.approx(expected, nan_ok=True)
    floored = contrast_of(feature, 4, negative_to_zero=True)
    assert np.nanmin(floored) == 0


def test_the_ends_are_undefined_not_zero():
    """With zeros there both ends of a raised curve would be its highest peaks."""
    feature = np.full(100, np.nan)
    feature[10:90] = 5 + 0.01 * np.random.default_rng(0).normal(size=80)
    feature[48:53] += 1
    contrast = contrast_of(feature, 9, negative_to_zero=False)
    spans = spans_of(contrast, 10, 100.0, SpotOptions())
    assert [span.peak for span in spans] in ([48], [49], [50], [51], [52])


def test_no_value_no_interval():
    assert threshold_of(np.full(9, np.nan), 0.4) == float("inf")
    assert spans_of(np.full(9, np.nan), 2, 100.0, SpotOptions()) == []


def peaks(*at, heights=None, length=300):
    contrast = np.zeros(length)
    for index, peak in enumerate(at):
        height = heights[index] if heights else 1.0
        contrast[peak - 5 : peak + 6] += height * (1 - np.abs(np.arange(-5, 6)) / 6)
    return contrast


def test_an_interval_reaches_k_to_each_side_of_its_peak():
    spans = spans_of(peaks(50, 150, heights=[1, 0.5]), 20, 100.0, SpotOptions())
    assert [(s.first, s.peak, s.last) for s in spans] == [(30, 50, 70), (130, 150, 170)]
    assert spans[0].score == pytest.approx(1)
    assert [s.height for s in spans] == [1, 0.5]
    assert spans_of(peaks(10), 20, 100.0, SpotOptions())[0].first == 0


def test_peaks_are_k_apart_and_near_intervals_are_one():
    options = SpotOptions()
    assert len(spans_of(peaks(100, 115, heights=[1, 0.9]), 20, 100.0, options)) == 1
    (merged,) = spans_of(peaks(100, 122, heights=[0.9, 1]), 20, 100.0, options)
    assert (merged.first, merged.peak, merged.last) == (80, 122, 142)
    assert len(spans_of(peaks(100, 135), 20, 100.0, options)) == 2


def test_the_floor_keeps_noise_out_that_a_relative_threshold_lets_in():
    noise = 0.03 * np.abs(np.random.default_rng(0).normal(size=500))
    assert spans_of(noise, 20, 100.0, SpotOptions(least=0))
    assert not spans_of(noise, 20, 100.0, SpotOptions(least=0.15))


def test_runs_of_other_lengths_are_dropped_as_released():
    contrast = np.full(200, -1.0)
    contrast[20:30] = 1  # 10 frames at 30 a second: a third of a second
    contrast[60:63] = 1
    contrast[100:150] = 1
    spans = spans_of(contrast, 12, 30.0, SpotOptions.released())
    assert [(span.first, span.last) for span in spans] == [(20, 29)]
