"""A copy of a recording with a mark on the frames of each interval. It shows the face."""

from pathlib import Path

import cv2
import numpy as np

from mer_keras.errors import FrameError, ResultsError
from mer_keras.prediction.result import PredictedInterval, Prediction
from mer_keras.prediction.sources import NamedSource
from mer_keras.video.reader import Picture, open_recording
from mer_keras.whole_files import whole_file

#: Name of the file.
ANNOTATED = "annotated.mp4"
_CODEC = "mp4v"
#: Blue, green, red of the bar, and of its text.
_BAR, _INK = (90, 40, 0), (255, 255, 255)
#: Height of the bar as a share of the frame's.
_SHARE = 0.07


def write_annotated(
    named: NamedSource, prediction: Prediction, folder: Path, fps: float | None = None
) -> Path:
    """Write a video with a bar below the frames: the number and vote of the interval that is shown.

    Sound is left out. Frames are shown at the recording's median rate.

    Args:
        named: the recording.
        prediction: what was predicted of it.
        folder: is there already.
        fps: frames a second of images.

    Raises:
        FrameError: the recording can't be read any more.
        ResultsError: no video can be written.
    """
    recording = open_recording(named.source, fps)
    rate = prediction.recording.fps or fps or 25.0
    path = folder / ANNOTATED
    video: cv2.VideoWriter | None = None
    shape: tuple[int, int] = (0, 0)
    with whole_file(path, path.suffix) as temporary:
        for frame in recording.frames():
            picture = _marked(frame.picture, prediction, frame.index)
            height, width = picture.shape[:2]
            if video is None:
                shape = (height, width)
                fourcc = cv2.VideoWriter.fourcc(*_CODEC)
                video = cv2.VideoWriter(str(temporary), fourcc, rate, (width, height))
                if not video.isOpened():
                    raise ResultsError(f"{path}: OpenCV can't write a video there")
            if (height, width) != shape:
                raise FrameError(f"{recording.name}: frames change their size: no copy can be made")
            video.write(picture)
        if video is None:
            raise FrameError(f"{recording.name}: no frame can be decoded")
        video.release()
    return path


def _marked(picture: Picture, prediction: Prediction, index: int) -> Picture:
    """A frame with a bar below it, which says something during an interval."""
    height, width = picture.shape[:2]
    bar = max(16, round(height * _SHARE))
    # Coders of video need even sides.
    marked = np.zeros((height + bar + (height + bar) % 2, width + width % 2, 3), np.uint8)
    marked[:height, :width] = picture
    for number, interval in enumerate(prediction.intervals, start=1):
        if interval.onset <= index <= interval.offset:
            marked[height:] = _BAR
            place = (4, height + round(0.72 * bar))
            text = _text(number, interval)
            cv2.putText(
                marked, text, place, cv2.FONT_HERSHEY_SIMPLEX, bar / 40, _INK, 1, cv2.LINE_AA
            )
    return marked


def _text(number: int, interval: PredictedInterval) -> str:
    if interval.votes is None:
        said = "no class"
    elif interval.decision is None:
        said = "undecided"
    else:
        said = f"{interval.decision} {interval.votes[interval.decision].share:.2f} of the vote"
    return f"{number}: {said}".encode("ascii", "replace").decode()
