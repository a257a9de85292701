"""Methods that hold one scikit-learn estimator: decisions over all classes, and storing."""

from pathlib import Path
from typing import TypeAlias

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline
from skops.io import dump

from mer_keras.arrays import Inputs
from mer_keras.methods.contract import Method, Probabilities

#: A classifier of features, or what stands in for one.
Classifier: TypeAlias = Pipeline | DummyClassifier
FILE = "estimator.skops"


class EstimatorMethod(Method):
    """A method whose ``fit`` sets ``estimator``, which decides for one class a clip."""

    def __init__(self, classes: int) -> None:
        """Prepare.

        Args:
            classes: how many there are, also such that no training clip has.
        """
        self.classes = classes
        self.estimator: Classifier | None = None

    def predict_proba(self, x: Inputs) -> Probabilities:
        """Decide for each clip, (clips, classes) float32 of 0 and 1."""
        if self.estimator is None:
            raise RuntimeError("predict_proba before fit")
        return np.eye(self.classes, dtype="float32")[self.estimator.predict(x)]

    def save(self, folder: Path) -> None:
        """Write the estimator without pickle; reading it takes only types that are trusted."""
        folder.mkdir(parents=True, exist_ok=True)
        dump(self.estimator, folder / FILE)
