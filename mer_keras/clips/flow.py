"""Optical flow between two frames, and the images of it that methods read instead of pixels."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.clips.normalisation import Normalisation
from mer_keras.config.inputs import FlowMethod, FlowOutput, input_key
from mer_keras.errors import FrameError
from mer_keras.flow_channels import FLOW_CHANNELS, FlowForm, Mirroring

#: Gray values, (height, width).
Gray: TypeAlias = NDArray[np.uint8]
#: Flow vectors, (height, width, 2), or what is made of them.
Field: TypeAlias = NDArray[np.float32]


#: Ranges of u and v, in pixels, and of strain, in pixels a pixel, below which a channel of a flow
#: image isn't stretched to 0..255. A micro-expression moves skin by a tenth of a pixel and more in
#: squares of 128 pixels, where the range of drawn faces is 0.16 pixels and 0.03 at least.
FLOORS = (0.05, 0.05, 0.005)


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


def flow_field(onset: Gray, apex: Gray, *, size: int = 28, method: FlowMethod = "tvl1") -> Field:
    """Compute flow to the right, flow down and optical strain, made smaller by area interpolation.

    Args:
        onset: uint8 (height, width).
        apex: the same shape.
        size: side of the field in pixels.
        method: see ``optical_flow``.

    Returns:
        float32 (size, size, 3), channels (u, v, strain): u and v signed, in pixels of the frames,
        strain in pixels a pixel, 0 or above.

    Raises:
        FrameError: see ``optical_flow``.
    """
    field = optical_flow(onset, apex, method)
    channels = np.dstack([field, optical_strain(field)])  # (height, width, 3)
    return np.asarray(cv2.resize(channels, (size, size), interpolation=cv2.INTER_AREA), np.float32)


def flow_image(onset: Gray, apex: Gray, *, size: int = 28, method: FlowMethod = "tvl1") -> Field:
    """Make the input of STSTNet: flow to the right, flow down, strain (Liong et al., FG 2019).

    Each channel of ``flow_field`` is scaled by its own range to 0..255, as the published images
    are. A channel whose range is below ``FLOORS`` is divided by the floor instead, so that the
    noise of a pair without motion isn't stretched over the whole range.

    Arguments and errors are those of ``flow_field``.

    Returns:
        float32 (size, size, 3), 0..255, channels (u, v, strain); a channel that is the same
        everywhere is 0.
    """
    field = flow_field(onset, apex, size=size, method=method)
    least, greatest = field.min(axis=(0, 1)), field.max(axis=(0, 1))
    spread = np.maximum(greatest - least, np.array(FLOORS, np.float32))
    return ((field - least) / spread * 255).astype(np.float32)


def flow_magnitude(
    onset: Gray, apex: Gray, *, size: int = 28, method: FlowMethod = "tvl1"
) -> Field:
    """Compute how far the skin moves at each place, in whatever direction.

    Arguments and errors are those of ``flow_field``.

    Returns:
        float32 (size, size, 1): length of the flow in pixels of the frames.
    """
    length = np.linalg.norm(optical_flow(onset, apex, method), axis=-1)
    small = cv2.resize(length, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)[..., np.newaxis]


def is_still(array: Field, output: FlowOutput) -> bool:
    """Say whether flow is the same everywhere, as far as ``FLOORS`` tell.

    Args:
        array: what was made of the flow.
        output: as what.
    """
    if output == "image":
        # A channel whose range reaches its floor has 255 as its greatest value.
        return bool(array[..., :2].max() < 255 * (1 - 1e-5))
    if output in ("picture", "colour"):  # Their steps are coarser than the floors.
        return not np.ptp(array.reshape(-1, array.shape[-1]), axis=0).any()
    components = array[..., : 1 if output == "magnitude" else 2]  # (size, size, 1 or 2)
    return bool(np.ptp(components, axis=(0, 1)).max() < FLOORS[0])


def form_of_flow(
    output: FlowOutput, normalise: Normalisation, channels: tuple[str, ...] = FLOW_CHANNELS
) -> FlowForm:
    """Return what the channels of computed flow are.

    Args:
        output: what is made of the flow.
        normalise: what is done to each clip afterwards. It moves the zero of signed flow, and
            ``standard`` mixes the channels' means, so that a clip can't be mirrored any more.
        channels: of a ``picture`` or ``colour``, whose zero lies between two steps or has no
            direction, so that they can't be mirrored.
    """
    if output == "magnitude":
        return FlowForm(("magnitude",), ("keep",))
    sign: Mirroring = "unknown"
    if output in ("picture", "colour"):
        return FlowForm(channels, (sign,) * len(channels))
    if output == "image" and normalise != "standard":
        sign = "range"
    elif output == "field" and normalise == "none":
        sign = "negate"
    return FlowForm(FLOW_CHANNELS, (sign, "keep", "keep"))


def form_of_sequence(
    channels: tuple[str, ...], output: FlowOutput, normalise: Normalisation
) -> FlowForm:
    """Return what the channels of a sequence of flow are: of ``field`` or ``picture``."""
    is_signed = output == "field" and normalise == "none"
    mirroring: list[Mirroring] = [
        "unknown" if not is_signed else "negate" if name == "u" else "keep" for name in channels
    ]
    return FlowForm(channels, tuple(mirroring))


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
