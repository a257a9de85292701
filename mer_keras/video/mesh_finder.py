"""The face of a recording by its mesh, followed from frame to frame."""

import numpy as np

from mer_keras.clips.landmarks import (
    LEAST_SCORE,
    Mesh,
    Region,
    detect_faces,
    find_mesh,
)
from mer_keras.video.face_tracker import Face
from mer_keras.video.reader import Picture

#: Seconds between two looks at the mesh, and between two searches of the whole frame.
_MESH_SECONDS, _DETECTION_SECONDS = 0.02, 0.1
#: The region of the mesh stays while the face's own is off by less than these shares of its side,
#: and this angle: a region that moves moves the points a little.
_OFF, _TURNED = 0.06, 0.08
#: A detection further from the mesh than this share of the region is another face, or a cut.
_ELSEWHERE = 0.25
#: The face's square is larger than its mesh by this factor.
_SQUARE = 1.1


class MeshFinder:
    """BlazeFace ten times a second, the mesh fifty times.

    Attributes:
        name: of the finder.
        seconds: between two looks, at least.
    """

    name = "mesh"
    seconds = _MESH_SECONDS

    def __init__(self) -> None:
        """Begin without a face."""
        self._region: Region | None = None
        self._faces = 0
        self._next_detection = 0.0

    def look(self, picture: Picture, time_s: float, *, anew: bool) -> Face | None:
        """See ``face_tracker.FaceFinder``."""
        if anew:
            self._region = None
        detected = False
        if self._region is None or time_s >= self._next_detection:
            self._detect(picture, time_s)
            detected = True
        mesh = self._mesh(picture)
        if mesh is None and not detected:  # The face may have moved too far between two looks.
            self._detect(picture, time_s)
            mesh = self._mesh(picture)
        if mesh is None:
            return None
        least, greatest = mesh.points.min(axis=0), mesh.points.max(axis=0)
        side = _SQUARE * float((greatest - least).max())
        x, y = (least + greatest) / 2 - side / 2
        points = mesh.still_points
        return Face(float(x), float(y), side, self._faces, mesh.score, mesh.eyes_px, points)

    def _detect(self, picture: Picture, time_s: float) -> None:
        """Search the whole frame; the region stays where the face is still in it."""
        detections = detect_faces(picture)
        self._faces = max(1, len(detections))
        self._next_detection = time_s + _DETECTION_SECONDS - 1e-6
        if not detections:
            return
        nearest = detections[0].region
        if self._region is not None:
            region = self._region
            nearest = min(
                (d.region for d in detections), key=lambda other: _distance(region, other)
            )
        if self._region is None or _distance(self._region, nearest) > _ELSEWHERE:
            self._region = detections[0].region

    def _mesh(self, picture: Picture) -> Mesh | None:
        """Locate the points in the region, and let the region follow them."""
        if self._region is None:
            return None
        mesh = find_mesh(picture, self._region)
        if mesh.score < LEAST_SCORE:
            self._region = None
            return None
        follows = mesh.region
        turned = abs(follows.angle - self._region.angle)
        grown = abs(np.log(follows.side / self._region.side))
        if _distance(self._region, follows) > _OFF or grown > 2 * _OFF or turned > _TURNED:
            self._region = follows
        return mesh


def _distance(first: Region, second: Region) -> float:
    """Distance of two regions' centres as a share of the first one's side."""
    return float(np.hypot(first.x - second.x, first.y - second.y)) / first.side
