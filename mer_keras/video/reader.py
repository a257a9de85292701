"""Recordings read frame by frame: one pass, constant memory, times from the file's own stamps.

A recording is a video, a folder of numbered images, or images that are named one by one (such as an
onset and an apex frame). Frames count from 0 in the order in which they are shown.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.clips import frames as images
from mer_keras.clips.containers import check_container, open_video
from mer_keras.errors import FrameError

#: One frame in colour, uint8 (height, width, 3), blue, green, red.
Picture: TypeAlias = NDArray[np.uint8]
#: What a caller names: a video, a folder of images, or several images.
Source: TypeAlias = Path | str | Sequence[Path | str]

#: Longer recordings are refused, by their header and again while they are read.
MAX_SECONDS = 4 * 3600
MAX_FRAMES = 5_000_000
#: Larger frames are refused before one is decoded.
MAX_SIDE = 8192
MAX_PIXELS = 50_000_000
#: Frame rates outside of this range are a header's fault.
_MAX_FPS = 100_000
#: Bytes of a file that are held at a time for its digest.
_PIECE = 1 << 20
#: What is said of recordings without time stamps, and without frames.
NO_TIMES = "{name}: images have no time stamps: give their frame rate with --fps"
NO_FRAMES = (
    "{name}: no frame can be decoded: expected a whole video; copy it anew, or convert it to MP4 "
    "(H.264)"
)
#: OpenCV's names of decoders (FourCC) end with blanks or zero bytes.
_NO_CODEC = "unknown"


@dataclass(frozen=True)
class VideoFrame:
    """One frame of a recording.

    Attributes:
        index: from 0, in the order of showing.
        time_s: seconds from the first frame, by the file's own time stamps.
        picture: uint8 (height, width, 3), blue, green, red; rotated as the header asks for.
    """

    index: int
    time_s: float
    picture: Picture


@dataclass(frozen=True)
class Recording:
    """A recording that has been opened, of which no frame has been decoded.

    Attributes:
        name: of the file or folder, without the folders above it.
        files: the video, or the images in order.
        kind: ``video`` or ``images``.
        width: in pixels, by the header, after rotation.
        height: likewise.
        claimed_frames: how many frames the header claims; 0 where it claims none.
        claimed_fps: frames a second by the header, or as the caller said; 0 where unknown.
        rotation: degrees by which frames are turned for showing.
        container: what kind of file it is.
        codec: four letters of the coding.
        bytes: size of the file or files.
    """

    name: str
    files: tuple[Path, ...]
    kind: str
    width: int
    height: int
    claimed_frames: int
    claimed_fps: float
    rotation: int = 0
    container: str = ""
    codec: str = _NO_CODEC
    bytes: int = 0

    def frames(self) -> Iterator[VideoFrame]:
        """Decode all frames in order, one at a time.

        The iterator ends where no further frame can be decoded: a header may promise more.

        Raises:
            FrameError: the recording is longer than ``MAX_SECONDS`` or ``MAX_FRAMES``, or an image
                can't be used.
        """
        decoded = self._of_video() if self.kind == "video" else self._of_images()
        for frame in decoded:
            if frame.time_s > MAX_SECONDS or frame.index >= MAX_FRAMES:
                raise FrameError(
                    f"{self.name}: frame {frame.index} at {frame.time_s:,.0f} s: expected at most "
                    f"{MAX_SECONDS // 3600} hours and {MAX_FRAMES:,} frames; cut it into parts"
                )
            yield frame

    def times(self) -> NDArray[np.float64]:
        """Seconds of all frames from the first one, (frames,).

        Raises:
            FrameError: images without a frame rate, or no frame can be decoded.
        """
        if self.kind != "video":
            if not self.claimed_fps and len(self.files) > 1:
                raise FrameError(NO_TIMES.format(name=self.name))
            return np.arange(len(self.files)) / (self.claimed_fps or 1.0)
        video = open_video(self.files[0])
        try:
            times = np.array([time_s for _, time_s in self._grabbed(video)])
        finally:
            video.release()
        if not len(times):
            raise FrameError(NO_FRAMES.format(name=self.name))
        return times

    def sha256(self) -> str:
        """Digest of the file, read in pieces; of several images, that of their digests in order."""
        digests = [_file_digest(file) for file in self.files]
        if self.kind == "video":
            return digests[0]
        return hashlib.sha256("".join(digests).encode()).hexdigest()

    def _of_video(self) -> Iterator[VideoFrame]:
        video = open_video(self.files[0])
        try:
            for index, time_s in self._grabbed(video):
                decoded, picture = video.retrieve()
                if not decoded:
                    return
                yield VideoFrame(index, time_s, _in_colour(picture))
        finally:
            video.release()

    def _grabbed(self, video: cv2.VideoCapture) -> Iterator[tuple[int, float]]:
        """Yield index and seconds of each frame of an opened video; it can then be retrieved."""
        first_ms = last_s = 0.0
        index = 0
        while video.grab():
            stamp_ms = float(video.get(cv2.CAP_PROP_POS_MSEC))
            first_ms = stamp_ms if index == 0 else first_ms
            time_s = (stamp_ms - first_ms) / 1000
            if index and not time_s > last_s:  # The file has no stamp here, or a wrong one.
                time_s = last_s + 1 / (self.claimed_fps or 25.0)
            yield index, time_s
            last_s = time_s
            index += 1

    def _of_images(self) -> Iterator[VideoFrame]:
        step = 1 / self.claimed_fps if self.claimed_fps else math.nan
        for index, file in enumerate(self.files):
            yield VideoFrame(index, index * step if index else 0.0, images.read_image(file))


def open_recording(source: Source, fps: float | None = None) -> Recording:
    """Open a recording; nothing is decoded but the first image of a folder.

    Args:
        source: a video, a folder of numbered images, or images that are named in order.
        fps: frames a second of images, which have no time stamps. A video has its own.

    Raises:
        FrameError: it is absent, empty, no video by its content, has no stream of pictures, or its
            header claims more than the limits of this module.
    """
    if not isinstance(source, str | Path):
        return _images([Path(file) for file in source], "images", fps)
    path = Path(source)
    if path.is_dir():
        return _images(list(images.list_frames(path).values()), path.resolve().name, fps)
    container = check_container(path)
    video = open_video(path)
    try:
        fourcc = int(video.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
        recording = Recording(
            name=_printable(path.name),
            files=(path,),
            kind="video",
            width=int(video.get(cv2.CAP_PROP_FRAME_WIDTH)),
            height=int(video.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            claimed_frames=max(0, int(video.get(cv2.CAP_PROP_FRAME_COUNT))),
            claimed_fps=_frame_rate(float(video.get(cv2.CAP_PROP_FPS))),
            rotation=int(video.get(cv2.CAP_PROP_ORIENTATION_META)) % 360,
            container=container,
            codec=_codec(fourcc),
            bytes=path.stat().st_size,
        )
    finally:
        video.release()
    return _within_limits(recording, path)


def frames_of(
    source: Source, first: int, last: int, fps: float | None = None
) -> tuple[list[Picture], NDArray[np.float64]]:
    """Decode the frames of one interval.

    All frames before it are decoded too and dropped: seeking is not exact in all formats.

    Args:
        source: see ``open_recording``.
        first: index of its first frame, from 0.
        last: index of its last frame, inclusive.
        fps: see ``open_recording``.

    Returns:
        The frames, uint8 (height, width, 3) each, and their times in seconds from the first frame
        of the recording, (frames,).

    Raises:
        FrameError: the recording can't be used, or ends before ``last``.
    """
    recording = open_recording(source, fps)
    if not 0 <= first <= last:
        raise FrameError(f"{recording.name}: frames {first} to {last}: expected 0 <= first <= last")
    pictures, times = [], []
    for frame in recording.frames():
        if frame.index >= first:
            pictures.append(frame.picture)
            times.append(frame.time_s)
        if frame.index == last:
            return pictures, np.array(times)
    raise FrameError(
        f"{recording.name}: frame {last} can't be decoded: expected an interval inside the "
        "recording, whose frames count from 0"
    )


def _images(files: Sequence[Path], name: str, fps: float | None) -> Recording:
    if not files:
        raise FrameError("no image was named: expected a folder of frames, or two images or more")
    for file in files:
        is_other = file.exists() and not file.is_file()  # A pipe could be read for ever.
        if is_other or file.suffix.lower() not in images.SUFFIXES:
            raise FrameError(
                f"{file}: expected an image ({', '.join(images.SUFFIXES)}) among several; name one "
                "video or one folder alone"
            )
    if fps is not None and not 0 < fps <= _MAX_FPS:
        raise FrameError(f"{fps} frames a second: expected a number above 0")
    height, width = images.read_image(files[0]).shape[:2]
    recording = Recording(
        name=_printable(name),
        files=tuple(files),
        kind="images",
        width=width,
        height=height,
        claimed_frames=len(files),
        claimed_fps=fps or 0.0,
        container="images",
        codec=files[0].suffix.lower().lstrip("."),
        bytes=sum(file.stat().st_size for file in files),
    )
    return _within_limits(recording, files[0].parent)


def _within_limits(recording: Recording, path: Path) -> Recording:
    """Refuse what a header claims before a frame is decoded."""
    width, height = recording.width, recording.height
    if min(width, height) < 1:
        raise FrameError(f"{path}: a video of {width}x{height} pixels: expected a whole video file")
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise FrameError(
            f"{path}: frames of {width}x{height} pixels, expected sides of at most {MAX_SIDE:,} "
            f"and at most {MAX_PIXELS:,} pixels; scale it down"
        )
    seconds = recording.claimed_frames / (recording.claimed_fps or 25.0)
    if recording.kind == "video" and (
        seconds > MAX_SECONDS or recording.claimed_frames > MAX_FRAMES
    ):
        raise FrameError(
            f"{path}: its header claims {recording.claimed_frames:,} frames, {seconds:,.0f} s: "
            f"expected at most {MAX_SECONDS // 3600} hours and {MAX_FRAMES:,} frames; cut it into "
            "parts"
        )
    return recording


def _frame_rate(claimed: float) -> float:
    return claimed if math.isfinite(claimed) and 0 < claimed <= _MAX_FPS else 0.0


def _codec(fourcc: int) -> str:
    letters = fourcc.to_bytes(4, "little").decode("latin-1").strip("\0 ")
    return letters if letters.isprintable() and letters else _NO_CODEC


def _in_colour(picture: NDArray[np.uint8]) -> Picture:
    """Return three channels, whatever the decoder gave."""
    if picture.ndim == 2:
        picture = np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), np.uint8)
    return picture[..., :3]


def _printable(name: str) -> str:
    """Return a name that can be shown: names on disk need not be UTF-8."""
    return name.encode(errors="backslashreplace").decode()


def _file_digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
