"""Predictors that look at no clip: what any method has to beat."""

from typing import Unpack

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier

from mer_keras.arrays import Inputs, Labels, count
from mer_keras.config.method import Chance
from mer_keras.methods.contract import FitOptions, Probabilities
from mer_keras.methods.estimators import EstimatorMethod
from mer_keras.training.fold import FitRecord


class ChanceMethod(EstimatorMethod):
    """scikit-learn's ``DummyClassifier``: the most frequent training class, or draws of labels."""

    def __init__(self, config: Chance, classes: int) -> None:
        """Prepare.

        Args:
            config: which predictor.
            classes: see ``EstimatorMethod``.
        """
        super().__init__(classes)
        self._strategy = config.strategy

    def fit(self, x: Inputs, y: Labels, **options: Unpack[FitOptions]) -> FitRecord:
        """Count the classes; see ``Method.fit``."""
        dummy = DummyClassifier(strategy=self._strategy, random_state=options.get("seed", 0))
        self.estimator = dummy.fit(_blank(len(y)), y)
        return FitRecord(epoch=0)

    def predict_proba(self, x: Inputs) -> Probabilities:
        """Decide for each clip, (clips, classes) float32 of 0 and 1."""
        return super().predict_proba(_blank(count(x)))


def _blank(clips: int) -> NDArray[np.float32]:
    """Features that say nothing, (clips, 1)."""
    return np.zeros((clips, 1), "float32")
