"""Whatever a name leads to: only plain files within their bound are read."""

import os

import pytest

from mer_keras.bounded_files import NoPlainFileError, TooLargeError, open_plain, read_bounded


@pytest.fixture(params=["pipe", "device", "link to a device", "folder", "link to a pipe"])
def no_file(request, tmp_path):
    path = tmp_path / "a"
    if "device" in request.param:
        path.symlink_to("/dev/zero")
    elif request.param == "folder":
        path.mkdir()
    else:
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to(tmp_path / "pipe")
    return path


@pytest.mark.timeout(20)
def test_fault_65_pipes_devices_and_folders_are_no_files(no_file):
    with pytest.raises(NoPlainFileError, match="no file but a folder, a pipe or a device"):
        read_bounded(no_file, 100)
    with pytest.raises(NoPlainFileError):
        open_plain(no_file)


@pytest.mark.timeout(20)
def test_fault_65_a_file_with_a_hole_is_not_read(tmp_path):
    with (tmp_path / "a").open("wb") as file:
        file.truncate(10**11)
    with pytest.raises(TooLargeError, match="larger than 1,000,000,000 bytes"):
        read_bounded(tmp_path / "a", 10**9)


def test_a_file_of_the_largest_size_is_read_whole(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert read_bounded(tmp_path / "link", 5) == b"12345"
    with pytest.raises(TooLargeError):
        read_bounded(tmp_path / "a", 4)


def test_a_file_that_is_absent_is_no_other_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_bounded(tmp_path / "a", 5)
