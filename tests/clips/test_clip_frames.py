from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.clips.clip_frames import GAP, ClipFrames
from mer_keras.clips.faces import FaceBox
from mer_keras.clips.footage import Footage, open_footage
from mer_keras.clips.sample import Sample
from mer_keras.config.data import Policies
from mer_keras.errors import FrameError

SAMPLE = Sample("demo/01/a", "demo", "01/a", Path("clip"))


def frames_with(numbers):
    files = {number: Path(str(number)) for number in numbers}
    return ClipFrames(SAMPLE, Footage(Path("clip"), files), Policies())


def of_folder(path, **policies):
    return ClipFrames(SAMPLE, open_footage(path), Policies(**policies))


@given(
    st.sets(st.integers(0, 60), min_size=1).map(sorted),
    st.lists(st.integers(0, 60), min_size=1),
)
def test_the_nearest_frame_is_that_of_a_literal_search(on_disk, numbers):
    frames = frames_with(on_disk)
    expected = []
    for number in numbers:
        nearest = on_disk[0]
        for candidate in on_disk:
            if abs(candidate - number) < abs(nearest - number):
                nearest = candidate
        expected.append(nearest)
    assert frames.nearest(numbers) == expected
    distance = max(abs(a - b) for a, b in zip(numbers, expected, strict=True))
    assert frames.farthest == distance
    assert frames.remarks == ({GAP} if distance else set())


def test_frames_between_two_marks_are_those_on_disk():
    assert frames_with([1, 2, 5, 8, 9]).between(2, 8) == [2, 5, 8]


def test_a_stack_is_each_frame_cut_and_resized(blob):
    frames = of_folder(blob)
    frames.box = FaceBox(10, 5, 40, 40)
    stack = frames.stack([3, 7], 16).array
    assert stack.dtype == np.uint8
    for image, number in zip(stack, (3, 7), strict=True):
        picture = cv2.imread(str(blob / f"img{number}.png"), cv2.IMREAD_GRAYSCALE)
        face = picture[5:45, 10:50]
        np.testing.assert_array_equal(
            image, cv2.resize(face, (16, 16), interpolation=cv2.INTER_AREA)
        )


def test_a_stack_in_colour_is_rgb(blob):
    stack = of_folder(blob).stack([3], 16, channels=3).array
    picture = cv2.imread(str(blob / "img3.png"))
    small = cv2.resize(picture, (16, 16), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(stack[0], small[..., ::-1])


def test_fault_24_with_a_box_frames_of_another_size_are_brought_to_the_first_ones(blob):
    picture = cv2.imread(str(blob / "img4.png"))
    assert cv2.imwrite(str(blob / "img4.png"), cv2.resize(picture, (160, 120)))
    with pytest.raises(FrameError, match=r"different sizes.*data\.policies\.sizes=resize"):
        of_folder(blob).stack([3, 4], 16)
    frames = of_folder(blob, sizes="resize")
    frames.box = FaceBox(10, 5, 40, 40)
    before, resized = frames.stack([3, 4], 16).array.astype(int)
    assert np.abs(before - resized).max() < 30  # Both show the same part of the face.
    assert frames.remarks == {"frames of different sizes in one clip, each resized"}
