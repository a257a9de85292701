"""What kind of video a file is by its first bytes, before a decoder is asked to open it.

FFmpeg chooses a reader by content. A file called ``talk.mp4`` that holds a playlist would make it
open other files, so that only containers which hold their own frames are passed on.
"""

import os
from pathlib import Path

import cv2

from mer_keras.bounded_files import NoPlainFileError, open_plain
from mer_keras.clips.frames import SUFFIXES as IMAGE_SUFFIXES
from mer_keras.errors import FrameError

#: So many first bytes are looked at.
HEAD_BYTES = 512
#: Files of ISO media (MP4, QuickTime, 3GP) begin with one of these boxes after its length.
_ISO_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
#: Most bytes of the first of these boxes, which lists brands of four bytes.
_MOST_BRANDS = 2**16
#: Where the packets of a transport stream begin, each with the same byte.
_TRANSPORT_PACKETS = (0, 188, 376)
#: First bytes of containers that hold their own frames.
_VIDEOS = {
    b"\x1a\x45\xdf\xa3": "Matroska or WebM",
    b"\x00\x00\x01\xba": "MPEG program stream",
    b"\x00\x00\x01\xb3": "MPEG video",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "Windows Media",
}
#: First bytes of what people take for a video, and what it is called in the error.
_OTHERS = {
    b"ID3": "an audio file",
    b"\xff\xfb": "an audio file",
    b"\xff\xf1": "an audio file",
    b"fLaC": "an audio file",
    b"OggS": "an Ogg file",
    b"\xff\xd8\xff": "a JPEG image",
    b"\x89PNG": "a PNG image",
    b"GIF8": "a GIF image",
    b"PK\x03\x04": "an archive or a document",
    b"Rar!": "an archive",
    b"%PDF": "a PDF document",
}
#: Words at the beginning of text files that name other files.
_PLAYLISTS = ("#extm3u", "[playlist]", "ffconcat", "<asx", "<smil", "<mpd", "<?xml")


class NoVideoError(FrameError):
    """A file that should be a video can't be used.

    Attributes:
        problem: what is wrong, without folders: it may stand in a report.
    """

    def __init__(self, path: Path, problem: str, remedy: str) -> None:
        """Say first what is wrong, then what was expected and what to do."""
        self.problem = problem
        super().__init__(f"{path}: {problem}{remedy}")


def check_container(path: Path) -> str:
    """Return the name of a video's container.

    Args:
        path: a file.

    Raises:
        NoVideoError: it is empty, can't be read, is a playlist or no video by its content.
    """
    try:
        with open_plain(path) as file:
            head = file.read(HEAD_BYTES)
    except NoPlainFileError as error:
        raise NoVideoError(
            path, "no file", ", expected a video or a folder of numbered images"
        ) from error
    except OSError as error:
        raise NoVideoError(
            path,
            f"can't be read ({error.strerror})",
            ": expected a video; check that it exists and that you may read it",
        ) from error
    if not head:
        raise NoVideoError(path, "zero bytes", ": expected a video; copy it anew from the camera")
    container = _container(head)
    if not container:
        raise NoVideoError(
            path,
            _described(head),
            ", expected a video (MP4, MOV, AVI, MKV, WebM, MPEG or WMV): name the camera's own "
            "file, or convert it to MP4",
        )
    if path.suffix.lower() in IMAGE_SUFFIXES:  # A decoder takes img%d.png for all images beside it.
        raise NoVideoError(path, f"a video ({container}) under the name of an image", ": rename it")
    return container


def open_video(path: Path) -> cv2.VideoCapture:
    """Open a file by FFmpeg alone, by its whole path: no name is read as an address or pattern.

    Its container is checked first, by ``check_container``.

    Raises:
        NoVideoError: nothing in it can be decoded.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # Its remarks would stand among ours.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
    try:
        video = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    except cv2.error:
        video = None
    if video is None or not video.isOpened():
        raise NoVideoError(
            path,
            "no pictures in it can be decoded",
            ": a damaged file or one with sound alone, expected a video; copy it anew, or convert "
            "it to MP4 (H.264)",
        )
    return video


def _container(head: bytes) -> str:
    """Return the container's name, or nothing."""
    length = int.from_bytes(head[:4], "big")
    if head[4:8] in _ISO_BOXES and (head[4:8] != b"ftyp" or length <= _MOST_BRANDS):
        return "MP4 or QuickTime"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "AVI"
    if all(head[start : start + 1] == b"G" for start in _TRANSPORT_PACKETS):
        return "MPEG transport stream"
    return next((name for magic, name in _VIDEOS.items() if head.startswith(magic)), "")


def _described(head: bytes) -> str:
    """Say what the first bytes are of, where it is no video."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "an audio file"
    for magic, name in _OTHERS.items():
        if head.startswith(magic):
            return name
    text = head.decode("utf-8", "ignore").lstrip("\ufeff \r\n\t").lower()
    if text.startswith(_PLAYLISTS):
        return "a playlist, which names other files and is not followed"
    return "no known container of video by its content"
