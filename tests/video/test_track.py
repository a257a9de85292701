import cv2
import numpy as np
import pytest

from mer_keras.clips.three_points import POSITIONS, three_point_transform
from mer_keras.video.alignment import similarity_transform, smooth_transforms
from mer_keras.video.details import _turn
from mer_keras.video.face_tracker import Face
from mer_keras.video.options import SIDE
from mer_keras.video.survey import Look
from mer_keras.video.track import aligned, square_transform
from tests.video.recordings import texture

POINTS = np.array([(100.0, 90.0), (140.0, 92.0), (119.0, 130.0)])


def moved(transform, points):
    """Where points come to lie; pixels are areas."""
    centres = np.column_stack([points - 0.5, np.ones(len(points))])
    return centres @ transform.T + 0.5


def test_a_square_comes_to_fill_the_aligned_one():
    corners = np.array([(20.0, 30.0), (90.0, 30.0), (20.0, 100.0), (90.0, 100.0)])
    expected = np.array([(0, 0), (1, 0), (0, 1), (1, 1)]) * SIDE
    assert np.allclose(moved(square_transform(20, 30, 70), corners), expected)


def test_three_points_come_to_their_positions():
    assert np.allclose(moved(three_point_transform(POINTS, SIDE), POINTS), POSITIONS * SIDE)


def test_a_frame_of_the_right_size_is_not_changed():
    gray = texture((SIDE, SIDE))
    same = square_transform(0, 0, SIDE).astype(np.float32)
    assert np.array_equal(aligned(gray, same, smooth=False), gray)
    blurred = cv2.GaussianBlur(gray, (0, 0), 1.0)
    assert np.array_equal(aligned(gray, same, smooth=True), blurred)


def test_a_larger_face_is_made_smaller_by_area():
    gray = texture((2 * SIDE + 60, 2 * SIDE + 80))
    small = aligned(gray, square_transform(40, 20, 2 * SIDE).astype(np.float32), smooth=True)
    cut = gray[20 : 20 + 2 * SIDE, 40 : 40 + 2 * SIDE]
    area = cv2.GaussianBlur(cv2.resize(cut, (SIDE, SIDE), interpolation=cv2.INTER_AREA), (0, 0), 1)
    inner = slice(8, -8)
    difference = small[inner, inner].astype(float) - area[inner, inner]
    assert np.abs(difference).mean() < 1.5


def test_a_drifting_face_stays_still_and_as_sharp():
    """Sampled at any part of a pixel, the smoothed face differs by gray levels, not by motion."""
    fine = texture((4 * 200, 4 * 200))
    fine = cv2.GaussianBlur(fine, (0, 0), 4)
    faces = []
    for shift in (0.0, 0.25, 0.5, 0.75):
        matrix = np.array([[0.25, 0, shift - 0.375], [0, 0.25, -0.375]])
        gray = cv2.warpAffine(fine, matrix, (200, 200), flags=cv2.INTER_AREA)
        transform = square_transform(30 + shift, 30, SIDE).astype(np.float32)
        faces.append(aligned(gray, transform, smooth=True)[8:-8, 8:-8].astype(float))
    contrast = np.array([np.abs(np.diff(face, axis=1)).mean() for face in faces])
    assert np.ptp(contrast) < 0.03 * contrast.mean()
    assert max(np.abs(face - faces[0]).mean() for face in faces) < 1.0


def test_a_square_that_reaches_beyond_the_frame_repeats_its_border():
    gray = np.full((50, 50), 90, np.uint8)
    assert (
        aligned(gray, square_transform(-20, -20, 90).astype(np.float32), smooth=True) == 90
    ).all()


def test_a_similarity_is_exact_where_there_is_one():
    turn = np.array([[0.9, -0.2], [0.2, 0.9]])
    points = (POSITIONS * SIDE) @ turn.T * 1.7 + np.array([30, 12])
    transform = similarity_transform(points)
    assert np.allclose(moved(transform, points), POSITIONS * SIDE)
    assert transform[0, 0] == pytest.approx(transform[1, 1])
    assert transform[0, 1] == pytest.approx(-transform[1, 0])


@pytest.mark.parametrize("jitter", [0.0, 0.3])
def test_slow_motion_of_the_head_is_followed_and_jitter_is_not(jitter):
    """A head that sways in eight seconds, located with noise at 50 Hz, at 100 frames a second."""
    rng = np.random.default_rng(0)
    times = np.arange(1200) / 100
    sway = 6 * np.sin(2 * np.pi * times / 8)
    looks = []
    for frame in range(0, 1200, 2):
        points = POINTS + np.array([sway[frame], 0]) + rng.normal(0, jitter, POINTS.shape)
        looks.append(Look(frame, Face(0, 0, 1, 1, 0.9, 60, points)))
    looks[300] = Look(600, Face(0, 0, 1, 1, 0.9, 60, POINTS + 50))  # One that is wholly wrong.
    transforms = smooth_transforms(looks, times, 0)
    middle = slice(100, 1100)
    at = np.array(
        [
            moved(transform, POINTS + np.array([shift, 0]))
            for transform, shift in zip(transforms[middle], sway[middle], strict=True)
        ]
    )
    assert np.abs(at - at.mean(axis=0)).mean() < 0.15 + 0.3 * jitter
    assert np.diff(at, 2, axis=0).std() / np.sqrt(6) < 0.01 + 0.03 * jitter


def test_a_head_that_turns_is_measured_by_the_line_of_the_eyes():
    def turned(degrees):
        angle = np.radians(degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return Face(0, 0, 1, 1, 0.9, 60, POINTS @ turn.T)

    assert _turn([turned(170), turned(175), turned(187)]) == pytest.approx(17)
    assert _turn([Face(0, 0, 1, 1, 0.9, 60)]) == 0
