"""From looks for the face to one transform a frame: which square of it is compared, and with what.

Without points the square of a stretch of frames stays where it is: a detector's box jitters by as
much as a micro-expression moves skin. With points and ``align: three_points`` every frame has a
transform of its own, smoothed in time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.video.face_tracker import Face
from mer_keras.video.options import SIDE
from mer_keras.video.survey import Look, Survey
from mer_keras.video.timing import GAP_SECONDS

#: The face has left its square where its centre is off by this share of the side, or its size.
_MOVED, _GROWN = 0.15, 0.2
#: A face that isn't found for fewer seconds than this is taken to be where it was.
_MISSED_SECONDS = 1.2
#: Pixels are smoothed by this standard deviation, in pixels of the aligned square.
_SMOOTH_PIXELS = 1.0
#: Without smoothing, a frame that is made smaller is smoothed by this, so that nothing aliases.
_LEAST_SMOOTHING = 0.4


@dataclass(frozen=True)
class Track:
    """Where the face is in each frame.

    Attributes:
        transforms: float32 (frames, 2, 3), from pixels of the frame to those of the aligned square,
            (x, y); NaN where there is no face.
        stretch: int32 (frames,): frames of one stretch can be compared; -1: no face.
        score: float32 (frames,): of the nearest look, NaN where the finder gives none.
    """

    transforms: NDArray[np.float32]
    stretch: NDArray[np.int32]
    score: NDArray[np.float32]


def track_of(survey: Survey, *, three_points: bool = False) -> Track:
    """Make one transform a frame of all looks.

    Args:
        survey: what the first pass found.
        three_points: move the points of the looks to fixed positions, smoothly; else squares that
            stay where they are.
    """
    count = len(survey.times)
    track = Track(
        np.full((count, 2, 3), np.nan, np.float32),
        np.full(count, -1, np.int32),
        np.full(count, np.nan, np.float32),
    )
    edges = sorted({0, count, *survey.breaks, *_gaps(survey.times)})
    number = 0
    for first, end in pairwise(edges):
        looks = [look for look in survey.looks if first <= look.frame < end]
        for group, start, stop in _groups(looks, first, end, survey.times, split=not three_points):
            faces = [look.face for look in group if look.face is not None]
            if three_points:
                from mer_keras.video.alignment import smooth_transforms

                transforms = smooth_transforms(group, survey.times[start:stop], start)
            else:
                transforms = np.broadcast_to(_of_square(faces), (stop - start, 2, 3))
            track.transforms[start:stop] = transforms
            track.stretch[start:stop] = number
            at = [look.frame for look in group if look.face is not None]
            scores = [face.score for face in faces]
            track.score[start:stop] = np.interp(np.arange(start, stop), at, scores)
            number += 1
    return track


def aligned(
    gray: NDArray[np.uint8], transform: NDArray[np.float32], *, smooth: bool
) -> NDArray[np.uint8]:
    """Return the aligned face of a frame, by one resampling.

    The frame is smoothed before it is sampled, and only where the face is. What is smooth is
    sampled alike at every sub-pixel position; else a drifting head would blur more and less, which
    reads as motion.

    Args:
        gray: uint8 (height, width).
        transform: (2, 3), see ``Track``.
        smooth: by one pixel of the square; else only as much as a smaller size needs.

    Returns:
        uint8 (SIDE, SIDE).
    """
    matrix = transform.astype(np.float64)
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    spread = _SMOOTH_PIXELS / scale if smooth else (_LEAST_SMOOTHING / scale if scale < 1 else 0)
    back = cv2.invertAffineTransform(matrix)
    corners = np.array([(0, 0, 1), (SIDE, 0, 1), (0, SIDE, 1), (SIDE, SIDE, 1)]) @ back.T  # (4, 2)
    margin = 4 * spread + 4
    left, top = np.floor(corners.min(axis=0) - margin).astype(int)
    right, bottom = np.ceil(corners.max(axis=0) + margin).astype(int)
    height, width = gray.shape
    left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    region = gray[top : max(bottom, top + 1), left : max(right, left + 1)]
    if spread > 0:
        region = np.asarray(cv2.GaussianBlur(region, (0, 0), spread), np.uint8)
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ (left, top)
    face = cv2.warpAffine(
        region,
        shifted,
        (SIDE, SIDE),
        flags=cv2.INTER_LANCZOS4,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(face, np.uint8)


def square_transform(x: float, y: float, side: float) -> NDArray[np.float64]:
    """Return the transform that brings a square of a frame to the aligned square, (2, 3).

    Pixels are areas, so that the square's edges, not the centres of its outer pixels, are met.
    """
    scale = SIDE / side
    shift = 0.5 * scale - 0.5
    return np.array([[scale, 0, shift - scale * x], [0, scale, shift - scale * y]])


def _of_square(faces: Sequence[Face]) -> NDArray[np.float64]:
    """Transform of the median square of some looks."""
    x, y, side = np.median([(face.x, face.y, face.side) for face in faces], axis=0)
    return square_transform(float(x), float(y), float(side))


def _gaps(times: NDArray[np.float64]) -> list[int]:
    """Indices of the frames before which there is a gap; at a low frame rate all are as far."""
    steps = np.diff(times)
    if not len(steps):
        return []
    return [int(i) + 1 for i in np.flatnonzero(steps > max(GAP_SECONDS, 1.75 * np.median(steps)))]


def _groups(
    looks: Sequence[Look], first: int, end: int, times: NDArray[np.float64], *, split: bool
) -> list[tuple[list[Look], int, int]]:
    """Divide the looks of a stretch: where the face is lost, and where it has left its square.

    Returns:
        Looks with a face, first frame and end of each group; frames without a face are in none.
    """
    bridged = _without_short_misses(looks, first, end, times)
    groups: list[list[int]] = []  # They hold indices into the bridged looks.
    for index, look in enumerate(bridged):
        if look.face is None:
            continue
        follows = bool(groups) and groups[-1][-1] == index - 1
        if follows and not (split and _has_left([bridged[i] for i in groups[-1]], look.face)):
            groups[-1].append(index)
        else:
            groups.append([index])
    # A group ends halfway to the look after it.
    halves = [(a.frame + b.frame + 1) // 2 for a, b in pairwise(bridged)]
    edges = [first, *halves, end]
    return [([bridged[i] for i in of], edges[of[0]], edges[of[-1] + 1]) for of in groups]


def _without_short_misses(
    looks: Sequence[Look], first: int, end: int, times: NDArray[np.float64]
) -> list[Look]:
    """Drop looks that missed the face where it was seen again within ``_MISSED_SECONDS``."""
    bridged: list[Look] = []
    missed: list[Look] = []
    seen = first
    for look in [*looks, Look(end - 1, None)]:
        is_end = look.frame == end - 1 and look.face is None
        if look.face is None and not is_end:
            missed.append(look)
            continue
        if times[look.frame] - times[seen] > _MISSED_SECONDS:
            bridged += missed
        missed = []
        if look.face is not None:
            bridged.append(look)
            seen = look.frame
    return bridged


def _has_left(group: Sequence[Look], face: Face) -> bool:
    """Whether a face is off the median square of a group."""
    before = [look.face for look in group if look.face is not None]
    squares = [(other.x + other.side / 2, other.y + other.side / 2, other.side) for other in before]
    x, y, side = np.median(squares, axis=0)
    off = max(abs(face.x + face.side / 2 - x), abs(face.y + face.side / 2 - y)) / side
    return bool(off > _MOVED or abs(np.log(face.side / side)) > _GROWN)
