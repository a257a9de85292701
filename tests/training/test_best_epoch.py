"""The choice of the epoch against Keras' ``EarlyStopping`` and against loops over curves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mer_keras.config.training import EarlyStopping
from mer_keras.training.best_epoch import BestEpoch

CLIPS = 7
curves = st.lists(st.integers(0, CLIPS), min_size=1, max_size=12)


def followed(setting, right, losses=None, clips=CLIPS):
    """Go through the curves of one fold until it ends; return the choice."""
    choice = BestEpoch(setting, np.array([clips]))
    losses = np.zeros(len(right)) if losses is None else np.array(losses)
    for loss, count in zip(losses, right, strict=True):
        choice.improved(np.array([loss]), np.array([count / clips], "float32"))
        if choice.ended.all():
            break
    return choice


def setting_of(ties="first", stop_at=None, patience=99):
    return EarlyStopping(patience=patience, monitor="accuracy", ties=ties, stop_at=stop_at)


@given(curves, st.sampled_from(["first", "latest"]), st.sampled_from([None, 1.0]))
def test_the_best_epoch_is_that_of_the_curve(right, ties, stop_at):
    if stop_at and CLIPS in right:
        right = right[: right.index(CLIPS) + 1]
    best = [epoch for epoch, count in enumerate(right, start=1) if count == max(right)]
    choice = followed(setting_of(ties, stop_at), right)
    assert choice.best == (best[0] if ties == "first" else best[-1])
    assert choice.epochs == len(right)


@pytest.mark.parametrize(
    ("share", "clips", "right"), [(0.9, 10, 9), (0.7, 10, 7), (2 / 3, 3, 2), (0.55, 20, 11)]
)
def test_a_share_is_reached_by_count(share, clips, right):
    """In float32, 0.9 of 10 clips is less than 0.9."""
    choice = followed(setting_of(stop_at=share), [right - 1, right, clips], clips=clips)
    assert choice.best == choice.epochs == 2


@settings(deadline=None)  # The first example imports Keras.
@given(curves, st.integers(1, 4), st.sampled_from(["loss", "accuracy"]))
def test_patience_is_that_of_keras(right, patience, monitor):
    keras = pytest.importorskip("keras")
    oracle = keras.callbacks.EarlyStopping(
        f"val_{monitor}",
        mode="max" if monitor == "accuracy" else "min",
        patience=patience,
        restore_best_weights=True,
    )

    class Model:
        stop_training = False

        def get_weights(self):
            return []

    oracle.set_model(Model())
    oracle.on_train_begin()
    losses = [1 - count / CLIPS for count in right]
    for epoch, (loss, count) in enumerate(zip(losses, right, strict=True)):
        oracle.on_epoch_end(epoch, {"val_loss": loss, "val_accuracy": count / CLIPS})
        if oracle.model.stop_training:
            break
    setting = EarlyStopping(patience=patience, monitor=monitor)
    choice = followed(setting, right, losses)
    assert choice.best == oracle.best_epoch + 1
    assert choice.epochs == epoch + 1
    assert choice.ended == oracle.model.stop_training


def test_without_a_setting_the_least_loss_of_all_epochs_is_best():
    losses = [0.5, np.nan, 0.3, 0.4, 0.3, 0.6]
    choice = followed(None, [0] * 6, losses)
    assert choice.best == 3
    assert not choice.ended


def test_folds_end_each_by_itself():
    choice = BestEpoch(setting_of(stop_at=1.0), np.array([2, 4]))
    improved = [
        choice.improved(np.zeros(2), np.array(accuracies)).tolist()
        for accuracies in ([0.5, 0.25], [1.0, 0.5], [1.0, 1.0])
    ]
    assert improved == [[True, True], [True, True], [False, True]]
    assert choice.best.tolist() == choice.epochs.tolist() == [2, 3]
    assert choice.ended.all()


def test_stop_at_belongs_to_the_accuracy():
    with pytest.raises(ValueError, match="monitor: accuracy"):
        EarlyStopping(patience=3, stop_at=1.0)
