"""Onset, apex and offset from optical flow, where nobody annotated them.

Upadhya and Verlekar (ESANN 2025, section 2) and Peng et al. (ACII 2019) find them from optical flow
maps and don't say how. Here: flow from the first frame to every frame, less the head's own motion;
its strongest pattern of movement (first principal component) and the course of that pattern in
time. The apex is where the course is farthest from rest, the onset and offset where it leaves rest
and comes back.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from mer_keras.clips.flow import optical_flow
from mer_keras.config.inputs import FlowMethod
from mer_keras.errors import FrameError

#: Side in pixels at which frames are best spotted in.
SIZE = 96
# Frames smaller than this are enlarged first: flow finds no half pixels among few pixels.
_LEAST_SIDE = 64
# Pixels are smoothed in time before flow is computed, which takes the sensor's noise off; then the
# course is smoothed. The standard deviations are shares of the clip.
_SMOOTH_PIXELS = 0.03
_SMOOTH_COURSE = 0.04
# The expression has begun, or is over, where this share of the course's maximum is passed.
_THRESHOLD = 0.15


@dataclass(frozen=True)
class Spotted:
    """The spotted marks, as indices into the frames.

    Attributes:
        onset: the last frame at rest before the apex.
        apex: the frame of the strongest movement.
        offset: the first frame at rest after the apex, or the last one of all.
        strength: movement at the apex in pixels of the given frames, without the head's own: the
            0.99 quantile over the frame; 0 if nothing moves.
    """

    onset: int
    apex: int
    offset: int
    strength: float


def spot(frames: NDArray[np.uint8], method: FlowMethod = "farneback") -> Spotted:
    """Find the one expression in a clip.

    Args:
        frames: uint8 (time, height, width), gray, beginning at rest.
        method: how flow is computed. Farneback's is the steadiest among few and noisy pixels.

    Returns:
        Indices with onset <= apex <= offset. In a still clip the middle frame is the apex and the
        whole clip the expression.

    Raises:
        FrameError: another shape or type.
    """
    if frames.ndim != 3 or frames.dtype != np.uint8 or not len(frames):
        raise FrameError(
            f"spotting: frames of shape {frames.shape} and type {frames.dtype}, expected uint8 "
            "(time, height, width)"
        )
    fields, scale = _fields(frames, method)
    course = _course(fields)
    last = len(frames) - 1
    if last < 1 or not course.any():
        return Spotted(0, last // 2, last, 0.0)
    apex = int(course.argmax())
    resting = course < _THRESHOLD * course[apex]
    before = np.flatnonzero(resting[:apex])
    after = np.flatnonzero(resting[apex:])
    lengths = np.sqrt((fields[apex] ** 2).sum(axis=-1))
    return Spotted(
        onset=int(before[-1]) if len(before) else 0,
        apex=apex,
        offset=apex + int(after[0]) if len(after) else last,
        strength=float(np.quantile(lengths, 0.99)) / scale,
    )


def apex_error(spotted: int, annotated: int, frames: int) -> float:
    """Return how far a spotted apex is from the annotated one, as a share of the clip's length.

    Args:
        spotted: frame number.
        annotated: frame number.
        frames: number of frames of the clip.
    """
    return abs(spotted - annotated) / frames


def _fields(frames: NDArray[np.uint8], method: FlowMethod) -> tuple[NDArray[np.float32], float]:
    """Compute the flow from the first frame to each frame, without the head's own motion.

    Returns:
        Flow less its median over the frame, (time, height, width, 2), and how many times larger
        its frames are than the given ones.
    """
    quiet = gaussian_filter1d(
        frames.astype(np.float32), _width(_SMOOTH_PIXELS, len(frames)), axis=0, mode="nearest"
    )
    scale = max(1.0, _LEAST_SIDE / min(frames.shape[1:]))
    if scale > 1:
        quiet = np.stack([_enlarged(frame, scale) for frame in quiet])
    pixels = np.clip(np.rint(quiet), 0, 255).astype(np.uint8)
    fields = np.stack([optical_flow(pixels[0], frame, method) for frame in pixels])
    return fields - np.median(fields, axis=(1, 2), keepdims=True), scale


def _enlarged(frame: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    large = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, np.float32)


def _width(share: float, frames: int) -> float:
    return max(0.5, share * frames)


def _course(fields: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much of the strongest pattern of movement shows in each frame: (time,), 0 at rest."""
    flat = fields.reshape(len(fields), -1)  # (time, height * width * 2)
    products = (flat @ flat.T).astype(np.float64)  # (time, time)
    values, vectors = np.linalg.eigh(products)
    if values[-1] <= 0:
        return np.zeros(len(fields))
    course = vectors[:, -1] * np.sqrt(values[-1])
    course = course if abs(course.max()) >= abs(course.min()) else -course
    smooth = gaussian_filter1d(course, _width(_SMOOTH_COURSE, len(course)), mode="nearest")
    return np.asarray(smooth - smooth[0])
