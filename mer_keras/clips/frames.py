"""Frames on disk: which numbers a clip folder holds, and one image as an array.

Databases pad their frame numbers differently, even from clip to clip, so a frame is known by the
integer in its name and by nothing else.
"""

import os
import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.bounded_files import TooLargeError, read_bounded
from mer_keras.clips.headers import DamagedImageError, ImageFormat, read_header
from mer_keras.databases.folders import MAX_DIGITS
from mer_keras.errors import FrameError

#: Lower-case suffixes of files that can be frames, and the format that each promises.
SUFFIXES: dict[str, ImageFormat] = {
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".png": "png",
    ".bmp": "bmp",
    ".tif": "tiff",
    ".tiff": "tiff",
}
#: Larger images are refused before they are decoded: no database has frames of a tenth of this.
MAX_PIXELS = 50_000_000
#: Larger image files are refused before they are read.
MAX_BYTES = 200_000_000
#: Larger videos and tables of pixels are refused; the table of FER-2013 has 300 MB.
MAX_OTHER_BYTES = 2_000_000_000

_INTEGER = re.compile(r"[0-9]+")


class UnreadableImageError(FrameError):
    """One image, or a video, is empty, damaged or cut off: its clip can be left out.

    Attributes:
        reason: file name (without folders, as reports must not hold them) and what is wrong.
    """

    def __init__(self, path: Path, problem: str) -> None:
        # Reports are UTF-8, and names on disk need not be.
        name = path.name.encode(errors="backslashreplace").decode()
        self.reason = f"{name}: {problem}"
        expected = "a whole JPEG, PNG, BMP or TIFF image" if _is_image(path) else "a whole file"
        super().__init__(
            f"{path}: {problem}: expected {expected}; "
            "copy the file anew from the database's archive"
        )


def list_frames(folder: Path) -> dict[int, Path]:
    """Find the frames of a clip folder, by number.

    The number is the last integer in the name without its suffix: ``006_05562.jpg`` is frame
    5562, ``reg_EP01_12-73.jpg`` frame 73. Hidden files, shortcuts, ``Thumbs.db``, images without
    a number and sub-folders are no frames.

    Returns:
        Frame number -> file, in the order of the numbers.

    Raises:
        FrameError: the folder is absent or holds no frame, or two files have one number.
    """
    files: dict[int, Path] = {}
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if _may_be_frame(entry))
    except OSError as error:
        raise FrameError(
            f"{folder}: can't be listed ({error.strerror}): expected the folder of a clip's "
            "frames; check that the database is complete and has its official layout"
        ) from error
    for name in names:
        integers = _INTEGER.findall(Path(name).stem)
        if not integers:
            continue
        if len(integers[-1]) > MAX_DIGITS:
            raise FrameError(
                f"{folder}: {name!r} has a number of more than {MAX_DIGITS} digits: expected names "
                "that end with the frame's number; rename the files or move this one away"
            )
        number = int(integers[-1])
        if number in files:
            raise FrameError(
                f"{folder}: {files[number].name!r} and {name!r} are both frame {number}: expected "
                "one file a frame number; move one of them out of the folder"
            )
        files[number] = folder / name
    if not files:
        raise FrameError(
            f"{folder}: holds no frame: expected numbered images ({', '.join(SUFFIXES)}); "
            "check that the database was unpacked completely"
        )
    return dict(sorted(files.items()))


def read_bytes(path: Path) -> bytes:
    """Read the whole content of an image, a video or a table of pixels.

    Raises:
        UnreadableImageError: it has zero bytes.
        FrameError: it can't be read, or is far larger than such a file should be.
    """
    limit = MAX_BYTES if _is_image(path) else MAX_OTHER_BYTES
    expected = "an image" if _is_image(path) else "a video or a table of pixels"
    try:
        data = read_bounded(path, limit)
    except TooLargeError as error:
        raise FrameError(
            f"{path}: too large, expected {expected} of at most {limit:,} bytes; "
            "replace it by a frame of the official database"
        ) from error
    except OSError as error:
        raise FrameError(
            f"{path}: can't be read ({error.strerror}): expected {expected}; "
            "check that it exists and that you may read it"
        ) from error
    if not data:
        raise UnreadableImageError(path, "zero bytes")
    return data


def decode(data: bytes, path: Path, *, gray: bool) -> NDArray[np.uint8]:
    """Decode the bytes of an image.

    Sixteen bits become eight by division by 257, so that full scale stays full scale. Alpha is
    dropped, CMYK becomes BGR or gray, and a rotation in the EXIF data is applied, all as OpenCV
    does it. The format is told by the content: a PNG may be called ``.jpg``.

    Args:
        data: the file's content.
        path: the file's name, for errors.
        gray: whether one channel is returned.

    Returns:
        uint8 (height, width) if ``gray``, else (height, width, 3) in OpenCV's order (blue, green,
        red).

    Raises:
        UnreadableImageError: the bytes are no whole image.
        FrameError: the image claims more than ``MAX_PIXELS``, or has no 8 or 16 bits a channel.
    """
    try:
        header = read_header(data)
    except DamagedImageError as error:
        raise UnreadableImageError(path, str(error)) from error
    if header.pixels > MAX_PIXELS:
        raise FrameError(
            f"{path}: the header claims {header.width}x{header.height} pixels, expected at "
            f"most {MAX_PIXELS:,} in all; replace the file or scale it down"
        )
    colour = cv2.IMREAD_GRAYSCALE if gray else cv2.IMREAD_COLOR
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), colour | cv2.IMREAD_ANYDEPTH)
    except cv2.error:
        image = None
    if image is None:
        raise UnreadableImageError(path, f"{header.format.upper()} that is cut off or damaged")
    if image.dtype == np.uint16:
        # It divides and rounds without a copy in a larger type: images may take half a gigabyte.
        image = np.asarray(cv2.convertScaleAbs(image, alpha=1 / 257), np.uint8)
    if image.dtype != np.uint8:
        raise FrameError(
            f"{path}: pixels of type {image.dtype}, expected 8 or 16 bits a channel; convert it"
        )
    return image


def read_gray(path: Path) -> NDArray[np.uint8]:
    """Read an image as uint8 (height, width); see ``decode`` for rules and errors."""
    return decode(read_bytes(path), path, gray=True)


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read an image as uint8 (height, width, 3) in OpenCV's channel order; see ``decode``."""
    return decode(read_bytes(path), path, gray=False)


def misnamed(path: Path, content: str | None) -> str:
    """Return a remark if the format of an image's content is not the one that its suffix says."""
    suffix = path.suffix.lower()
    if content is None or SUFFIXES.get(suffix, content) == content:
        return ""
    return f"{content.upper()} image named {suffix}"


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _may_be_frame(entry: os.DirEntry[str]) -> bool:
    return (
        not entry.name.startswith(".")
        and Path(entry.name).suffix.lower() in SUFFIXES
        and entry.is_file()
    )
