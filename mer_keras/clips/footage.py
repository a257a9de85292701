"""Where a clip's frames are: a folder of images, one image, a video or a table of pixels.

A frame is known by its number and nothing else: the file's name pads it, videos and tables count
from 0. What the numbers mean is up to the annotation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.clips import cache, frames
from mer_keras.clips.containers import NoVideoError, check_container, open_video
from mer_keras.clips.headers import image_format
from mer_keras.databases.folders import VIDEO_SUFFIXES
from mer_keras.databases.readers.fer2013 import read_pixels

#: One decoded frame: (height, width), or (height, width, 3) in OpenCV's order.
Picture: TypeAlias = NDArray[np.uint8]
Value = TypeVar("Value", bound=np.generic)

# Frames of a video may come earlier or later than its frame rate says by this share of a frame.
_MAX_JITTER = 0.25
# More frames than any clip has: an hour at 200 frames a second has less.
_MAX_FRAMES = 1_000_000


class UnusableClipError(Exception):
    """This clip can't be used and is left out; the message is the reason, without folders."""


@dataclass(frozen=True)
class Footage:
    """Frames by number.

    Attributes:
        path: folder, image, video or table of pixels.
        files: frame number -> image file, in the order of the numbers; empty for a video or table.
        frame_count: number of frames of a video.
        fps: frame rate of a video, from the file itself.
        pixels: uint8 (rows, height, width) of a table of pixels; a frame's number is its row.
        key: digest of the table's content.
    """

    path: Path
    files: Mapping[int, Path] = field(default_factory=dict)
    frame_count: int = 0
    fps: float | None = None
    pixels: NDArray[np.uint8] | None = None
    key: str = ""

    @property
    def numbers(self) -> Sequence[int]:
        """All frame numbers, ascending."""
        if self.pixels is not None:
            return range(len(self.pixels))
        return list(self.files) if self.files else range(self.frame_count)

    def fetch(
        self,
        numbers: Sequence[int],
        step: str,
        params: cache.Parameters,
        compute: Callable[[Sequence[Picture]], NDArray[Value]],
    ) -> cache.Entry[Value]:
        """Return what a step makes of some frames, from the cache or computed and stored.

        Args:
            numbers: which frames.
            step: see ``cache.fetch``.
            params: see ``cache.fetch``; with ``colour``, frames have three channels.
            compute: frames -> array. ``formats`` (of the image files) and ``shapes`` (how many
                different ones) become the entry's facts.
        """
        gray = not params.get("colour", False)

        def of_contents(contents: Sequence[bytes]) -> tuple[NDArray[Value], cache.Facts]:
            pictures, formats = self._decode(contents, numbers, gray)
            shapes = {picture.shape for picture in pictures}
            return compute(pictures), {"formats": list(formats), "shapes": len(shapes)}

        if self.pixels is not None:
            # What is derived from these pictures must not be taken for another step's.
            key = cache.array_key(self.key, step, {**params, "numbers": list(numbers)})
            return cache.Entry(*of_contents([]), key=key)
        if self.files:
            files = [self.files[number] for number in numbers]
            return cache.fetch(files, step, params, of_contents)
        return cache.fetch([self.path], step, {**params, "numbers": list(numbers)}, of_contents)

    def read(self, numbers: Sequence[int]) -> tuple[list[Picture], list[str | None]]:
        """Decode some frames to gray, past the cache.

        Returns:
            The pictures, and the format of each image file; none for a video or table.

        Raises:
            FrameError: an image can't be used.
            UnusableClipError: a frame of a video can't be decoded.
        """
        contents = [frames.read_bytes(self.files[number]) for number in numbers if self.files]
        return self._decode(contents, numbers, gray=True)

    def _decode(
        self, contents: Sequence[bytes], numbers: Sequence[int], gray: bool
    ) -> tuple[list[Picture], list[str | None]]:
        if self.pixels is not None:
            return [self.pixels[number] for number in numbers], []
        if not self.files:
            return _read_video(self.path, numbers, gray), []
        pictures = [
            frames.decode(data, self.files[number], gray=gray)
            for data, number in zip(contents, numbers, strict=True)
        ]
        return pictures, [image_format(data) for data in contents]

    def misnamed(self, numbers: Sequence[int], formats: Sequence[str | None]) -> set[str]:
        """Return a remark for each format that stands under another format's suffix."""
        if not self.files:
            return set()
        files = [self.files[number] for number in numbers]
        remarks = {frames.misnamed(*pair) for pair in zip(files, formats, strict=True)}
        return remarks - {""}


