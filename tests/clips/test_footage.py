from pathlib import Path

import cv2
import numpy as np
import pytest

from mer_keras.clips import footage
from mer_keras.config.inputs import Clip, Magnification
from mer_keras.errors import FrameError
from tests.clips.blob import CLIP, load

IMAGE = Clip(kind="frames", frames=1, size=32, sampling="apex")
NO_MARKS = {"onset": None, "apex": None, "offset": None}


def write_video(path, frames, fps=25.0):
    """Write a video whose frames are flat and brighten by 10 gray levels each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (80, 60))
    assert video.isOpened()
    for number in range(frames):
        video.write(np.full((60, 80, 3), min(250, 10 * number), np.uint8))
    video.release()
    return path


@pytest.fixture
def video(tmp_path):
    return write_video(tmp_path / "data" / "clip.avi", 12)


def levels(clip):
    """Frame numbers of a clip of such a video."""
    return np.rint(clip[:, 16, 16, 0] * 25.5).astype(int).tolist()


def test_frames_of_a_video_count_from_zero(video):
    loaded = load(video, onset=2, apex=5, offset=10)
    assert levels(loaded.arrays[0]) == [2, 4, 5, 8, 10]


def test_a_whole_clip_of_a_video_is_each_of_its_frames(video):
    whole = Clip(kind="frames", size=32, sampling="whole")
    loaded = load(video, whole, onset=2, apex=5, offset=10)
    assert levels(loaded.arrays[0]) == list(range(2, 11))


def test_its_own_frame_rate_serves_magnification(video):
    recipe = Magnification(alpha=2, low=1, high=12.5, levels=1)
    clip = CLIP.model_copy(update={"magnification": recipe})
    load(video, clip, fps=None, onset=2, apex=5, offset=10)


def test_a_second_run_decodes_no_video(video, monkeypatch):
    load(video, onset=2, apex=5, offset=10)
    monkeypatch.setattr(footage.cv2, "VideoCapture", None)
    load(video, onset=2, apex=5, offset=10)


def test_fault_29_broken_videos_are_left_out_with_the_reason(tmp_path):
    video = write_video(tmp_path / "data" / "clip.avi", 40)
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    page = tmp_path / "data" / "page.mp4"
    page.write_bytes(b"<html>not a video</html>" * 50)
    for path, words in ((video, "broken video|frame"), (page, "no known container")):
        with pytest.raises(FrameError, match=words):
            load(path, onset=2, apex=5, offset=10)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("clip.avi", "ffconcat version 1.0\nfile '{video}'\n"),
        ("clip.mov", "#EXTM3U\n#EXTINF:9,\n{video}\n#EXT-X-ENDLIST\n"),
        ("clip.mp4", "v=0\nc=IN IP4 127.0.0.1\nm=video 5000 RTP/AVP 96\n"),
        ("clip.mkv", '<?xml version="1.0"?><playlist><location>{video}</location></playlist>'),
        ("clip.mpg", "G\nc=IN IP4 127.0.0.1\nm=video 5000 RTP/AVP 96\n" + "G" * 300),
        ("clip.mp4", "0000ftypjp2 \nc=IN IP4 127.0.0.1\nm=video 5000 RTP/AVP 96\n"),
    ],
)
def test_fault_68_a_clip_of_a_database_is_no_playlist(tmp_path, monkeypatch, name, text):
    """Whatever its name, no decoder is asked to open it."""
    video = write_video(tmp_path / "secret.avi", 3)
    (tmp_path / name).write_text(text.format(video=video))
    monkeypatch.setattr(cv2, "VideoCapture", None)
    with pytest.raises(footage.UnusableClipError, match=f"^{name}: (a playlist|no known)"):
        footage.open_footage(tmp_path / name)


def test_fault_65_frames_that_are_too_large_are_not_decoded(video, monkeypatch):
    monkeypatch.setattr(footage.frames, "MAX_PIXELS", 1000)
    with pytest.raises(footage.UnusableClipError, match=r"clip\.avi: a video of 80x60 pixels"):
        footage.open_footage(video)


def test_fault_65_a_video_of_very_many_frames_is_left_out(video, monkeypatch):
    monkeypatch.setattr(footage, "_MAX_FRAMES", 5)
    with pytest.raises(footage.UnusableClipError, match="a video of more than 5 frames"):
        footage.open_footage(video)


@pytest.mark.parametrize(
    ("fps", "times", "words"),
    [
        (0.0, [0, 40, 80], "without a frame rate"),
        (float("nan"), [0, 40, 80], "without a frame rate"),
        (25.0, [0, 40, 300, 340], "variable frame rate"),
    ],
)
def test_fault_29_frame_rates_that_say_nothing(tmp_path, monkeypatch, fps, times, words):
    path = tmp_path / "clip.avi"
    path.write_bytes(b"x")

    class Capture:
        def __init__(self, _path):
            self.frame = -1

        def grab(self):
            self.frame += 1
            return self.frame < len(times)

        def get(self, what):
            return {
                cv2.CAP_PROP_FPS: fps,
                cv2.CAP_PROP_POS_MSEC: times[min(self.frame, len(times) - 1)],
                cv2.CAP_PROP_FRAME_COUNT: len(times),
                cv2.CAP_PROP_FRAME_WIDTH: 80,
                cv2.CAP_PROP_FRAME_HEIGHT: 60,
            }[what]

        def release(self):
            pass

    monkeypatch.setattr(footage, "check_container", lambda _: "AVI")
    monkeypatch.setattr(footage, "open_video", Capture)
    with pytest.raises(footage.UnusableClipError, match=words):
        footage.open_footage(path)


@pytest.mark.parametrize("name", ["a.tiff", "a.png"])
def test_one_image_is_a_clip_of_one_frame(tmp_path, name):
    assert cv2.imwrite(str(tmp_path / name), np.full((40, 40), 77, np.uint8))
    loaded = load(tmp_path / name, IMAGE, **NO_MARKS)
    assert loaded.arrays.shape == (1, 32, 32, 1)
    assert np.rint(loaded.arrays * 255).min() == 77


def test_a_truncated_tiff_is_left_out(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8)
    path = tmp_path / "a.tiff"
    assert cv2.imwrite(str(path), noise, [cv2.IMWRITE_TIFF_COMPRESSION, 1])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(FrameError, match=r"a\.tiff: .*TIFF"):
        load(path, IMAGE, **NO_MARKS)


def test_what_is_derived_of_a_table_of_pixels_is_told_apart_by_step_and_parameters(places):
    """Derived arrays are kept under the entry's key, so that two steps need two keys."""
    table = footage.Footage(Path("faces.csv"), pixels=np.zeros((3, 4, 4), np.uint8), key="table")
    steps = [("a", {"size": 2}, [0]), ("b", {"size": 2}, [0]), ("a", {"size": 3}, [0])]
    steps += [("a", {"size": 2}, [1])]
    entries = [table.fetch(numbers, step, p, lambda x: x[0]) for step, p, numbers in steps]
    assert len({entry.key for entry in entries}) == len(steps)
    assert entries[0].key == table.fetch([0], "a", {"size": 2}, lambda x: x[0]).key
