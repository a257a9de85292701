"""Which part of the frames is the face: one box for a clip, located on its onset frame.

The detector is Viola and Jones's (CVPR 2001), with the cascades that OpenCV brings, or the
landmarks of the extra ``[face]`` (see ``landmarks``). One box for all frames adds no jitter of its
own; where both eyes are found, the face is turned until they are level.
"""

import threading
from dataclasses import asdict, dataclass
from math import atan2, degrees, log
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.clips.three_points import three_point_transform
from mer_keras.config.inputs import input_key
from mer_keras.errors import FrameError

#: Gray values, (height, width).
Gray: TypeAlias = NDArray[np.uint8]
#: Which box: the face's, or the largest square in the middle. Their order stands in caches.
Crop = Literal["haar", "centre", "mesh"]
Value = TypeVar("Value", np.uint8, np.float32)

# The cascade alt2 is the fastest of the frontal ones, and takes fewer textures for faces than
# default does.
_FACE, _EYE = "haarcascade_frontalface_alt2.xml", "haarcascade_eye.xml"
# A face is brought to this side in pixels before its eyes are looked for: small faces have few.
_SIDE = 200
# Eyes that are further from level than this, in degrees, are wrong hits.
_MAX_TURN = 25.0
# A box of the mesh is larger than its points by this factor, as Haar's is by its margin.
_AROUND_MESH = 1.1
# The inner corners of the eyes come to lie so far apart, as a share of the aligned square's side.
_CORNERS_APART = 0.25
# The cascades of each thread by their names: a cascade can't serve two threads at once.
_cascades = threading.local()


@dataclass(frozen=True)
class FaceBox:
    """A box ``x``, ``y``, ``width``, ``height`` inside a frame, in pixels from its upper left.

    Attributes:
        angle: degrees, counter-clockwise, of the rotation that makes the line of the eyes level;
            0 where the eyes weren't found or weren't looked for.
        crop: ``haar``, ``mesh``: a face; ``centre``: the largest square in the middle.
        faces: how many were detected; the largest is taken.
        eyes: whether both were detected.
        points: x and y of the three points that are moved to fixed positions: inner corners of the
            eyes, the picture's left one first, and under the nose; empty where the box is cut out
            as it is.
    """

    x: int
    y: int
    width: int
    height: int
    angle: float = 0.0
    crop: Crop = "centre"
    faces: int = 0
    eyes: bool = False
    points: tuple[float, ...] = ()

    def packed(self) -> NDArray[np.float64]:
        """Return the box as eight numbers, or fourteen with points, which a cache can hold."""
        numbers = {**asdict(self), "crop": get_args(Crop).index(self.crop)}
        points = numbers.pop("points")
        return np.array([*numbers.values(), *points], np.float64)

    @classmethod
    def unpacked(cls, numbers: NDArray[np.float64]) -> "FaceBox":
        """Return the box that ``packed`` made the numbers of."""
        x, y, width, height, _, crop, faces, eyes = (int(number) for number in numbers[:8])
        angle, points = float(numbers[4]), tuple(float(number) for number in numbers[8:])
        kind = get_args(Crop)[crop]
        return cls(x, y, width, height, angle, kind, faces, bool(eyes), points)


def locate(
    frame: NDArray[np.uint8], crop: Crop, *, align: bool | Literal["three_points"] = True
) -> NDArray[np.float64]:
    """Return the packed box that a config asks for; without a face, that of the centre.

    Args:
        frame: uint8 (height, width), the onset frame; for ``mesh`` also (height, width, 3) in
            OpenCV's order.
        crop: see ``Crop``.
        align: look for the eyes too; ``three_points``, for ``mesh``: for the points that are moved
            to fixed positions.

    Raises:
        FrameError: the frame has another shape or type, OpenCV has no cascades, or the extra
            ``[face]`` isn't installed.
    """
    if crop == "mesh":
        return (mesh_box(frame, align=align) or centre_box(frame.shape)).packed()
    _check(frame)
    align = bool(align)
    box = find_face(frame, align=align) if crop == "haar" else None
    return (box or centre_box(frame.shape)).packed()


