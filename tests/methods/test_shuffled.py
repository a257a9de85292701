"""Permuted labels around any method."""

import numpy as np

from mer_keras.methods.contract import Method
from mer_keras.methods.shuffled import ShuffledLabels
from mer_keras.training.fold import FitRecord, FoldRows
from mer_keras.training.learned import Learned


class Remembering(Method):
    """Predicts the class of the training clip that has the same number; keeps what it was told."""

    parameters = 7
    multiply_accumulates = 9

    def __init__(self):
        self.taught = []

    def fit(self, x, y, *, validation=None, subjects=None, seed=0, on_epoch=None):
        self.taught.append((x, y.copy(), validation, seed))
        if on_epoch is not None:
            on_epoch(1, 1)
        return FitRecord(epoch=1)

    def predict_proba(self, x):
        return np.eye(3, dtype="float32")[x.astype(int) % 3]

    def predict_changed(self, x):
        return self.predict_proba(x)[:, ::-1]

    def learned(self):
        return Learned({"weights": np.arange(3)}, {})

    def restore(self, learned, name=""):
        self.restored = learned, name


X = np.arange(12, dtype="float32")
Y = (np.arange(12) % 3).astype("int32")


def test_training_labels_are_permuted_by_the_seed_and_nothing_else_is():
    inner = Remembering()
    method = ShuffledLabels(inner)
    validation = X[:2], Y[:2]
    method.fit(X, Y, validation=validation, seed=5)
    x, y, watched, seed = inner.taught[0]
    assert x is X
    assert watched is validation
    assert seed == 5
    np.testing.assert_array_equal(y, np.random.default_rng(5).permutation(Y))
    assert not np.array_equal(y, Y)
    np.testing.assert_array_equal(np.sort(y), np.sort(Y))


def test_folds_are_permuted_each_by_its_seed_and_labels_of_other_clips_stay():
    inner = Remembering()
    given = Y.copy()
    folds = [
        FoldRows(np.arange(6), np.arange(6, 9), np.arange(9, 12), name="a"),
        FoldRows(np.arange(6, 12), np.array([], int), np.arange(6), name="b"),
    ]
    ShuffledLabels(inner).fit_predict_folds(X, given, folds, [1, 2])
    for (_, y, watched, _), rows, seed in zip(inner.taught, folds, [1, 2], strict=True):
        np.testing.assert_array_equal(y, np.random.default_rng(seed).permutation(Y[rows.train]))
        if watched is not None:
            np.testing.assert_array_equal(watched[1], Y[rows.val])
    np.testing.assert_array_equal(given, Y)


def test_all_else_is_the_method_itself():
    inner = Remembering()
    method = ShuffledLabels(inner)
    assert (method.parameters, method.multiply_accumulates) == (7, 9)
    np.testing.assert_array_equal(method.predict_proba(X), inner.predict_proba(X))
    np.testing.assert_array_equal(method.predict_changed(X), inner.predict_changed(X))
    learned = method.learned()
    np.testing.assert_array_equal(learned.arrays["weights"], [0, 1, 2])
    method.restore(learned, "file")
    assert inner.restored == (learned, "file")
    folds = [FoldRows(np.arange(6), np.arange(6, 9), np.arange(9, 12), np.array([9]))]
    (outcome,) = method.fit_predict_folds(X, Y, folds, [0], record_epochs=True)
    assert outcome.trajectory.shape == (1, 3, 3)
    np.testing.assert_array_equal(outcome.copies, inner.predict_changed(X[9:10]))
