"""The frames of intervals, in one pass over a recording; those of open intervals are in memory."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mer_keras.errors import FrameError
from mer_keras.progress import CountProgress
from mer_keras.video.reader import Picture, Recording

#: Bytes of all frames that are held at a time, at most.
MOST_BYTES = 2**30


class Moment(NamedTuple):
    """An interval whose frames are asked for: onset, apex (None: not known) and offset."""

    onset: int
    apex: int | None
    offset: int


class Held(NamedTuple):
    """The frames of one interval.

    Attributes:
        number: position of the interval among those asked for.
        frames: uint8 (height, width, 3) each, from onset to offset.
        times: seconds from the first frame of the recording, (frames,); NaN where unknown.
    """

    number: int
    frames: list[Picture]
    times: NDArray[np.float64]


def held_frames(
    recording: Recording, moments: Sequence[Moment], progress: CountProgress | None = None
) -> Iterator[Held]:
    """Yield the frames of each interval, in order of the offsets.

    Frames before an interval are decoded and dropped, since seeking is not exact in all formats;
    those behind the last one are not read. Intervals that overlap share their frames.

    Args:
        recording: what is read.
        moments: the intervals.
        progress: called with (frames read, frames to read).

    Raises:
        FrameError: the recording ends before an interval does, or an interval is too long to be
            held.
    """
    _check_sizes(recording, moments)
    order = sorted(range(len(moments)), key=lambda number: moments[number].onset)
    last_frame = max((moment.offset for moment in moments), default=-1)
    open_intervals: dict[int, tuple[list[Picture], list[float]]] = {}
    read = 0
    for frame in recording.frames() if moments else ():
        read = frame.index + 1
        while order and moments[order[0]].onset == frame.index:
            open_intervals[order.pop(0)] = ([], [])
        for frames, times in open_intervals.values():
            frames.append(frame.picture)
            times.append(frame.time_s)
        for number in [n for n in open_intervals if moments[n].offset == frame.index]:
            frames, times = open_intervals.pop(number)
            yield Held(number, frames, np.array(times))
        if progress is not None:
            progress(read, last_frame + 1)
        if frame.index == last_frame:
            return
    for number in (*open_intervals, *order):
        raise FrameError(
            f"{recording.name}: interval {number + 1} ends at frame {moments[number].offset}, and "
            f"the recording has {read} frames that can be decoded; frames count from 0"
        )


def _check_sizes(recording: Recording, moments: Sequence[Moment]) -> None:
    frame_bytes = recording.width * recording.height * 3
    for number, moment in enumerate(moments):
        frames = moment.offset - moment.onset + 1
        if frames * frame_bytes > MOST_BYTES:
            raise FrameError(
                f"{recording.name}: interval {number + 1} has {frames:,} frames of "
                f"{recording.width}x{recording.height}: expected one expression, of a second or so"
            )
