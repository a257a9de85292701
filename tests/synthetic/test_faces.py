"""Procedural faces: traits, action units, the intensity over time, and a clip of them."""

from dataclasses import asdict, fields
from itertools import pairwise

import cv2
import numpy as np
import pytest

from mer_keras.synthetic.face_traits import RANGES, FaceTraits
from mer_keras.synthetic.faces import (
    ACTION_UNITS,
    REFERENCE_SIZE,
    RESIDUE,
    displacement,
    intensity_at,
    render_clip,
)
from mer_keras.synthetic.portrait import render_neutral
from mer_keras.synthetic.synthetic_clip import PROTOTYPES

SMILE = {"6": 0.7, "12": 1.0}


def face_of(seed):
    return FaceTraits.draw(np.random.default_rng(seed))


def clip(seed=0, person=0, *, units=SMILE, peak=2.5, motion=True, size=60, frames=21, apex=10):
    return render_clip(
        face_of(person),
        units,
        onset=100,
        apex=100 + apex,
        offset=100 + frames - 1,
        rng=np.random.default_rng(seed),
        size=size,
        peak=peak,
        motion=motion,
    )


def lengths(field):
    return np.sqrt((field**2).sum(axis=-1))


def middle(field, half):
    """Mean vertical motion of the upper or lower half of the face."""
    rows = slice(0, len(field) // 2) if half == "upper" else slice(len(field) // 2, None)
    return float(field[rows, :, 1].mean())


# traits


def test_every_trait_has_a_range_and_is_drawn_from_it():
    assert {f.name for f in fields(FaceTraits)} == {*RANGES, "texture"}
    for seed in range(20):
        for name, value in asdict(face_of(seed)).items():
            low, high = RANGES.get(name, (0, 2**31))
            assert low <= value <= high


def test_traits_depend_on_the_seed_alone():
    assert face_of(3) == face_of(3)
    assert face_of(3) != face_of(4)


def test_landmarks_lie_on_the_right_half_of_the_face_from_brow_to_chin():
    for seed in range(20):
        marks = face_of(seed).landmarks()
        assert all(0 < x < 0.8 and -0.8 < y < 0.9 for x, y in marks.values())
        rows = [marks[k][1] for k in ("inner_brow", "lower_lid", "nose_wing", "corner", "chin")]
        assert rows == sorted(rows)
        assert marks["inner_brow"][0] < marks["middle_brow"][0] < marks["outer_brow"][0]


# the picture at rest


def test_a_neutral_face_is_a_deterministic_picture_in_range():
    picture = render_neutral(face_of(1), 64)
    assert picture.shape == (64, 64) and picture.dtype == np.float32
    assert picture.min() >= 0 and picture.max() <= 1
    assert np.array_equal(picture, render_neutral(face_of(1), 64))


def test_a_face_is_the_same_at_two_sizes():
    fine = render_neutral(face_of(2), 192)
    coarse = render_neutral(face_of(2), 96)
    shrunk = cv2.resize(fine, (96, 96), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk - coarse).mean() < 0.01


def test_eyes_are_darker_than_cheeks_and_the_mouth_than_the_chin():
    for seed in range(8):
        face = face_of(seed)
        picture = render_neutral(face, 96)

        def tone(x, y, picture=picture):
            column, row = (round((c + 1) * 48) for c in (x, y))
            return picture[row - 1 : row + 2, column - 1 : column + 2].mean()

        cheek = tone(face.eye_x, face.eye_y + 0.3)
        assert tone(face.eye_x + face.gaze, face.eye_y) < cheek
        assert tone(0, face.mouth_y) < tone(0, face.mouth_y + 0.27)


def test_subjects_differ_by_much_more_than_the_noise():
    faces = [clip(seed=k, person=k, motion=False, frames=2, apex=1).astype(float) for k in range(6)]
    within = [np.abs(a[0] - a[1]).mean() for a in faces]
    between = [np.abs(a[0] - b[0]).mean() for i, a in enumerate(faces) for b in faces[:i]]
    assert min(between) > 3 * max(within)


# displacement


@pytest.mark.parametrize("code", sorted(ACTION_UNITS))
def test_an_action_unit_is_smooth_and_mirror_symmetric(code):
    field = displacement({code: 1.0}, 90)
    assert field.shape == (90, 90, 2) and field.dtype == np.float32
    assert lengths(field).max() > 0.5
    np.testing.assert_allclose(field[..., 0], -field[:, ::-1, 0], atol=1e-4)
    np.testing.assert_allclose(field[..., 1], field[:, ::-1, 1], atol=1e-4)
    # it never folds the skin over itself, not even at the largest amplitude
    strongest = displacement({code: 1.0}, 90, peak=3.0)
    assert np.abs(np.diff(strongest[..., 1], axis=0)).max() < 1
    assert np.abs(np.diff(strongest[..., 0], axis=1)).max() < 1


@pytest.mark.parametrize(
    ("code", "half", "sign"),
    [("1", "upper", -1), ("2", "upper", -1), ("4", "upper", 1), ("12", "lower", -1),
     ("15", "lower", 1), ("17", "lower", -1)],
)  # fmt: skip
def test_action_units_move_the_skin_the_way_they_are_named(code, half, sign):
    assert sign * middle(displacement({code: 1.0}, 90), half) > 0


def test_one_sided_units_move_one_side():
    left, right = (lengths(displacement({code: 1.0}, 90)) for code in ("L14", "R14"))
    assert left[:, 45:].sum() > 20 * left[:, :45].sum()  # the person's left: the picture's right
    np.testing.assert_allclose(left, right[:, ::-1], atol=1e-5)


def test_displacements_add_up():
    both = displacement({"1": 0.5, "12": 2.0}, 48)
    parts = 0.5 * displacement({"1": 1.0}, 48) + 2 * displacement({"12": 1.0}, 48)
    np.testing.assert_allclose(both, parts, atol=1e-5)


def test_a_displacement_follows_the_face():
    high, low = (displacement({"12": 1.0}, 90, face=face_of(k)) for k in (0, 5))
    assert np.abs(high - low).max() > 0.02


@pytest.mark.parametrize("size", [45, 90, 180])
def test_peak_sets_the_longest_displacement_and_scales_with_the_frame(size):
    field = displacement(SMILE, size, peak=2.0)
    assert lengths(field).max() == pytest.approx(2.0 * size / REFERENCE_SIZE, rel=1e-4)


def test_no_units_no_motion():
    assert not displacement({}, 30, peak=2.0).any()


def test_an_unknown_unit_is_an_error():
    with pytest.raises(KeyError):
        displacement({"99": 1.0}, 30)


def test_emotions_are_told_apart_by_their_fields():
    def unit(variants):
        mean = np.mean([displacement(v, 45, peak=2.0) for v in variants], axis=0).ravel()
        return mean / np.linalg.norm(mean)

    same = {"others", "repression", "tense"}  # all drawn as "other" is
    names = [name for name in PROTOTYPES if name not in same and name != "neutral"]
    fields_ = np.stack([unit(PROTOTYPES[name]) for name in names])
    alike = fields_ @ fields_.T - np.eye(len(names))
    assert alike.max() < 0.8


# the intensity over time


def test_the_intensity_rises_from_rest_to_the_apex_and_falls_to_a_residue():
    values = [intensity_at(k, 10, 18, 30) for k in range(10, 31)]
    assert values[0] == 0 and values[8] == 1 and values[-1] == pytest.approx(RESIDUE)
    assert all(a < b for a, b in pairwise(values[:9]))
    assert all(a > b for a, b in pairwise(values[8:]))
    assert max(abs(a - b) for a, b in pairwise(values)) < 0.25


def test_the_intensity_rests_before_and_stays_after():
    assert intensity_at(-5, 10, 18, 30) == 0
    assert intensity_at(99, 10, 18, 30) == RESIDUE


@pytest.mark.parametrize("apex", [10, 30])
def test_an_apex_at_an_end_still_shows_fully(apex):
    assert intensity_at(apex, 10, apex, 30) == 1
    assert all(0 <= intensity_at(k, 10, apex, 30) <= 1 for k in range(10, 31))


# a clip


def test_a_clip_has_one_frame_a_number_and_depends_on_the_seed_alone():
    frames = clip()
    assert frames.shape == (21, 60, 60) and frames.dtype == np.uint8
    assert np.array_equal(frames, clip())
    assert not np.array_equal(frames, clip(seed=1))


def test_motion_is_there_with_the_motion_and_absent_without():
    def change(motion):
        frames = clip(motion=motion, size=90).astype(float)
        return np.abs(cv2.GaussianBlur(frames[10] - frames[0], (0, 0), 1)).max()

    assert change(True) > 3 * change(False)


def test_without_motion_only_the_moved_skin_differs():
    on, off = (clip(motion=s).astype(float) for s in (True, False))
    assert np.array_equal(on[0], off[0])  # the onset is at rest
    still = lengths(displacement(SMILE, 60, face=face_of(0), peak=2.5)) < 1e-3
    assert still.mean() > 0.1
    assert np.abs(on[:, still] - off[:, still]).max() <= 1  # same noise, drift and flicker


def test_optical_flow_finds_the_displacement():
    frames = clip(size=96, peak=2.5)
    field = displacement(SMILE, 96, face=face_of(0), peak=2.5)
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    found = dis.calc(frames[0], frames[10], np.zeros((96, 96, 2), np.float32))
    moved = lengths(field) > 0.5
    assert np.corrcoef(found[moved].ravel(), field[moved].ravel())[0, 1] > 0.6
