"""The first pass over a recording: time stamps, cuts, repeated frames, where the face is."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.errors import FrameError
from mer_keras.progress import CountProgress
from mer_keras.video.face_tracker import Face, FaceFinder
from mer_keras.video.reader import NO_FRAMES, NO_TIMES, Picture, Recording

#: Frames are compared by a picture of this many columns and rows.
_SMALL = (32, 24)
#: A cut: neighbours that differ by so many gray levels on average, and by so many times more than
#: is usual in this recording.
_CUT_LEVELS, _CUT_TIMES = 20.0, 6.0
#: What is usual is the median of so many frames before.
_USUAL_FRAMES = 200


@dataclass(frozen=True)
class Look:
    """One look for the face.

    Attributes:
        frame: index of the frame that was looked at.
        face: what was found; None: no face.
    """

    frame: int
    face: Face | None


@dataclass(frozen=True)
class Survey:
    """What the first pass found.

    Attributes:
        recording: what was read.
        times: seconds from the first frame, (frames,).
        looks: in order.
        breaks: indices of the frames before which the picture is cut or changes its size.
        cuts: how many of them are cuts.
        sizes: how many frames have another size than the one before.
        repeated: frames that equal the one before, pixel by pixel.
        brightness: mean gray level of all frames, 0..255.
        shape: height and width of the first frame.
        sha256: of the file or files.
        finder: name of what looked for the face.
    """

    recording: Recording
    times: NDArray[np.float64]
    looks: tuple[Look, ...]
    breaks: tuple[int, ...]
    cuts: int
    sizes: int
    repeated: int
    brightness: float
    shape: tuple[int, int]
    sha256: str
    finder: str


def survey(
    recording: Recording,
    finder: FaceFinder,
    progress: CountProgress | None = None,
    see: Callable[[int, Picture], None] | None = None,
) -> Survey:
    """Read a recording once.

    Memory grows by some 20 bytes a frame, and by a look.

    Args:
        recording: what is read.
        finder: looks for the face.
        progress: called with (frames read, frames that the header claims).
        see: called with the index and the picture of each frame, for whoever needs more.

    Raises:
        FrameError: no frame can be decoded, or images without a frame rate.
    """
    digest = recording.sha256()
    times: list[float] = []
    looks: list[Look] = []
    breaks: list[int] = []
    levels: deque[float] = deque(maxlen=_USUAL_FRAMES)
    cuts = sizes = repeated = 0
    brightness = 0.0
    shape = (0, 0)
    before: Picture | None = None
    small_before: NDArray[np.uint8] | None = None
    next_look = 0.0
    for frame in recording.frames():
        picture = frame.picture
        small = np.asarray(cv2.resize(picture, _SMALL, interpolation=cv2.INTER_AREA), np.uint8)
        brightness += float(small.mean())
        is_break = before is None
        if before is None or small_before is None:
            shape = (picture.shape[0], picture.shape[1])
        elif picture.shape != before.shape:
            sizes += 1
            is_break = True
            breaks.append(frame.index)
        else:
            level = float(cv2.absdiff(small, small_before).mean())
            usual = float(np.median(levels)) if levels else 0.0
            if level > max(_CUT_LEVELS, _CUT_TIMES * usual):
                cuts += 1
                is_break = True
                breaks.append(frame.index)
            elif level == 0 and np.array_equal(picture, before):
                repeated += 1
            levels.append(level)
        times.append(frame.time_s)
        if is_break or not frame.time_s < next_look:
            looks.append(Look(frame.index, finder.look(picture, frame.time_s, anew=is_break)))
            next_look = frame.time_s + finder.seconds - 1e-6
        before, small_before = picture, small
        if progress is not None:
            progress(len(times), max(recording.claimed_frames, len(times)))
        if see is not None:
            see(frame.index, picture)
    if not times:
        raise FrameError(NO_FRAMES.format(name=recording.name))
    if not np.isfinite(times).all():
        raise FrameError(NO_TIMES.format(name=recording.name))
    return Survey(
        recording,
        np.array(times),
        tuple(looks),
        tuple(breaks),
        cuts,
        sizes,
        repeated,
        brightness / len(times),
        shape,
        digest,
        finder.name,
    )
