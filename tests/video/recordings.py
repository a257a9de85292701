"""Recordings for tests: written videos, and frames in memory with any time stamps."""

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from mer_keras.video.reader import Recording, VideoFrame


def write_video(path, pictures, fps=50.0, codec="FFV1"):
    """Write gray pictures without loss."""
    height, width = pictures[0].shape[:2]
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, (width, height))
    assert video.isOpened()
    for picture in pictures:
        video.write(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
    video.release()
    return path


def texture(shape=(48, 64), seed=0):
    """A smooth gray texture, uint8."""
    noise = np.random.default_rng(seed).random(shape).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.rint(40 + 170 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)


@dataclass(frozen=True)
class InMemory(Recording):
    """A recording whose frames are given: (time, gray picture) each."""

    given: list = field(default_factory=list)

    def frames(self):
        for index, (time_s, gray) in enumerate(self.given):
            yield VideoFrame(index, time_s, cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR))

    def sha256(self):
        return "0" * 64


def in_memory(given, fps=50.0):
    """Return a recording of (time, gray picture) pairs."""
    height, width = given[0][1].shape
    return InMemory(
        "drawn",
        (Path("drawn"),),
        "video",
        width,
        height,
        len(given),
        fps,
        bytes=10**6,
        given=list(given),
    )
