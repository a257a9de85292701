"""Where the face is in a frame of a recording: looked for a few times a second, by one of three."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.clips import faces
from mer_keras.video.reader import Picture

Crop: TypeAlias = Literal["haar", "mesh", "centre"]
Points: TypeAlias = NDArray[np.float64]

#: Haar looks at frames whose shorter side is at most this: it takes 80 ms at 640x480.
_HAAR_SIDE = 480
#: The distance between pupils as a share of the side of Haar's box without its margin.
_EYES_OF_BOX = 0.40
_MARGIN = 0.1


class Face(NamedTuple):
    """A face in a frame.

    Attributes:
        x: left edge of its square, in pixels of the frame.
        y: upper edge.
        side: of the square.
        faces: how many were found; the largest is taken.
        score: 0..1, how sure the finder is; NaN where it doesn't say.
        eyes_px: distance between the pupils in pixels; an estimate where they aren't located.
        points: (3, 2): inner corners of the eyes, the picture's left one first, and the point
            under the nose; None where they aren't located.
    """

    x: float
    y: float
    side: float
    faces: int
    score: float
    eyes_px: float
    points: Points | None = None


class FaceFinder(Protocol):
    """Looks for the face, frame after frame.

    Attributes:
        name: of the finder.
        seconds: between two looks, at least.
    """

    name: str
    seconds: float

    def look(self, picture: Picture, time_s: float, *, anew: bool) -> Face | None:
        """Return the face, or None.

        Args:
            picture: uint8 (height, width, 3).
            time_s: seconds from the first frame.
            anew: nothing is known from the frames before: the first one, and after a cut.
        """
        ...


@dataclass
class CentreFinder:
    """The largest square in the middle: for frames that are cropped faces already."""

    name: str = "centre"
    seconds: float = 1.0

    def look(self, picture: Picture, time_s: float, *, anew: bool) -> Face | None:
        """See ``FaceFinder``."""
        box = faces.centre_box(picture.shape)
        return Face(box.x, box.y, box.width, 1, float("nan"), float("nan"))


@dataclass
class HaarFinder:
    """OpenCV's cascades, twice a second: a box without points, which jitters from look to look."""

    name: str = "haar"
    seconds: float = 0.5

    def look(self, picture: Picture, time_s: float, *, anew: bool) -> Face | None:
        """See ``FaceFinder``."""
        gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
        scale = max(1.0, min(gray.shape) / _HAAR_SIDE)
        if scale > 1:
            size = (round(gray.shape[1] / scale), round(gray.shape[0] / scale))
            gray = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
        box = faces.find_face(gray, margin=_MARGIN, align=False)
        if box is None:
            return None
        side = box.width * scale
        eyes_px = _EYES_OF_BOX * side / (1 + 2 * _MARGIN)
        return Face(box.x * scale, box.y * scale, side, box.faces, float("nan"), eyes_px)


def finder_of(crop: Crop) -> FaceFinder:
    """Return the finder of a name.

    Raises:
        FrameError: ``mesh`` without the extra ``[face]``, or with other files than its own.
    """
    if crop == "mesh":
        from mer_keras.video.mesh_finder import MeshFinder

        return MeshFinder()
    return HaarFinder() if crop == "haar" else CentreFinder()
