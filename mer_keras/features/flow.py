"""Features of flow images (see ``clips.flow.flow_image``)."""

import numpy as np

from mer_keras.arrays import Array
from mer_keras.errors import ConfigError


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
