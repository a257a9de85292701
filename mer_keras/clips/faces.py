"""Which part of the frames is the face: one box a clip, found on its onset frame.

Viola and Jones's detector (CVPR 2001) with the cascades that OpenCV brings. One box for all frames
adds no jitter of its own; where both eyes are found, the face is turned until they are level.
"""

import threading
from dataclasses import asdict, dataclass
from math import atan2, degrees, log
from pathlib import Path
from typing import Any, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.errors import FrameError

Image = NDArray[Any]
#: Which box: the face's, or the largest square in the middle.
Crop = Literal["haar", "centre"]

# alt2 is the fastest of the frontal cascades, and takes fewer textures for faces than default does
_FACE, _EYE = "haarcascade_frontalface_alt2.xml", "haarcascade_eye.xml"
_SIDE = 200  # of the face before its eyes are looked for: small ones have few pixels
_MAX_TURN = 25.0  # degrees: eyes further from level are wrong hits


@dataclass(frozen=True)
class FaceBox:
    """A box ``x``, ``y``, ``width``, ``height`` inside a frame, in pixels from its upper left.

    Attributes:
        angle: degrees, counter-clockwise, of the rotation that makes the line of the eyes level;
            0 where the eyes weren't found or weren't looked for.
        found: ``haar``: a face; ``centre``: the largest square in the middle.
        faces: how many were found; the largest is taken.
        eyes: whether both were found.
    """

    x: int
    y: int
    width: int
    height: int
    angle: float = 0.0
    found: Crop = "centre"
    faces: int = 0
    eyes: bool = False

    def packed(self) -> NDArray[np.float64]:
        """Return the box as eight numbers, which a cache can hold."""
        numbers = {**asdict(self), "found": get_args(Crop).index(self.found)}
        return np.array(list(numbers.values()), np.float64)

    @classmethod
    def unpacked(cls, numbers: NDArray[Any]) -> "FaceBox":
        """Return the box that ``packed`` made the numbers of."""
        x, y, width, height, _, found, faces, eyes = (int(n) for n in numbers)
        how, angle = get_args(Crop)[found], float(numbers[4])
        return cls(x, y, width, height, angle, how, faces, bool(eyes))


def locate(frame: Image, how: Crop, *, align: bool = True) -> NDArray[np.float64]:
    """Return the packed box that a config asks for; without a face, that of the centre.

    Args:
        frame: uint8 (height, width), the onset frame.
        how: see ``Crop``.
        align: look for the eyes too.

    Raises:
        FrameError: the frame has another shape or type, or OpenCV has no cascades.
    """
    _check(frame)
    box = find_face(frame, align=align) if how == "haar" else None
    return (box or centre_box(frame.shape)).packed()


def find_face(
    frame: Image, *, margin: float = 0.1, align: bool = True, min_share: float = 0.12
) -> FaceBox | None:
    """Find the largest face in a frame.

    Args:
        frame: uint8 (height, width).
        margin: share by which the detector's box, which ends above the chin, grows on each side.
        align: look for the eyes too, and tell the angle.
        min_share: least side of a face, in 0..1 of the frame's shorter side. Less takes longer.

    Returns:
        Its box, a square; None if there is no face.

    Raises:
        FrameError: the frame has another shape or type, or OpenCV has no cascades.
    """
    _check(frame)
    least = max(20, round(min_share * min(frame.shape)))
    hits = _cascade(_FACE).detectMultiScale(
        frame, scaleFactor=1.1, minNeighbors=5, minSize=(least, least)
    )  # with 4 neighbours a background gives a second face now and then
    if not len(hits):
        return None
    # of equal ones that on the right, so that the detector's order decides nothing
    side, x, y = max((int(side), int(x), int(y)) for x, y, side, _ in hits)
    angle = _angle(frame[y : y + side, x : x + side]) if align else None
    larger = min(round(side * (1 + 2 * margin)), *frame.shape)
    left = min(max(x - (larger - side) // 2, 0), frame.shape[1] - larger)
    top = min(max(y - (larger - side) // 2, 0), frame.shape[0] - larger)
    return FaceBox(left, top, larger, larger, angle or 0.0, "haar", len(hits), angle is not None)


def centre_box(shape: tuple[int, ...]) -> FaceBox:
    """Return the largest square in the middle of a frame of a shape (height, width, ...)."""
    height, width = shape[:2]
    side = min(height, width)
    return FaceBox((width - side) // 2, (height - side) // 2, side, side)


def apply_box(frame: Image, box: FaceBox) -> Image:
    """Cut a box out of a frame, turned about the box's middle by the box's angle.

    Args:
        frame: uint8 or float32 (height, width) or (height, width, 3), as large as the one that the
            box was found on. Where the turned box reaches beyond it, its border is repeated.
        box: what to cut out.

    Returns:
        (box.height, box.width) or (box.height, box.width, 3), of the same type.

    Raises:
        FrameError: the frame has another shape or type, or the box isn't inside it.
    """
    shaped = frame.ndim >= 2 and frame.shape[2:] in ((), (3,))
    if not shaped or frame.dtype not in (np.uint8, np.float32):
        raise FrameError(
            f"face crop: a frame of shape {frame.shape} and type {frame.dtype}, expected uint8 or "
            "float32 (height, width) or (height, width, 3); give it one decoded image"
        )
    right, bottom = box.x + box.width, box.y + box.height
    if min(box.x, box.y) < 0 or right > frame.shape[1] or bottom > frame.shape[0]:
        raise FrameError(
            f"face crop: {box} in a frame of shape {frame.shape}, expected a box inside it; bring "
            "the clip's frames to one size first"
        )
    if not box.angle:
        return frame[box.y : bottom, box.x : right]
    middle = ((box.x + right - 1) / 2, (box.y + bottom - 1) / 2)
    turn = cv2.getRotationMatrix2D(middle, box.angle, 1.0)
    turn[:, 2] -= box.x, box.y  # only the box is computed, but from all of the frame
    return cv2.warpAffine(frame, turn, (box.width, box.height), borderMode=cv2.BORDER_REPLICATE)


def _angle(face: Image) -> float | None:
    """Return by how many degrees the line of the eyes falls to the right; None if unsure."""
    how = cv2.INTER_AREA if face.shape[0] > _SIDE else cv2.INTER_LINEAR
    # below are the nostrils and the corners of the mouth
    upper = cv2.resize(face, (_SIDE, _SIDE), interpolation=how)[_SIDE // 7 : 3 * _SIDE // 5]
    hits = _cascade(_EYE).detectMultiScale(upper, 1.05, 5, minSize=(_SIDE // 7, _SIDE // 7))
    eyes = sorted((x + size / 2, y + size / 2, float(size)) for x, y, size, _ in hits)
    pairs = [(a, b) for a in eyes for b in eyes if a[0] < _SIDE / 2 <= b[0] >= a[0] + _SIDE / 4]
    if not pairs:
        return None
    # a person's eyes look equally large: brows and locks that pass for an eye seldom fit
    left, right = min(pairs, key=lambda pair: abs(log(pair[0][2] / pair[1][2])))
    angle = degrees(atan2(right[1] - left[1], right[0] - left[0]))
    return angle if abs(angle) <= _MAX_TURN else None


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
    if frame.ndim != 2 or frame.dtype != np.uint8 or not frame.size:
        raise FrameError(
            f"face detection: a frame of shape {frame.shape} and type {frame.dtype}, expected "
            "uint8 (height, width); decode the frame as grey values"
        )
