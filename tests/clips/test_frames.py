import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from mer_keras.clips import frames
from mer_keras.clips.frames import UnreadableImageError, list_frames, read_gray, read_image
from mer_keras.errors import FrameError
from tests.clips.images import PATTERN, WHOLE, encoded, png_claiming


def touch(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("006_05562.jpg", 5562),
        ("013_1123.jpg", 1123),
        ("img46.jpg", 46),
        ("reg_img46.jpg", 46),
        ("1.jpg", 1),
        ("0.png", 0),
        ("EP01_12-73.jpg", 73),
        ("reg_EP01_12-073.JPG", 73),
        ("image200010.bmp", 200010),
        ("reg_image00200010.jpeg", 200010),
        ("表情 é 7.png", 7),
    ],
)
def test_the_number_is_the_last_integer_of_the_name(tmp_path, name, number):
    assert list_frames(touch(tmp_path, name)) == {number: tmp_path / name}


def test_fault_25_order_is_by_number_not_by_text(tmp_path):
    touch(tmp_path, "img10.jpg", "img9.jpg", "img100.jpg", "img0011.jpg", "img1.jpg")
    assert list(list_frames(tmp_path)) == [1, 9, 10, 11, 100]


def test_strays_are_no_frames(tmp_path):
    touch(
        tmp_path,
        "img1.jpg",
        "Thumbs.db",
        "Thumbs1.db",
        ".DS_Store",
        "._img1.jpg",
        "Desktop - Shortcut 3.lnk",
        "notes2.txt",
        "cover.jpg",
    )
    (tmp_path / "img5.jpg").mkdir()
    assert list(list_frames(tmp_path)) == [1]


@pytest.mark.parametrize("pair", [("img1.jpg", "img001.jpg"), ("img1.jpg", "img1.png")])
def test_two_files_of_one_number_are_refused(tmp_path, pair):
    with pytest.raises(FrameError, match="both frame 1") as caught:
        list_frames(touch(tmp_path, *pair))
    assert all(name in str(caught.value) for name in pair)


def test_a_folder_that_is_absent_is_named(tmp_path):
    with pytest.raises(FrameError, match=r"no_such_clip: can't be listed.*expected the folder"):
        list_frames(tmp_path / "no_such_clip")


def test_a_folder_without_frames_is_named(tmp_path):
    with pytest.raises(FrameError, match=r"empty: holds no frame.*\.jpg.*unpacked"):
        list_frames(touch(tmp_path / "empty", "Thumbs.db"))


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_lossless_images_come_back_exactly(tmp_path, suffix):
    path = tmp_path / f"a b ü 微 1{suffix}"
    path.write_bytes(encoded(suffix))
    np.testing.assert_array_equal(read_gray(path), PATTERN)
    np.testing.assert_array_equal(read_image(path), np.repeat(PATTERN[..., None], 3, axis=2))


