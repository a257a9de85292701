"""Three points of the face near fixed positions: one smooth transform a frame, for long recordings.

Inner corners of the eyes and the point under the nose hardly move with expressions. Located in each
frame they jitter, and lean as the head moves, by tenths of a pixel within tenths of a second: as an
expression does. So the face is only shifted, turned and scaled, never sheared, and only what moves
slower than an expression is followed. The rest of the head's motion is left to the flow of the
nose.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, median_filter

from mer_keras.clips.three_points import POSITIONS
from mer_keras.video.options import SIDE
from mer_keras.video.survey import Look

#: Looks that a median is taken of, against single wrong ones.
_MEDIAN = 5
#: Motion of the head above this frequency isn't followed. An expression of 0.4 s is one of 2.5 Hz.
_HIGHEST_HZ = 0.7


def similarity_transform(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the shift, turn and scale that bring three points nearest to their positions, (2, 3).

    Args:
        points: (3, 2) in pixels of the frame, where pixels are areas and begin at whole numbers.

    Returns:
        From centres of the frame's pixels to centres of the aligned square's, as OpenCV takes it.
    """
    centres, targets = points - 0.5, POSITIONS * SIDE - 0.5
    x, y = centres.T
    ones, zeros = np.ones(3), np.zeros(3)
    # u = a x - b y + p and v = b x + a y + q, by least squares over the three points.
    equations = np.vstack(
        [np.column_stack([x, -y, ones, zeros]), np.column_stack([y, x, zeros, ones])]
    )  # (6, 4)
    (a, b, p, q), *_ = np.linalg.lstsq(equations, targets.T.ravel(), rcond=None)
    return np.array([[a, -b, p], [b, a, q]])


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
    return np.stack([similarity_transform(row.reshape(3, 2)) for row in of_frames])
