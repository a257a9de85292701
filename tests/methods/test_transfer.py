"""Class weights reach AdaBoost; STM sees the tested clips, is marked, and nothing else does so."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.ensemble import AdaBoostClassifier

from mer_keras.config.method import Classical
from mer_keras.errors import ConfigError
from mer_keras.methods.classical import FeatureClassifier
from mer_keras.methods.transfer import matching_weights
from mer_keras.runs.context import RunContext
from mer_keras.terms import Selection
from mer_keras.training.fold import FoldRows

RNG = np.random.default_rng(0)
#: Two groups of clips that lie apart, and the classes of a clip in neither's order.
X = np.concatenate([RNG.normal(0, 1, (12, 3)), RNG.normal(4, 1, (12, 3))]).astype("float32")
Y = np.array([0, 1, 1, 2] * 6, "int32")


def boosted(**arguments):
    return Classical(classifier="adaboost", classifier_arguments={"rounds": 3, **arguments})


def rows(tested):
    return FoldRows(np.setdiff1d(np.arange(24), tested), np.empty(0, np.int64), np.array(tested))


@pytest.fixture
def weights(monkeypatch):
    """Sample weights of each fit of AdaBoost."""
    seen = []
    fit = AdaBoostClassifier.fit

    def noted(self, x, y, sample_weight=None):
        seen.append(sample_weight)
        return fit(self, x, y, sample_weight)

    monkeypatch.setattr(AdaBoostClassifier, "fit", noted)
    return seen


def test_clips_like_the_tested_ones_weigh_more():
    found = matching_weights(X, RNG.normal(4, 1, (5, 3)))
    assert found.min() >= 0
    assert found.mean() == pytest.approx(1)
    assert found[12:].sum() > 5 * found[:12].sum()


def test_tested_clips_that_are_the_training_clips_leave_all_weights_alike():
    np.testing.assert_allclose(matching_weights(X, X), 1, atol=1e-3)


def test_a_single_or_constant_clip_has_weights():
    assert matching_weights(X[:1], X[1:2]) == pytest.approx(1)
    np.testing.assert_allclose(matching_weights(np.ones((4, 2)), np.zeros((2, 2))), 1)


def test_classes_weigh_alike_in_adaboost(weights):
    FeatureClassifier(boosted(), 3).fit(X, Y)
    sums = [weights[0][label == Y].sum() for label in range(3)]
    np.testing.assert_allclose(sums, 8)  # A third of 24 clips each, though 6, 12 and 6 have them.


def test_tested_clips_weigh_with_stm_alone(weights):
    others = X.copy()
    others[:3] += 4
    for adapt in ("none", "stm"):
        for x in (X, others):
            FeatureClassifier(boosted(adapt=adapt), 3).fit_predict_folds(
                x, Y, [rows([0, 1, 2])], [0]
            )
    np.testing.assert_array_equal(weights[0], weights[1])
    assert np.abs(weights[2] - weights[3]).max() > 0.1


def test_what_sees_tested_clips_is_marked_and_needs_folds():
    context = SimpleNamespace(selection=Selection.INNER_SUBJECTS, config=None)
    plan = SimpleNamespace(config=SimpleNamespace(classical=boosted(adapt="stm"), network=None))
    assert RunContext.selection_of(context, plan) is Selection.TEST_FOLD
    with pytest.raises(ConfigError, match=r"adapt 'stm'.* in the folds of an experiment only"):
        FeatureClassifier(boosted(adapt="stm"), 3).fit(X, Y)
