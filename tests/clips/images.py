"""Small images in the formats of frames, whole ones and such as claim what they aren't."""

import struct
import zlib

import cv2
import numpy as np

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
