"""Where a clip's frames are: a folder of images, one image, or a video; all by frame number.

A frame is asked for by its number and nothing else: the file's name pads it, the video counts from
0. What the numbers mean beside that is the annotation's business.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mer_keras.clips import cache, frames
from mer_keras.clips.headers import image_format
from mer_keras.databases.readers.fer2013 import read_pixels

Compute = Callable[[Sequence[np.ndarray]], np.ndarray]

VIDEO_SUFFIXES = (".avi", ".mp4", ".mov", ".mkv", ".mpg", ".mpeg", ".wmv")
#: Frames of a video may come this much earlier or later than its frame rate says.
_MAX_JITTER = 0.25


class UnusableClipError(Exception):
    """This clip can't be used and is left out; the message is the reason, without folders."""


@dataclass(frozen=True)
class Footage:
    """Frames by number.

    Attributes:
        path: folder, image or video.
        files: frame number -> image file, in the order of the numbers; empty for a video.
        frame_count: frames of a video.
        fps: of a video, from the file itself.
        pixels: of a table of pixels: (rows, h, w) uint8; a frame's number is its row.
        key: digest of the table's content.
    """

    path: Path
    files: Mapping[int, Path] = field(default_factory=dict)
    frame_count: int = 0
    fps: float | None = None
    pixels: np.ndarray | None = None
    key: str = ""

    @property
    def numbers(self) -> Sequence[int]:
        """All frame numbers, ascending."""
        if self.pixels is not None:
            return range(len(self.pixels))
        return list(self.files) if self.files else range(self.frame_count)

    def fetch(
        self, wanted: Sequence[int], step: str, params: Mapping[str, Any], compute: Compute
    ) -> cache.Entry:
        """Return what a step makes of some frames, from the cache or computed and stored.

        Args:
            wanted: frame numbers, each of ``numbers``.
            step: see ``cache.fetch``.
            params: see ``cache.fetch``.
            compute: frames, each (h, w) or (h, w, 3) uint8 -> array. ``formats`` (of the image
                files) and ``shapes`` (how many different ones) are added to its facts.
        """
        gray = not params.get("colour", False)

        def of_files(contents: Sequence[bytes]) -> tuple[np.ndarray, cache.Facts]:
            pictures, formats = self._decode(contents, wanted, gray)
            return compute(pictures), {"formats": formats, "shapes": _shapes(pictures)}

        def of_video(_contents: Sequence[bytes]) -> tuple[np.ndarray, cache.Facts]:
            pictures = _read_video(self.path, wanted, gray)
            return compute(pictures), {"formats": [], "shapes": _shapes(pictures)}

        if self.pixels is not None:
            pictures = [self.pixels[number] for number in wanted]
            facts = {"formats": [], "shapes": 1}
            return cache.Entry(compute(pictures), facts, key=f"{self.key} {list(wanted)}")
        if self.files:
            return cache.fetch([self.files[n] for n in wanted], step, params, of_files)
        return cache.fetch([self.path], step, {**params, "numbers": list(wanted)}, of_video)

    def read(self, wanted: Sequence[int]) -> tuple[list[np.ndarray], list[str | None]]:
        """Decode some frames to gray, past the cache.

        Returns:
            The pictures, and the kind of image of each file (none of a video or table).

        Raises:
            FrameError: an image can't be used.
            UnusableClipError: a frame of a video can't be decoded.
        """
        if self.pixels is not None:
            return [self.pixels[number] for number in wanted], []
        if not self.files:
            return _read_video(self.path, wanted, gray=True), []
        contents = [frames.read_bytes(self.files[number]) for number in wanted]
        return self._decode(contents, wanted, gray=True)

    def _decode(
        self, contents: Sequence[bytes], wanted: Sequence[int], gray: bool
    ) -> tuple[list[np.ndarray], list[str | None]]:
        pictures = [
            frames.decode(data, self.files[number], gray=gray)
            for data, number in zip(contents, wanted, strict=True)
        ]
        return pictures, [image_format(data) for data in contents]

    def misnamed(self, wanted: Sequence[int], formats: Sequence[str | None]) -> set[str]:
        """Return a remark for each kind of image that stands under another's suffix."""
        if not self.files:
            return set()
        names = [self.files[number] for number in wanted]
        return {frames.misnamed(p, f) for p, f in zip(names, formats, strict=True)} - {""}


def open_footage(path: Path) -> Footage:
    """Find the frames at a path.

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
    facts = cache.fetch([path], "video", {"opencv": cv2.__version__}, lambda _: _probe(path))
    if facts.facts["problem"]:
        raise UnusableClipError(f"{path.name}: {facts.facts['problem']}")
    return Footage(path, frame_count=int(facts.array[0]), fps=facts.facts["fps"])


def _shapes(pictures: Sequence[np.ndarray]) -> int:
    return len({picture.shape for picture in pictures})


def _probe(path: Path) -> tuple[np.ndarray, cache.Facts]:
    """Count a video's frames by decoding it all: headers of damaged ones lie."""
    video = cv2.VideoCapture(str(path))
    try:
        fps = float(video.get(cv2.CAP_PROP_FPS)) if video.isOpened() else 0.0
        times = []
        while video.grab():
            times.append(video.get(cv2.CAP_PROP_POS_MSEC))
        claimed = int(video.get(cv2.CAP_PROP_FRAME_COUNT)) if video.isOpened() else 0
    finally:
        video.release()
    steps = np.diff(times) * fps / 1000
    problem = ""
    if not times:
        problem = "a video without a frame that can be decoded"
    elif not np.isfinite(fps) or fps <= 0:
        problem = "a video without a frame rate"
    elif claimed > len(times):
        problem = f"a broken video: {len(times)} of {claimed} frames can be decoded"
    elif len(steps) and np.abs(steps - np.median(steps)).max() > _MAX_JITTER:
        problem = "a video with a variable frame rate"
    return np.array([len(times)]), {"fps": fps, "problem": problem}


def _read_video(path: Path, wanted: Sequence[int], gray: bool) -> list[np.ndarray]:
    """Decode from the first frame on: seeking is not exact in all formats."""
    video = cv2.VideoCapture(str(path))
    found: dict[int, np.ndarray] = {}
    try:
        for number in range(max(wanted) + 1):
            if not video.grab():
                break
            if number in set(wanted):
                ok, picture = video.retrieve()
                if ok:
                    found[number] = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if gray else picture
    finally:
        video.release()
    missing = [number for number in wanted if number not in found]
    if missing:
        raise UnusableClipError(f"{path.name}: frame {missing[0]} can't be decoded")
    return [found[number] for number in wanted]
