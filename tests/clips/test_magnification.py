import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import signal

from mer_keras.clips.magnification import (
    CAUSAL,
    alpha_at,
    band_note,
    magnify,
    magnify_pictures,
    response_matrix,
    strongest_wavelength,
)
from mer_keras.config.inputs import Magnification
from mer_keras.errors import ConfigError, FrameError

FRAMES, FPS = 60, 30.0
BAND = Magnification(alpha=10, low=2.5, high=5.5, levels=2)
FILTERS = ("ideal", "butterworth", "iir")
TIME = np.arange(FRAMES) / FPS


def changed(recipe, **changes):
    """A recipe with other values, checked as a config is."""
    return Magnification.model_validate({**recipe.model_dump(), **changes})


def pulsing(hertz, frames=FRAMES, shape=(32, 40), mean=0.5, size=0.01):
    """A flat picture whose brightness swings."""
    wave = size * np.sin(2 * np.pi * hertz * np.arange(frames) / FPS)
    return (mean + np.broadcast_to(wave[:, None, None], (frames, *shape))).astype(np.float32)


def band_of(kind):
    """The band of BAND for a filter; of the recursive one about the same, as coefficients."""
    ends = {"low": 0.4, "high": 0.7} if kind == "iir" else {}
    return changed(BAND, temporal_filter=kind, **ends)


