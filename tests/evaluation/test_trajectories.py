"""Trajectories: counting by epoch, joining by clip, and what is refused."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from mer_keras.errors import UserError
from mer_keras.evaluation.trajectories import (
    check_labels,
    check_trajectories,
    confusion_by_epoch,
    reported_probabilities,
)


def drawn(epochs=5, clips=9, classes=4, seed=0):
    return np.random.default_rng(seed).random((epochs, clips, classes), dtype=np.float32)


def test_matrices_of_epochs_are_scikit_learns():
    trajectory, labels = drawn(), np.random.default_rng(1).integers(0, 4, 9)
    matrices = confusion_by_epoch(trajectory, labels)
    assert matrices.shape == (5, 4, 4)
    for matrix, probabilities in zip(matrices, trajectory, strict=True):
        expected = confusion_matrix(labels, probabilities.argmax(axis=-1), labels=range(4))
        assert np.array_equal(matrix, expected)


def test_of_equally_probable_classes_the_first_is_predicted():
    trajectory = np.full((1, 1, 3), 1 / 3, np.float32)
    assert confusion_by_epoch(trajectory, np.array([2]))[0, 2].tolist() == [1, 0, 0]


def test_probabilities_are_joined_by_clip_bit_for_bit():
    trajectories = [drawn(clips=2), drawn(epochs=3, clips=1, seed=1)]
    ids = [["b", "a"], ["c"]]
    whole = reported_probabilities(ids, trajectories, np.array([5, 2]))
    assert whole["a"].dtype == np.float32
    assert np.array_equal(whole["a"], trajectories[0][4, 1])
    assert np.array_equal(whole["c"], trajectories[1][1, 0])
    by_clip = reported_probabilities(ids, trajectories, [np.array([1, 3]), np.array([2])])
    assert np.array_equal(by_clip["b"], trajectories[0][0, 0])
    assert np.array_equal(by_clip["a"], trajectories[0][2, 1])


@pytest.mark.parametrize(
    ("ids", "epochs", "complaint"),
    [
        ([["a"]], [1], "1 sample ids"),
        ([["a", "b"]], [np.array([1, 1, 1])], r"epochs of shape \(3,\)"),
        ([["a", "b"]], [0], r"epochs must be in 1..5, found 0"),
        ([["a", "b"]], [np.array([1, 6])], r"1..5, found \[1 6\]"),
        ([["a", "a"]], [1], "'a' is tested twice"),
        ([["a", "b"]], [1, 1], "1 trajectories, but arrays for 2 folds"),
    ],
)
def test_what_can_not_be_joined_is_refused(ids, epochs, complaint):
    with pytest.raises(UserError, match=complaint):
        reported_probabilities(ids, [drawn(clips=2)], epochs)


def test_what_is_no_trajectory_is_refused():
    broken = drawn()
    broken[2, 3, 1] = np.nan
    with pytest.raises(UserError, match="fold 2: the trajectory holds a NaN in epoch 3"):
        check_trajectories([drawn(), broken])
    for shape in ((0, 9, 4), (5, 0, 4), (5, 9, 0), (9, 4)):
        with pytest.raises(UserError, match="epochs, tested clips, classes"):
            check_trajectories([np.zeros(shape, np.float32)])
    with pytest.raises(UserError, match=r"different numbers of classes: \[3, 4\]"):
        check_trajectories([drawn(), drawn(classes=3)])
    with pytest.raises(UserError, match="at least one"):
        check_trajectories([])


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (np.zeros(8, int), r"labels of shape \(8,\)"),
        (np.zeros(9), "type float64"),
        (np.full(9, 4), r"must be in 0..3, found 4 to 4"),
        (np.full(9, -1), "found -1"),
    ],
)
def test_labels_of_other_clips_are_refused(labels, complaint):
    with pytest.raises(UserError, match=complaint):
        check_labels([drawn()], [labels])
