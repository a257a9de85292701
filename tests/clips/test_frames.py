import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from mer_keras.clips import frames, headers
from mer_keras.clips.frames import UnreadableImageError, list_frames, read_gray, read_image
from mer_keras.errors import FrameError

PATTERN = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5


def encoded(suffix, image=PATTERN, *options):
    ok, data = cv2.imencode(suffix, image, list(options))
    assert ok
    return data.tobytes()


def png_claiming(width, height):
    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


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
    assert caught.value.reason == "img3.jpg: zero bytes"  # no folder: reports print it


WHOLE = {
    "jpeg": encoded(".jpg", np.tile(PATTERN, (3, 3))),
    "gray jpeg": encoded(".jpg", np.tile(PATTERN, (3, 3))[..., None].repeat(3, axis=2)),
    "progressive jpeg": encoded(".jpg", PATTERN, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "jpeg with restarts": encoded(
        ".jpg", np.tile(PATTERN, (3, 3)), cv2.IMWRITE_JPEG_RST_INTERVAL, 1
    ),
    "png": encoded(".png", np.tile(PATTERN, (3, 3))),
    "deep png": encoded(".png", PATTERN.astype(np.uint16) * 257),
    "bmp": encoded(".bmp", PATTERN),
    "tiff": encoded(".tiff", PATTERN, cv2.IMWRITE_TIFF_COMPRESSION, 1),
    "packed tiff": encoded(".tiff", PATTERN, cv2.IMWRITE_TIFF_COMPRESSION, 5),
}


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


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_picture():
    whole, thumbnail = WHOLE["jpeg"], encoded(".jpg")
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    nested = whole[:2] + segment + whole[2:]
    assert headers.read_header(nested)[1:] == (24, 18)
    assert frames.decode(nested, Path("1.jpg"), gray=True).shape == (18, 24)
    with pytest.raises(UnreadableImageError, match="cut off or damaged"):
        frames.decode(nested[:-2], Path("1.jpg"), gray=True)


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
    (tmp_path / "1.png").write_bytes(png_claiming(8, 6))  # one byte of pixels
    with pytest.raises(UnreadableImageError, match="cut off or damaged"):
        read_gray(tmp_path / "1.png")


def jpeg_claiming(width, height):
    data = bytearray(encoded(".jpg"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def bmp_claiming(width, height):
    data = bytearray(encoded(".bmp"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


SHORT, LONG, BYTE, LONG8 = 3, 4, 1, 16


def tiff_of(*tags, order="<"):
    """A gray TIFF of 8 x 8 pixels, with tags (number, type, count, value) before its own."""
    own = [
        (256, LONG, 1, 8), (257, LONG, 1, 8), (258, LONG, 1, 8), (259, LONG, 1, 1),
        (262, LONG, 1, 1), (273, LONG, 1, 500), (277, LONG, 1, 1), (278, LONG, 1, 8),
        (279, LONG, 1, 64),
    ]  # fmt: skip
    entries = [struct.pack(f"{order}HHII", *tag) for tag in (*tags, *own)]
    magic = b"II*\0" if order == "<" else b"MM\0*"
    head = magic + struct.pack(f"{order}IH", 8, len(entries)) + b"".join(entries) + b"\0" * 4
    return head.ljust(500, b"\0") + bytes(range(64))


def test_the_smallest_tiff_is_read():
    for order in "<>":
        assert frames.decode(tiff_of(order=order), Path("1.tiff"), gray=True)[1, 0] == 8


@pytest.mark.parametrize(
    "data",
    [
        png_claiming(20_000, 10_000),
        jpeg_claiming(20_000, 10_000),
        jpeg_claiming(20_000, 10_000)[:-2],
        bmp_claiming(20_000, 10_000),
        bmp_claiming(20_000, -10_000),
        # Of two tags of one number, decoders take the first or the last.
        tiff_of((256, LONG, 1, 20_000), (257, SHORT, 1, 10_000)),
    ],
)
def test_fault_23_a_huge_header_is_refused_before_decoding(tmp_path, monkeypatch, data):
    (tmp_path / "1.png").write_bytes(data)
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(FrameError, match=r"20000x10000.*50,000,000") as caught:
        read_gray(tmp_path / "1.png")
    assert not isinstance(caught.value, UnreadableImageError)  # It stops the run.


def test_a_chunk_of_a_png_is_bounded_before_decoding(monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    data = encoded(".png")
    place = data.index(b"IDAT") - 4
    for length in (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", struct.pack(">I", len(data))):
        with pytest.raises(UnreadableImageError, match="more bytes than the file has"):
            frames.decode(data[:place] + length + data[place + 4 :], Path("1.png"), gray=True)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        # A decoder would copy the same bytes for each tag: some gigabytes of a small file.
        (tiff_of(*((40_000 + n, BYTE, 100, 0) for n in range(30))), "more bytes than the file has"),
        (tiff_of((40_000, LONG8, 0x10000000, 0)), "more bytes than the file has"),
        (tiff_of((40_000, SHORT, 0xFFFFFFFF, 0)), "more bytes than the file has"),
        (tiff_of((256, LONG8, 1, 0)), "size is of no known type"),
        (b"II*\0\x08\0\0\0\xff\xff" + bytes(100), "that is cut off"),
        (b"MM\0*\xff\xff\xff\xff", "that is cut off"),
        (tiff_of().replace(struct.pack("<HHI", 257, LONG, 1), struct.pack("<HHI", 1, 4, 1)), "8x0"),
    ],
)
def test_tags_of_a_tiff_are_bounded_before_decoding(monkeypatch, data, message):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(UnreadableImageError, match=message):
        frames.decode(data, Path("1.tiff"), gray=True)


def test_a_huge_file_is_refused_before_reading(tmp_path, monkeypatch):
    (tmp_path / "1.png").write_bytes(encoded(".png"))
    monkeypatch.setattr(frames, "MAX_BYTES", 10)
    with pytest.raises(FrameError, match="at most 10"):
        read_gray(tmp_path / "1.png")


def test_a_file_that_is_absent_is_named(tmp_path):
    with pytest.raises(FrameError, match=r"9\.jpg: can't be read"):
        read_gray(tmp_path / "9.jpg")


def test_the_content_decides_not_the_name(tmp_path):
    (tmp_path / "1.jpg").write_bytes(encoded(".png"))
    np.testing.assert_array_equal(read_gray(tmp_path / "1.jpg"), PATTERN)


def test_a_bmp_with_its_top_row_first_is_whole():
    data = bytearray(encoded(".bmp"))
    data[22:26] = struct.pack("<i", -6)
    assert headers.read_header(bytes(data)) == ("bmp", 8, 6)
    rows = frames.decode(bytes(data), Path("1.bmp"), gray=True)
    np.testing.assert_array_equal(rows, PATTERN[::-1])


@pytest.mark.parametrize("name", WHOLE)
def test_headers_say_the_size_that_is_decoded(name):
    height, width = frames.decode(WHOLE[name], Path("1.img"), gray=True).shape
    header = headers.read_header(WHOLE[name])
    assert (header.width, header.height) == (width, height)
    assert header.format == name.split()[-1] or header.format in name
