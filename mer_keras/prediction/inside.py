"""What moves between the onset and the offset of one expression, seen in a few of its frames."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.clips.flow import optical_flow
from mer_keras.video.blocks import (
    BLOCKS,
    block_means,
    counted_blocks,
    mean_of_greatest,
    region_of,
)
from mer_keras.video.face_tracker import Crop, Face, finder_of
from mer_keras.video.features import head_motion
from mer_keras.video.reader import Picture
from mer_keras.video.track import aligned, square_transform

#: So many frames are compared with the onset where the apex is looked for.
_COMPARED = 12

Gray = NDArray[np.uint8]


class Inside(NamedTuple):
    """What was seen between onset and offset.

    Attributes:
        apex: position among the frames where the face differs most from the onset.
        blocks: float64 (6, 6): mean motion from onset to apex in each block of the face, in pixels
            of a face of 128 pixels, without the head's; None without a face.
        strength_px: mean of its greatest third; NaN without a face.
        region: where it is greatest; empty without a face.
        head_px: how far the head moves from the onset, in such pixels; NaN without a face.
        faces: how many faces are in one frame, at most.
        face_share: share of the frames that were looked at with a face.
        eyes_px: distance between the pupils in pixels of the frame; None where unknown.
    """

    apex: int
    blocks: NDArray[np.float64] | None
    strength_px: float
    region: str
    head_px: float
    faces: int
    face_share: float
    eyes_px: float | None


def look_inside(frames: Sequence[Picture], apex: int | None, crop: Crop = "haar") -> Inside:
    """Look for the face in the first, middle and last frame, and for motion from the first.

    Args:
        frames: of one expression, onset first, offset last, uint8 (height, width, 3).
        apex: position of the strongest frame; None: it is looked for among twelve frames.
        crop: which part of the frames is the face.
    """
    last = len(frames) - 1
    finder = finder_of(crop)
    positions = sorted({0, last // 2 if apex is None else apex, last})
    looks = [finder.look(frames[position], 0.0, anew=True) for position in positions]
    seen = [face for face in looks if face is not None]
    if not seen:
        middle = last // 2 if apex is None else apex
        return Inside(middle, None, np.nan, "", np.nan, 0, 0.0, None)
    transform = _median_square(seen)
    first = aligned(_gray(frames[0]), transform, smooth=True)
    compared = _positions(last, apex)
    heads, lengths = [], []
    for position in compared:
        flow = optical_flow(first, aligned(_gray(frames[position]), transform, smooth=True), "dis")
        head = head_motion(flow)
        heads.append(float(np.hypot(*head)))
        lengths.append(block_means(np.hypot(*np.moveaxis(flow - head, -1, 0))))  # (36,)
    counted = counted_blocks(("eyes",))
    strengths = [mean_of_greatest(of_frame[counted]) for of_frame in lengths]
    strongest = compared.index(apex) if apex in compared else int(np.argmax(strengths))
    at_apex = lengths[strongest]
    eyes = [face.eyes_px for face in seen if np.isfinite(face.eyes_px)]
    return Inside(
        apex=compared[strongest] if apex is None else apex,
        blocks=at_apex.reshape(BLOCKS, BLOCKS),
        strength_px=strengths[strongest],
        region=region_of(np.where(counted, at_apex, 0)),
        head_px=max(heads),
        faces=max(face.faces for face in seen),
        face_share=len(seen) / len(looks),
        eyes_px=float(np.median(eyes)) if eyes else None,
    )


def _positions(last: int, apex: int | None) -> list[int]:
    """Positions of the frames that are compared with the first one."""
    if apex is not None:
        return sorted({apex, last})
    return sorted({round(position) for position in np.linspace(0, last, _COMPARED + 1)[1:]} or {0})


def _median_square(seen: Sequence[Face]) -> NDArray[np.float32]:
    x, y, side = np.median([(face.x, face.y, face.side) for face in seen], axis=0)
    return square_transform(float(x), float(y), float(side)).astype(np.float32)


def _gray(picture: Picture) -> Gray:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
