"""Which part of the frames is the face: one box a clip, found on its onset frame.

Viola and Jones's detector (CVPR 2001) with the cascades that OpenCV brings. One box for all frames
adds no jitter of its own; where both eyes are found, the face is turned until they are level.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, degrees
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.errors import FrameError

Image = NDArray[np.uint8]
Crop = Literal["centre", "haar"]

_FACE, _EYE = "haarcascade_frontalface_default.xml", "haarcascade_eye.xml"
#: Least side of a face, as a share of the frame's shorter side: smaller hits are no faces here.
_LEAST_SHARE = 0.15
#: The box of the detector ends above the chin and at the cheeks' edges: it is made larger.
_MARGIN = 0.1
#: Eyes further from level than this are wrong hits.
_MAX_TURN = 30.0
_FOUND: tuple[str, ...] = ("haar", "centre")


@dataclass(frozen=True)
class FaceBox:
    """A box in pixels of the frame that it was found on.

    Attributes:
        x: left edge.
        y: upper edge.
        width: of the box.
        height: of the box.
        angle: degrees by which the face is turned clockwise; 0 where the eyes weren't found.
        found: ``haar``, or ``centre`` for the largest square in the middle of the frame.
        faces: how many were found; the largest is taken.
    """

    x: int
    y: int
    width: int
    height: int
    angle: float = 0.0
    found: str = "centre"
    faces: int = 0

    def packed(self) -> NDArray[np.float64]:
        """Return the box as numbers, which a cache can hold."""
        where = [self.x, self.y, self.width, self.height, self.angle]
        return np.array([*where, _FOUND.index(self.found), self.faces], np.float64)

    @classmethod
    def unpacked(cls, numbers: NDArray[Any]) -> "FaceBox":
        """Return the box that ``packed`` made the numbers of."""
        x, y, width, height = (int(n) for n in numbers[:4])
        found = _FOUND[int(numbers[5])]
        return cls(x, y, width, height, float(numbers[4]), found, int(numbers[6]))


def locate(frame: Image, how: Crop, *, align: bool = True) -> NDArray[np.float64]:
    """Return the packed box that a config asks for; without a face, that of the centre.

    Args:
        frame: uint8 (height, width), the onset frame.
        how: ``haar`` looks for the face, ``centre`` takes the largest square in the middle.
        align: look for the eyes too.

    Raises:
        FrameError: the frame has another shape or type, or OpenCV has no cascades.
    """
    found = find_face(frame, align=align) if how == "haar" else None
    return (found or centre_box(frame)).packed()


def find_face(frame: Image, *, align: bool = True) -> FaceBox | None:
    """Find the largest face in a frame.

    Args:
        frame: uint8 (height, width).
        align: look for the eyes too, and tell the angle.

    Returns:
        Its box, square, a little larger than the detector's and inside the frame; None if there is
        no face.

    Raises:
        FrameError: the frame has another shape or type, or OpenCV has no cascades.
    """
    _check(frame)
    least = max(24, round(_LEAST_SHARE * min(frame.shape)))
    hits = _cascade(_FACE).detectMultiScale(
        frame, scaleFactor=1.1, minNeighbors=4, minSize=(least, least)
    )
    if not len(hits):
        return None
    x, y, side, _ = (int(n) for n in max(hits, key=lambda hit: int(hit[2])))
    angle = _turn(frame[y : y + side, x : x + side]) if align else 0.0
    larger = min(round(side * (1 + 2 * _MARGIN)), *frame.shape)
    left = min(max(x - (larger - side) // 2, 0), frame.shape[1] - larger)
    top = min(max(y - (larger - side) // 2, 0), frame.shape[0] - larger)
    return FaceBox(left, top, larger, larger, angle, "haar", len(hits))


def centre_box(frame: Image) -> FaceBox:
    """Return the largest square in the middle of a frame."""
    height, width = frame.shape[:2]
    side = min(height, width)
    return FaceBox((width - side) // 2, (height - side) // 2, side, side)


def apply_box(frame: Image, box: FaceBox) -> Image:
    """Cut a box out of a frame, and turn what is in it until the eyes are level.

    Args:
        frame: uint8 (height, width) or (height, width, 3), of the size the box was found on.
        box: what to cut out.

    Returns:
        The same type, (box.height, box.width) or with its channels.
    """
    if box.angle:
        middle = (box.x + box.width / 2, box.y + box.height / 2)
        turn = cv2.getRotationMatrix2D(middle, box.angle, 1.0)
        size = frame.shape[1::-1]
        frame = cv2.warpAffine(
            frame, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    return frame[box.y : box.y + box.height, box.x : box.x + box.width]


def _turn(face: Image) -> float:
    """Return by how many degrees the line of the eyes is turned clockwise; 0 if unsure."""
    side = face.shape[0]
    upper = face[round(0.15 * side) : round(0.6 * side)]
    least = max(8, side // 8)
    hits = _cascade(_EYE).detectMultiScale(
        upper, scaleFactor=1.05, minNeighbors=4, minSize=(least, least)
    )
    halves: list[list[Sequence[int]]] = [[], []]
    for hit in hits:
        halves[int(hit[0] + hit[2] / 2 > side / 2)].append([int(n) for n in hit])
    if not all(halves):
        return 0.0
    left, right = (max(half, key=lambda hit: hit[2]) for half in halves)
    across = (right[0] + right[2] / 2) - (left[0] + left[2] / 2)
    down = (right[1] + right[3] / 2) - (left[1] + left[3] / 2)
    angle = degrees(atan2(down, across))
    return angle if abs(angle) <= _MAX_TURN and across > 0.2 * side else 0.0


_kept = threading.local()


def _cascade(name: str) -> Any:
    """Return a cascade of this thread's own: one can't serve two threads at once."""
    cascades: dict[str, Any] = _kept.__dict__.setdefault("cascades", {})
    if name not in cascades:
        place = Path(getattr(getattr(cv2, "data", None), "haarcascades", "")) / name
        if not place.is_file():
            raise FrameError(
                f"OpenCV {cv2.__version__} comes without {name}: install "
                "opencv-python-headless>=4.14,<5, or set data.clip.crop to none or centre"
            )
        cascades[name] = cv2.CascadeClassifier(str(place))
    return cascades[name]


def _check(frame: Image) -> None:
    if frame.ndim != 2 or frame.dtype != np.uint8:
        raise FrameError(
            f"face detection: a frame of shape {frame.shape} and type {frame.dtype}, expected "
            "uint8 (height, width)"
        )
