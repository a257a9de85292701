"""Predictors that look at no clip, against scikit-learn and against counting."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from mer_keras.config.method import Chance
from mer_keras.methods.chance import ChanceMethod

Y = np.repeat([0, 1, 2], [30, 20, 10]).astype("int32")


def decided(strategy, y=Y, seed=0, count=60):
    method = ChanceMethod(Chance(strategy=strategy), 4)
    method.fit(np.zeros((len(y), 2, 3), "float32"), y, seed=seed)
    probabilities = method.predict_proba(np.ones((count, 2, 3), "float32"))
    np.testing.assert_array_equal(np.sort(probabilities, axis=1), [[0, 0, 0, 1]] * count)
    return probabilities.argmax(axis=1)


@pytest.mark.parametrize("strategy", ["most_frequent", "stratified"])
@pytest.mark.parametrize("seed", [0, 3])
def test_it_is_what_scikit_learn_says(strategy, seed):
    dummy = DummyClassifier(strategy=strategy, random_state=seed).fit(Y[:, None], Y)
    np.testing.assert_array_equal(decided(strategy, seed=seed), dummy.predict(Y[:, None]))


def test_most_frequent():
    assert set(decided("most_frequent")) == {0}
    assert set(decided("most_frequent", np.array([3, 3, 1], "int32"))) == {3}
    # The first of equally frequent classes.
    assert set(decided("most_frequent", np.array([2, 1, 2, 1], "int32"))) == {1}


def test_stratified_draws_follow_the_training_classes():
    shares = np.bincount(decided("stratified", count=6000), minlength=4) / 6000
    np.testing.assert_allclose(shares, [1 / 2, 1 / 3, 1 / 6, 0], atol=0.03)


def test_one_class_only():
    for strategy in ("most_frequent", "stratified"):
        assert set(decided(strategy, np.full(5, 2, "int32"))) == {2}


def test_it_is_fitted_first():
    with pytest.raises(RuntimeError, match="before fit"):
        ChanceMethod(Chance(strategy="stratified"), 3).predict_proba(np.zeros((1, 2), "float32"))
