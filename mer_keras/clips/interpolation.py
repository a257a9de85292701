"""Temporal interpolation: a clip of any length -> frames at evenly spaced moments."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from mer_keras.config.inputs import TemporalInterpolation


@cache
def tim_matrix(length: int, frames: int, positions: str = "ends") -> NDArray[np.float64]:
    """Return the temporal interpolation model as a matrix: new frames by frames of the clip.

    The model (Zhou, Zhao and Pietikäinen, CVPR 2011) puts the n frames of a clip on a path graph
    and interpolates along the eigenvectors of its Laplacian, which are the cosines of the discrete
    cosine transform. For linearly independent frames, all else in it cancels, and a new frame at
    the position p in 0..1 is the sum of the frames x_i, i = 1..n, with the weights

        1/n + 2/n sum_k cos(pi k (s - 1/2) / n) cos(pi k (i - 1/2) / n),  k = 1..n-1,

    where s = 1 + p (n - 1). Rows sum to 1; as many new frames as the clip has are the clip itself.

    Args:
        length: frames of the clip.
        frames: new frames.
        positions: see ``config.inputs.TemporalInterpolation``.

    Returns:
        float64 (frames, length), not to be changed.
    """
    if positions == "steps":
        position = np.arange(1, frames + 1) / frames
    else:
        position = np.linspace(0, 1, frames) if frames > 1 else np.array([0.5])
    moment = position * (length - 1) + 0.5  # s - 1/2
    order = np.pi / length * np.arange(1, length)[:, np.newaxis]  # (length - 1, 1)
    old = np.cos(order * (np.arange(length) + 0.5))  # (length - 1, length)
    matrix: NDArray[np.float64] = (1 + 2 * np.cos(order * moment).T @ old) / length
    matrix.flags.writeable = False  # Clips of one length share it.
    return matrix


def interpolate(
    stack: NDArray[np.uint8], frames: int, recipe: TemporalInterpolation
) -> NDArray[np.uint8] | NDArray[np.float32]:
    """Interpolate a clip in time.

    Args:
        stack: uint8 (time, ...), one frame or more.
        frames: new frames.
        recipe: where they lie, and whether they are rounded.

    Returns:
        (frames, ...): uint8 where rounded, else float32, which may leave 0..255.
    """
    matrix = tim_matrix(len(stack), frames, recipe.positions)
    values = matrix @ stack.reshape(len(stack), -1)  # (frames, pixels)
    values = values.reshape(frames, *stack.shape[1:])
    if not recipe.rounded:
        return values.astype(np.float32)
    # A moment on a frame is the frame up to 1e-12, which must not lie below a half.
    return np.clip(np.floor(values + 0.5 + 1e-9), 0, 255).astype(np.uint8)
