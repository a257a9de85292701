"""Faces by landmarks: BlazeFace finds them, the mesh locates 468 points of one.

A mesh point of a still face jitters by some hundredths of a pixel, a Haar box by half a pixel: a
micro-expression moves skin by one or two.
"""

from functools import cache
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.clips.face_models import network

#: In colour, uint8 (height, width, 3), blue, green, red.
Picture: TypeAlias = NDArray[np.uint8]
#: Positions in pixels of a frame, (points, 2): to the right, down.
Points: TypeAlias = NDArray[np.float64]

#: Points of the mesh, as MediaPipe numbers them: inner and outer corners of the eyes, the picture's
#: left eye first, and the point under the nose.
INNER_CORNERS, OUTER_CORNERS, UNDER_NOSE = (133, 362), (33, 263), 2
#: The three points that expressions hardly move.
STILL_POINTS = (*INNER_CORNERS, UNDER_NOSE)
#: Least score of a face, 0..1.
LEAST_SCORE = 0.5

_DETECTOR_SIDE, _MESH_SIDE = 128, 192
_POINTS = 468
#: Cells of the detector: their side in pixels, and anchors in each.
_LAYERS = ((8, 2), (16, 6))
#: The square that the mesh looks at is larger than the face by this factor.
_AROUND = 1.5
#: Detections that share more than this of their union are one face.
_SAME_FACE = 0.3


class Region(NamedTuple):
    """A square of a frame, turned so that the eyes are level.

    Attributes:
        x: of its centre in pixels.
        y: likewise.
        side: in pixels.
        angle: radians by which the line of the eyes falls to the right.
    """

    x: float
    y: float
    side: float
    angle: float


class Detection(NamedTuple):
    """A face that BlazeFace found.

    Attributes:
        region: for the mesh.
        score: 0..1.
    """

    region: Region
    score: float


class Mesh(NamedTuple):
    """A face with its landmarks.

    Attributes:
        points: (468, 2) in pixels of the frame.
        score: 0..1, whether there is a face at all.
    """

    points: Points
    score: float

    @property
    def still_points(self) -> Points:
        """Inner corners of the eyes and the point under the nose, (3, 2)."""
        return self.points[list(STILL_POINTS)]

    @property
    def eyes_px(self) -> float:
        """Distance between the middles of the eyes, which is about that of the pupils."""
        left, right = _eyes(self.points)
        return float(np.hypot(*(right - left)))

    @property
    def region(self) -> Region:
        """Where to look for the mesh in the next frame."""
        left, right = _eyes(self.points)
        least, greatest = self.points.min(axis=0), self.points.max(axis=0)
        x, y = (least + greatest) / 2
        angle = float(np.arctan2(right[1] - left[1], right[0] - left[0]))
        return Region(float(x), float(y), _AROUND * float((greatest - least).max()), angle)


def detect_faces(picture: Picture) -> list[Detection]:
    """Find faces, the largest first.

    Args:
        picture: uint8 (height, width, 3).

    Raises:
        FrameError: see ``face_models.model_file``.
    """
    height, width = picture.shape[:2]
    side = max(height, width)
    scale = _DETECTOR_SIDE / side
    left, top = (side - width) / 2, (side - height) / 2
    # Pixels are areas: the frame's edges, not the centres of its outer pixels, are met.
    shift = 0.5 * scale - 0.5
    matrix = np.array([[scale, 0, shift + scale * left], [0, scale, shift + scale * top]])
    small = _sampled(picture, matrix, _DETECTOR_SIDE, scale)
    boxes, logits = _run("face_detection_short_range", small * 2 - 1, (896 * 16, 896))
    raw = boxes.reshape(896, 8, 2).astype(np.float64) / _DETECTOR_SIDE  # (anchors, points, x and y)
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -80, 80)))
    likely = np.flatnonzero(scores > LEAST_SCORE)
    likely = likely[(raw[likely, 1] > 0).all(axis=1)]
    centres = raw[likely, 0] + _anchors()[likely]
    corners = np.hstack([centres - raw[likely, 1] / 2, raw[likely, 1]])  # x, y, width, height
    eyes = raw[likely, 2:4] + _anchors()[likely, None]  # (faces, 2, 2)
    detections = []
    for group in _same_faces(corners, scores[likely]):
        weights = scores[likely][group]
        box = np.average(corners[group], axis=0, weights=weights) * side
        (left_x, left_y), (right_x, right_y) = np.average(eyes[group], axis=0, weights=weights)
        region = Region(
            float(box[0] + box[2] / 2 - left),
            float(box[1] + box[3] / 2 - top),
            _AROUND * float(box[2:].max()),
            float(np.arctan2(right_y - left_y, right_x - left_x)),
        )
        detections.append(Detection(region, float(weights.max())))
    return sorted(detections, key=lambda detection: -detection.region.side)


