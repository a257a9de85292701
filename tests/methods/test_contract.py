"""What every kind of method must do, whatever it is made of."""

import io
import json
import zipfile
from dataclasses import dataclass, replace

import numpy as np
import pytest

pytest.importorskip("keras")
from mer_keras.arrays import Inputs, take
from mer_keras.methods.contract import Method
from mer_keras.training.fold import FoldFailedError, FoldOutcome
from tests.methods.small import (
    CLASSES,
    KINDS,
    LOOKING,
    NETWORKS,
    clips,
    folds,
    inputs_for,
    new,
)

X, Y = clips()
FOLDS = folds()
SEEDS = [3, 5, 7]
EPOCHS = 3
#: Without ``fit``, sums run in another order.
TOLERANCE = {"network without fit": 2e-4}


@dataclass
class Fitted:
    """A method after it fitted and tested the folds, and what it gave."""

    kind: str
    method: Method
    x: Inputs
    outcomes: list[FoldOutcome]
    epochs: list[tuple[int, int]]

    @property
    def looks(self):
        return self.kind in LOOKING

    @property
    def is_network(self):
        return self.kind in NETWORKS

    def again(self, rows, seed, x=X, y=Y):
        """Fit and test one fold with the same, used, method."""
        whole = self.x if x is X else inputs_for(self.kind, x)
        (outcome,) = self.method.fit_predict_folds(whole, y, [rows], [seed], record_epochs=True)
        return outcome


@pytest.fixture(scope="module", params=KINDS)
def fitted(request):
    """Each kind of method in turn."""
    method, x, epochs = new(request.param), inputs_for(request.param, X), []
    outcomes = method.fit_predict_folds(
        x, Y, FOLDS, SEEDS, record_epochs=True, on_epoch=lambda *numbers: epochs.append(numbers)
    )
    return Fitted(request.param, method, x, outcomes, epochs)


def test_probabilities(fitted):
    for outcome, rows in zip(fitted.outcomes, FOLDS, strict=True):
        assert outcome.probabilities.shape == (len(rows.test), CLASSES)
        assert outcome.probabilities.dtype == np.float32
        assert np.isfinite(outcome.probabilities).all()
        np.testing.assert_allclose(outcome.probabilities.sum(axis=1), 1, atol=1e-5)
        assert outcome.seconds > 0


def test_epochs_are_told_and_recorded(fitted):
    if not fitted.is_network:
        assert fitted.epochs == []
        assert all(outcome.trajectory is None for outcome in fitted.outcomes)
        assert all(outcome.epoch == 0 for outcome in fitted.outcomes)
        return
    assert fitted.epochs == [(epoch, EPOCHS) for epoch in (1, 2, 3)] * len(FOLDS)
    for outcome in fitted.outcomes:
        assert outcome.trajectory.shape == (EPOCHS, 8, CLASSES)
        np.testing.assert_array_equal(outcome.probabilities, outcome.trajectory[outcome.epoch - 1])


def test_fit_and_predict_give_by_hand_what_folds_give_and_nothing_of_earlier_folds_is_left(
    fitted, tmp_path
):
    """In another order, with a method that has seen other folds before, or none."""
    method, x = new(fitted.kind), fitted.x
    for position in (2, 0):
        rows = FOLDS[position]
        watched = take(x, rows.val), Y[rows.val]
        method.fit(take(x, rows.train), Y[rows.train], validation=watched, seed=SEEDS[position])
        np.testing.assert_allclose(
            method.predict_proba(take(x, rows.test)),
            fitted.outcomes[position].probabilities,
            atol=TOLERANCE.get(fitted.kind, 0),
        )
    method.save(tmp_path / "method")
    check_file(*(tmp_path / "method").iterdir())
    again = new(fitted.kind)
    again.load(tmp_path / "method")
    np.testing.assert_allclose(again.predict_proba(x), method.predict_proba(x), atol=1e-6)


def check_file(file):
    """Check that what was saved can run no code: arrays of numbers, and JSON."""
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name.endswith(".json"):
                json.loads(archive.read(name))
            else:
                array = np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
                assert array.dtype.kind in "iuf"


def test_what_folds_learned_is_kept_if_it_is_asked_for(fitted):
    """A new method that takes it predicts what the fold's method did."""
    outcomes = fitted.method.fit_predict_folds(fitted.x, Y, FOLDS, SEEDS, keep_learned=True)
    assert all(outcome.learned is None for outcome in fitted.outcomes)
    method = new(fitted.kind)
    for outcome, rows in zip(outcomes, FOLDS, strict=True):
        method.restore(outcome.learned)
        np.testing.assert_allclose(
            method.predict_proba(take(fitted.x, rows.test)), outcome.probabilities, atol=1e-5
        )


def test_fitting_sees_no_tested_clip_and_no_label_of_one(fitted):
    rows = FOLDS[0]
    others, labels = X.copy(), Y.copy()
    others[rows.test] = np.random.default_rng(9).random((len(rows.test), *X.shape[1:]))
    labels[rows.test] = 3
    asked = replace(rows, test=rows.val)  # Both are asked about the validation clips.
    before = fitted.again(asked, 1)
    after = fitted.again(asked, 1, others, labels)
    np.testing.assert_array_equal(before.probabilities, after.probabilities)


def test_validation_only_chooses(fitted):
    """The last epoch is the same whether validation clips are watched or not."""
    outcome = fitted.again(replace(FOLDS[0], val=FOLDS[0].val[:0]), SEEDS[0])
    if fitted.is_network:
        np.testing.assert_array_equal(outcome.trajectory, fitted.outcomes[0].trajectory)
        assert outcome.epoch == EPOCHS
    elif "choices" not in fitted.kind:
        np.testing.assert_array_equal(outcome.probabilities, fitted.outcomes[0].probabilities)
    assert outcome.chosen == ({"C": 1e-6} if "choices" in fitted.kind else {})


def test_a_failing_fold_leaves_the_others_alone(fitted):
    """One clip is no number: the second fold trains on it, and the last one tests it."""
    x = np.concatenate([X, np.full_like(X[:1], np.nan)])
    y = np.append(Y, 0).astype("int32")
    trains = replace(FOLDS[1], train=np.append(FOLDS[1].train, len(X)))
    tests = replace(FOLDS[2], test=np.append(FOLDS[2].test, len(X)))
    whole = inputs_for(fitted.kind, x)
    rows = [FOLDS[0], trains, tests, FOLDS[2]]
    outcomes = fitted.method.fit_predict_folds(whole, y, rows, [*SEEDS, SEEDS[2]])
    for position in (1, 2):
        assert isinstance(outcomes[position], FoldFailedError) == fitted.looks
    for position, expected in ((0, fitted.outcomes[0]), (3, fitted.outcomes[2])):
        np.testing.assert_array_equal(outcomes[position].probabilities, expected.probabilities)


def test_division_holds_each_fold_once(fitted):
    positions = [position for group in fitted.method.divide(Y, FOLDS) for position in group]
    assert sorted(positions) == [0, 1, 2]


def test_weights_are_counted(fitted):
    outcome, method = fitted.outcomes[0], fitted.method
    assert outcome.parameters == method.parameters
    assert outcome.multiply_accumulates == method.multiply_accumulates
    if fitted.is_network:
        values = 120 if "two inputs" in fitted.kind else 60
        assert method.parameters == (values + 1) * 6 + (6 + 1) * CLASSES
        assert method.multiply_accumulates == values * 6 + 6 * CLASSES
    else:
        assert method.parameters is None
        assert method.multiply_accumulates is None
