"""What the features of optical flow share: fields, their zero, their strain, blocks.

A flow field has the channels (u, v, strain): displacement to the right, displacement down, optical
strain. The third channel may be absent. Directions are atan2(v, u), so that 90 degrees is down.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from mer_keras.arrays import Array
from mer_keras.errors import ConfigError
from mer_keras.features.arguments import Zero

#: Values of a computation, in double precision: bins must not depend on rounding.
Values: TypeAlias = NDArray[np.float64]
#: Number of a block, a bin or a region for each pixel.
Numbers: TypeAlias = NDArray[np.int64]

#: Standard deviation, in gray values, of the Gaussian that smooths the histogram for ``mode``.
SMOOTHING = 4
#: The gray values of an 8-bit image, and the one in their middle.
GRAY_VALUES, MIDDLE = 256, 127.5


def flow_fields(clip: Array, feature: str, zero: Zero = "none") -> Values:
    """Return the flow of a clip as fields of (u, v), their zero subtracted.

    Args:
        clip: (height, width, 2 or 3), one field, or (fields, height, width, 2 or 3).
        feature: name of the feature, for messages.
        zero: what no motion looks like. ``none``: the flow is signed, and 0 is no motion. The
            others are for images whose channels are scaled to 0..255: ``mode`` takes the most
            frequent value of each channel (of a histogram smoothed by a Gaussian of 4 gray
            values), ``median`` the median, ``mid`` 127.5.

    Returns:
        float64 (fields, height, width, 2), finite.

    Raises:
        ConfigError: the shape is another, a field is smaller than 2x2 pixels, a value isn't finite,
            or ``mode`` is asked for where values leave 0..255.
    """
    fields = np.asarray(clip)
    if fields.ndim == 3:
        fields = fields[np.newaxis]  # (1, height, width, channels)
    if fields.ndim != 4 or fields.shape[-1] not in (2, 3) or min(fields.shape[:3]) < 1:
        raise ConfigError(
            f"feature {feature}: a clip of shape {np.shape(clip)}, expected optical flow (height, "
            "width, 2 or 3) or (fields, height, width, 2 or 3) with the channels u, v, strain: "
            "give the method an input of kind flow or flow_image"
        )
    if min(fields.shape[1:3]) < 2:
        raise ConfigError(
            f"feature {feature}: a flow field of {fields.shape[1]}x{fields.shape[2]} pixels, "
            "expected at least 2x2"
        )
    if not np.isfinite(fields).all():
        raise ConfigError(
            f"feature {feature}: the flow has NaN or infinite values: look at the clip's frames, "
            "or compute the flow by another method"
        )
    # Each component lies in one piece of memory: all that follows is twice as fast.
    components = np.empty((2, *fields.shape[:3]))
    components[0], components[1] = fields[..., 0], fields[..., 1]
    # Adding 0 makes negative zeros positive: atan2 turns round by 180 degrees at a negative one.
    components += 0.0
    vectors = components.transpose(1, 2, 3, 0)  # (fields, height, width, 2)
    if zero != "none":
        vectors -= _zeros(vectors, zero, feature)
    return vectors


def strain_channel(clip: Array, feature: str) -> Values:
    """Return the strain that a clip brings along, float64 (fields, height, width).

    Raises:
        ConfigError: the clip has no third channel.
    """
    if np.shape(clip)[-1] != 3:
        raise ConfigError(
            f"feature {feature}: strain 'channel' needs flow with 3 channels (u, v, strain), found "
            f"{np.shape(clip)[-1]}: take strain 'computed'"
        )
    strain = np.asarray(clip)[..., 2].astype(np.float64)
    return strain if strain.ndim == 3 else strain[np.newaxis]


def gradients(values: Values) -> tuple[Values, Values]:
    """Return derivatives along x and along y of images, (..., height, width) each.

    Differences are central, and one-sided at the rim.
    """
    along_y, along_x = np.gradient(values, axis=(-2, -1))
    return np.asarray(along_x, np.float64), np.asarray(along_y, np.float64)


def optical_strain(fields: Values) -> Values:
    """Return the magnitude of the strain tensor, sqrt(ux^2 + vy^2 + (uy + vx)^2 / 2).

    The equation is the one of ``clips.flow.optical_strain`` (Shreve et al., FG 2011).

    Args:
        fields: (fields, height, width, 2).

    Returns:
        (fields, height, width), 0 or above.
    """
    u_x, u_y = gradients(fields[..., 0])
    v_x, v_y = gradients(fields[..., 1])
    return np.sqrt(u_x**2 + v_y**2 + (u_y + v_x) ** 2 / 2)


@lru_cache(maxsize=64)
def _block_numbers(height: int, width: int, rows: int, columns: int) -> Numbers:
    numbers = _parts(height, rows)[:, np.newaxis] * columns + _parts(width, columns)
    numbers.flags.writeable = False  # All calls share it.
    return numbers


def block_numbers(shape: Sequence[int], blocks: Sequence[int], feature: str) -> tuple[Numbers, int]:
    """Divide a field into blocks whose sides differ by at most one pixel.

    Block i of n begins at pixel ``i * side // n``; no pixel is left out.

    Args:
        shape: height and width of the field, in pixels.
        blocks: how many in a column and in a row, such as (5, 5).
        feature: name of the feature, for messages.

    Returns:
        (height, width) numbers of blocks, counted row by row, and how many blocks there are.

    Raises:
        ConfigError: a block would have no pixel.
    """
    height, width = shape
    rows, columns = blocks
    if rows > height or columns > width:
        raise ConfigError(
            f"feature {feature}: {rows}x{columns} blocks of a field of {height}x{width} pixels: a "
            "block would be empty; choose fewer blocks or a larger input"
        )
    return _block_numbers(height, width, int(rows), int(columns)), rows * columns


def normalised(histograms: Values) -> Values:
    """Scale histograms, (..., bins), to sums of 1; one without any vote stays zero."""
    sums = histograms.sum(axis=-1, keepdims=True)
    return np.divide(histograms, sums, out=np.zeros(histograms.shape), where=sums > 0)


def unit_length(vector: Values) -> Values:
    """Scale a vector to length 1; a vector of zeros stays."""
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else vector


def _parts(side: int, parts: int) -> Numbers:
    """Number of the part of each pixel of a side, (side,)."""
    edges = np.arange(parts + 1) * side // parts
    return np.repeat(np.arange(parts), np.diff(edges))


def _zeros(vectors: Values, zero: Zero, feature: str) -> Values | float:
    """What no motion looks like, (fields, 1, 1, 2), or one number for all."""
    if zero == "mid":
        return MIDDLE
    if zero == "median":
        return np.median(vectors, axis=(1, 2), keepdims=True)
    if vectors.min() < 0 or vectors.max() > GRAY_VALUES - 1:
        raise ConfigError(
            f"feature {feature}: zero 'mode' is for flow scaled to 0..255, found values from "
            f"{vectors.min():g} to {vectors.max():g}: take zero 'none' for signed flow"
        )
    modes = [
        [_mode(field[..., channel]) for channel in range(2)] for field in vectors
    ]  # (fields, 2)
    return np.array(modes, np.float64)[:, np.newaxis, np.newaxis]


def _mode(channel: Values) -> int:
    """The most frequent gray value of a channel; the lower one of equals."""
    counts = np.bincount(np.rint(channel).astype(np.int64).reshape(-1), minlength=GRAY_VALUES)
    smooth = gaussian_filter1d(counts.astype(np.float64), SMOOTHING, mode="constant")
    return int(np.argmax(smooth))