def open_footage(path: Path) -> Footage:
    """List the frames at a path.

    Raises:
        FrameError: it is absent, a folder without frames, or one with two frames of one number.
        UnusableClipError: a video that can't be decoded, has no frame rate or a variable one.
    """
    if not path.is_file():
        return Footage(path, frames.list_frames(path))
    if path.suffix.lower() == ".csv":
        table = cache.fetch([path], "table of pixels", {}, lambda _: (read_pixels(path), {}))
        return Footage(path, pixels=table.array, key=table.key)
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        return Footage(path, {0: path})
    video = cache.fetch([path], "video", {"opencv": cv2.__version__}, lambda _: _probe(path))
    problem, fps = video.facts["problem"], video.facts["fps"]
    if problem or not isinstance(fps, float):
        raise UnusableClipError(f"{path.name}: {problem}")
    return Footage(path, frame_count=int(video.array[0]), fps=fps)


def _probe(path: Path) -> tuple[NDArray[np.int64], cache.Facts]:
    """Count a video's frames by decoding them all: headers of damaged videos lie."""
    try:
        video = _opened(path)
    except NoVideoError as error:
        return np.array([0]), {"fps": 0.0, "problem": error.problem}
    fps = float(video.get(cv2.CAP_PROP_FPS))
    times: list[float] = []
    while len(times) <= _MAX_FRAMES and video.grab():
        times.append(video.get(cv2.CAP_PROP_POS_MSEC))
    claimed = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    steps = np.diff(times) * fps / 1000
    problem = ""
    if not times:
        problem = "a video without a frame that can be decoded"
    elif len(times) > _MAX_FRAMES:
        problem = f"a video of more than {_MAX_FRAMES:,} frames"
    elif not np.isfinite(fps) or fps <= 0:
        problem = "a video without a frame rate"
    elif claimed > len(times):
        problem = f"a broken video: {len(times)} of {claimed} frames can be decoded"
    elif len(steps) and np.abs(steps - np.median(steps)).max() > _MAX_JITTER:
        problem = "a video with a variable frame rate"
    return np.array([len(times)]), {"fps": fps, "problem": problem}


def _opened(path: Path) -> cv2.VideoCapture:
    """Open a video that holds its own frames, none of them larger than an image may be.

    Raises:
        NoVideoError: it is none.
    """
    check_container(path)
    video = open_video(path)  # It is released with the last reference to it.
    sides = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    width, height = (int(video.get(side)) for side in sides)
    if width * height > frames.MAX_PIXELS:
        raise NoVideoError(
            path, f"a video of {width}x{height} pixels", f", expected at most {frames.MAX_PIXELS:,}"
        )
    return video


def _read_video(path: Path, numbers: Sequence[int], gray: bool) -> list[Picture]:
    """Decode from the first frame on: seeking is not exact in all formats."""
    video = _opened(path)
    pictures: dict[int, Picture] = {}
    for number in range(max(numbers) + 1):
        if not video.grab():
            break
        if number in set(numbers):
            decoded, picture = video.retrieve()
            if decoded:
                picture = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if gray else picture
                pictures[number] = np.asarray(picture, np.uint8)
    missing = [number for number in numbers if number not in pictures]
    if missing:
        raise UnusableClipError(f"{path.name}: frame {missing[0]} can't be decoded")
    return [pictures[number] for number in numbers]
