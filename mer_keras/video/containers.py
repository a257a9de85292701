"""What kind of file this is, by its first bytes: before a decoder is asked to open it.

FFmpeg chooses a reader by content. A file called ``talk.mp4`` that holds a playlist would make it
open other files, so that only containers which hold their own frames are passed on.
"""

from pathlib import Path

from mer_keras.errors import FrameError

#: So many first bytes are looked at.
HEAD_BYTES = 512
#: Files of ISO media (MP4, QuickTime, 3GP) begin with one of these boxes after its length.
_ISO_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_TRANSPORT_PACKET = 188
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


def check_container(path: Path) -> str:
    """Return the name of a video's container.

    Args:
        path: a file.

    Raises:
        FrameError: it is empty, can't be read, is a playlist or no video by its content.
    """
    if path.exists() and not path.is_file():  # A pipe or a device could be read for ever.
        raise FrameError(f"{path}: no file, expected a video or a folder of numbered images")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise FrameError(
            f"{path}: can't be read ({error.strerror}): expected a video; check that it exists and "
            "that you may read it"
        ) from error
    if not head:
        raise FrameError(f"{path}: zero bytes: expected a video; copy it anew from the camera")
    container = _container(head)
    if container:
        return container
    raise FrameError(
        f"{path}: {_described(head)}, expected a video (MP4, MOV, AVI, MKV, WebM, MPEG or WMV): "
        "name the camera's own file, or convert it to MP4"
    )


def _container(head: bytes) -> str:
    """Return the container's name, or nothing."""
    if head[4:8] in _ISO_BOXES:
        return "MP4 or QuickTime"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "AVI"
    if head[:1] == b"G" and head[_TRANSPORT_PACKET : _TRANSPORT_PACKET + 1] == b"G":
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
