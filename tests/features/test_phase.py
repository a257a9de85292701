"""Bi-WOOF with phase, a reading: its two halves, and the monogenic signal of known waves."""

import numpy as np
import pytest

from mer_keras.errors import ConfigError
from mer_keras.features.bi_woof import bi_woof, bi_woof_phase, monogenic
from mer_keras.features.registry import extract

SIDE = 64


def wave(shift=0.0, angle=0.0):
    """A wave of 8 pixels that runs at an angle, shifted along its way; (64, 64)."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    return np.cos(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle) - shift) / 8)


def frames(shift):
    """Onset, apex and offset frame, (3, 64, 64, 1)."""
    return np.stack([wave(), wave(shift), wave()])[..., np.newaxis].astype(np.float32)


def flow(seed=0):
    return np.random.default_rng(seed).normal(size=(SIDE, SIDE, 3)).astype(np.float32)


def test_the_monogenic_signal_of_a_wave():
    """Amplitude 1 everywhere; the phase runs from 0 at crests to pi in troughs."""
    phase, amplitude, orientation = monogenic(wave(), 8, 0.55)
    np.testing.assert_allclose(amplitude, 1, atol=1e-9)
    expected = np.arccos(np.clip(wave(), -1, 1))
    np.testing.assert_allclose(phase, expected, atol=1e-6)
    middle = (phase > 0.1) & (phase < 3)
    np.testing.assert_allclose(np.abs(np.cos(orientation[middle])), 1, atol=1e-9)


def test_waves_of_another_length_pass_weakly():
    _, amplitude, _ = monogenic(wave(), 32, 0.55)
    assert amplitude.max() < 0.1


def test_the_first_half_is_bi_woof_and_the_second_is_of_phase():
    vector = bi_woof_phase((flow(), frames(1.0)), blocks=(2, 2))
    assert vector.dtype == np.float32
    assert vector.shape == (2 * 4 * 8,)
    assert np.linalg.norm(vector) == pytest.approx(1)
    first = vector[:32] / np.linalg.norm(vector[:32])
    np.testing.assert_allclose(first, bi_woof(flow(), blocks=(2, 2)), atol=1e-6)
    # The wave runs to the right: all that changes has orientations of 0 or 180 degrees.
    second = vector[32:].reshape(4, 8)
    assert second[:, [0, 3, 4, 7]].sum() == pytest.approx(second.sum(), rel=1e-6)


def test_frames_without_change_leave_the_second_half_empty():
    assert not bi_woof_phase((flow(), frames(0.0)))[200:].any()


def test_it_is_computed_from_two_inputs():
    clips = (np.stack([flow(0), flow(1)]), np.stack([frames(1), frames(2)]))
    vectors = extract("bi_woof_phase", clips, {})
    np.testing.assert_array_equal(vectors[1], bi_woof_phase((clips[0][1], clips[1][1])))
    with pytest.raises(ConfigError, match="from 2 inputs, found 1"):
        extract("bi_woof_phase", clips[0], {})
    with pytest.raises(ConfigError, match="from 1 input, found 2"):
        extract("bi_woof", clips, {})


@pytest.mark.parametrize(
    "damaged", [frames(1)[0], frames(1)[:1], frames(1).repeat(3, axis=-1), frames(1) * np.nan]
)
def test_frames_that_cannot_be_used_are_told(damaged):
    with pytest.raises(ConfigError, match="feature bi_woof_phase: "):
        bi_woof_phase((flow(), damaged))
