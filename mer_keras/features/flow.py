"""Optical flow itself as a feature: its values, or its length at each place."""

from typing import Literal

import cv2
import numpy as np

from mer_keras.arrays import Array
from mer_keras.errors import ConfigError
from mer_keras.features.arguments import Whole, Zero, checked
from mer_keras.features.fields import Values, flow_fields, strain_channel, unit_length


def flow_length(image: Array) -> Array:
    """Return how far the skin moves at each place of a flow image.

    Each channel of a flow image is scaled by its own range, so that neither its zero nor its unit
    is known: the median of a channel stands for no motion, and lengths can be compared within one
    image only. Strain counts as a third component.

    Args:
        image: float32 (height, width, 3) in 0..255.

    Returns:
        float32 (height * width,), row by row, 0 or above.

    Raises:
        ConfigError: the array has another shape.
    """
    if image.ndim != 3 or image.shape[-1] != 3:
        raise ConfigError(
            f"feature flow_length: a clip of shape {image.shape}, expected a flow image (height, "
            "width, 3): give the method an input of kind flow_image, or of kind flow with output "
            "image"
        )
    still = np.median(image, axis=(0, 1), keepdims=True)  # (1, 1, 3)
    length = np.linalg.norm(image - still, axis=-1)  # (height, width)
    return length.astype(np.float32).reshape(-1)


@checked
def plain_flow(
    clip: Array,
    *,
    values: Literal["uv", "uv_strain", "strain", "length"] = "uv",
    size: Whole | None = None,
    unit: bool = False,
    zero: Zero = "none",
) -> Array:
    """Return the values of flow, made smaller, one after the other.

    Args:
        clip: (height, width, 2 or 3) or (fields, height, width, 2 or 3), channels u, v, strain.
        values: ``uv``, both components; ``uv_strain``, with the third channel; ``strain``, the
            third channel alone; ``length``, sqrt(u^2 + v^2).
        size: side of the square that each field is brought to (area interpolation), in pixels;
            None: as it is. The public toolbox MEB takes 32.
        unit: scale the vector to length 1; a vector of zeros stays.
        zero: what no motion looks like, of u and v (see ``fields.flow_fields``).

    Returns:
        float32 (fields * height * width * channels,), row by row.

    Raises:
        ConfigError: the clip is no flow, has no strain, or an argument can't be.
    """
    vectors = flow_fields(clip, "plain_flow", zero)  # (fields, height, width, 2)
    channels = _channels(clip, vectors, values)  # (fields, height, width, channels)
    if size is not None:
        channels = np.stack(
            [cv2.resize(field, (size, size), interpolation=cv2.INTER_AREA) for field in channels]
        )
    vector = channels.reshape(-1)
    return (unit_length(vector) if unit else vector).astype(np.float32)


def _channels(clip: Array, vectors: Values, values: str) -> Values:
    """What ``values`` names, (fields, height, width, channels)."""
    if values == "uv":
        return vectors
    if values == "length":
        return np.linalg.norm(vectors, axis=-1, keepdims=True)
    strain = strain_channel(clip, "plain_flow")[..., np.newaxis]
    return strain if values == "strain" else np.concatenate([vectors, strain], axis=-1)
