"""What methods made of scikit-learn estimators share: decisions over all classes, and storing."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from mer_keras.methods.contract import Probabilities

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

FILE = "estimator.skops"


def decisions(chosen: ArrayLike, classes: int) -> Probabilities:
    """Class numbers, (clips,), as rows of 0 and 1, (clips, classes) float32."""
    return np.eye(classes, dtype="float32")[np.asarray(chosen, "int64")]


def save_estimator(estimator: "BaseEstimator", folder: Path) -> None:
    """Write a fitted estimator without pickle; reading it takes only types that are trusted."""
    from skops.io import dump

    folder.mkdir(parents=True, exist_ok=True)
    dump(estimator, folder / FILE)
