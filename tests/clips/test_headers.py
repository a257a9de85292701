import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from mer_keras.clips import frames, headers
from mer_keras.clips.frames import UnreadableImageError
from mer_keras.errors import FrameError
from tests.clips.images import (
    BYTE,
    LONG,
    LONG8,
    PATTERN,
    SHORT,
    WHOLE,
    bmp_claiming,
    encoded,
    jpeg_claiming,
    png_claiming,
    tiff_of,
)


@pytest.mark.parametrize("name", WHOLE)
def test_headers_say_the_size_that_is_decoded(name):
    height, width = frames.decode(WHOLE[name], Path("1.img"), gray=True).shape
    header = headers.read_header(WHOLE[name])
    assert (header.width, header.height) == (width, height)
    assert header.format == name.split()[-1] or header.format in name


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_picture():
    whole, thumbnail = WHOLE["jpeg"], encoded(".jpg")
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    nested = whole[:2] + segment + whole[2:]
    assert headers.read_header(nested)[1:] == (24, 18)
    assert frames.decode(nested, Path("1.jpg"), gray=True).shape == (18, 24)
    with pytest.raises(UnreadableImageError, match="cut off or damaged"):
        frames.decode(nested[:-2], Path("1.jpg"), gray=True)


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
def test_fault_23_a_huge_header_is_refused_before_decoding(monkeypatch, data):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(FrameError, match=r"20000x10000.*50,000,000") as caught:
        frames.decode(data, Path("1.png"), gray=True)
    assert not isinstance(caught.value, UnreadableImageError)  # It stops the run.


def test_a_chunk_of_a_png_is_bounded_before_decoding(monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    data = encoded(".png")
    start = data.index(b"IDAT") - 4
    for length in (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", struct.pack(">I", len(data))):
        with pytest.raises(UnreadableImageError, match="more bytes than the file has"):
            frames.decode(data[:start] + length + data[start + 4 :], Path("1.png"), gray=True)


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


def test_a_bmp_with_its_top_row_first_is_whole():
    data = bytearray(encoded(".bmp"))
    data[22:26] = struct.pack("<i", -6)
    assert headers.read_header(bytes(data)) == ("bmp", 8, 6)
    rows = frames.decode(bytes(data), Path("1.bmp"), gray=True)
    np.testing.assert_array_equal(rows, PATTERN[::-1])
