"""Optical flow as image files of 8 bits hold it, and as colours.

Sources: ELRCN (Khor et al., FG 2018), whose flow is computed by a program that writes pictures;
EMR (Liu et al., FG 2019), whose flow is coloured.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from mer_keras.clips.flow import Field, Gray, optical_flow
from mer_keras.config.inputs import FLOW_PARTS, FlowMethod, FlowPart

#: Steps of a picture's values a pixel of flow, and the value that stands for no flow.
STEPS, ZERO = 16.0, 128.0


def strain_of_neighbours(field: Field) -> Field:
    """Compute optical strain by backward differences, which are 0 at the first row or column.

    It is sqrt(u_x^2 + v_y^2 + (u_y + v_x)^2 / 2), as in ELRCN's public code.
    ``flow.optical_strain`` has central differences.

    Args:
        field: float32 (height, width, 2), in pixels.

    Returns:
        float32 (height, width), 0 or above, in pixels a pixel.
    """
    u_x, v_x = (np.diff(field[..., k], axis=1, prepend=field[:, :1, k]) for k in (0, 1))
    u_y, v_y = (np.diff(field[..., k], axis=0, prepend=field[:1, :, k]) for k in (0, 1))
    return np.sqrt(u_x**2 + v_y**2 + (u_y + v_x) ** 2 / 2).astype(np.float32)


def flow_parts(field: Field, parts: Sequence[FlowPart] = FLOW_PARTS) -> Field:
    """Return some of flow to the right, flow down, its length and its strain.

    Args:
        field: float32 (height, width, 2), in pixels.
        parts: which, in which order.

    Returns:
        float32 (height, width, parts), in pixels, strain in pixels a pixel.
    """
    channels = {
        "u": lambda: field[..., 0],
        "v": lambda: field[..., 1],
        "magnitude": lambda: np.linalg.norm(field, axis=-1),
        "strain": lambda: strain_of_neighbours(field),
    }
    return np.dstack([channels[part]() for part in parts]).astype(np.float32)


def picture_of(field: Field, parts: Sequence[FlowPart] = FLOW_PARTS) -> Field:
    """Return flow as an image file holds it: 16 u + 128, 16 v + 128, 16 |(u, v)| + 128, 255 strain.

    Args:
        field: float32 (height, width, 2), in pixels.
        parts: which channels, in which order.

    Returns:
        float32 (height, width, parts), whole numbers in 0..255; what lies beyond is clipped.
    """
    values = flow_parts(field, parts)
    scale = [255.0 if part == "strain" else STEPS for part in parts]
    shift = [0.0 if part == "strain" else ZERO for part in parts]
    scaled = values * np.array(scale, np.float32) + np.array(shift, np.float32)
    return np.clip(np.rint(scaled), 0, 255).astype(np.float32)


def colour_of(field: Field) -> Field:
    """Return flow as colours: its direction as hue, its length, over its own range, as brightness.

    Colours are saturated. Where nothing moves the picture is black.

    Args:
        field: float32 (height, width, 2), in pixels.

    Returns:
        float32 (height, width, 3), RGB, whole numbers in 0..255.
    """
    length, angle = cv2.cartToPolar(field[..., 0], field[..., 1], angleInDegrees=True)
    spread = float(np.ptp(length))
    brightness = (length - length.min()) / spread if spread > 0 else np.zeros_like(length)
    hsv = np.dstack([angle, np.ones_like(length), brightness]).astype(np.float32)
    rgb = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)  # (height, width, 3), 0..1
    return np.rint(np.asarray(rgb, np.float32) * 255)


def flow_picture(
    first: Gray,
    second: Gray,
    *,
    size: int,
    method: FlowMethod = "tvl1",
    parts: Sequence[FlowPart] = FLOW_PARTS,
) -> Field:
    """Compute flow between two frames and return its picture; see ``picture_of``.

    Args:
        first: uint8 (height, width).
        second: the same shape.
        size: side of the picture in pixels.
        method: how flow is computed.
        parts: channels of the picture.

    Returns:
        float32 (size, size, parts), 0..255.

    Raises:
        FrameError: see ``flow.optical_flow``.
    """
    return resized(picture_of(optical_flow(first, second, method), parts), size)


def flow_colours(first: Gray, second: Gray, *, size: int, method: FlowMethod = "tvl1") -> Field:
    """Compute flow between two frames and return its colours, (size, size, 3); see ``colour_of``.

    Arguments and errors are those of ``flow_picture``.
    """
    return resized(colour_of(optical_flow(first, second, method)), size)


def resized(picture: Field, size: int) -> Field:
    """Bring (height, width, channels) to (size, size, channels): by areas, or, larger, linearly."""
    how = cv2.INTER_AREA if size < picture.shape[0] else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(picture, (size, size), interpolation=how), np.float32)
    return small.reshape(size, size, picture.shape[-1])  # OpenCV drops an axis of one channel.