def swing(clip):
    """Amplitude at the middle, past the start."""
    settled = clip[FRAMES // 3 :, clip.shape[1] // 2, clip.shape[2] // 2]
    return (settled.max() - settled.min()) / 2


def grating(hertz, period, shape=(64, 256), size=0.002):
    """A standing pattern of stripes whose contrast swings."""
    stripes = np.sin(2 * np.pi * np.arange(shape[1]) / period)
    wave = np.sin(2 * np.pi * hertz * TIME)
    field = 0.5 + size * wave[:, None, None] * np.broadcast_to(stripes, shape)
    return field.astype(np.float32)


def contrast_gain(after, before):
    """How much larger the stripes are, away from the borders."""
    inner = slice(64, 192)
    one, other = (clip[:, 32, inner].astype(float) - 0.5 for clip in (after, before))
    return (one * other).sum() / (other * other).sum()


def share_left(period, halvings):
    """Share of a sinusoid that is left after so many halvings, and as many doublings.

    The kernel 1 4 6 4 1 / 16 passes cos(w/2)^4 of the angular frequency w, which doubles from
    level to level, and is applied on the way down and on the way up. Holds for periods that no
    halving brings to two pixels, where it depends on the place of the stripes.
    """
    angles = 2 * np.pi / period * 2.0 ** np.arange(halvings)
    return np.prod(np.cos(angles / 2) ** 8)


def band_strength(period, level):
    """Root mean square of a band of the pyramid for stripes, at any place of them."""
    positions, steps = np.arange(1024), 2 * np.pi * np.arange(4) / 8
    bands = []
    for start in steps:
        stripes = np.sin(2 * np.pi * positions / period + start).astype(np.float32)
        picture = np.repeat(stripes[None], 8 * 2**level, axis=0)
        for _ in range(level):
            picture = cv2.pyrDown(picture)
        band = picture - cv2.pyrUp(cv2.pyrDown(picture), dstsize=picture.shape[::-1])
        width = band.shape[1]
        bands.append(band[len(band) // 2, width // 4 : 3 * width // 4])
    return np.sqrt(np.mean(np.square(bands)))


@pytest.mark.parametrize("alpha", [1, 10, 15])
@pytest.mark.parametrize("levels", [0, 2, 3])
def test_a_change_in_the_band_becomes_one_plus_alpha_times_as_large(alpha, levels):
    recipe = changed(BAND, alpha=alpha, levels=levels)
    result = magnify(pulsing(4.0), recipe, FPS)
    assert swing(result) / swing(pulsing(4.0)) == pytest.approx(1 + alpha, rel=0.05)


@pytest.mark.parametrize("hertz", [0.5, 1.0, 9.0, 14.0])
def test_a_change_outside_the_band_stays_as_it_is(hertz):
    result = magnify(pulsing(hertz), BAND, FPS)
    assert swing(result) / swing(pulsing(hertz)) == pytest.approx(1, rel=0.01)


@pytest.mark.parametrize("period", [10, 18, 24, 40])
def test_a_laplacian_pyramid_amplifies_what_its_inner_bands_hold(period):
    recipe = changed(BAND, pyramid="laplacian", levels=5)
    before = grating(4.0, period)
    inner = share_left(period, 1) - share_left(period, 5)
    gain = contrast_gain(magnify(before, recipe, FPS), before)
    assert gain == pytest.approx(1 + 10 * inner, rel=0.01)


def test_in_the_midst_of_its_bands_a_laplacian_pyramid_amplifies_by_one_plus_alpha():
    recipe = changed(BAND, pyramid="laplacian", levels=5)
    before = grating(4.0, 40)
    assert contrast_gain(magnify(before, recipe, FPS), before) == pytest.approx(11, rel=0.05)


def test_a_laplacian_pyramid_leaves_alone_what_has_no_detail():
    recipe = changed(BAND, pyramid="laplacian", levels=4)
    flat = pulsing(4.0)
    np.testing.assert_allclose(magnify(flat, recipe, FPS), flat, atol=1e-6)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_with_its_outer_levels_a_laplacian_pyramid_is_the_filter_without_a_pyramid(levels):
    clip = np.random.default_rng(6).random((FRAMES, 33, 47)).astype(np.float32)
    banded = changed(BAND, pyramid="laplacian", levels=levels, outer_levels=True)
    flat = changed(BAND, levels=0)
    np.testing.assert_allclose(magnify(clip, banded, FPS), magnify(clip, flat, FPS), atol=1e-4)


class TestWavelengthCutoff:
    RECIPE = changed(BAND, pyramid="laplacian", levels=5, wavelength_cutoff=40.0)

    def test_shorter_waves_are_amplified_less_and_longer_ones_by_alpha(self):
        # A level's strongest wave is 8.6, 18.0, 36.4 pixels; 11 times its share of 40, less 1.
        alphas = [alpha_at(self.RECIPE, level) for level in range(6)]
        assert alphas == pytest.approx([0, 11 * 8.6 / 40 - 1, 11 * 18.0 / 40 - 1, 9.01, 10, 0])

    def test_with_the_outer_levels_no_alpha_falls_below_zero(self):
        recipe = changed(self.RECIPE, wavelength_cutoff=1000.0, outer_levels=True)
        assert [alpha_at(recipe, level) for level in range(4)] == [0, 0, 0, 0]
        assert alpha_at(recipe, 5) == pytest.approx(11 * 145.9 / 1000 - 1)

    @pytest.mark.parametrize("level", [0, 1, 2, 3])
    def test_the_strongest_wave_of_a_level_is_the_one_that_answers_most(self, level):
        """Measured: stripes of many widths go through OpenCV's own halvings."""
        periods = np.arange(20 * 2**level, 100 * 2**level, 4) / 10
        strengths = [band_strength(period, level) for period in periods]
        assert periods[np.argmax(strengths)] == pytest.approx(strongest_wavelength(level), abs=0.41)

    def test_a_cutoff_below_every_band_changes_nothing(self):
        clip = grating(4.0, 16)
        small, none = (changed(self.RECIPE, wavelength_cutoff=cutoff) for cutoff in (1.0, None))
        np.testing.assert_array_equal(magnify(clip, small, FPS), magnify(clip, none, FPS))

    @pytest.mark.parametrize("period", [10, 14, 24])
    def test_each_band_is_amplified_by_its_own_alpha(self, period):
        clip = grating(4.0, period)
        left = [share_left(period, halvings) for halvings in range(6)]
        change = sum(
            alpha_at(self.RECIPE, level) * (left[level] - left[level + 1]) for level in range(1, 5)
        )
        gain = contrast_gain(magnify(clip, self.RECIPE, FPS), clip)
        assert gain == pytest.approx(1 + change, rel=0.01)


def test_a_butterworth_band_pass_amplifies_its_middle():
    recipe = changed(BAND, temporal_filter="butterworth", low=2.0, high=8.0)
    gain = swing(magnify(pulsing(4.0), recipe, FPS)) / swing(pulsing(4.0))
    assert gain == pytest.approx(11, rel=0.05)


@pytest.mark.parametrize("kind", FILTERS)
@pytest.mark.parametrize("pyramid, levels", [("gaussian", 2), ("laplacian", 2), ("gaussian", 0)])
def test_a_still_clip_stays_exactly_as_it_is_from_the_first_frame_on(kind, pyramid, levels):
    recipe = changed(band_of(kind), pyramid=pyramid, levels=levels)
    picture = np.random.default_rng(0).random((33, 47)).astype(np.float32)
    clip = np.repeat(picture[None], 20, axis=0)
    np.testing.assert_array_equal(magnify(clip, recipe, FPS), clip)


@pytest.mark.parametrize("kind", FILTERS)
@settings(max_examples=10, deadline=None)
@given(st.floats(-0.5, 0.5), st.integers(0, 99))
def test_a_brighter_clip_is_magnified_alike(kind, offset, seed):
    clip = np.random.default_rng(seed).random((9, 8, 9)).astype(np.float32)
    recipe = changed(band_of(kind), levels=1)
    lifted = magnify(clip + np.float32(offset), recipe, FPS)
    np.testing.assert_allclose(lifted, magnify(clip, recipe, FPS) + offset, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(2, 80),
    st.sampled_from(FILTERS),
    st.floats(0.01, 0.4),
    st.floats(0.45, 1.0),
)
@example(2, "butterworth", 0.03125, float(np.nextafter(1, 0)))
@example(80, "butterworth", 0.01, 1 - 1.1e-6)
def test_no_filter_passes_what_does_not_change(frames, kind, low, high):
    scale = 1.0 if kind == "iir" else FPS / 2
    recipe = Magnification(alpha=1, low=low * scale, high=high * scale, temporal_filter=kind)
    rows = response_matrix(frames, recipe, FPS).sum(axis=1)
    np.testing.assert_allclose(rows, 0, atol=1e-9)


def test_the_ideal_filter_is_the_fourier_mask():
    values = np.random.default_rng(1).standard_normal(FRAMES)
    spectrum = np.fft.rfft(values)
    rates = np.fft.rfftfreq(FRAMES, 1 / FPS)
    spectrum[(rates < BAND.low) | (rates > BAND.high)] = 0
    expected = np.fft.irfft(spectrum, FRAMES)
    np.testing.assert_allclose(response_matrix(FRAMES, BAND, FPS) @ values, expected, atol=1e-12)


def test_a_half_mask_is_that_of_code_that_masks_the_frequencies_above_zero_only():
    values = np.random.default_rng(1).standard_normal(FRAMES)
    rates = np.arange(FRAMES) * FPS / FRAMES  # As if none were below zero.
    mask = (rates >= BAND.low) & (rates <= BAND.high)
    expected = np.fft.ifft(np.fft.fft(values) * mask).real
    half = changed(BAND, ideal_mask="half")
    np.testing.assert_allclose(response_matrix(FRAMES, half, FPS) @ values, expected, atol=1e-12)
    whole = response_matrix(FRAMES, BAND, FPS)
    np.testing.assert_allclose(response_matrix(FRAMES, half, FPS), whole / 2, atol=1e-12)


class TestPictures:
    """Single frames at full size, filtered in time before there is a pyramid."""

    @staticmethod
    def pictures(shape=(33, 48), frames=14):
        still = np.random.default_rng(11).integers(90, 150, shape)
        swing = np.random.default_rng(12).uniform(-1.5, 1.5, (frames, *shape))
        return list(np.rint(still + swing).astype(np.uint8))

    @pytest.mark.parametrize("kind", FILTERS)
    @pytest.mark.parametrize(
        "pyramid, levels", [("gaussian", 2), ("laplacian", 3), ("gaussian", 0)]
    )
    @pytest.mark.parametrize("shape", [(33, 48), (32, 40, 3)])
    def test_they_are_those_of_the_clip_magnified_as_a_whole(self, kind, pyramid, levels, shape):
        pictures = self.pictures(shape)
        recipe = changed(band_of(kind), pyramid=pyramid, levels=levels)
        clip = np.stack(pictures).astype(np.float32) / np.float32(255)
        whole = np.clip(magnify(clip, recipe, FPS), 0, 1) * 255
        magnified = magnify_pictures(pictures, [2, 9], recipe, FPS)
        for index, picture in zip((2, 9), magnified, strict=True):
            assert picture.dtype == np.uint8
            np.testing.assert_allclose(picture, whole[index], atol=0.51)

    @pytest.mark.parametrize("kind", CAUSAL)
    def test_a_filter_that_does_not_look_ahead_needs_no_later_frame(self, kind):
        pictures, recipe = self.pictures(), band_of(kind)
        (early,) = magnify_pictures(pictures[:8], [7], recipe, FPS)
        (late,) = magnify_pictures(pictures, [7], recipe, FPS)
        np.testing.assert_array_equal(early, late)
        assert not np.array_equal(late, pictures[7])

    @pytest.mark.parametrize("kind", FILTERS)
    def test_a_still_clip_and_a_single_frame_come_back(self, kind):
        picture, recipe = self.pictures()[0], band_of(kind)
        for count in (1, 9):
            (same,) = magnify_pictures([picture] * count, [count - 1], recipe, FPS)
            np.testing.assert_array_equal(same, picture)

    def test_they_may_be_too_small_for_the_levels(self):
        with pytest.raises(ConfigError, match=r"at least 64 pixels, found 48x33"):
            magnify_pictures(self.pictures(), [3], changed(BAND, levels=5), FPS)


def test_the_recursive_filter_is_the_difference_of_two_running_means():
    values = np.random.default_rng(2).standard_normal(12)
    recipe = Magnification(alpha=1, low=0.1, high=0.4, temporal_filter="iir")
    slow = fast = values[0]
    expected = []
    for value in values:
        slow, fast = 0.9 * slow + 0.1 * value, 0.6 * fast + 0.4 * value
        expected.append(fast - slow)
    np.testing.assert_allclose(response_matrix(12, recipe, FPS) @ values, expected, atol=1e-12)


@pytest.mark.parametrize("high", [5.5, FPS / 2])
def test_the_butterworth_filter_starts_as_if_the_first_frame_had_always_been(high):
    values = np.random.default_rng(7).standard_normal(40)
    recipe = changed(BAND, temporal_filter="butterworth", high=high)
    ends, kind = (2.5, "highpass") if high == FPS / 2 else ((2.5, high), "bandpass")
    b, a = signal.butter(1, ends, kind, fs=FPS)
    before = np.full(3000, values[0])
    expected = signal.lfilter(b, a, np.concatenate([before, values]))[3000:]
    np.testing.assert_allclose(response_matrix(40, recipe, FPS) @ values, expected, atol=1e-9)


@pytest.mark.parametrize("kind", ["butterworth", "iir"])
def test_the_recursive_filters_never_look_ahead(kind):
    assert not np.triu(response_matrix(20, band_of(kind), FPS), k=1)[:, 2:].any()


@given(st.integers(2, 200), st.floats(1, 300), st.data())
@settings(max_examples=30, deadline=None)
def test_a_frequency_on_the_end_of_the_band_is_in_it(frames, fps, data):
    number = data.draw(st.integers(1, frames // 2))
    ends = number * fps / frames, number * fps / frames * 1.001
    if number < frames // 2:
        above = Magnification(alpha=1, low=ends[0], high=ends[1])
        assert response_matrix(frames, above, fps).any()
    below = Magnification(alpha=1, low=ends[0] * 0.999, high=ends[0])
    wave = np.cos(2 * np.pi * number * np.arange(frames) / frames)
    np.testing.assert_allclose(response_matrix(frames, below, fps) @ wave, wave, atol=1e-9)
    assert band_note(frames, below, fps) == ""


@pytest.mark.parametrize("kind", FILTERS)
@pytest.mark.parametrize("pyramid", ["gaussian", "laplacian"])
def test_magnification_is_linear_in_the_change(kind, pyramid):
    rng = np.random.default_rng(3)
    one, other = (rng.random((16, 20, 24)).astype(np.float32) for _ in range(2))
    recipe = changed(band_of(kind), pyramid=pyramid, levels=2)
    together = magnify(one + 2 * other, recipe, FPS)
    apart = magnify(one, recipe, FPS) + 2 * magnify(other, recipe, FPS)
    np.testing.assert_allclose(together, apart, atol=2e-4)


@pytest.mark.parametrize("pyramid", ["gaussian", "laplacian"])
def test_colours_are_magnified_each_by_itself(pyramid):
    clip = np.random.default_rng(4).random((12, 33, 47, 3)).astype(np.float32)
    recipe = changed(BAND, pyramid=pyramid, levels=2)
    result = magnify(clip, recipe, FPS)
    assert result.shape == clip.shape and result.dtype == np.float32
    for channel in range(3):
        np.testing.assert_allclose(
            result[..., channel], magnify(clip[..., channel].copy(), recipe, FPS), atol=1e-4
        )


@pytest.mark.parametrize("pyramid", ["gaussian", "laplacian"])
def test_gray_with_and_without_a_channel_axis_is_the_same(pyramid):
    clip = np.random.default_rng(8).random((12, 33, 47)).astype(np.float32)
    recipe = changed(BAND, pyramid=pyramid)
    result = magnify(clip[..., None], recipe, FPS)
    np.testing.assert_array_equal(result, magnify(clip, recipe, FPS)[..., None])


@pytest.mark.parametrize("pyramid", ["gaussian", "laplacian"])
def test_a_view_of_a_clip_is_magnified_like_its_copy(pyramid):
    clip = np.random.default_rng(9).random((12, 47, 33)).astype(np.float32).swapaxes(1, 2)
    recipe = changed(BAND, pyramid=pyramid)
    np.testing.assert_array_equal(magnify(clip, recipe, FPS), magnify(clip.copy(), recipe, FPS))


@pytest.mark.parametrize("pyramid, levels", [("gaussian", 2), ("laplacian", 2), ("gaussian", 0)])
def test_the_clip_itself_is_not_changed(pyramid, levels):
    clip = pulsing(4.0)
    before = clip.copy()
    assert not np.shares_memory(
        magnify(clip, changed(BAND, pyramid=pyramid, levels=levels), FPS), clip
    )
    np.testing.assert_array_equal(clip, before)


@pytest.mark.parametrize("kind", FILTERS)
def test_one_frame_comes_back_as_it_is(kind):
    clip = pulsing(4.0)[:1]
    np.testing.assert_array_equal(magnify(clip, band_of(kind), FPS), clip)
    assert "comes back unchanged" in band_note(1, band_of(kind), FPS)


def test_without_a_pyramid_single_pixels_are_filtered_in_time():
    clip = np.random.default_rng(10).random((20, 1, 1)).astype(np.float32)
    expected = clip[:, 0, 0] + 10 * response_matrix(20, BAND, FPS) @ clip[:, 0, 0]
    result = magnify(clip, changed(BAND, levels=0), FPS)
    np.testing.assert_allclose(result[:, 0, 0], expected, atol=1e-5)


class TestShortClips:
    """0.1-0.4 Hz on clips of a third of a second, as Gan et al. have it."""

    FPS = 200.0
    PAPER = Magnification(alpha=15, low=0.1, high=0.4, levels=2)

    def test_an_ideal_filter_changes_nothing_at_all(self):
        clip = np.random.default_rng(5).random((66, 32, 32)).astype(np.float32)
        np.testing.assert_array_equal(magnify(clip, self.PAPER, self.FPS), clip)
        assert "comes back unchanged" in band_note(66, self.PAPER, self.FPS)

    @pytest.mark.parametrize("kind, frames", [("butterworth", 66), ("iir", 8)])
    def test_a_recursive_filter_says_how_much_it_passes(self, kind, frames):
        recipe = changed(self.PAPER, temporal_filter=kind)
        response = response_matrix(frames, recipe, self.FPS)
        ratios = []
        for start in np.linspace(0, 2 * np.pi, 16, endpoint=False):
            wave = np.sin(2 * np.pi * np.arange(frames) / frames + start)
            ratios.append(np.mean((response @ wave) ** 2) / np.mean(wave**2))
        gain = np.sqrt(np.mean(ratios))
        assert gain > 0.1
        assert f"{kind} filter still passes {gain:.2f} of the clip's first harmonic" in band_note(
            frames, recipe, self.FPS
        )

    def test_the_same_numbers_as_coefficients_do_amplify(self):
        recipe = changed(self.PAPER, temporal_filter="iir")  # These are about 3.4 to 16.3 Hz.
        assert band_note(66, recipe, self.FPS) == ""
        assert np.abs(response_matrix(66, recipe, self.FPS)).max() > 0.2

    def test_a_coefficient_of_one_has_no_upper_end(self):
        assert band_note(2, changed(self.PAPER, temporal_filter="iir", high=1.0), self.FPS) == ""

    def test_a_long_clip_needs_no_note(self):
        assert band_note(2000, self.PAPER, self.FPS) == ""

    @settings(max_examples=30, deadline=None)
    @given(st.integers(2, 120), st.floats(0.1, 40), st.floats(0.1, 40))
    def test_a_note_is_made_just_where_the_ideal_filter_is_zero(self, frames, low, width):
        recipe = changed(self.PAPER, low=low, high=low + width)
        assert (band_note(frames, recipe, self.FPS) == "") == response_matrix(
            frames, recipe, self.FPS
        ).any()


@pytest.mark.parametrize("kind", ["ideal", "butterworth"])
@pytest.mark.parametrize("fps", [29.9, 10.0, 0.0, np.nan, np.inf])
def test_a_band_that_ends_above_half_the_frame_rate_is_refused(kind, fps):
    recipe = changed(BAND, temporal_filter=kind, high=15.0)
    assert response_matrix(20, recipe, 30.0).any()
    with pytest.raises(ConfigError, match="half the frame rate, or below; change 'magnification'"):
        magnify(pulsing(4.0), recipe, fps)


def test_too_many_levels_for_the_frames():
    with pytest.raises(ConfigError, match=r"needs frames of at least 64 pixels, found 40x32"):
        magnify(pulsing(4.0), changed(BAND, levels=5), FPS)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad):
    clip = pulsing(4.0).copy()
    clip[3, 4, 5] = bad
    with pytest.raises(FrameError, match="NaN or infinite"):
        magnify(clip, BAND, FPS)


@pytest.mark.parametrize("shape", [(8, 16), (2, 8, 16, 3, 1)])
def test_an_array_that_is_no_clip_is_refused(shape):
    with pytest.raises(FrameError, match=r"expected float32 \(time, height, width\)"):
        magnify(np.zeros(shape, np.float32), BAND, FPS)


def test_other_types_than_float32_are_refused():
    with pytest.raises(FrameError, match="type uint8, expected float32"):
        magnify(np.zeros((8, 16, 16), np.uint8), BAND, FPS)
