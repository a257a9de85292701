"""UF1 as it would have been had training ended earlier, under rules that count right clips."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mer_keras.errors import UserError
from mer_keras.evaluation.metrics import Matrices, uf1
from mer_keras.evaluation.trajectories import (
    Labels,
    Subjects,
    Trajectory,
    check_labels,
    check_subjects,
    confusion_by_epoch,
)

#: Epoch numbers counted from 0, (lengths,), from the numbers of right clips after each epoch.
_Choice = Callable[[NDArray[np.int64]], NDArray[np.int64]]


@dataclass(frozen=True)
class EpochCurve:
    """A rule of ``epoch_rules.RULES`` whose curve can be drawn, and how a reader calls it."""

    rule: str
    title: str


#: Rules that are drawn, from the one that knows least of the tested clips to the one that knows
#: most.
CURVES = (
    EpochCurve("last_epoch", "last epoch"),
    EpochCurve("best_for_all", "best epoch for all"),
    EpochCurve("fold_best", "best epoch of each fold"),
    EpochCurve("subject_best_latest", "best epoch of each tested person"),
)


def uf1_by_length(
    trajectories: Sequence[Trajectory], labels: Sequence[Labels], subjects: Sequence[Subjects]
) -> Mapping[str, NDArray[np.float64]]:
    """UF1 of the pooled clips for every number of epochs at which training could have ended.

    Args:
        trajectories: one array a fold, (epochs, tested clips, classes); all with as many epochs.
        labels: true class of each tested clip, one array a fold.
        subjects: person of each tested clip, one array a fold.

    Returns:
        Rule of ``CURVES`` -> (epochs,) in 0..1; the last value is that of the whole training.

    Raises:
        UserError: see ``epoch_rules``; or folds have different numbers of epochs.
    """
    check_labels(trajectories, labels)
    check_subjects(trajectories, subjects)
    lengths = sorted({len(trajectory) for trajectory in trajectories})
    if len(lengths) > 1:
        raise UserError(
            f"folds have {lengths[0]} to {lengths[-1]} epochs: no curve over epochs can be drawn"
        )
    # Confusion matrices after each epoch: (folds, epochs, classes, classes).
    of_folds = np.stack(
        [
            confusion_by_epoch(trajectory, truth)
            for trajectory, truth in _pairs(trajectories, labels)
        ]
    )
    of_people = np.stack(
        [
            confusion_by_epoch(trajectory[:, own], truth[own])
            for (trajectory, truth), owners in zip(
                _pairs(trajectories, labels), subjects, strict=True
            )
            for own in _clips_of_each(owners)
        ]
    )  # (people, epochs, classes, classes)
    everyone = of_folds.sum(axis=0, keepdims=True)  # (1, epochs, classes, classes)
    return {
        "last_epoch": uf1(everyone[0]),
        "best_for_all": _chosen(everyone, _first_best),
        "fold_best": _chosen(of_folds, _first_best),
        "subject_best_latest": _chosen(of_people, _latest_best),
    }


def _pairs(
    trajectories: Sequence[Trajectory], labels: Sequence[Labels]
) -> list[tuple[Trajectory, Labels]]:
    return list(zip(trajectories, labels, strict=True))


def _clips_of_each(owners: Subjects) -> list[NDArray[np.bool_]]:
    """Which clips are of each person of a fold, (clips,) a person."""
    names, numbers = np.unique(np.asarray(owners, dtype=str), return_inverse=True)
    return [numbers == number for number in range(len(names))]


def _chosen(matrices: Matrices, choose: _Choice) -> NDArray[np.float64]:
    """UF1 where each group takes its own epoch: (groups, epochs, C, C) -> (epochs,)."""
    right = np.trace(matrices, axis1=-2, axis2=-1)  # (groups, epochs)
    pooled = sum(
        of_group[choose(of_epochs)] for of_group, of_epochs in zip(matrices, right, strict=True)
    )  # (epochs, classes, classes)
    return uf1(np.asarray(pooled))


def _first_best(right: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first of the best epochs among the first 1, 2, ... epochs: (epochs,)."""
    best = np.maximum.accumulate(right)
    is_new = np.r_[True, best[1:] > best[:-1]]
    return np.maximum.accumulate(np.where(is_new, np.arange(len(right)), 0))


def _latest_best(right: NDArray[np.int64]) -> NDArray[np.int64]:
    """The latest of the best epochs among the first 1, 2, ... epochs: (epochs,)."""
    is_best = right == np.maximum.accumulate(right)
    return np.maximum.accumulate(np.where(is_best, np.arange(len(right)), 0))
