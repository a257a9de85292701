"""Networks as methods, and weights that were trained elsewhere."""

from functools import partial

import keras
import numpy as np
import pytest

from mer_keras.errors import UserError
from mer_keras.methods.contract import FILE
from mer_keras.methods.network import GivenWeights, NetworkMethod
from mer_keras.models.weights import fold_weights, load_weights
from mer_keras.training.standardise import StandardiseByTraining
from tests.methods.small import build, clips, folds, recipe

X, Y = clips()
FOLDS = folds()


@pytest.fixture
def stored(tmp_path):
    """Weights of three networks, a file a fold; returns the networks and the folder."""
    networks = {}
    for seed, rows in enumerate(FOLDS):
        keras.utils.set_random_seed(seed)
        networks[rows.name] = build()
        networks[rows.name].save_weights(tmp_path / f"{rows.name}.weights.h5")
    return networks, tmp_path


def given_weights(folder, **changes):
    return GivenWeights(build, recipe(**changes), lambda name: folder / f"{name}.weights.h5")


def test_each_fold_is_tested_with_its_own_weights(stored):
    networks, folder = stored
    outcomes = given_weights(folder).fit_predict_folds(X, Y, FOLDS, [0, 1, 2])
    for outcome, rows in zip(outcomes, FOLDS, strict=True):
        expected = np.asarray(networks[rows.name](X[rows.test], training=False))
        np.testing.assert_allclose(outcome.probabilities, expected, atol=1e-6)
        assert outcome.epoch == 0
        assert outcome.history == {}
        assert outcome.parameters == networks[rows.name].count_params()
    assert not np.allclose(outcomes[0].probabilities, outcomes[1].probabilities, atol=1e-3)


def test_only_the_statistics_of_the_training_clips_are_fitted(stored):
    networks, folder = stored
    (outcome,) = given_weights(folder, standardise=True).fit_predict_folds(X, Y, FOLDS[:1], [0])
    standardise = StandardiseByTraining()
    standardise.build(X.shape)
    standardise.set_from(X[FOLDS[0].train])
    tested = standardise(X[FOLDS[0].test])
    expected = np.asarray(networks["fold0"](tested, training=False))
    np.testing.assert_allclose(outcome.probabilities, expected, atol=1e-5)


def test_each_fold_of_given_weights_is_a_task_also_where_folds_could_be_trained_together(stored):
    method = given_weights(stored[1], engine="vectorised", folds_at_once=3)
    assert method.divide(Y, FOLDS) == [[0], [1], [2]]


def test_copies_of_tested_clips_are_changed_as_training_changes_them(stored):
    """With every copy flipped, a copy is predicted as the flipped clip."""
    networks, folder = stored
    method = given_weights(folder, augmentation={"flip": 1.0})
    method.use_fold("fold0")
    flipped = np.asarray(networks["fold0"](X[:, :, :, ::-1], training=False))
    np.testing.assert_allclose(method.predict_changed(X), flipped, atol=1e-6)


def test_absent_weights_end_the_run(stored):
    method = GivenWeights(build, recipe(), partial(fold_weights, stored[1]))
    with pytest.raises(UserError, match="fold9"):
        method.use_fold("fold9")


def test_saved_weights_predict_as_the_method_does(tmp_path):
    method = NetworkMethod(build, recipe())
    method.fit(X, Y, seed=1)
    method.save(tmp_path)
    again = build()
    load_weights(again, tmp_path / FILE)  # Without standardising, it is a file of weights.
    expected = method.predict_proba(X)
    np.testing.assert_allclose(np.asarray(again(X, training=False)), expected, atol=1e-6)


def test_a_network_starts_every_fold_from_the_weights_it_is_given(tmp_path):
    """With a learning rate that moves nothing, the start is what is tested."""
    keras.utils.set_random_seed(9)
    start = build()
    still = recipe(engine="sequential", optimizer={"learning_rate": 1e-30})
    method = NetworkMethod(build, still, lambda network: network.set_weights(start.get_weights()))
    outcomes = method.fit_predict_folds(X, Y, FOLDS[:2], [1, 2])
    for outcome, rows in zip(outcomes, FOLDS, strict=False):
        expected = np.asarray(start(X[rows.test], training=False))
        np.testing.assert_allclose(outcome.probabilities, expected, atol=1e-6)


def test_other_labels_of_the_same_clips_are_learned_anew():
    """What is on the device for one call isn't used for another's labels."""
    method = NetworkMethod(build, recipe(engine="vectorised", epochs=20))
    (first,) = method.fit_predict_folds(X, Y, FOLDS[:1], [0])
    (second,) = method.fit_predict_folds(X, (Y + 1).astype("int32"), FOLDS[:1], [0])
    assert (second.probabilities.argmax(axis=1) != first.probabilities.argmax(axis=1)).any()


@pytest.mark.parametrize("alone", [False, True])
def test_folds_are_trained_together_unless_each_stands_alone(alone):
    together = recipe(engine="vectorised", folds_at_once=2)
    method = NetworkMethod(build, together, alone=alone)
    sizes = sorted(map(len, method.divide(Y, FOLDS)))
    assert sizes == ([1, 1, 1] if alone else [1, 2])


def test_two_inputs_are_told_apart():
    """The network of two inputs refuses one, and gives other classes where they change places."""
    method = NetworkMethod(partial(build, 2), recipe(engine="sequential"))
    method.fit((X, -X), Y, seed=0)
    assert not np.allclose(method.predict_proba((X, -X)), method.predict_proba((-X, X)))
    with pytest.raises(UserError, match="has 2 input"):
        method.predict_proba(X)
