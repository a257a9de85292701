"""Decisions, and classifiers by name."""

import numpy as np
import pytest
from sklearn.ensemble import AdaBoostClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mer_keras.config.method import Chance
from mer_keras.errors import ConfigError
from mer_keras.methods import classifiers
from mer_keras.methods.chance import ChanceMethod
from mer_keras.methods.classifiers import make_classifier
from mer_keras.methods.estimators import EstimatorMethod

X = np.random.default_rng(0).normal(size=(30, 4)).astype("float32")
Y = np.arange(30, dtype="int32") % 3


class Given:
    """An estimator whose decisions are the features themselves."""

    def predict(self, x):
        return x


def new_method(estimator):
    method = ChanceMethod(Chance(strategy="stratified"), 4)
    method.estimator = estimator
    return method


def test_decisions():
    probabilities = EstimatorMethod.predict_proba(new_method(Given()), np.array([2, 0, 2], "int32"))
    assert probabilities.dtype == np.float32
    np.testing.assert_array_equal(probabilities, [[0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 1, 0]])


def test_the_seed_decides_every_draw_of_a_classifier(monkeypatch):
    monkeypatch.setitem(
        classifiers.CLASSIFIERS,
        "boosted",
        lambda rounds=5: make_pipeline(StandardScaler(), AdaBoostClassifier(n_estimators=rounds)),
    )
    classifier = make_classifier("boosted", {"rounds": 7}, seed=5)
    parameters = classifier.get_params()
    assert parameters["adaboostclassifier__random_state"] == 5
    assert parameters["adaboostclassifier__n_estimators"] == 7


def test_unknown_names_and_arguments():
    with pytest.raises(ConfigError, match=r"no classifier 'linear_smv'.*did you mean"):
        make_classifier("linear_smv", {}, seed=0)
    with pytest.raises(ConfigError, match=r"classifier 'linear_svm' has no argument 'gamma'"):
        make_classifier("linear_svm", {"gamma": 1}, seed=0)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("linear_svm", {"C": 0}, "C 0, expected greater than 0"),
        ("kernel_svm", {"C": float("nan")}, "C nan, expected"),
        ("kernel_svm", {"kernel": "cubic"}, "kernel 'cubic', expected 'linear', 'hellinger'"),
        ("kernel_svm", {"degree": 2.5}, "degree 2.5, expected a valid integer"),
        ("codebook_svm", {"words": 0}, "words 0, expected greater than or equal to 1"),
        ("adaboost", {"rounds": "many"}, "rounds 'many', expected a valid integer"),
        ("adaboost", {"features": 1.5}, "features 1.5, expected less than or equal to 1 or"),
        ("adaboost", {"adapt": "test"}, "adapt 'test', expected 'none' or 'stm'"),
    ],
)
def test_values_that_an_argument_cannot_take(name, arguments, expected):
    with pytest.raises(ConfigError, match=f"classifier '{name}': {expected}"):
        make_classifier(name, arguments, seed=0)
