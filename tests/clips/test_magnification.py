from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mer_keras.clips.magnification import Magnification, band_note, magnify, response_matrix
from mer_keras.errors import ConfigError, FrameError

FRAMES, FPS = 60, 30.0
BAND = Magnification(alpha=10, low=2.5, high=5.5, fps=FPS, levels=2)
FILTERS = ("ideal", "butterworth", "iir")
TIME = np.arange(FRAMES) / FPS


def pulsing(hertz, frames=FRAMES, shape=(32, 40), mean=0.5, size=0.01):
    """A flat picture whose brightness swings."""
    wave = size * np.sin(2 * np.pi * hertz * np.arange(frames) / FPS)
    return (mean + np.broadcast_to(wave[:, None, None], (frames, *shape))).astype(np.float32)


def swing(clip):
    """Amplitude at the middle, past the start."""
    settled = clip[FRAMES // 3 :, clip.shape[1] // 2, clip.shape[2] // 2]
    return (settled.max() - settled.min()) / 2


def grating(hertz, period, size=0.002):
    """A standing pattern of stripes whose contrast swings."""
    stripes = np.sin(2 * np.pi * np.arange(64) / period)
    wave = np.sin(2 * np.pi * hertz * TIME)
    field = 0.5 + size * wave[:, None, None] * np.broadcast_to(stripes, (64, 64))
    return field.astype(np.float32)


@pytest.mark.parametrize("alpha", [1, 10, 15])
@pytest.mark.parametrize("levels", [0, 2, 3])
def test_a_change_in_the_band_becomes_one_plus_alpha_times_as_large(alpha, levels):
    params = replace(BAND, alpha=alpha, levels=levels)
    result = magnify(pulsing(4.0), params)
    assert swing(result) / swing(pulsing(4.0)) == pytest.approx(1 + alpha, rel=0.05)


@pytest.mark.parametrize("hertz", [0.5, 1.0, 9.0, 14.0])
def test_a_change_outside_the_band_stays_as_it_is(hertz):
    result = magnify(pulsing(hertz), BAND)
    assert swing(result) / swing(pulsing(hertz)) == pytest.approx(1, rel=0.01)


def test_the_middle_bands_of_a_laplacian_pyramid_are_amplified():
    params = replace(BAND, pyramid="laplacian", levels=4)
    before, after = grating(4.0, 12), magnify(grating(4.0, 12), params)
    gain = np.ptp(after, axis=0).max() / np.ptp(before, axis=0).max()
    assert gain == pytest.approx(11, rel=0.15)  # its finest and coarsest parts are left alone
    flat = magnify(pulsing(4.0, shape=(64, 64)), params)
    assert swing(flat) == pytest.approx(swing(pulsing(4.0, shape=(64, 64))), rel=0.01)


def test_a_butterworth_band_pass_amplifies_its_middle():
    params = replace(BAND, temporal_filter="butterworth", low=2.0, high=8.0)
    gain = swing(magnify(pulsing(4.0), params)) / swing(pulsing(4.0))
    assert gain == pytest.approx(11, rel=0.05)


@pytest.mark.parametrize("kind", FILTERS)
@pytest.mark.parametrize("pyramid", ["gaussian", "laplacian"])
def test_a_still_clip_stays_still_from_the_first_frame_on(kind, pyramid):
    band = {"low": 0.1, "high": 0.4} if kind == "iir" else {}
    params = replace(BAND, temporal_filter=kind, pyramid=pyramid, **band)
    picture = np.random.default_rng(0).random((32, 40)).astype(np.float32)
    clip = np.repeat(picture[None], 20, axis=0)
    np.testing.assert_allclose(magnify(clip, params), clip, atol=2e-5)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(2, 80),
    st.sampled_from(FILTERS),
    st.floats(0.01, 0.4),
    st.floats(0.45, 1.0),
)
def test_no_filter_passes_what_does_not_change(frames, kind, low, high):
    scale = 1.0 if kind == "iir" else FPS / 2
    params = Magnification(1, low * scale, high * scale, FPS, kind)
    rows = response_matrix(frames, params).sum(axis=1)
    np.testing.assert_allclose(rows, 0, atol=1e-9)


