"""What is named on the command line becomes recordings, or a clear error."""

import os

import pytest

from mer_keras.errors import UserError
from mer_keras.prediction.sources import sources_of
from tests.prediction.small import write_frames


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def names_of(*paths):
    return [source.name for source in sources_of(paths)]


def test_videos_and_folders_of_frames(tmp_path):
    video = touch(tmp_path / "My talk.MP4")
    frames = write_frames(tmp_path / "frames", 2)
    assert names_of(video, frames) == ["my-talk-mp4", "frames"]


def test_a_folder_of_recordings_is_each_of_them(tmp_path):
    touch(tmp_path / "b.avi")
    touch(tmp_path / "a.mov")
    touch(tmp_path / "notes.md")
    touch(tmp_path / ".hidden.avi")
    write_frames(tmp_path / "clip1", 2)
    assert names_of(tmp_path) == ["a-mov", "b-avi", "clip1"]


def test_equal_names_are_numbered(tmp_path):
    paths = [touch(tmp_path / folder / "talk.mp4") for folder in "ab"]
    assert names_of(*paths) == ["talk-mp4", "talk-mp4-2"]


def test_two_or_three_images_are_one_expression(tmp_path):
    images = [touch(tmp_path / f"{name}.png") for name in ("onset", "apex", "offset")]
    (pair,) = sources_of(images[:2])
    assert pair.is_pair
    assert list(pair.source) == images[:2]
    assert sources_of(images)[0].is_pair
    with pytest.raises(UserError, match="1 images: expected onset and apex"):
        sources_of(images[:1])


def test_a_list_names_recordings_relative_to_itself(tmp_path):
    touch(tmp_path / "a.mp4")
    for name in ("on.png", "ap.png"):
        touch(tmp_path / name)
    listed = tmp_path / "list.txt"
    listed.write_text("# ours\na.mp4\n\non.png,ap.png\n")
    first, second = sources_of([listed])
    assert (first.name, first.is_pair) == ("a-mp4", False)
    assert (second.name, second.is_pair) == ("on-png", True)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("absent.mp4", r"line 1: .*absent.mp4: no such file"),
        ("a.mp4,a.mp4", "2 cells: expected one video or folder"),
        ("", "an empty list"),
    ],
)
def test_bad_lists(tmp_path, line, message):
    touch(tmp_path / "a.mp4")
    listed = tmp_path / "list.csv"
    listed.write_text(line + "\n")
    with pytest.raises(UserError, match=message):
        sources_of([listed])


@pytest.mark.parametrize("name", ["x" * 5000 + ".mp4", "a\0b.mp4", "a/" * 300 + "b.mp4"])
def test_fault_66_a_name_that_no_file_can_have_is_no_file(tmp_path, name):
    (tmp_path / "list.csv").write_text(name + "\n")
    with pytest.raises(UserError, match=r"line 1: .*no such file or folder"):
        sources_of([tmp_path / "list.csv"])


@pytest.mark.timeout(20)
def test_fault_65_a_pipe_is_no_list_and_no_recording(tmp_path):
    os.mkfifo(tmp_path / "list.csv")
    os.mkfifo(tmp_path / "a.mp4")
    for name in ("list.csv", "a.mp4"):
        with pytest.raises(UserError, match="no such file or folder"):
            sources_of([tmp_path / name])


def test_what_is_no_recording_is_named(tmp_path):
    with pytest.raises(UserError, match="no such file or folder"):
        sources_of([tmp_path / "absent.mp4"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no images, no videos"):
        sources_of([tmp_path / "empty"])
    video, image = touch(tmp_path / "a.mp4"), touch(tmp_path / "a.png")
    with pytest.raises(UserError, match="an image among other recordings"):
        sources_of([video, image])


def test_a_number_is_not_added_to_the_name_of_another_recording(tmp_path):
    paths = [touch(tmp_path / folder / "talk.mp4") for folder in "abc"]
    named = touch(tmp_path / "talk mp4-2")
    other = touch(tmp_path / "talk-MP4-2.avi").rename(tmp_path / "talk-mp4-2")
    names = names_of(*paths, named, other)
    assert names == ["talk-mp4", "talk-mp4-3", "talk-mp4-4", "talk-mp4-2", "talk-mp4-2-2"]