def test_jpeg_is_read_as_opencv_reads_it(tmp_path):
    path = tmp_path / "1.jpg"
    path.write_bytes(encoded(".jpg"))
    np.testing.assert_array_equal(read_gray(path), cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
    np.testing.assert_array_equal(read_image(path), cv2.imread(str(path)))


def test_colour_has_opencv_channel_order(tmp_path):
    blue = np.zeros((4, 4, 3), np.uint8)
    blue[..., 0] = 255
    (tmp_path / "1.png").write_bytes(encoded(".png", blue))
    assert read_image(tmp_path / "1.png")[0, 0].tolist() == [255, 0, 0]


def test_fault_22_sixteen_bits_are_scaled_to_eight(tmp_path):
    deep = np.array([[0, 128, 129, 257, 32896, 65535]], np.uint16)
    (tmp_path / "1.png").write_bytes(encoded(".png", deep))
    assert read_gray(tmp_path / "1.png").tolist() == [[0, 0, 1, 1, 128, 255]]
    assert read_image(tmp_path / "1.png").dtype == np.uint8


def test_fault_22_alpha_is_dropped(tmp_path):
    seen = np.dstack([PATTERN, PATTERN, PATTERN, np.zeros_like(PATTERN)])
    (tmp_path / "1.png").write_bytes(encoded(".png", seen))
    np.testing.assert_array_equal(read_image(tmp_path / "1.png"), seen[..., :3])
    np.testing.assert_array_equal(read_gray(tmp_path / "1.png"), PATTERN)


def test_fault_22_cmyk_jpeg_is_converted(tmp_path):
    image = pytest.importorskip("PIL.Image")
    image.new("CMYK", (8, 6), (0, 0, 0, 128)).save(tmp_path / "1.jpg")
    assert read_gray(tmp_path / "1.jpg").shape == (6, 8)
    assert 100 < read_image(tmp_path / "1.jpg").mean() < 155


def test_zero_bytes_are_told(tmp_path):
    touch(tmp_path, "img3.jpg")
    with pytest.raises(UnreadableImageError, match=r"img3\.jpg: zero bytes") as caught:
        read_gray(tmp_path / "img3.jpg")
    assert caught.value.reason == "img3.jpg: zero bytes"  # Reports print it, so no folder is named.


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("gray", [True, False])
def test_fault_20_every_truncation_is_told(name, gray):
    """OpenCV's decoders do it; another release of OpenCV might not."""
    data, path = WHOLE[name], Path("1.img")
    whole = frames.decode(data, path, gray=gray)
    for length in range(1, len(data)):
        try:
            image = frames.decode(data[:length], path, gray=gray)
        except UnreadableImageError:
            continue
        # A TIFF may end with a link to a next picture, which nobody needs.
        assert name.endswith("tiff") and length >= len(data) - 4
        np.testing.assert_array_equal(image, whole)


def test_bytes_after_the_end_are_harmless(tmp_path):
    for suffix in (".jpg", ".png", ".bmp"):
        path = tmp_path / f"1{suffix}"
        path.write_bytes(encoded(suffix) + b"\0" * 10)
        assert read_gray(path).shape == PATTERN.shape


def test_a_progressive_jpeg_is_whole(tmp_path):
    data = encoded(".jpg", np.tile(PATTERN, (4, 4)), cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    (tmp_path / "1.jpg").write_bytes(data)
    assert read_gray(tmp_path / "1.jpg").shape == (24, 32)


def test_a_flipped_bit_in_a_png_is_told(tmp_path):
    data = bytearray(encoded(".png"))
    data[data.index(b"IDAT") + 8] ^= 1
    (tmp_path / "1.png").write_bytes(data)
    with pytest.raises(UnreadableImageError, match="PNG that is cut off or damaged"):
        read_gray(tmp_path / "1.png")


@pytest.mark.parametrize("data", [b"<html>no image</html>", b"BM", b"\xff\xd8\xff\xd9", b"GIF89a"])
def test_what_is_no_image_is_told(tmp_path, data):
    (tmp_path / "1.jpg").write_bytes(data)
    with pytest.raises(UnreadableImageError):
        read_gray(tmp_path / "1.jpg")


def test_a_whole_file_of_nonsense_is_told(tmp_path):
    (tmp_path / "1.png").write_bytes(png_claiming(8, 6))  # It has one byte of pixels.
    with pytest.raises(UnreadableImageError, match="cut off or damaged"):
        read_gray(tmp_path / "1.png")


def test_all_values_of_sixteen_bits_are_rounded_as_a_division_is():
    values = np.arange(2**16, dtype=np.uint16).reshape(256, 256)
    picture = frames.decode(encoded(".png", values), Path("1.png"), gray=True)
    np.testing.assert_array_equal(picture, (values.astype(int) + 128) // 257)


@pytest.mark.timeout(20)
def test_fault_65_a_pipe_or_a_device_is_no_image(tmp_path):
    os.mkfifo(tmp_path / "1.png")
    (tmp_path / "2.png").symlink_to("/dev/zero")
    for name in ("1.png", "2.png"):
        with pytest.raises(FrameError, match=f"{name}: can't be read .no file but"):
            read_gray(tmp_path / name)


def test_a_huge_file_is_refused_before_reading(tmp_path, monkeypatch):
    (tmp_path / "1.png").write_bytes(encoded(".png"))
    monkeypatch.setattr(frames, "MAX_BYTES", 10)
    with pytest.raises(FrameError, match="at most 10 bytes"):
        read_gray(tmp_path / "1.png")


def test_a_file_that_is_absent_is_named(tmp_path):
    with pytest.raises(FrameError, match=r"9\.jpg: can't be read"):
        read_gray(tmp_path / "9.jpg")


def test_the_content_decides_not_the_name(tmp_path):
    (tmp_path / "1.jpg").write_bytes(encoded(".png"))
    np.testing.assert_array_equal(read_gray(tmp_path / "1.jpg"), PATTERN)
