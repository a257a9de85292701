"""Aligned faces of a recording at evenly spaced moments, one after the other."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.progress import CountProgress
from mer_keras.video.options import SIDE
from mer_keras.video.reader import Recording
from mer_keras.video.timing import Moments
from mer_keras.video.track import Track, aligned


class AlignedFace(NamedTuple):
    """The face at one sample.

    Attributes:
        sample: index of the sample.
        face: uint8 (SIDE, SIDE), gray, the mean over the sample's frames; None without a face.
        stretch: of ``Track``; -1 without a face.
    """

    sample: int
    face: NDArray[np.uint8] | None
    stretch: int


@dataclass
class _Mean:
    """A sample that is being averaged."""

    sample: int
    last: int
    stretch: int
    total: NDArray[np.float32]
    frames: int = 0

    def done(self) -> AlignedFace:
        if not self.frames:
            return AlignedFace(self.sample, None, -1)
        mean = np.rint(self.total / np.float32(self.frames))
        return AlignedFace(self.sample, np.clip(mean, 0, 255).astype(np.uint8), self.stretch)


def aligned_faces(
    recording: Recording,
    moments: Moments,
    track: Track,
    *,
    smooth: bool,
    only: NDArray[np.bool_] | None = None,
    progress: CountProgress | None = None,
) -> Iterator[AlignedFace]:
    """Yield the face of each sample in order.

    Args:
        recording: what is read, once and up to the last frame that is needed.
        moments: the samples.
        track: where the face is.
        smooth: see ``track.aligned``.
        only: (samples,): which samples are needed; all by default.
        progress: called with (frames read, frames in all).
    """
    needed = np.flatnonzero(only) if only is not None else np.arange(len(moments.frames))
    if not len(needed):
        return
    waiting = deque(int(sample) for sample in needed)
    open_means: deque[_Mean] = deque()
    last_frame = int(moments.last[needed[-1]])
    for frame in recording.frames():
        if frame.index > last_frame:
            break
        while waiting and moments.first[waiting[0]] <= frame.index:
            sample = waiting.popleft()
            stretch = int(track.stretch[moments.frames[sample]])
            zeros = np.zeros((SIDE, SIDE), np.float32)
            open_means.append(_Mean(sample, int(moments.last[sample]), stretch, zeros))
        stretch = int(track.stretch[frame.index])
        if open_means and stretch >= 0:
            gray = np.asarray(cv2.cvtColor(frame.picture, cv2.COLOR_BGR2GRAY), np.uint8)
            face = aligned(gray, track.transforms[frame.index], smooth=smooth)
            for mean in open_means:
                if mean.stretch == stretch:
                    mean.total += face
                    mean.frames += 1
        while open_means and open_means[0].last <= frame.index:
            yield open_means.popleft().done()
        if progress is not None:
            progress(frame.index + 1, last_frame + 1)
    # A recording that ends earlier than in the first pass leaves some open.
    while open_means:
        yield open_means.popleft().done()
