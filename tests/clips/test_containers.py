import os

import cv2
import pytest

from mer_keras.clips.containers import check_container
from mer_keras.errors import FrameError
from mer_keras.video.reader import open_recording
from tests.video.recordings import texture, write_video

WAVE = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00" + bytes(64)


@pytest.mark.parametrize(
    ("suffix", "codec", "container"),
    [(".avi", "MJPG", "AVI"), (".mkv", "FFV1", "Matroska or WebM"), (".mp4", "mp4v", "MP4 or")],
)
def test_containers_are_told_by_their_content(tmp_path, suffix, codec, container):
    video = write_video(tmp_path / f"clip{suffix}", [texture()] * 3, codec=codec)
    misnamed = video.rename(tmp_path / "clip.bin")
    assert check_container(misnamed).startswith(container)
    assert open_recording(misnamed).width == 64


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "zero bytes"),
        (WAVE, "an audio file"),
        (b"ID3\x04\x00" + bytes(600), "an audio file"),
        (b"<html>not found</html>", "no known container"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "a PNG image"),
        (b"PK\x03\x04" + bytes(64), "an archive"),
    ],
)
def test_what_is_no_video_is_named(tmp_path, content, words):
    file = tmp_path / "talk.mp4"
    file.write_bytes(content)
    with pytest.raises(FrameError, match=words) as error:
        open_recording(file)
    assert str(file) in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{video}\n#EXT-X-ENDLIST\n",
        "\ufeff#EXTM3U\n{video}\n",
        "ffconcat version 1.0\nfile '{video}'\n",
        "[playlist]\nFile1={video}\n",
        '<?xml version="1.0"?><MPD><BaseURL>{video}</BaseURL></MPD>',
    ],
)
@pytest.mark.parametrize("name", ["list.m3u8", "talk.mp4"])
def test_fault_68_a_playlist_is_not_followed(tmp_path, monkeypatch, text, name):
    video = write_video(tmp_path / "secret.mkv", [texture()] * 3)
    (tmp_path / name).write_text(text.format(video=video))
    monkeypatch.setattr(cv2, "VideoCapture", None)  # It would open what the list names.
    with pytest.raises(FrameError, match="playlist, which names other files"):
        open_recording(tmp_path / name)


def test_sound_alone_in_a_container_of_video_has_no_pictures(tmp_path):
    file = tmp_path / "talk.m4a"
    file.write_bytes(b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00M4A mp42" + bytes(400))
    with pytest.raises(FrameError, match="sound alone"):
        open_recording(file)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "talk.mp4")
    with pytest.raises(FrameError, match="no file, expected a video"):
        open_recording(tmp_path / "talk.mp4")


def test_an_absent_file_is_said(tmp_path):
    with pytest.raises(FrameError, match="can't be read"):
        open_recording(tmp_path / "absent.mp4")


def test_a_pipe_among_images_is_not_waited_for(tmp_path):
    pipe = tmp_path / "onset.png"
    os.mkfifo(pipe)
    with pytest.raises(FrameError, match="expected an image"):
        open_recording([pipe, pipe])
