"""What a map over a face says, in a sentence that is computed from the map."""

import numpy as np
from numpy.typing import NDArray
from skimage.transform import resize

#: Rows and columns on which a map is compared with the motion of the face.
_COARSE = 12
_ROWS, _COLUMNS = ("upper", "middle", "lower"), ("left", "centre", "right")
#: Correlations with the motion that are called so.
_STRONG, _WEAK = 0.5, 0.2


def describe_map(heat: NDArray[np.float32], motion: NDArray[np.float32] | None = None) -> str:
    """Say how narrow a map is, where it lies, and whether it lies where the face moves.

    Args:
        heat: (height, width) or (time, height, width), not negative.
        motion: (height, width), length of the flow from onset to apex; none where it isn't known.

    Returns:
        A clause such as ``half of it lies on 12 % of the picture, around the lower left; it lies
        where the face moves (r = 0.61)``. Left is the picture's left.
    """
    flat = heat.sum(axis=0) if heat.ndim == 3 else heat  # (height, width)
    total = float(flat.sum())
    if total <= 0:
        return "nothing in it speaks for the class"
    order = np.sort(flat, axis=None)[::-1]
    share = (int(np.searchsorted(np.cumsum(order), total / 2)) + 1) / flat.size
    text = f"half of it lies on {100 * share:.0f} % of the picture, around the {_place(flat)}"
    return text if motion is None else f"{text}; {_with_motion(flat, motion)}"


def describe_weights(weights: NDArray[np.float32]) -> str:
    """Say how evenly weights are spread over channels or tokens.

    Args:
        weights: (channels,) or (heads, tokens), not negative.
    """
    means = weights.mean(axis=0) if weights.ndim == 2 else weights  # (channels,) or (tokens,)
    low, high = float(means.min()), float(means.max())
    number = len(means)
    if high - low < 0.01 * max(high, 1e-9):
        return f"all {number} have the same weight, {high:.2f}"
    return (
        f"{number} weights from {low:.2f} to {high:.2f}, the largest is number {means.argmax() + 1}"
    )


def _place(flat: NDArray[np.float32]) -> str:
    """Where the middle of the heavier half of a map lies, in thirds of the picture."""
    heavy = np.where(flat >= np.quantile(flat, 0.9), flat, 0)
    rows, columns = np.indices(flat.shape)
    height, width = flat.shape
    row = int(3 * (heavy * (rows + 0.5)).sum() / heavy.sum() / height)
    column = int(3 * (heavy * (columns + 0.5)).sum() / heavy.sum() / width)
    words = (_ROWS[min(row, 2)], _COLUMNS[min(column, 2)])
    return "centre" if words == ("middle", "centre") else " ".join(words)


def _with_motion(flat: NDArray[np.float32], motion: NDArray[np.float32]) -> str:
    """Whether a map is large where the face moves: the correlation on a coarse grid."""
    coarse = [
        resize(field, (_COARSE, _COARSE), order=1, anti_aliasing=True, mode="edge").ravel()
        for field in (flat.astype("float64"), motion.astype("float64"))
    ]
    if min(field.std() for field in coarse) < 1e-12:
        return "it is the same everywhere"
    r = float(np.corrcoef(coarse)[0, 1])
    if r >= _STRONG:
        words = "it lies where the face moves"
    elif r >= _WEAK:
        words = "it lies partly where the face moves"
    else:
        words = "it doesn't lie where the face moves"
    return f"{words} (r = {r:.2f})"
