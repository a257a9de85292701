"""Scaling of one clip by itself: nothing of other clips is looked at, so no split can leak."""

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Normalisation = Literal["none", "unit", "standard"]
#: A clip's values: whole numbers as files hold them, or what a step made of them.
Pixels: TypeAlias = NDArray[np.uint8] | NDArray[np.float32]


def normalise_clip(clip: Pixels, how: Normalisation) -> Pixels:
    """Scale a clip by its own values.

    Args:
        clip: uint8 or float32 of any shape, finite.
        how: ``none`` returns the clip itself; ``unit`` maps its least value to 0 and its greatest
            to 1; ``standard`` gives it mean 0 and standard deviation 1.

    Returns:
        float32 array of the same shape, but the clip as it is with ``none``. A clip whose values
        are all equal becomes zeros.
    """
    if how == "none":
        return clip
    values = clip.astype(np.float32)
    if how == "unit":
        values -= values.min()
        spread = values.max()
    else:
        values -= values.mean(dtype=np.float64)
        spread = values.std(dtype=np.float64)
    # What is left of a constant clip is rounding.
    if spread <= 1e-6 * max(1.0, float(np.abs(clip).max())):
        return np.zeros_like(values)
    return values / np.float32(spread)
