import cv2
import numpy as np
import pytest

from mer_keras.annotations.synthetic.identity import Identity
from mer_keras.annotations.synthetic.portrait import render_neutral
from mer_keras.annotations.synthetic.stand_ins import LAYOUTS, _on_camera
from mer_keras.clips import faces
from mer_keras.clips.faces import FaceBox, apply_box, centre_box, find_face, locate
from mer_keras.errors import FrameError


@pytest.fixture(scope="module")
def photograph():
    """A real face: scikit-image's photograph of Eileen Collins, in the public domain (NASA)."""
    data = pytest.importorskip("skimage.data")
    return cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY)


#: the middle of the face and its width, read off the photograph
FACE_X, FACE_Y, FACE_WIDTH = 224, 115, 115


def turned(image, degrees):
    """Turn a picture clockwise about the face."""
    turn = cv2.getRotationMatrix2D((FACE_X, FACE_Y), -degrees, 1)
    return cv2.warpAffine(image, turn, image.shape[::-1], borderMode=cv2.BORDER_REPLICATE)


def camera_frame(name, person):
    camera = LAYOUTS[name].camera or LAYOUTS[name].native
    who = Identity.draw(np.random.default_rng([0, *name.encode(), 0, person]))
    face = (render_neutral(who, round(0.66 * camera[1])) * 255).astype(np.uint8)
    return _on_camera(face[None], camera, person)[0]


def test_the_face_in_a_photograph_is_found(photograph):
    box = find_face(photograph)
    assert box.found == "haar" and box.faces == 1
    assert abs(box.x + box.width / 2 - FACE_X) < 15
    assert abs(box.y + box.height / 2 - FACE_Y) < 15
    assert 0.8 * FACE_WIDTH < box.width < 1.4 * FACE_WIDTH


@pytest.mark.parametrize("scale", [0.7, 1.5])
def test_a_larger_or_smaller_photograph_gives_the_same_box_in_proportion(photograph, scale):
    one, other = find_face(photograph), find_face(cv2.resize(photograph, None, fx=scale, fy=scale))
    for name in ("x", "y", "width"):
        assert getattr(other, name) == pytest.approx(scale * getattr(one, name), abs=12)


@pytest.mark.parametrize("degrees", [-10, 10])
def test_a_turned_face_is_made_level(photograph, degrees):
    upright = find_face(photograph).angle
    box = find_face(turned(photograph, degrees))
    assert box.angle - upright == pytest.approx(degrees, abs=4)
    again = find_face(cv2.copyMakeBorder(apply_box(turned(photograph, degrees), box),
                                         60, 60, 60, 60, cv2.BORDER_REPLICATE))  # fmt: skip
    assert again is not None and abs(again.angle) < 6


def test_alignment_can_be_switched_off(photograph):
    assert find_face(turned(photograph, 10), align=False).angle == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["casme2", "smic", "samm"])
def test_nineteen_in_twenty_synthetic_faces_are_found_at_native_size(name):
    found = [find_face(camera_frame(name, person)) for person in range(40)]
    assert np.mean([box is not None for box in found]) >= 0.95
    assert np.mean([box is not None and box.faces == 1 for box in found]) >= 0.95


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((120, 160), np.uint8),
        np.full((120, 160), 130, np.uint8),
        np.random.default_rng(0).integers(0, 256, (120, 160), dtype=np.uint8),
        np.zeros((10, 10), np.uint8),
    ],
    ids=["black", "gray", "noise", "tiny"],
)
def test_no_face_is_none_and_located_in_the_centre(frame):
    assert find_face(frame) is None
    box = FaceBox.unpacked(locate(frame, "haar"))
    assert box == centre_box(frame) and box.found == "centre" and box.faces == 0


def test_of_two_faces_the_larger_one_is_taken_and_both_are_counted():
    large = camera_frame("casme2", 3)
    small = cv2.resize(camera_frame("casme2", 4), None, fx=0.7, fy=0.7)
    both = np.full((480, 640 + 448), 120, np.uint8)
    both[:, :640] = large
    both[: small.shape[0], 640:] = small
    box = find_face(both)
    assert box.faces == 2
    assert box.x + box.width < 640


@pytest.mark.parametrize(("shape", "expected"), [((48, 64), (8, 0, 48)), ((64, 48), (0, 8, 48))])
def test_the_centre_is_the_largest_square_in_the_middle(shape, expected):
    box = centre_box(np.zeros(shape, np.uint8))
    assert (box.x, box.y, box.width) == expected and box.width == box.height
    assert apply_box(np.zeros((*shape, 3), np.uint8), box).shape == (48, 48, 3)


def test_a_box_survives_its_packing():
    box = FaceBox(3, 4, 50, 60, -2.5, "haar", 2)
    assert FaceBox.unpacked(box.packed()) == box


def test_a_box_without_an_angle_is_a_plain_cut():
    frame = np.arange(48, dtype=np.uint8).reshape(6, 8)
    np.testing.assert_array_equal(apply_box(frame, FaceBox(2, 1, 3, 4)), frame[1:5, 2:5])


def test_detection_does_not_depend_on_the_thread(photograph):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        boxes = list(pool.map(find_face, [photograph] * 6))
    assert set(boxes) == {find_face(photograph)}


@pytest.mark.parametrize("frame", [np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), np.float32)])
def test_other_shapes_and_types_are_refused(frame):
    with pytest.raises(FrameError, match="expected uint8"):
        find_face(frame)


def test_an_opencv_without_cascades_is_named(monkeypatch):
    monkeypatch.setattr(faces.cv2.data, "haarcascades", "/nowhere/")
    monkeypatch.setattr(faces, "_kept", type(faces._kept)())
    with pytest.raises(FrameError, match=r"opencv-python-headless>=4\.14,<5"):
        find_face(np.zeros((60, 60), np.uint8))
