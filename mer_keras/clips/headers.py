"""What an image file says about itself, read before anything is decoded.

OpenCV decodes a truncated JPEG to a picture with a grey tail and says nothing, and it allocates
whatever size a header claims. Both are found here, from the bytes alone.
"""

import re
import zlib
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

ImageFormat = Literal["jpeg", "png", "bmp", "tiff"]

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
# Stuffed bytes (FF 00), fill bytes (FF FF), restarts and other markers without a payload don't end
# the entropy-coded data.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd8]")
_JPEG_END = 0xD9
# C4, C8 and CC lie between the frame headers but are none.
_JPEG_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BMP_CORE_HEADER = 12
_BMP_UNCOMPRESSED = (0, 3)


class DamagedImageError(ValueError):
    """The bytes are no whole image of a known format; the message says what is wrong."""


class Header(NamedTuple):
    """Format and claimed size of an image."""

    format: ImageFormat
    width: int
    height: int

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height


def image_format(data: bytes) -> ImageFormat | None:
    """Tell the format by the first bytes, whatever the file is called; ``None`` if unknown."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(_PNG_MAGIC):
        return "png"
    if data.startswith((b"II*\x00", b"MM\x00*")):
        return "tiff"
    return "bmp" if data.startswith(b"BM") else None


def read_header(data: bytes) -> Header:
    """Read format and size; the rest of the file may be damaged.

    Raises:
        DamagedImageError: no known format, or the header is cut off or claims no pixels.
    """
    found = image_format(data)
    if found is None:
        raise DamagedImageError("neither JPEG, PNG, BMP nor TIFF by its content")
    width, height = _SIZES[found](data)
    if width <= 0 or height <= 0:
        raise DamagedImageError(f"{found.upper()} header with the size {width}x{height}")
    return Header(found, width, height)


def check_complete(data: bytes, header: Header) -> None:
    """Check that the file goes on to its end.

    Raises:
        DamagedImageError: the file stops early, or a part of a PNG has a wrong checksum.
    """
    if header.format == "jpeg":
        if not any(marker == _JPEG_END for marker, _ in _jpeg_segments(data)):
            raise DamagedImageError("truncated JPEG: no end marker")
    elif header.format == "png":
        _check_png_chunks(data)
    elif header.format == "bmp":
        _check_bmp_length(data, header)
    else:
        _check_tiff_strips(data)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield (marker, where its payload starts) up to the end marker or the end of the bytes.

    Payloads are skipped by their length, so that the end marker of an embedded thumbnail doesn't
    pass for that of the picture.
    """
    position = 2
    while match := _JPEG_MARKER.search(data, position):
        start = match.end()
        marker = data[start - 1]
        yield marker, start
        if marker == _JPEG_END:
            return
        position = start + max(2, int.from_bytes(data[start : start + 2], "big"))


def _jpeg_size(data: bytes) -> tuple[int, int]:
    for marker, start in _jpeg_segments(data):
        if marker in _JPEG_FRAME_HEADERS and start + 7 <= len(data):
            height = int.from_bytes(data[start + 3 : start + 5], "big")
            return int.from_bytes(data[start + 5 : start + 7], "big"), height
    raise DamagedImageError("truncated JPEG: no frame header")


def _png_size(data: bytes) -> tuple[int, int]:
    if len(data) < 24 or data[12:16] != b"IHDR":
        raise DamagedImageError("truncated PNG: no header")
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _check_png_chunks(data: bytes) -> None:
    position = len(_PNG_MAGIC)
    while position + 12 <= len(data):
        body = position + 8
        end = body + int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : body]
        if end + 4 > len(data):
            break
        critical = kind[:1].isupper()  # a wrong text or time chunk harms no pixel
        claimed = int.from_bytes(data[end : end + 4], "big")
        if critical and zlib.crc32(data[position + 4 : end]) != claimed:
            raise DamagedImageError("damaged PNG: a part doesn't match its checksum")
        if kind == b"IEND":
            return
        position = end + 4
    raise DamagedImageError("truncated PNG: no end chunk")


def _bmp_size(data: bytes) -> tuple[int, int]:
    if len(data) < 34:
        raise DamagedImageError("truncated BMP: no header")
    if int.from_bytes(data[14:18], "little") == _BMP_CORE_HEADER:
        return int.from_bytes(data[18:20], "little"), int.from_bytes(data[20:22], "little")
    height = int.from_bytes(data[22:26], "little", signed=True)  # negative: the top row first
    return int.from_bytes(data[18:22], "little", signed=True), abs(height)


def _check_bmp_length(data: bytes, header: Header) -> None:
    core = int.from_bytes(data[14:18], "little") == _BMP_CORE_HEADER
    depth_at = 24 if core else 28
    bits = int.from_bytes(data[depth_at : depth_at + 2], "little")
    if not core and int.from_bytes(data[30:34], "little") not in _BMP_UNCOMPRESSED:
        return  # run lengths: only decoding tells
    stride = (header.width * bits + 31) // 32 * 4
    if int.from_bytes(data[10:14], "little") + stride * header.height > len(data):
        raise DamagedImageError("truncated BMP: fewer rows than its header claims")


_TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_OFFSETS, _TIFF_LENGTHS = 256, 257, 273, 279
_TIFF_TILES = 324
_TIFF_SIZES = {1: 1, 3: 2, 4: 4}
_TIFF_MAX_TAGS = 1000


def _tiff_tags(data: bytes) -> dict[int, list[int]]:
    """Return the whole-number tags of the first picture in a TIFF file."""
    order: Literal["little", "big"] = "little" if data[:1] == b"I" else "big"

    def number(at: int, length: int) -> int:
        if at + length > len(data):
            raise DamagedImageError("truncated TIFF: its directory is cut off")
        return int.from_bytes(data[at : at + length], order)

    start = number(4, 4)
    count = number(start, 2)
    if count > _TIFF_MAX_TAGS:
        raise DamagedImageError(f"TIFF with {count} tags")
    tags = {}
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, values = number(entry, 2), number(entry + 2, 2), number(entry + 4, 4)
        length = _TIFF_SIZES.get(kind)
        if length is None or values * length > len(data):
            continue
        place = entry + 8 if values * length <= 4 else number(entry + 8, 4)
        tags[tag] = [number(place + k * length, length) for k in range(values)]
    return tags


def _tiff_size(data: bytes) -> tuple[int, int]:
    tags = _tiff_tags(data)
    if not tags.get(_TIFF_WIDTH) or not tags.get(_TIFF_HEIGHT):
        raise DamagedImageError("TIFF without a size")
    return tags[_TIFF_WIDTH][0], tags[_TIFF_HEIGHT][0]


def _check_tiff_strips(data: bytes) -> None:
    tags = _tiff_tags(data)
    if _TIFF_TILES in tags:
        return  # tiles: only decoding tells
    ends = zip(tags.get(_TIFF_OFFSETS, []), tags.get(_TIFF_LENGTHS, []), strict=False)
    if any(offset + length > len(data) for offset, length in ends):
        raise DamagedImageError("truncated TIFF: fewer rows than its header claims")


_SIZES: dict[ImageFormat, Callable[[bytes], tuple[int, int]]] = {
    "jpeg": _jpeg_size,
    "png": _png_size,
    "bmp": _bmp_size,
    "tiff": _tiff_size,
}
