import numpy as np
import pytest

from mer_keras.video.timing import frame_rate, is_variable, moments_of


def test_stamps_in_whole_milliseconds_give_the_true_rate():
    assert frame_rate(np.round(np.arange(500) / 60, 3)) == pytest.approx(60, rel=1e-3)
    assert frame_rate(np.round(np.arange(500) / 240, 3)) == pytest.approx(240, rel=1e-2)


def test_the_rate_is_that_of_the_usual_step():
    times = np.cumsum([0, 0.01, 0.01, 0.5, 0.01])
    assert frame_rate(times) == pytest.approx(100)
    assert frame_rate(times[:1]) == 0
    assert is_variable(times)
    assert not is_variable(np.arange(100) / 100 + 1e-4 * np.sin(np.arange(100)))


@pytest.mark.parametrize(("fps", "stride"), [(25, 1), (30, 1), (100, 1), (120, 1), (200, 2)])
def test_a_constant_rate_takes_every_nth_frame(fps, stride):
    moments = moments_of(np.arange(400) / fps, smooth=True)
    assert np.array_equal(moments.frames, np.arange(0, 400, stride))
    assert moments.rate == pytest.approx(fps / stride)
    reach = int(0.010 * fps + 1e-6)  # So many frames are averaged on either side.
    assert (moments.first[50], moments.last[50]) == (50 * stride - reach, 50 * stride + reach)
    assert (moments.first[0], moments.last[-1]) == (0, min(moments.frames[-1] + reach, 399))


def test_a_variable_rate_takes_the_nearest_frames_of_even_moments():
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.013, 0.042, 200))
    times -= times[0]
    moments = moments_of(times, smooth=False)
    step = 1 / moments.rate
    for sample, frame in enumerate(moments.frames):
        distances = np.abs(times - sample * step)
        assert distances[frame] == pytest.approx(distances.min())
    assert np.array_equal(moments.first, moments.frames)