def find_mesh(picture: Picture, region: Region) -> Mesh:
    """Locate the landmarks of the face in a region.

    Args:
        picture: uint8 (height, width, 3).
        region: around the face, by a detection or by the frame before.

    Returns:
        The points, wherever they are; a low score says that there is no face.
    """
    scale = _MESH_SIDE / region.side
    cosine, sine = scale * np.cos(region.angle), scale * np.sin(region.angle)
    matrix = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0]])
    middle = (_MESH_SIDE - 1) / 2
    centre = np.array([region.x - 0.5, region.y - 0.5])
    matrix[:, 2] = middle - matrix[:, :2] @ centre
    crop = _sampled(picture, matrix, _MESH_SIDE, scale)
    raw, logit = _run("face_landmark", crop, (3 * _POINTS, 1))
    in_crop = raw.reshape(_POINTS, 3)[:, :2].astype(np.float64)
    # The network's positions count edges of pixels, the matrix's their centres.
    points = (in_crop - 0.5 - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T + 0.5
    score = float(1 / (1 + np.exp(-np.clip(float(logit[0]), -80, 80))))
    return Mesh(points, score)


def _eyes(points: Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Middles of the picture's left and right eye."""
    left, right = (
        (points[inner] + points[outer]) / 2
        for inner, outer in zip(INNER_CORNERS, OUTER_CORNERS, strict=True)
    )
    return left, right


def _sampled(
    picture: Picture, matrix: NDArray[np.float64], side: int, scale: float
) -> NDArray[np.float32]:
    """Cut a square out of a frame, float32 (side, side, 3), red, green, blue, 0..1."""
    if scale < 0.5:  # Linear sampling would leave pixels out.
        half = round(1 / scale)
        height, width = picture.shape[:2]
        size = (max(1, width // half), max(1, height // half))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        ratio = np.array([width / size[0], height / size[1]])
        shift = matrix[:, :2] @ (0.5 * ratio - 0.5)
        matrix = np.column_stack([matrix[:, :2] * ratio, matrix[:, 2] + shift])
    crop = cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2RGB), np.float32) / np.float32(255)


def _run(
    name: str, image: NDArray[np.float32], sizes: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a network's two outputs, flat; told by their sizes, as their shapes differ by runtime.

    Args:
        name: of the network.
        image: (side, side, 3).
        sizes: numbers of values of the outputs.
    """
    net = network(name)  # type: ignore[arg-type]
    net.setInput(np.ascontiguousarray(image.transpose(2, 0, 1)[np.newaxis]))  # (1, 3, side, side)
    outputs = [np.asarray(output) for output in net.forward(net.getUnconnectedOutLayersNames())]
    first, second = (
        next(output for output in outputs if output.size == size).ravel() for size in sizes
    )
    return first, second


@cache
def _anchors() -> NDArray[np.float64]:
    """Centres of the detector's anchors, (896, 2), 0..1, in the order of its outputs."""
    centres = []
    for cell, repeats in _LAYERS:
        cells = _DETECTOR_SIDE // cell
        row, column = np.divmod(np.repeat(np.arange(cells**2), repeats), cells)
        centres.append(np.column_stack([(column + 0.5) / cells, (row + 0.5) / cells]))
    return np.concatenate(centres)


def _same_faces(boxes: NDArray[np.float64], scores: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Group boxes (faces, 4: x, y, width, height) that overlap with a surer one."""
    groups = []
    left = np.argsort(-scores)
    while len(left):
        best = boxes[left[0]]
        others = boxes[left]
        least = np.maximum(others[:, :2], best[:2])
        greatest = np.minimum(others[:, :2] + others[:, 2:], best[:2] + best[2:])
        shared = np.clip(greatest - least, 0, None).prod(axis=1)
        union = others[:, 2:].prod(axis=1) + best[2:].prod() - shared
        same = shared / union > _SAME_FACE
        groups.append(left[same])
        left = left[~same]
    return groups
