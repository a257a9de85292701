import hashlib

import cv2
import numpy as np
import pytest

from mer_keras.errors import FrameError
from mer_keras.video import reader
from mer_keras.video.reader import frames_of, open_recording
from tests.video.recordings import texture, write_video


def levels(count):
    """Flat frames that brighten by 10 gray levels each."""
    return [np.full((48, 64), 10 * number, np.uint8) for number in range(count)]


@pytest.fixture
def video(tmp_path):
    return write_video(tmp_path / "talk.mkv", levels(20), fps=40)


@pytest.fixture
def folder(tmp_path):
    images = tmp_path / "frames"
    images.mkdir()
    for number, picture in enumerate(levels(12), start=1):
        cv2.imwrite(str(images / f"img{number}.png"), picture)
    return images


def test_frames_come_in_order_with_their_times(video):
    recording = open_recording(video)
    frames = list(recording.frames())
    assert [frame.index for frame in frames] == list(range(20))
    assert np.allclose([frame.time_s for frame in frames], np.arange(20) / 40, atol=1e-3)
    assert [int(frame.picture[0, 0, 0]) for frame in frames] == list(range(0, 200, 10))
    assert np.array_equal(recording.times(), [frame.time_s for frame in frames])
    assert (recording.claimed_fps, recording.claimed_frames) == (40, 20)


def test_the_digest_is_that_of_the_file(video, monkeypatch):
    monkeypatch.setattr(reader, "_PIECE", 100)  # Many pieces.
    assert open_recording(video).sha256() == hashlib.sha256(video.read_bytes()).hexdigest()


def test_an_interval_alone(video):
    pictures, times = frames_of(video, 5, 8)
    assert [int(picture[0, 0, 0]) for picture in pictures] == [50, 60, 70, 80]
    assert np.allclose(times, np.arange(5, 9) / 40, atol=1e-3)
    assert pictures[0].shape == (48, 64, 3)


@pytest.mark.parametrize(("first", "last", "words"), [(5, 30, "frame 30"), (4, 3, "expected 0 <=")])
def test_an_interval_that_is_not_there(video, first, last, words):
    with pytest.raises(FrameError, match=words):
        frames_of(video, first, last)


def test_a_folder_of_frames_is_footage_too(folder):
    recording = open_recording(folder, fps=200)
    frames = list(recording.frames())
    assert [int(frame.picture[0, 0, 0]) for frame in frames] == list(range(0, 120, 10))
    assert np.allclose([frame.time_s for frame in frames], np.arange(12) / 200)
    assert recording.name == "frames"
    assert np.allclose(recording.times(), np.arange(12) / 200)


def test_a_pair_of_images_needs_no_frame_rate(folder):
    pair = [folder / "img3.png", folder / "img7.png"]
    pictures, _ = frames_of(pair, 0, 1)
    assert [int(picture[0, 0, 0]) for picture in pictures] == [20, 60]
    with pytest.raises(FrameError, match="--fps"):
        open_recording(pair).times()


def test_several_videos_are_no_recording(video, folder):
    with pytest.raises(FrameError, match=r"talk\.mkv: expected an image"):
        open_recording([folder / "img1.png", video])


@pytest.mark.parametrize(
    ("limit", "value", "words"),
    [
        ("MAX_SIDE", 60, "64x48 pixels"),
        ("MAX_PIXELS", 1000, "64x48 pixels"),
        ("MAX_SECONDS", 0.1, "header claims 20 frames"),
        ("MAX_FRAMES", 10, "header claims 20 frames"),
    ],
)
def test_fault_65_limits_are_checked_before_a_frame_is_decoded(
    video, monkeypatch, limit, value, words
):
    monkeypatch.setattr(reader, limit, value)
    with pytest.raises(FrameError, match=words):
        open_recording(video)


def test_a_header_that_claims_less_does_not_get_round_the_limits(video, monkeypatch):
    recording = open_recording(video)
    monkeypatch.setattr(reader, "MAX_FRAMES", 10)
    with pytest.raises(FrameError, match="frame 10"):
        list(recording.frames())


def test_a_corrupt_tail_ends_the_recording(video):
    data = video.read_bytes()
    video.write_bytes(data[: len(data) * 6 // 10])
    frames = list(open_recording(video).frames())
    assert 1 < len(frames) < 20
    assert [int(frame.picture[0, 0, 0]) for frame in frames[:3]] == [0, 10, 20]


class Stamped:
    """A decoder whose frames have given time stamps, in milliseconds."""

    def __init__(self, stamps):
        self.stamps, self.index = stamps, -1

    def grab(self):
        self.index += 1
        return self.index < len(self.stamps)

    def get(self, _):
        return self.stamps[self.index]

    def retrieve(self):
        return True, texture()

    def release(self):
        pass


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([40, 80, 90, 150], [0, 0.04, 0.05, 0.11]),  # A variable rate is kept as it is.
        ([0, 0, 0, 0], [0, 0.025, 0.05, 0.075]),  # Without stamps the header's rate stands in.
        ([0, 25, 10, 75], [0, 0.025, 0.05, 0.075]),  # Time doesn't run backwards.
    ],
)
def test_times_are_those_of_the_files_stamps(video, monkeypatch, stamps, times):
    recording = open_recording(video)
    monkeypatch.setattr(reader, "open_video", lambda _: Stamped(stamps))
    assert np.allclose(recording.times(), times)
    assert np.allclose([frame.time_s for frame in recording.frames()], times)
    assert next(recording.frames()).picture.shape == (48, 64, 3)  # Gray decoders too.
