"""Three points of a face at fixed positions in a square: the transform that brings them there.

The inner corners of the eyes and the point under the nose hardly move with expressions.
"""

import numpy as np
from numpy.typing import NDArray

#: Left and right inner corner and the point under the nose, as shares of the aligned square.
POSITIONS = np.array([(0.375, 0.36), (0.625, 0.36), (0.5, 0.60)])


def three_point_transform(points: NDArray[np.float64], side: int) -> NDArray[np.float64]:
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
