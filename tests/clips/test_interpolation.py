"""The temporal interpolation model: its definition, its matrix, whole clips."""

import math

import numpy as np
import pytest

from mer_keras.clips.interpolation import interpolate, tim_matrix
from mer_keras.config.inputs import TemporalInterpolation

#: Gray values of a published program (the authors' MATLAB, in GNU Octave) at pixel (3, 3) of the
#: volume below, 10 frames interpolated to 15.
OCTAVE = [
    *(218.0, 209.384597, 202.278969, 197.534545, 192.111845, 185.93818, 179.562545, 171.866145),
    *(163.000932, 154.040333, 144.692596, 134.919272, 125.320636, 115.517103, 107.0),
]


def volume():
    """Ten frames of 32x28 pixels by a formula."""
    t, y, x = np.meshgrid(np.arange(10), np.arange(32), np.arange(28), indexing="ij")
    wave = np.sin(0.05 * x * y / (1 + t)) + np.sin(0.31 * x + 0.17 * y + 0.23 * t)
    return np.floor(63.75 * (2 + wave)).astype(np.uint8)


def by_projection(frames, count):
    """The published algorithm, on linearly independent frames: principal components, a linear map
    onto the Laplacian's eigenvectors, and back."""
    length = len(frames)
    mean = frames.mean(axis=0)
    components, scales, _ = np.linalg.svd((frames - mean).T, full_matrices=False)
    components = components[:, : length - 1]  # (pixels, length - 1)
    reduced = components.T @ (frames - mean).T  # (length - 1, length)
    curve = [
        [
            math.sin(math.pi * k * i / length + math.pi * (length - k) / (2 * length))
            for i in range(1, length + 1)
        ]
        for k in range(1, length)
    ]
    # Rows of the curve are cosines up to sign; the linear map from it to the frames is exact.
    to_frames = reduced @ np.linalg.pinv(np.array(curve))
    new = []
    for position in np.linspace(0, 1, count):
        at = position * (1 - 1 / length) + 1 / length
        point = [
            math.sin(math.pi * k * at + math.pi * (length - k) / (2 * length))
            for k in range(1, length)
        ]
        new.append(components @ (to_frames @ np.array(point)) + mean)
    assert scales[-2] > 1e-3, "these frames depend on each other"
    return np.array(new)


@pytest.mark.parametrize(("length", "count"), [(5, 10), (10, 15), (9, 4)])
def test_it_is_the_published_algorithm_on_independent_frames(length, count):
    frames = np.random.default_rng(length).uniform(0, 255, (length, 40))
    np.testing.assert_allclose(tim_matrix(length, count) @ frames, by_projection(frames, count))


def test_it_gives_the_numbers_of_the_published_program():
    pixel = volume()[:, 3, 3].astype(float)
    np.testing.assert_allclose(tim_matrix(10, 15) @ pixel, OCTAVE, atol=1e-6)


@pytest.mark.parametrize("length", [1, 2, 3, 17])
def test_as_many_frames_as_the_clip_has_are_the_clip(length):
    np.testing.assert_allclose(tim_matrix(length, length), np.eye(length), atol=1e-12)
    clip = np.random.default_rng(length).integers(0, 256, (length, 5, 6)).astype(np.uint8)
    np.testing.assert_array_equal(interpolate(clip, length, TemporalInterpolation()), clip)


@pytest.mark.parametrize("positions", ["ends", "steps"])
@pytest.mark.parametrize(("length", "count"), [(1, 6), (4, 1), (7, 3), (6, 20)])
def test_every_new_frame_is_a_mean_with_weights_of_sum_1(length, count, positions):
    matrix = tim_matrix(length, count, positions)
    assert matrix.shape == (count, length)
    np.testing.assert_allclose(matrix.sum(axis=1), 1)
    constant = np.full((length, 3, 3), 77, np.uint8)
    assert (interpolate(constant, count, TemporalInterpolation(positions=positions)) == 77).all()


def test_the_moments_begin_and_end_with_the_clip_or_after_a_step():
    frames = volume()[:6]
    ends = interpolate(frames, 11, TemporalInterpolation())
    np.testing.assert_array_equal(ends[[0, 2, 10]], frames[[0, 1, 5]])
    steps = interpolate(frames, 5, TemporalInterpolation(positions="steps"))
    np.testing.assert_array_equal(steps, frames[1:])
    np.testing.assert_array_equal(interpolate(frames[:5], 1, TemporalInterpolation())[0], frames[2])


def test_two_equal_frames_are_no_trouble():
    frames = volume()[[0, 0, 1, 2]]
    new = interpolate(frames, 7, TemporalInterpolation(rounded=False))
    assert new.dtype == np.float32
    np.testing.assert_allclose(new[[0, 2, 4, 6]], frames, atol=1e-3)


def test_rounded_frames_stay_within_gray_values_where_the_curve_leaves_them():
    jump = np.array([0, 0, 0, 255, 255, 255], np.uint8).reshape(6, 1, 1)
    curve = interpolate(jump, 30, TemporalInterpolation(rounded=False))
    assert curve.min() < -5
    assert curve.max() > 260
    rounded = interpolate(jump, 30, TemporalInterpolation())
    assert rounded.dtype == np.uint8
    expected = np.array([min(255, max(0, math.floor(value + 0.5))) for value in curve.flat])
    np.testing.assert_array_equal(rounded.reshape(-1), expected)


def test_colours_are_interpolated_one_by_one():
    frames = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3)).astype(np.uint8)
    together = interpolate(frames, 8, TemporalInterpolation())
    for channel in range(3):
        alone = interpolate(np.ascontiguousarray(frames[..., channel]), 8, TemporalInterpolation())
        np.testing.assert_array_equal(together[..., channel], alone)
