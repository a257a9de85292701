"""The clip itself as a feature."""

import numpy as np

from mer_keras.arrays import Array


def pixels(clip: Array) -> Array:
    """Return all values of a clip, in the order in which the array holds them.

    Args:
        clip: float32 of any shape.

    Returns:
        float32 (values,).
    """
    return np.asarray(clip, np.float32).reshape(-1)
