"""Methods that hold one scikit-learn estimator: decisions over all classes, and storing."""

from pathlib import Path
from typing import TypeAlias

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline
from skops.io import dump, load

from mer_keras.arrays import Inputs
from mer_keras.methods.contract import Method, Probabilities
from mer_keras.methods.kernels import KernelSVM

#: A classifier of features, or what stands in for one.
Classifier: TypeAlias = Pipeline | KernelSVM | DummyClassifier
FILE = "estimator.skops"
#: Types that skops does not know, and that hold arrays and numbers only.
TRUSTED = [
    "sklearn.tree._tree.Tree",
    "mer_keras.methods.codebook.Codebook",
    "mer_keras.methods.kernels.KernelSVM",
]


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
        return np.eye(self.classes, dtype="float32")[self.estimator.predict(np.asarray(x))]

    def save(self, folder: Path) -> None:
        """Write the estimator without pickle; see ``load_estimator``."""
        folder.mkdir(parents=True, exist_ok=True)
        dump(self.estimator, folder / FILE)


def load_estimator(folder: Path) -> Classifier:
    """Read a fitted estimator that ``EstimatorMethod.save`` wrote; no code of the file is run."""
    estimator: Classifier = load(folder / FILE, trusted=TRUSTED)
    return estimator
