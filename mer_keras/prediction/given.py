"""Intervals that a user gives, in a CSV or ELAN file -> frames of a recording."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mer_keras.databases.delimited import read_csv
from mer_keras.errors import AnnotationError
from mer_keras.prediction.held import Moment
from mer_keras.video.elan import read_elan
from mer_keras.video.reader import NO_TIMES, Recording

_FRAMES = ("onset", "apex", "offset")
_SECONDS = ("onset_s", "apex_s", "offset_s")


class GivenInterval(NamedTuple):
    """An interval as it stands in a file.

    Attributes:
        where: file and row, for messages.
        video: name of the recording that it is of; empty: of every one.
        onset: frame from 0, or seconds from the first frame.
        apex: likewise; None where it isn't known.
        offset: likewise, inclusive.
        in_seconds: whether these are seconds.
    """

    where: str
    video: str
    onset: float
    apex: float | None
    offset: float
    in_seconds: bool


def is_elan(path: Path) -> bool:
    """Whether a file of intervals is one of ELAN's, by its ending."""
    return path.suffix.lower() == ".eaf"


def read_intervals(path: Path) -> list[GivenInterval]:
    """Read intervals.

    Args:
        path: a table with the columns onset and offset (frames, which count from 0), or onset_s and
            offset_s (seconds from the first frame); apex or apex_s, and video, may be left out.
            ``intervals.csv`` of this program is one.

    Raises:
        AnnotationError: columns are missing, or a row has no interval.
    """
    header, *rows = read_csv(path) or [[]]
    columns = {str(cell).strip().lower(): index for index, cell in enumerate(header) if cell}
    in_seconds = not {"onset", "offset"} <= set(columns)
    onset, apex, offset = _SECONDS if in_seconds else _FRAMES
    if not {onset, offset} <= set(columns):
        raise AnnotationError(
            f"{path}: columns {', '.join(columns) or 'none'}: expected onset and offset (frames "
            "from 0), or onset_s and offset_s (seconds)"
        )
    intervals = []
    for number, row in enumerate(rows, start=2):
        if not any(cell is not None for cell in row):
            continue
        cells = {name: row[index] for name, index in columns.items() if index < len(row)}
        where = f"{path}, row {number}"
        apex_value = _value(cells.get(apex), where, apex) if cells.get(apex) else None
        interval = GivenInterval(
            where,
            str(cells.get("video") or ""),
            _value(cells.get(onset), where, onset),
            apex_value,
            _value(cells.get(offset), where, offset),
            in_seconds,
        )
        intervals.append(in_order(interval))
    if not intervals:
        raise AnnotationError(f"{path}: no interval: expected a row for each expression")
    return intervals


def intervals_of(intervals: Sequence[GivenInterval], names: Sequence[str]) -> list[GivenInterval]:
    """Return the intervals of one recording.

    Args:
        intervals: of a file.
        names: by which the file may call the recording, with and without its ending.
    """
    return [interval for interval in intervals if not interval.video or interval.video in names]


def moments_of_given(intervals: Sequence[GivenInterval], recording: Recording) -> list[Moment]:
    """Return the frames of given intervals; seconds become the frames that are nearest.

    Raises:
        AnnotationError: an interval ends after the recording, or is in seconds and the recording
            has no times.
        FrameError: the recording can't be read.
    """
    times = _times(recording, intervals)
    if not np.isfinite(times).all():
        raise AnnotationError(NO_TIMES.format(name=recording.name))
    return [_moment(interval, times) for interval in intervals]


def moments_of_elan(path: Path, recording: Recording) -> list[Moment]:
    """Return the frames of an ELAN file's intervals: those of our tier, or of the first with times.

    Where the file has no apex of ours, the middle frame stands in for it.

    Raises:
        AnnotationError: the file can't be used, has no interval, or is of a longer recording.
        FrameError: the recording can't be read.
    """
    times = np.array([frame.time_s for frame in recording.frames()])
    if not len(times) or not np.isfinite(times).all():
        raise AnnotationError(f"{path}: {recording.name} has no times: give a frame rate (--fps)")
    intervals = read_elan(path, times)
    if not intervals:
        raise AnnotationError(f"{path}: no interval in the tier that is read")
    return [Moment(interval.onset, interval.apex, interval.offset) for interval in intervals]


def _times(recording: Recording, intervals: Sequence[GivenInterval]) -> NDArray[np.float64]:
    """Time stamps of a recording up to the last interval in seconds; none if there is none."""
    ends = [interval.offset for interval in intervals if interval.in_seconds]
    times: list[float] = []
    for frame in recording.frames() if ends else ():
        times.append(frame.time_s)
        if frame.time_s > max(ends):
            break
    return np.array(times)


def _moment(interval: GivenInterval, times: NDArray[np.float64]) -> Moment:
    if not interval.in_seconds:
        apex = None if interval.apex is None else round(interval.apex)
        return Moment(round(interval.onset), apex, round(interval.offset))
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    if not len(times) or interval.offset > times[-1] + step:
        ends = times[-1] if len(times) else 0
        raise AnnotationError(
            f"{interval.where}: ends at {interval.offset:g} s, and the recording at {ends:.2f} s"
        )
    onset, offset = (_nearest(times, second) for second in (interval.onset, interval.offset))
    return Moment(onset, None if interval.apex is None else _nearest(times, interval.apex), offset)


def _nearest(times: NDArray[np.float64], second: float) -> int:
    return int(np.abs(times - second).argmin())


def _value(cell: object, where: str, column: str) -> float:
    """Return a cell's number.

    Raises:
        AnnotationError: it is none, negative, or of frames no whole number.
    """
    text = str(cell or "").strip().replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    is_frame = column in _FRAMES
    if not 0 <= value < 1e9 or (is_frame and value != round(value)):
        expected = "a frame number from 0" if is_frame else "seconds"
        raise AnnotationError(f"{where}, {column}: {text[:40]!r}: expected {expected}")
    return value


def in_order(interval: GivenInterval) -> GivenInterval:
    """Return an interval whose onset lies before its offset, and its apex between them.

    Raises:
        AnnotationError: it is another one.
    """
    apex = interval.onset if interval.apex is None else interval.apex
    if not 0 <= interval.onset <= apex <= interval.offset or interval.onset == interval.offset:
        raise AnnotationError(
            f"{interval.where}: onset {interval.onset:g}, apex "
            f"{'-' if interval.apex is None else format(interval.apex, 'g')}, offset "
            f"{interval.offset:g}: expected 0 <= onset < offset, and the apex between them"
        )
    return interval
