"""Predictors that look at no clip: what any method has to beat."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mer_keras.arrays import Inputs, count
from mer_keras.config.method import Chance
from mer_keras.methods.contract import Labels, Method, Probabilities
from mer_keras.methods.estimators import decisions, save_estimator
from mer_keras.progress import EpochProgress
from mer_keras.training.fold import FitRecord

if TYPE_CHECKING:
    from sklearn.dummy import DummyClassifier


class ChanceMethod(Method):
    """scikit-learn's ``DummyClassifier``: the most frequent training class, or draws of labels."""

    def __init__(self, config: Chance, classes: int) -> None:
        """Prepare.

        Args:
            config: which predictor.
            classes: how many there are, also such that no training clip has.
        """
        self._strategy = config.strategy
        self._classes = classes
        self._dummy: DummyClassifier | None = None

    def fit(
        self,
        x: Inputs,
        y: Labels,
        *,
        validation: tuple[Inputs, Labels] | None = None,
        seed: int = 0,
        on_epoch: EpochProgress | None = None,
    ) -> FitRecord:
        """Count the classes; see ``Method.fit``."""
        from sklearn.dummy import DummyClassifier

        self._dummy = DummyClassifier(strategy=self._strategy, random_state=seed)
        self._dummy.fit(_blank(len(y)), y)
        return FitRecord(epoch=0)

    def predict_proba(self, x: Inputs) -> Probabilities:
        """Decide for each clip, (clips, classes) of 0 and 1."""
        if self._dummy is None:
            raise RuntimeError("predict_proba before fit")
        return decisions(self._dummy.predict(_blank(count(x))), self._classes)

    def save(self, folder: Path) -> None:
        """Write the counts of the classes; see ``Method.save``."""
        save_estimator(self._dummy, folder)


def _blank(clips: int) -> np.ndarray:
    """Features that say nothing, (clips, 1)."""
    return np.zeros((clips, 1), "float32")
