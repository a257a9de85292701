"""Curves over epochs are what the rules report of trajectories that end earlier."""

import numpy as np
import pytest

from mer_keras.errors import UserError
from mer_keras.evaluation.epoch_curves import CURVES, uf1_by_length
from mer_keras.evaluation.epoch_rules import RULES, probabilities_by
from mer_keras.evaluation.metrics import confusion_matrix, uf1


def drawn(epochs=7, folds=3, clips=8, seed=0):
    rng = np.random.default_rng(seed)
    trajectories = [
        rng.dirichlet(np.ones(3), (epochs, clips)).astype(np.float32) for _ in range(folds)
    ]
    labels = [rng.integers(0, 3, clips) for _ in range(folds)]
    subjects = [
        [f"{fold}-{number}" for number in rng.integers(0, 3, clips)] for fold in range(folds)
    ]
    return trajectories, labels, subjects


@pytest.mark.parametrize("seed", range(3))
def test_each_curve_is_its_rule_at_every_length(seed):
    trajectories, labels, subjects = drawn(seed=seed)
    ids = [[f"{fold}/{clip}" for clip in range(8)] for fold in range(3)]
    truth = [str(label) for of_fold in labels for label in of_fold]
    curves = uf1_by_length(trajectories, labels, subjects)
    assert list(curves) == [curve.rule for curve in CURVES]
    for name, values in curves.items():
        for length in range(1, 8):
            ended = [trajectory[:length] for trajectory in trajectories]
            reported = probabilities_by(RULES[name], ids, ended, labels, subjects)
            predicted = [str(reported[i].argmax()) for of_fold in ids for i in of_fold]
            expected = uf1(confusion_matrix(truth, predicted, list("012")))
            assert values[length - 1] == pytest.approx(float(expected)), (name, length)


def test_folds_of_different_lengths_are_refused():
    trajectories, labels, subjects = drawn()
    trajectories[1] = trajectories[1][:4]
    with pytest.raises(UserError, match="4 to 7 epochs"):
        uf1_by_length(trajectories, labels, subjects)
