import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.clips import faces
from mer_keras.clips.faces import FaceBox, apply_box, centre_box, find_face, locate
from mer_keras.errors import FrameError
from mer_keras.synthetic.face_traits import FaceTraits
from mer_keras.synthetic.portrait import render_neutral
from mer_keras.synthetic.rendering import on_camera
from mer_keras.synthetic.stand_ins import LAYOUTS


@pytest.fixture(scope="module")
def photograph():
    """A real face: scikit-image's photograph of Eileen Collins, in the public domain (NASA)."""
    data = pytest.importorskip("skimage.data")
    return cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY)


#: The middle of the face and its width, read off the photograph.
FACE_X, FACE_Y, FACE_WIDTH = 224, 115, 115


def moved(image, degrees=0.0, scale=1.0, right=0, down=0):
    """Turn a picture clockwise about the face, and scale and shift it in a frame of its size."""
    move = cv2.getRotationMatrix2D((FACE_X, FACE_Y), -degrees, scale)
    move[:, 2] += right, down
    return cv2.warpAffine(image, move, image.shape[::-1], borderMode=cv2.BORDER_REPLICATE)


def camera_frame(person, camera=(640, 480), share=0.66):
    face = FaceTraits.draw(np.random.default_rng([0, person]))
    picture = (render_neutral(face, round(share * camera[1])) * 255).astype(np.uint8)
    return on_camera(picture[None], camera, person)[0]


def centre(box):
    return box.x + box.width / 2, box.y + box.height / 2


def test_the_face_in_a_photograph_is_found(photograph):
    box = find_face(photograph)
    assert box.crop == "haar" and box.faces == 1 and box.eyes
    assert centre(box) == pytest.approx((FACE_X, FACE_Y), abs=12)
    assert 0.8 * FACE_WIDTH < box.width == box.height < 1.3 * FACE_WIDTH


@pytest.mark.parametrize("scale", [0.7, 1.5])
def test_a_larger_or_smaller_photograph_gives_the_same_box_in_proportion(photograph, scale):
    box = find_face(cv2.resize(photograph, None, fx=scale, fy=scale))
    assert centre(box) == pytest.approx((scale * FACE_X, scale * FACE_Y), abs=12 * scale)
    assert 0.8 * scale * FACE_WIDTH < box.width < 1.3 * scale * FACE_WIDTH


@pytest.mark.parametrize(
    ("scale", "right", "down"),
    [(0.75, 0, 0), (1.5, 0, 0), (1, 120, 60), (1, -80, 100), (1.2, 90, 0)],
)
def test_a_face_elsewhere_in_the_frame_is_found_there(photograph, scale, right, down):
    box = find_face(moved(photograph, scale=scale, right=right, down=down))
    assert box.faces == 1
    assert centre(box) == pytest.approx((FACE_X + right, FACE_Y + down), abs=14 * scale)
    assert 0.8 * scale * FACE_WIDTH < box.width < 1.3 * scale * FACE_WIDTH


@pytest.mark.parametrize("degrees", [-10, 10])
def test_a_turned_face_is_made_level(photograph, degrees):
    turned = moved(photograph, degrees)
    box = find_face(turned)
    # Her head is not quite upright in the photograph either.
    assert box.angle == pytest.approx(find_face(photograph).angle + degrees, abs=2)
    levelled = cv2.copyMakeBorder(apply_box(turned, box), 60, 60, 60, 60, cv2.BORDER_REPLICATE)
    again = find_face(levelled)
    assert again.eyes and abs(again.angle) < 3


def test_alignment_can_be_switched_off(photograph):
    box = find_face(moved(photograph, 10), align=False)
    assert box.angle == 0 and not box.eyes


def test_a_face_at_the_edge_of_the_frame_keeps_its_box_inside(photograph):
    box = find_face(photograph[64:166, 174:276])
    assert (box.x, box.y, box.width, box.height) == (0, 0, 102, 102)


def test_the_margin_enlarges_the_box_about_its_middle(photograph):
    narrow, wide = (find_face(photograph, margin=share) for share in (0, 0.25))
    assert wide.width == pytest.approx(1.5 * narrow.width, abs=1)
    assert centre(wide) == pytest.approx(centre(narrow), abs=1)


def test_faces_below_the_least_share_are_not_looked_for(photograph):
    assert find_face(photograph, min_share=0.3) is None


def test_one_frame_always_gives_one_box_in_any_thread(photograph):
    with ThreadPoolExecutor(4) as pool:
        boxes = list(pool.map(find_face, [photograph] * 6))
    assert set(boxes) == {find_face(photograph)}


@pytest.mark.parametrize("camera", [(640, 480), (960, 650)])
def test_synthetic_faces_are_found_where_they_are_drawn(camera):
    for person in range(4):
        frame = camera_frame(person, camera)
        rng = np.random.default_rng([person, *camera])
        side = round(0.66 * camera[1])
        left, top = (int((whole - side) * rng.uniform(0.35, 0.65)) for whole in camera)
        box = find_face(frame)
        assert centre(box) == pytest.approx((left + side / 2, top + 0.53 * side), abs=0.12 * side)
        assert 0.6 * side < box.width < 1.1 * side
        assert box.eyes and abs(box.angle) < 3


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.55, 0.7])
@pytest.mark.parametrize("name", ["casme2", "samm"])
def test_nineteen_in_twenty_synthetic_faces_are_found_at_native_size(name, share):
    camera = LAYOUTS[name].camera or LAYOUTS[name].native
    boxes = [find_face(camera_frame(person, camera, share), align=False) for person in range(20)]
    assert np.mean([box is not None and box.faces == 1 for box in boxes]) >= 0.95


