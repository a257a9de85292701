"""Methods that hold one scikit-learn estimator: decisions over all classes, and storing."""

import numpy as np

from mer_keras.arrays import Inputs
from mer_keras.methods.contract import Method, Probabilities
from mer_keras.methods.stored_classifiers import Chain, Classifier, packed, unpacked
from mer_keras.training.learned import Learned


class EstimatorMethod(Method):
    """A method whose ``fit`` sets ``estimator``, which decides for one class a clip."""

    def __init__(self, classes: int) -> None:
        """Prepare.

        Args:
            classes: how many there are, also such that no training clip has.
        """
        self.classes = classes
        self.estimator: Classifier | Chain | None = None

    def predict_proba(self, x: Inputs) -> Probabilities:
        """Decide for each clip, (clips, classes) float32 of 0 and 1."""
        if self.estimator is None:
            raise RuntimeError("predict_proba before fit")
        return np.eye(self.classes, dtype="float32")[self.estimator.predict(np.asarray(x))]

    def learned(self) -> Learned:
        """What the estimator has learned; see ``stored_classifiers.packed``."""
        if self.estimator is None:
            raise RuntimeError("learned before fit")
        return packed(self.estimator)

    def restore(self, learned: Learned, name: str = "") -> None:
        """See ``Method.restore``."""
        self.estimator = unpacked(learned, self.classes, name)
