"""Predictions that are no numbers, wherever they arise: that fold failed, the others go on."""

import numpy as np
import pytest

from mer_keras.errors import ConfigError
from mer_keras.methods.contract import Method
from mer_keras.methods.network import GivenWeights
from mer_keras.training.fold import FitRecord, FoldFailedError, FoldOutcome
from mer_keras.training.learned import Learned
from tests.methods.small import CLASSES, build, clips, folds, recipe, svm

X, Y = clips()
FOLDS = folds()
SEEDS = [0, 1, 2]


def is_failed(outcomes):
    return [isinstance(outcome, FoldFailedError) for outcome in outcomes]


def test_fault_57_weights_that_are_finite_and_give_no_numbers(tmp_path):
    network = build()
    for rows in FOLDS:
        if rows.name == "fold1":
            network.set_weights([np.full(w.shape, 3e38, "float32") for w in network.weights])
        network.save_weights(tmp_path / f"{rows.name}.weights.h5")
        network = build()
    method = GivenWeights(build, recipe(), lambda name: tmp_path / f"{name}.weights.h5")
    outcomes = method.fit_predict_folds(X, Y, FOLDS, SEEDS)
    assert is_failed(outcomes) == [False, True, False]
    assert "the prediction of clip 1 of 8 is not finite" in str(outcomes[1])


@pytest.mark.parametrize(
    "changes",
    [
        {"classifier": "linear_svm"},
        {"classifier": "kernel_svm", "classifier_arguments": {"kernel": "poly", "gamma": 1e25}},
    ],
    ids=lambda changes: changes["classifier"],
)
def test_fault_57_finite_features_that_leave_the_range_of_floats(changes):
    """A clip's feature is the largest number but one or two, and its classifier scales it up."""
    x = X.copy()
    x[FOLDS[1].test[0]] = 3e38
    outcomes = svm(**{"classifier_arguments": {}, **changes}).fit_predict_folds(x, Y, FOLDS, SEEDS)
    assert is_failed(outcomes)[1]
    assert "what it makes of them is not" in str(outcomes[1])
    with pytest.raises(ConfigError, match="C"):
        svm(classifier_arguments={"C": -1.0}).fit_predict_folds(X, Y, FOLDS, SEEDS)


class NoNumbers(Method):
    """A method of somebody's own, whose probabilities are no numbers in one fold."""

    def fit(self, x, y, **options):
        self.bad = options["seed"] == 1
        return FitRecord(epoch=0)

    def predict_proba(self, x):
        return np.full((len(x), CLASSES), np.nan if self.bad else 0.25, "float32")

    def learned(self):
        """Nothing is learned."""
        return Learned({}, {})

    def restore(self, learned, name=""):
        """There is nothing to take."""


def test_fault_57_a_method_of_somebodys_own():
    outcomes = NoNumbers().fit_predict_folds(X, Y, FOLDS, SEEDS)
    assert is_failed(outcomes) == [False, True, False]


@pytest.mark.parametrize(
    ("probabilities", "complaint"),
    [
        (np.full((3, 2), 1e300), "clip 1 of 3 is not finite"),  # It is a number as a float64 alone.
        (np.full((3, 2), 1j), "complex128 of shape"),
        (np.array([["a", 0.5]], object), "object of shape"),
        (np.array([0.5, 0.5]), "expected numbers of shape"),
    ],
    ids=["too large", "complex", "texts", "no classes"],
)
def test_fault_57_predictions_that_no_float32_holds(probabilities, complaint):
    with pytest.raises(FoldFailedError, match=complaint):
        FoldOutcome(epoch=0, probabilities=probabilities)


def test_fault_57_a_mere_decision_is_kept_as_the_numbers_that_a_run_stores():
    decided = FoldOutcome(epoch=0, probabilities=np.eye(3, dtype="int64")).probabilities
    assert decided.dtype == np.float32
    np.testing.assert_array_equal(decided, np.eye(3))


@pytest.mark.parametrize("part", ["probabilities", "copies", "trajectory"])
def test_fault_57_no_outcome_holds_what_is_no_number(part):
    parts = {
        "probabilities": np.full((3, 2), 0.5, "float32"),
        "copies": np.full((4, 2), 0.5, "float32"),
        "trajectory": np.full((5, 3, 2), 0.5, "float32"),
    }
    FoldOutcome(epoch=1, **parts)
    parts[part][..., 1, 0] = np.inf
    with pytest.raises(FoldFailedError, match=f"clip 2 of {parts[part].shape[-2]} is not finite"):
        FoldOutcome(epoch=1, **parts)