def blurred_noise():
    noise = np.random.default_rng(1).standard_normal((240, 320))
    smooth = cv2.GaussianBlur(noise, (0, 0), 5)
    return np.clip(128 + 50 * smooth / smooth.std(), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((120, 160), np.uint8),
        np.full((120, 160), 130, np.uint8),
        np.random.default_rng(0).integers(0, 256, (120, 160), dtype=np.uint8),
        blurred_noise(),
        np.zeros((10, 10), np.uint8),
        np.zeros((1, 1), np.uint8),
        np.zeros((1, 300), np.uint8),
    ],
    ids=["black", "gray", "noise", "blurred noise", "tiny", "pixel", "line"],
)
def test_no_face_is_none_and_located_in_the_centre(frame):
    assert find_face(frame) is None
    box = FaceBox.unpacked(locate(frame, "haar"))
    assert box == centre_box(frame.shape)
    assert box.crop == "centre" and box.faces == 0 and not box.eyes


def test_of_two_faces_the_larger_one_is_taken_and_both_are_counted():
    small = cv2.resize(camera_frame(4), None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    both = np.full((480, 640 + 448), 120, np.uint8)
    both[:, :640] = camera_frame(3)
    both[: small.shape[0], 640:] = small
    for frame, least, most in ((both, 0, 640), (both[:, ::-1], 448, 1088)):
        box = find_face(frame)
        assert box.faces == 2
        assert least <= box.x and box.x + box.width <= most


def test_locate_gives_what_find_face_finds(photograph):
    assert FaceBox.unpacked(locate(photograph, "haar")) == find_face(photograph)
    level = FaceBox.unpacked(locate(photograph, "haar", align=False))
    assert level == find_face(photograph, align=False)


def test_for_the_centre_no_face_is_looked_for(monkeypatch, photograph):
    monkeypatch.setattr(faces, "find_face", None)
    assert FaceBox.unpacked(locate(photograph, "centre")) == centre_box(photograph.shape)


@pytest.mark.parametrize(("shape", "expected"), [((48, 64), (8, 0, 48)), ((64, 48), (0, 8, 48))])
def test_the_centre_is_the_largest_square_in_the_middle(shape, expected):
    box = centre_box(shape)
    assert (box.x, box.y, box.width) == expected and box.width == box.height
    assert apply_box(np.zeros((*shape, 3), np.uint8), box).shape == (48, 48, 3)


edges = st.integers(0, 5000)


@given(
    st.builds(
        FaceBox,
        x=edges,
        y=edges,
        width=edges,
        height=edges,
        angle=st.floats(-25, 25),
        crop=st.sampled_from(["haar", "centre"]),
        faces=st.integers(0, 9),
        eyes=st.booleans(),
    )
)
def test_a_box_survives_its_packing(box):
    assert FaceBox.unpacked(box.packed()) == box


def test_a_box_without_an_angle_is_a_plain_cut():
    frame = np.arange(48, dtype=np.uint8).reshape(6, 8)
    np.testing.assert_array_equal(apply_box(frame, FaceBox(2, 1, 3, 4)), frame[1:5, 2:5])


@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_turning_keeps_type_and_shape_and_the_middle_in_its_place(dtype, channels):
    frame = np.zeros((60, 80, *channels), dtype)
    frame[30, 45] = 200  # The middle of the box.
    cut = apply_box(frame, FaceBox(35, 20, 21, 21, 20.0))
    assert cut.dtype == dtype and cut.shape == (21, 21, *channels)
    assert np.all(cut[10, 10] == 200)


def test_turning_a_quarter_is_exact_and_counter_clockwise():
    frame = np.random.default_rng(0).integers(0, 256, (9, 9), dtype=np.uint8)
    turned = apply_box(frame, FaceBox(0, 0, 9, 9, 90.0))
    np.testing.assert_array_equal(turned, np.rot90(frame))


def test_beyond_the_frame_its_border_is_repeated():
    frame = np.full((40, 40), 77, np.uint8)
    assert np.all(apply_box(frame, FaceBox(0, 0, 40, 40, 15.0)) == 77)


@pytest.mark.parametrize(
    "frame",
    [np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), np.float32), np.zeros((0, 9), np.uint8)],
)
def test_other_shapes_and_types_are_refused(frame):
    for ask in (find_face, lambda wrong: locate(wrong, "centre")):
        with pytest.raises(FrameError, match=r"shape.*expected uint8.*decode"):
            ask(frame)


@pytest.mark.parametrize(
    "frame",
    [np.zeros(9, np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9), np.int64)],
)
def test_what_is_no_picture_is_not_cut(frame):
    with pytest.raises(FrameError, match=r"shape.*expected uint8 or float32"):
        apply_box(frame, FaceBox(0, 0, 4, 4))


@pytest.mark.parametrize("box", [FaceBox(-1, 0, 4, 4), FaceBox(6, 0, 4, 4), FaceBox(0, 6, 4, 4)])
def test_a_box_beyond_the_frame_is_refused(box):
    with pytest.raises(FrameError, match="expected a box inside it"):
        apply_box(np.zeros((9, 9), np.uint8), box)


def test_an_opencv_without_cascades_is_named(monkeypatch):
    monkeypatch.setattr(faces.cv2.data, "haarcascades", "/nowhere/")
    monkeypatch.setattr(faces, "_cascades", threading.local())
    with pytest.raises(FrameError, match=r"opencv-python-headless>=4\.14,<5.*inputs\.NAME\.crop"):
        find_face(np.zeros((60, 60), np.uint8))
