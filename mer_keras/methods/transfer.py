"""Weights of training clips that make them resemble the tested clips.

They are the first step of the Selective Transfer Machine (STM), which fits a classifier with them
(Chu, De la Torre and Cohn, CVPR 2013, equation 4). They look at the values of all tested clips of a
fold, not at their labels: a result that they had a part in isn't that of a method which meets its
clips one by one.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.metrics.pairwise import euclidean_distances

#: Greatest weight of a clip before weights are scaled.
BOUND = 10.0


def matching_weights(
    training: NDArray[np.floating], tested: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the weights of kernel mean matching.

    With the kernel exp(-g d^2), 1 / g being the mean squared distance of training clips, weights s
    from 0 to ``BOUND`` minimise the distance between the weighted mean of the training clips and
    the mean of the tested clips in the kernel's space: s K s / 2 - k s, with k_i the sum over the
    tested clips of the kernel with training clip i, times training clips / tested clips (Gretton et
    al., Dataset Shift in Machine Learning, 2009, chapter 8). That the sum of weights is scaled at
    the end, in place of a constraint, is the reading here.

    Args:
        training: (clips, length) features.
        tested: likewise, one clip or more.

    Returns:
        (training clips,), 0 or above, of mean 1.
    """
    count = len(training)
    within = euclidean_distances(training, squared=True)
    across = euclidean_distances(training, tested, squared=True)  # (training, tested)
    mean = float(within.sum()) / max(count * (count - 1), 1)
    scale = 1 / mean if mean > 0 else 1.0
    kernel = np.exp(-scale * within)
    towards = np.exp(-scale * across).mean(axis=1) * count

    def cost(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        product = kernel @ weights
        return float(weights @ product / 2 - towards @ weights), product - towards

    found = minimize(cost, np.ones(count), jac=True, bounds=[(0.0, BOUND)] * count).x
    total = float(found.sum())
    return np.asarray(found * (count / total) if total > 0 else np.ones(count))
