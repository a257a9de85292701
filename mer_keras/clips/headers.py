"""What an image file says about itself, read before anything is decoded.

OpenCV reserves as much memory as a header, a chunk of a PNG or a tag of a TIFF claims to need. All
are read here, from the bytes alone, so that they can be bounded. Whether a file goes on to its end
is left to OpenCV, whose decoders refuse files that are cut off anywhere.
"""

import re
import struct
from collections.abc import Callable
from typing import Literal, NamedTuple

ImageFormat = Literal["jpeg", "png", "bmp", "tiff"]

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
# Stuffed bytes (FF 00), fill bytes (FF FF), restarts and other markers without a payload begin no
# segment.
_JPEG_SEGMENT = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd8]")
# Markers C4, C8 and CC lie between the frame headers but are none.
_JPEG_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BMP_CORE_HEADER = 12
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
# The formats of struct for the two types of whole numbers that TIFF has sizes in.
_TIFF_SIZE_TYPES = {3: "H", 4: "I"}
# Bytes of one value by its type, from 1 (byte) to 18 (64-bit offset).
_TIFF_BYTES = dict(enumerate((0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)))


class DamagedImageError(ValueError):
    """The bytes are no image of a known format; the message says what is wrong."""


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
        DamagedImageError: the format is unknown, the header is cut off or claims no pixels, or a
            part of the file claims more bytes than there are.
    """
    name = image_format(data)
    if name is None:
        raise DamagedImageError("neither JPEG, PNG, BMP nor TIFF by its content")
    try:
        width, height = _SIZES[name](data)
    except struct.error as error:
        raise DamagedImageError(f"{name.upper()} that is cut off") from error
    if width <= 0 or height <= 0:
        raise DamagedImageError(f"{name.upper()} header with the size {width}x{height}")
    return Header(name, width, height)


def _jpeg_size(data: bytes) -> tuple[int, int]:
    # Payloads are skipped by their length: the header of an embedded thumbnail is in one of them.
    position = 2
    while segment := _JPEG_SEGMENT.search(data, position):
        payload = segment.end()
        if data[payload - 1] in _JPEG_FRAME_HEADERS:
            height, width = struct.unpack_from(">HH", data, payload + 3)
            return width, height
        position = payload + max(2, int.from_bytes(data[payload : payload + 2], "big"))
    raise DamagedImageError("JPEG without a frame header")


def _png_size(data: bytes) -> tuple[int, int]:
    name, width, height = struct.unpack_from(">4sII", data, 12)
    if name != b"IHDR":
        raise DamagedImageError("PNG without a header")
    position = len(_PNG_MAGIC)
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, position)
        position += length + 12  # A chunk has a length, a name and a checksum of 4 bytes each.
        if position > len(data):
            raise DamagedImageError("PNG with a chunk that claims more bytes than the file has")
    return width, height


def _bmp_size(data: bytes) -> tuple[int, int]:
    (header_size,) = struct.unpack_from("<I", data, 14)
    types = "<HH" if header_size == _BMP_CORE_HEADER else "<ii"
    width, height = struct.unpack_from(types, data, 18)
    return width, abs(height)  # The height is negative where the top row comes first.


def _tiff_size(data: bytes) -> tuple[int, int]:
    order = "<" if data.startswith(b"II") else ">"
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (tags,) = struct.unpack_from(f"{order}H", data, start)
    sizes = {_TIFF_WIDTH: 0, _TIFF_HEIGHT: 0}
    claimed = 0
    for position in range(start + 2, start + 2 + 12 * tags, 12):
        tag, value_type, values = struct.unpack_from(f"{order}HHI", data, position)
        claimed += values * _TIFF_BYTES.get(value_type, 0)
        if tag in sizes:
            if value_type not in _TIFF_SIZE_TYPES:
                raise DamagedImageError("TIFF whose size is of no known type")
            (size,) = struct.unpack_from(order + _TIFF_SIZE_TYPES[value_type], data, position + 8)
            sizes[tag] = max(sizes[tag], size)  # Decoders differ on which of two counts.
    if claimed > len(data):
        raise DamagedImageError("TIFF whose tags claim more bytes than the file has")
    return sizes[_TIFF_WIDTH], sizes[_TIFF_HEIGHT]


_SIZES: dict[ImageFormat, Callable[[bytes], tuple[int, int]]] = {
    "jpeg": _jpeg_size,
    "png": _png_size,
    "bmp": _bmp_size,
    "tiff": _tiff_size,
}
