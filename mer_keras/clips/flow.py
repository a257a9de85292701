"""Optical flow between two frames, and the images of it that methods read instead of pixels."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.config.inputs import FlowMethod, input_key
from mer_keras.errors import FrameError

#: Gray values, (height, width).
Gray: TypeAlias = NDArray[np.uint8]
#: Flow vectors, (height, width, 2), or what is made of them.
Field: TypeAlias = NDArray[np.float32]


def optical_flow(first: Gray, second: Gray, method: FlowMethod = "tvl1") -> Field:
    """Compute how far what each pixel of the first frame shows has moved in the second.

    Args:
        first: uint8 (height, width).
        second: the same shape.
        method: how flow is computed.

    Returns:
        float32 (height, width, 2): displacement to the right and down, in pixels.

    Raises:
        FrameError: the frames have other shapes or types, or the flow is not finite.
    """
    for frame in (first, second):
        if frame.ndim != 2 or frame.dtype != np.uint8 or frame.shape != first.shape:
            raise FrameError(
                f"optical flow: frames of shapes {first.shape} and {second.shape} and types "
                f"{first.dtype} and {second.dtype}, expected two gray frames of one size, 8 bits"
            )
    field = METHODS[method](first, second)
    if not np.isfinite(field).all():
        raise FrameError(
            f"optical flow by {method} has NaN or infinite values: look at the two frames, or "
            f"change {input_key('flow.method')}"
        )
    return field


def optical_strain(field: Field) -> Field:
    """Compute how much the skin is stretched and sheared at each pixel.

    The magnitude of the infinitesimal strain tensor, sqrt(e_xx^2 + e_yy^2 + 2 e_xy^2) (Shreve et
    al., FG 2011; Liong et al., FG 2019, equations 3 and 4), by central differences.

    Args:
        field: float32 (height, width, 2), at least 2x2.

    Returns:
        float32 (height, width), 0 or above, in pixels a pixel.
    """
    u_y, u_x = np.gradient(field[..., 0])
    v_y, v_x = np.gradient(field[..., 1])
    shear = (u_y + v_x) / 2
    return np.sqrt(u_x**2 + v_y**2 + 2 * shear**2).astype(np.float32)


def flow_image(onset: Gray, apex: Gray, *, size: int = 28, method: FlowMethod = "tvl1") -> Field:
    """Make the input of STSTNet: flow to the right, flow down, strain (Liong et al., FG 2019).

    Each channel is made smaller with area interpolation and scaled by its own range to 0..255, as
    the published images are.

    Args:
        onset: uint8 (height, width).
        apex: the same shape.
        size: side of the image in pixels.
        method: see ``optical_flow``.

    Returns:
        float32 (size, size, 3), 0..255; a channel that is the same everywhere is 0.

    Raises:
        FrameError: see ``optical_flow``.
    """
    field = optical_flow(onset, apex, method)
    channels = np.dstack([field, optical_strain(field)])
    small = cv2.resize(channels, (size, size), interpolation=cv2.INTER_AREA)
    least, greatest = small.min(axis=(0, 1)), small.max(axis=(0, 1))
    spread = np.where(greatest > least, greatest - least, 1)
    return ((small - least) / spread * 255).astype(np.float32)


def flow_magnitude(
    onset: Gray, apex: Gray, *, size: int = 28, method: FlowMethod = "tvl1"
) -> Field:
    """Compute how far the skin moves at each place, in whatever direction.

    Arguments and errors are those of ``flow_image``.

    Returns:
        float32 (size, size, 1): length of the flow in pixels of the frames.
    """
    length = np.linalg.norm(optical_flow(onset, apex, method), axis=-1)
    small = cv2.resize(length, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)[..., np.newaxis]


def _dis(first: Gray, second: Gray) -> Field:
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    finder.setFinestScale(0)  # Presets skip the finest scale, where micro-movements are.
    return np.asarray(finder.calc(first, second, None), np.float32)


def _farneback(first: Gray, second: Gray) -> Field:
    start = np.zeros((*first.shape, 2), np.float32)  # OpenCV overwrites it.
    field = cv2.calcOpticalFlowFarneback(first, second, start, 0.5, 3, 15, 5, 7, 1.5, 0)
    return np.asarray(field, np.float32)


def _tvl1(first: Gray, second: Gray) -> Field:
    from skimage.registration import optical_flow_tvl1

    # The default weights are made for brightness in 0..1. The flow comes as (down, right).
    down, right = optical_flow_tvl1(
        first.astype(np.float32) / np.float32(255),
        second.astype(np.float32) / np.float32(255),
        dtype=np.float32,
    )
    return np.dstack([right, down]).astype(np.float32)


#: Methods by the names that configs use, from the fastest to the slowest: dense inverse search
#: (Kroeger et al., ECCV 2016), polynomial expansion (Farneback, SCIA 2003), total variation (Zach,
#: Pock, Bischof, DAGM 2007).
METHODS: Mapping[FlowMethod, Callable[[Gray, Gray], Field]] = {
    "dis": _dis,
    "farneback": _farneback,
    "tvl1": _tvl1,
}
