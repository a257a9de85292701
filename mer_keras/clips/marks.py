"""Onset, apex and offset of one clip: annotated, or spotted where nobody annotated them."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.clips import cache, spotting
from mer_keras.clips.clip_frames import ClipFrames, Stack
from mer_keras.clips.footage import UnusableClipError

#: An onset, apex or offset this far outside its folder's frames is taken for the first or last
#: frame: tables and folders count from 0 or 1, and disagree by one here and there.
SLACK = 1

NO_APEX = "apex not annotated, the middle frame stands in"


class Marks(NamedTuple):
    """Frame numbers with onset <= apex <= offset; without an apex, the middle frame is meant."""

    onset: int
    apex: int | None
    offset: int


def annotated_marks(frames: ClipFrames) -> Marks:
    """Return the annotated marks; a missing onset or offset is the first or last frame.

    Raises:
        UnusableClipError: a mark is beyond the frames on disk.
    """
    first, last = frames.numbers[0], frames.numbers[-1]

    def inside(name: str, number: int | None) -> int | None:
        if number is None:
            return None
        if not first - SLACK <= number <= last + SLACK:
            raise UnusableClipError(
                f"{name} {number} is beyond the frames on disk, {first} to {last}"
            )
        if not first <= number <= last:
            frames.remarks.add(
                "annotated one frame beyond the folder, its first or last frame stands in"
            )
        return min(max(number, first), last)

    sample = frames.sample
    onset = inside("onset", sample.onset)
    apex = inside("apex", sample.apex)
    offset = inside("offset", sample.offset)
    return Marks(first if onset is None else onset, apex, last if offset is None else offset)


def with_apex(frames: ClipFrames, marks: Marks) -> Marks:
    """Let the middle frame stand in for an apex that nobody annotated, or spot it.

    Onset and offset are spotted with it where nobody annotated any of the three.
    """
    if frames.policies.apex != "spot":
        frames.remarks.add(NO_APEX)
        return marks
    onset, apex, offset = spotted_marks(frames, marks)
    if frames.sample.onset is None and frames.sample.offset is None:
        frames.remarks.add("onset, apex and offset not annotated, spotted from optical flow")
        return Marks(onset, apex, offset)
    frames.remarks.add("apex not annotated, spotted from optical flow")
    return marks._replace(apex=apex)


def spotted_marks(frames: ClipFrames, marks: Marks) -> tuple[int, int, int]:
    """Spot onset, apex and offset between the onset and the offset of ``marks``."""
    numbers = frames.between(marks.onset, marks.offset)
    entry = frames.stack(numbers, spotting.SIZE)

    def spot(stack: Stack) -> NDArray[np.int64]:
        spotted = spotting.spot(stack)
        return np.array([spotted.onset, spotted.apex, spotted.offset])

    indices = cache.derive(entry, "marks spotted", {"opencv": cv2.__version__}, spot).array
    onset, apex, offset = (numbers[int(index)] for index in indices)
    return onset, apex, offset
