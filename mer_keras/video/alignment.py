"""Three points of the face at fixed positions: one transform for a clip, or one a frame, smoothed.

Inner corners of the eyes and the point under the nose hardly move with expressions. Located in each
frame they jitter, so that what would move the face faster than heads move is filtered out.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, median_filter

from mer_keras.video.options import SIDE
from mer_keras.video.survey import Look

#: Where the picture's left and right inner corner and the point under the nose come to lie: shares
#: of the aligned square's side.
POSITIONS = np.array([(0.375, 0.36), (0.625, 0.36), (0.5, 0.60)])
#: Looks that a median is taken of, against single wrong ones.
_MEDIAN = 5
#: Motion of the head above this frequency is filtered out, with what jitter there is.
_HIGHEST_HZ = 3.0


def three_point_transform(points: NDArray[np.float64], side: int = SIDE) -> NDArray[np.float64]:
    """Return the affine transform that brings three points to their positions, (2, 3).

    Args:
        points: (3, 2) in pixels of the frame, where pixels are areas and begin at whole numbers.
        side: of the aligned square in pixels.

    Returns:
        From centres of the frame's pixels to centres of the square's, as OpenCV takes it.
    """
    # The unknown matrix M (2, 3) solves [x y 1] M^T = target for the three points.
    centres = np.column_stack([points - 0.5, np.ones(3)])  # (3, 3)
    return np.asarray(np.linalg.solve(centres, POSITIONS * side - 0.5).T)


def smooth_transforms(
    looks: Sequence[Look], times: NDArray[np.float64], start: int
) -> NDArray[np.float64]:
    """Return one transform a frame of a stretch, (frames, 2, 3).

    Args:
        looks: those with a face, in order; each has points.
        times: of the stretch's frames, in seconds.
        start: index of its first frame.
    """
    at = np.array([times[look.frame - start] for look in looks])
    located = [look.face.points for look in looks if look.face and look.face.points is not None]
    flat = np.stack(located).reshape(len(looks), 6)  # (looks, 3 points of x and y)
    flat = median_filter(flat, size=(min(_MEDIAN, len(looks)), 1), mode="nearest")
    # Evenly spaced, so that a filter has one frequency; then at the frames' own times.
    step = float(np.median(np.diff(at))) if len(at) > 1 else 1.0
    even = np.arange(at[0], at[-1] + step / 2, step)
    evenly = np.column_stack([np.interp(even, at, column) for column in flat.T])
    # A Gaussian whose response at this frequency is one half.
    spread = np.sqrt(np.log(2) / 2) / (np.pi * _HIGHEST_HZ) / step
    smooth = gaussian_filter1d(evenly, spread, axis=0, mode="nearest")
    of_frames = np.column_stack([np.interp(times, even, column) for column in smooth.T])
    return np.stack([three_point_transform(row.reshape(3, 2)) for row in of_frames])
