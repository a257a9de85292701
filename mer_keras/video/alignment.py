"""Three points of the face at fixed positions: one transform for a clip, or one a frame, smoothed.

Inner corners of the eyes and the point under the nose hardly move with expressions. Located in each
frame they jitter, so that what would move the face faster than heads move is filtered out.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, median_filter

from mer_keras.clips.three_points import three_point_transform
from mer_keras.video.options import SIDE
from mer_keras.video.survey import Look

#: Looks that a median is taken of, against single wrong ones.
_MEDIAN = 5
#: Motion of the head above this frequency is filtered out, with what jitter there is.
_HIGHEST_HZ = 3.0


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
    return np.stack([three_point_transform(row.reshape(3, 2), SIDE) for row in of_frames])
