"""Trajectories: what a network said of a fold's tested clips after every epoch.

A fold's trajectory is an array of probabilities, (epochs, tested clips, classes), float32, each in
0..1. Arguments for several folds are sequences with one array a fold; folds may have different
numbers of epochs. A class is predicted by ``np.argmax``, which takes the first of equals, as for
stored predictions.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mer_keras.errors import UserError
from mer_keras.evaluation.metrics import Matrices

Trajectory = NDArray[np.float32]
Labels = NDArray[np.integer]
Subjects = Sequence[str] | NDArray[np.str_]
Epochs = NDArray[np.int64]


def confusion_by_epoch(trajectory: Trajectory, labels: Labels) -> Matrices:
    """Count predictions after every epoch: (epochs, classes, classes) int64, rows are the truth.

    Args:
        trajectory: probabilities, (epochs, tested clips, classes).
        labels: the true class of each clip, (tested clips,), integers in 0..classes-1.
    """
    epochs, _, classes = trajectory.shape
    predicted = trajectory.argmax(axis=-1)  # (epochs, tested clips)
    matrices = np.zeros((epochs, classes, classes), np.int64)
    np.add.at(matrices, (np.arange(epochs)[:, np.newaxis], labels, predicted), 1)
    return matrices


def reported_probabilities(
    sample_ids: Sequence[Sequence[str]],
    trajectories: Sequence[Trajectory],
    epochs: Epochs | Sequence[Epochs],
) -> dict[str, NDArray[np.float32]]:
    """What is reported of each clip: ``sample_id`` -> probabilities, (classes,) float32.

    Args:
        sample_ids: ids of the tested clips of each fold, in the order of its trajectory.
        trajectories: one a fold.
        epochs: what an epoch rule returned: one epoch for each fold, or one for each of its tested
            clips; counted from 1.

    Raises:
        UserError: a trajectory is no such array, a clip is tested twice, numbers of folds or clips
            differ, or a fold has no such epoch.
    """
    check_trajectories(trajectories)
    check_number_of_folds(trajectories, sample_ids, epochs)
    probabilities: dict[str, NDArray[np.float32]] = {}
    for fold, (ids, trajectory, chosen) in enumerate(
        zip(sample_ids, trajectories, epochs, strict=True), start=1
    ):
        length, clips, _ = trajectory.shape
        if len(ids) != clips or np.shape(chosen) not in ((), (clips,)):
            raise UserError(
                f"fold {fold}: {len(ids)} sample ids and epochs of shape {np.shape(chosen)} for "
                f"{clips} tested clips"
            )
        if np.min(chosen) < 1 or np.max(chosen) > length:
            raise UserError(f"fold {fold}: epochs must be in 1..{length}, found {chosen}")
        reported = trajectory[np.asarray(chosen) - 1, np.arange(clips)]  # (tested clips, classes)
        for sample_id, of_clip in zip(ids, reported, strict=True):
            if sample_id in probabilities:
                raise UserError(f"fold {fold}: {sample_id!r} is tested twice")
            probabilities[sample_id] = of_clip
    return probabilities


def check_trajectories(trajectories: Sequence[Trajectory]) -> None:
    """Refuse what is no trajectory.

    Raises:
        UserError: there is no fold; a trajectory has no three dimensions, is empty or holds a NaN;
            or folds differ in their number of classes.
    """
    if not len(trajectories):
        raise UserError("no trajectory: expected one for each fold, at least one")
    for fold, trajectory in enumerate(trajectories, start=1):
        if trajectory.ndim != 3 or 0 in trajectory.shape:
            raise UserError(
                f"fold {fold}: a trajectory has the shape (epochs, tested clips, classes), none of "
                f"them 0; found {trajectory.shape}"
            )
        undefined = np.isnan(trajectory).any(axis=(1, 2))  # (epochs,)
        if undefined.any():
            raise UserError(
                f"fold {fold}: the trajectory holds a NaN in epoch {undefined.argmax() + 1}"
            )
    classes = sorted({trajectory.shape[-1] for trajectory in trajectories})
    if len(classes) > 1:
        raise UserError(f"folds have different numbers of classes: {classes}")


def check_labels(trajectories: Sequence[Trajectory], labels: Sequence[Labels]) -> None:
    """Refuse what is no trajectory, and labels that do not belong to the trajectories.

    Raises:
        UserError: as ``check_trajectories``; another number of folds or clips, no integers, or a
            class that does not exist.
    """
    check_trajectories(trajectories)
    check_number_of_folds(trajectories, labels)
    for fold, (trajectory, truth) in enumerate(zip(trajectories, labels, strict=True), start=1):
        _, clips, classes = trajectory.shape
        if truth.shape != (clips,) or not np.issubdtype(truth.dtype, np.integer):
            raise UserError(
                f"fold {fold}: labels of shape {truth.shape} and type {truth.dtype}: expected "
                f"({clips},) integers, one for each tested clip"
            )
        if truth.min() < 0 or truth.max() >= classes:
            raise UserError(
                f"fold {fold}: labels must be in 0..{classes - 1}, found {truth.min()} to "
                f"{truth.max()}"
            )


def check_subjects(trajectories: Sequence[Trajectory], subjects: Sequence[Subjects]) -> None:
    """Refuse subjects that do not belong to the trajectories.

    Raises:
        UserError: another number of folds or clips.
    """
    check_number_of_folds(trajectories, subjects)
    for fold, (trajectory, owners) in enumerate(zip(trajectories, subjects, strict=True), start=1):
        if np.shape(owners) != (trajectory.shape[1],):
            raise UserError(
                f"fold {fold}: subjects of shape {np.shape(owners)} for {trajectory.shape[1]} "
                "tested clips"
            )


def check_number_of_folds(
    trajectories: Sequence[Trajectory], *others: Sequence[object] | Epochs
) -> None:
    """Refuse sequences that have another number of folds than the trajectories.

    Raises:
        UserError: with both numbers.
    """
    for other in others:
        if len(other) != len(trajectories):
            raise UserError(f"{len(trajectories)} trajectories, but arrays for {len(other)} folds")