def find_face(
    frame: Gray, *, margin: float = 0.1, align: bool = True, min_share: float = 0.12
) -> FaceBox | None:
    """Find the largest face in a frame.

    Args:
        frame: uint8 (height, width).
        margin: share by which the detector's box, which ends above the chin, grows on each side.
        align: look for the eyes too, and set the angle.
        min_share: least side of a face, in 0..1 of the frame's shorter side. Less takes longer.

    Returns:
        Its box, a square; None if there is no face.

    Raises:
        FrameError: the frame has another shape or type, or OpenCV has no cascades.
    """
    _check(frame)
    least = max(20, round(min_share * min(frame.shape)))
    # With four neighbours instead of five, a background gives a second face now and then.
    hits = _cascade(_FACE).detectMultiScale(
        frame, scaleFactor=1.1, minNeighbors=5, minSize=(least, least)
    )
    if not len(hits):
        return None
    # Of equally large faces the one on the right is taken, whatever order they were detected in.
    side, x, y = max((int(side), int(x), int(y)) for x, y, side, _ in hits)
    angle = _angle(frame[y : y + side, x : x + side]) if align else None
    larger = min(round(side * (1 + 2 * margin)), *frame.shape)
    left = min(max(x - (larger - side) // 2, 0), frame.shape[1] - larger)
    top = min(max(y - (larger - side) // 2, 0), frame.shape[0] - larger)
    return FaceBox(left, top, larger, larger, angle or 0.0, "haar", len(hits), angle is not None)


def mesh_box(
    frame: NDArray[np.uint8], *, align: bool | Literal["three_points"] = True
) -> FaceBox | None:
    """Find the largest face in a frame by its landmarks.

    Args:
        frame: uint8 (height, width), or (height, width, 3) in OpenCV's order.
        align: see ``locate``.

    Returns:
        Its box, a square inside the frame; None if there is no face.

    Raises:
        FrameError: see ``face_models.model_file``.
    """
    from mer_keras.clips.landmarks import LEAST_SCORE, detect_faces, find_mesh

    gray = frame if frame.ndim == 2 else frame[..., 0]
    _check(gray)
    colour = np.dstack([frame] * 3) if frame.ndim == 2 else frame
    detections = detect_faces(colour)
    mesh = find_mesh(colour, detections[0].region) if detections else None
    if mesh is None or mesh.score < LEAST_SCORE:
        return None
    least, greatest = mesh.points.min(axis=0), mesh.points.max(axis=0)
    side = min(max(1, round(_AROUND_MESH * float((greatest - least).max()))), *gray.shape)
    x, y = np.rint((least + greatest - side) / 2).astype(int)
    left = min(max(int(x), 0), gray.shape[1] - side)
    top = min(max(int(y), 0), gray.shape[0] - side)
    points: tuple[float, ...] = ()
    if align == "three_points":
        points = tuple(float(number) for number in mesh.still_points.ravel())
    angle = degrees(mesh.region.angle) if align is True else 0.0
    return FaceBox(left, top, side, side, angle, "mesh", len(detections), bool(align), points)


def centre_box(shape: tuple[int, ...]) -> FaceBox:
    """Return the largest square in the middle of a frame of a shape (height, width, ...)."""
    height, width = shape[:2]
    side = min(height, width)
    return FaceBox((width - side) // 2, (height - side) // 2, side, side)


def apply_box(frame: NDArray[Value], box: FaceBox) -> NDArray[Value]:
    """Cut a box out of a frame, turned about the box's middle by the box's angle.

    Args:
        frame: uint8 or float32 (height, width) or (height, width, 3), as large as the one that the
            box was located on. Where the turned box reaches beyond it, its border is repeated.
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
    if box.points:
        return _at_three_points(frame, np.array(box.points).reshape(3, 2))
    if not box.angle:
        return frame[box.y : bottom, box.x : right]
    middle = ((box.x + right - 1) / 2, (box.y + bottom - 1) / 2)
    turn = cv2.getRotationMatrix2D(middle, box.angle, 1.0)
    turn[:, 2] -= box.x, box.y  # Only the box is computed, but from all of the frame.
    size = (box.width, box.height)
    turned = cv2.warpAffine(frame, turn, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, frame.dtype)


def _at_three_points(frame: NDArray[Value], points: NDArray[np.float64]) -> NDArray[Value]:
    """Move three points to their positions, in a square about as large as the face in the frame."""
    apart = float(np.hypot(*(points[1] - points[0])))
    side = max(1, round(apart / _CORNERS_APART))
    moved = cv2.warpAffine(
        frame,
        three_point_transform(points, side),
        (side, side),
        flags=cv2.INTER_LANCZOS4,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(moved, frame.dtype)


def _angle(face: Gray) -> float | None:
    """Return by how many degrees the line of the eyes falls to the right; None if unsure."""
    interpolation = cv2.INTER_AREA if face.shape[0] > _SIDE else cv2.INTER_LINEAR
    square = cv2.resize(face, (_SIDE, _SIDE), interpolation=interpolation)
    upper = square[_SIDE // 7 : 3 * _SIDE // 5]  # Nostrils and corners of the mouth are below.
    hits = _cascade(_EYE).detectMultiScale(upper, 1.05, 5, minSize=(_SIDE // 7, _SIDE // 7))
    eyes = sorted((x + size / 2, y + size / 2, float(size)) for x, y, size, _ in hits)
    pairs = [(a, b) for a in eyes for b in eyes if a[0] < _SIDE / 2 <= b[0] >= a[0] + _SIDE / 4]
    if not pairs:
        return None
    # A person's eyes look equally large: brows and locks that pass for an eye seldom fit.
    left, right = min(pairs, key=lambda pair: abs(log(pair[0][2] / pair[1][2])))
    angle = degrees(atan2(right[1] - left[1], right[0] - left[0]))
    return angle if abs(angle) <= _MAX_TURN else None


def _cascade(name: str) -> cv2.CascadeClassifier:
    by_name = vars(_cascades)
    if name not in by_name:
        file = Path(getattr(getattr(cv2, "data", None), "haarcascades", "")) / name
        if not file.is_file():
            raise FrameError(
                f"OpenCV {cv2.__version__} comes without {name}: install "
                f"opencv-python-headless>=4.14,<5, or set {input_key('crop')} to none or centre"
            )
        by_name[name] = cv2.CascadeClassifier(str(file))
    cascade: cv2.CascadeClassifier = by_name[name]
    return cascade


def _check(frame: Gray) -> None:
    if frame.ndim != 2 or frame.dtype != np.uint8 or not frame.size:
        raise FrameError(
            f"face detection: a frame of shape {frame.shape} and type {frame.dtype}, expected "
            "uint8 (height, width); decode the frame as grey values"
        )