def test_the_ideal_filter_is_the_fourier_mask():
    values = np.random.default_rng(1).standard_normal(FRAMES)
    spectrum = np.fft.rfft(values)
    rates = np.fft.rfftfreq(FRAMES, 1 / FPS)
    spectrum[(rates < BAND.low) | (rates > BAND.high)] = 0
    expected = np.fft.irfft(spectrum, FRAMES)
    np.testing.assert_allclose(response_matrix(FRAMES, BAND) @ values, expected, atol=1e-12)


def test_the_recursive_filter_is_the_difference_of_two_running_means():
    values = np.random.default_rng(2).standard_normal(12)
    params = Magnification(1, 0.1, 0.4, FPS, "iir")
    slow = fast = values[0]
    expected = []
    for value in values:
        slow, fast = 0.9 * slow + 0.1 * value, 0.6 * fast + 0.4 * value
        expected.append(fast - slow)
    np.testing.assert_allclose(response_matrix(12, params) @ values, expected, atol=1e-12)


def test_magnification_is_linear_in_the_change():
    rng = np.random.default_rng(3)
    one, other = (rng.random((16, 20, 24)).astype(np.float32) for _ in range(2))
    params = replace(BAND, levels=1)
    together = magnify(one + 2 * other, params)
    apart = magnify(one, params) + 2 * magnify(other, params)
    np.testing.assert_allclose(together, apart, atol=2e-4)


@pytest.mark.parametrize("pyramid", ["gaussian", "laplacian"])
def test_colours_are_magnified_each_by_itself(pyramid):
    clip = np.random.default_rng(4).random((12, 33, 47, 3)).astype(np.float32)
    params = replace(BAND, pyramid=pyramid, levels=2)
    result = magnify(clip, params)
    assert result.shape == clip.shape and result.dtype == np.float32
    for channel in range(3):
        np.testing.assert_allclose(
            result[..., channel], magnify(clip[..., channel].copy(), params), atol=1e-4
        )


def test_the_clip_itself_is_not_changed_and_one_frame_comes_back():
    clip = pulsing(4.0)
    before = clip.copy()
    magnify(clip, BAND)
    np.testing.assert_array_equal(clip, before)
    np.testing.assert_array_equal(magnify(clip[:1], BAND), clip[:1])


class TestShortClips:
    """0.1-0.4 Hz on clips of a third of a second, as Gan et al. have it."""

    PAPER = Magnification(alpha=15, low=0.1, high=0.4, fps=200.0, levels=2)

    def test_an_ideal_filter_changes_nothing_at_all(self):
        clip = np.random.default_rng(5).random((66, 32, 32)).astype(np.float32)
        np.testing.assert_array_equal(magnify(clip, self.PAPER), clip)
        assert "comes back unchanged" in band_note(66, self.PAPER)

    def test_a_butterworth_filter_says_that_it_passes_something(self):
        params = replace(self.PAPER, temporal_filter="butterworth")
        assert "slopes" in band_note(66, params)
        assert response_matrix(66, params).any()

    def test_the_same_numbers_as_coefficients_do_amplify(self):
        params = replace(self.PAPER, temporal_filter="iir")
        assert band_note(66, params) == ""
        assert np.abs(response_matrix(66, params)).max() > 0.2

    def test_a_long_clip_needs_no_note(self):
        assert band_note(2000, self.PAPER) == ""


@pytest.mark.parametrize("low_high", [(0, 1), (2, 1), (1, 1), (1, 16), (-1, 2)])
def test_an_impossible_band_is_refused(low_high):
    low, high = low_high
    with pytest.raises(ConfigError, match="0 < low < high <= 15 Hz, half the frame rate"):
        Magnification(1, low, high, FPS)


def test_coefficients_end_at_one():
    with pytest.raises(ConfigError, match="high <= 1;"):
        Magnification(1, 0.1, 1.1, FPS, "iir")


def test_too_many_levels_for_the_frames():
    with pytest.raises(ConfigError, match=r"needs frames of at least 64 pixels, found 40x32"):
        magnify(pulsing(4.0), replace(BAND, levels=5))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad):
    clip = pulsing(4.0).copy()
    clip[3, 4, 5] = bad
    with pytest.raises(FrameError, match="NaN or infinite"):
        magnify(clip, BAND)
