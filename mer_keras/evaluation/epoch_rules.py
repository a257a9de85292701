"""Which epoch a published code would have reported: rules over stored trajectories.

Each rule looks at the trajectories of all folds and returns the epoch that it reports, counted from
1, so that one training shows what every rule makes of it. All rules but ``last_epoch`` look at the
labels of tested clips: what they report is optimistic.

All rules share these arguments, each with one array a fold:

- ``trajectories``: probabilities, (epochs, tested clips, classes), float32 (see ``trajectories``).
- ``labels``: the true class of each tested clip, (tested clips,), integers in 0..classes-1.
- ``subjects``: the ``subject_id`` of each tested clip, (tested clips,).

All raise ``UserError`` where a trajectory is empty or holds a NaN, or where labels or subjects do
not belong to the trajectories.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mer_keras.evaluation.metrics import Matrices, uf1
from mer_keras.evaluation.trajectories import (
    Epochs,
    Labels,
    Subjects,
    Trajectory,
    check_labels,
    check_subjects,
    check_trajectories,
    confusion_by_epoch,
    reported_probabilities,
)

Ties = Literal["first", "latest"]
Metric = Literal["right", "uf1"]
MetricForAll = Literal["right", "uf1", "fold_uar"]

#: Decimals of a score that count: scores that are equal on paper may differ in their last bits.
DECIMALS = 12


def last_epoch(trajectories: Sequence[Trajectory]) -> Epochs:
    """The last epoch of each fold: (folds,) int64. The tested clips' labels are not looked at.

    Source: the public code of STSTNet, RCN and ELRCN.
    """
    check_trajectories(trajectories)
    return np.array([len(trajectory) for trajectory in trajectories], np.int64)


def best_for_all(
    trajectories: Sequence[Trajectory],
    labels: Sequence[Labels],
    *,
    metric: MetricForAll = "right",
    ties: Ties = "first",
) -> Epochs:
    """The one epoch that is best for all folds together: (folds,) int64.

    A fold that has fewer epochs repeats its last one, which is then the epoch it reports.

    Source: the public code of Off-TANet, which also holds MACNN, OFF-ApexNet and Dual-Inception
    (``fold_uar``; it looks at every 20th or 200th epoch only).

    Args:
        trajectories: one array a fold, see above.
        labels: one array a fold, see above.
        metric: what is best: the number of ``right`` clips of all folds; ``uf1`` of the pooled
            clips; or ``fold_uar``, the mean over folds of the mean recall of those classes that
            occur in the fold's labels or predictions.
        ties: which of equally good epochs is taken.
    """
    check_trajectories(trajectories)
    check_labels(trajectories, labels)
    lengths = last_epoch(trajectories)
    epochs = np.arange(lengths.max())
    matrices = np.stack(
        [
            confusion_by_epoch(trajectory, truth)[np.minimum(epochs, len(trajectory) - 1)]
            for trajectory, truth in zip(trajectories, labels, strict=True)
        ]
    )  # (folds, epochs, classes, classes)
    if metric == "fold_uar":
        scores = _recall_of_occurring_classes(matrices).mean(axis=0)
    else:
        scores = _METRICS[metric](matrices.sum(axis=0))
    return np.minimum(_best(scores, ties), lengths)


def fold_best(
    trajectories: Sequence[Trajectory],
    labels: Sequence[Labels],
    *,
    metric: Metric = "right",
    ties: Ties = "first",
    stop_at_perfect: bool = False,
) -> Epochs:
    """The epoch of each fold that is best on all of its tested clips: (folds,) int64.

    Source: the public code of MicroExpSTCNN (one division, best accuracy); the weights that Keras'
    ``EarlyStopping`` restores, where it monitors the accuracy of the tested clips.

    Args:
        trajectories: one array a fold, see above.
        labels: one array a fold, see above.
        metric: what is best: the number of ``right`` clips, or ``uf1`` over all classes.
        ties: which of equally good epochs is taken.
        stop_at_perfect: training would have ended at the first epoch with all of the fold's clips
            right, so that later epochs do not exist.
    """
    check_trajectories(trajectories)
    check_labels(trajectories, labels)
    return np.array(
        [
            _best_of_clips(trajectory, truth, metric, ties, stop_at_perfect)
            for trajectory, truth in zip(trajectories, labels, strict=True)
        ],
        np.int64,
    )


def subject_best(
    trajectories: Sequence[Trajectory],
    labels: Sequence[Labels],
    subjects: Sequence[Subjects],
    *,
    metric: Metric = "right",
    ties: Ties = "first",
    stop_at_perfect: bool = False,
) -> list[Epochs]:
    """The epoch that is best for each tested subject: for each fold an array (tested clips,) int64.

    All clips of a subject have the same epoch. Where a fold tests one subject, as under
    leave-one-subject-out, that is the epoch of ``fold_best``; where a fold tests several, each
    subject chooses for itself.

    Source: the public code of HTNet (``right``, ``latest``), CausalNet (``right``, ``first``,
    ``stop_at_perfect``), SKD-TSTSAN (``right``, ``latest``, ``stop_at_perfect``) and CapsuleNet
    (``uf1``, ``latest``). MMNet's accuracy counts clips by ``right`` too, but its F1 comes from
    epochs of its own.

    Args:
        trajectories: one array a fold, see above.
        labels: one array a fold, see above.
        subjects: one array a fold, see above.
        metric: as in ``fold_best``, over the subject's clips.
        ties: which of equally good epochs is taken.
        stop_at_perfect: as in ``fold_best``, with all of the subject's clips right.
    """
    check_trajectories(trajectories)
    check_labels(trajectories, labels)
    check_subjects(trajectories, subjects)
    epochs_of_folds = []
    for trajectory, truth, owners in zip(trajectories, labels, subjects, strict=True):
        epochs = np.zeros(len(truth), np.int64)
        for subject in np.unique(owners):
            own = np.asarray(owners) == subject
            epochs[own] = _best_of_clips(
                trajectory[:, own], truth[own], metric, ties, stop_at_perfect
            )
        epochs_of_folds.append(epochs)
    return epochs_of_folds


@dataclass(frozen=True)
class EpochRule:
    """A rule with all of its settings.

    Attributes:
        title: the rule in words.
        source: public codes that report this epoch; empty where none is known.
        choose: trajectories, labels and subjects -> epochs, as the functions of this module.
    """

    title: str
    source: str
    choose: Callable[
        [Sequence[Trajectory], Sequence[Labels], Sequence[Subjects]], Epochs | Sequence[Epochs]
    ]


#: Rules by name, from one epoch for all clips to one for each tested subject.
RULES: Mapping[str, EpochRule] = {
    "last_epoch": EpochRule(
        "last epoch", "STSTNet, RCN, ELRCN", lambda trajectories, *_: last_epoch(trajectories)
    ),
    "best_for_all": EpochRule(
        "best epoch for all folds by the number of right clips",
        "",
        lambda trajectories, labels, _: best_for_all(trajectories, labels),
    ),
    "best_for_all_uf1": EpochRule(
        "best epoch for all folds by pooled UF1",
        "",
        lambda trajectories, labels, _: best_for_all(trajectories, labels, metric="uf1"),
    ),
    "best_for_all_fold_uar": EpochRule(
        "best epoch for all folds by the mean of the folds' UAR",
        "Off-TANet and the networks in its code",
        lambda trajectories, labels, _: best_for_all(trajectories, labels, metric="fold_uar"),
    ),
    "fold_best": EpochRule(
        "best epoch of each fold, first of equals",
        "MicroExpSTCNN",
        lambda trajectories, labels, _: fold_best(trajectories, labels),
    ),
    "subject_best_stopped": EpochRule(
        "best epoch of each tested subject, first of equals, training ends at 100 %",
        "CausalNet",
        partial(subject_best, stop_at_perfect=True),
    ),
    "subject_best_latest_stopped": EpochRule(
        "best epoch of each tested subject, latest of equals, training ends at 100 %",
        "SKD-TSTSAN",
        partial(subject_best, ties="latest", stop_at_perfect=True),
    ),
    "subject_best_latest": EpochRule(
        "best epoch of each tested subject, latest of equals",
        "HTNet",
        partial(subject_best, ties="latest"),
    ),
    "subject_best_uf1": EpochRule(
        "best epoch of each tested subject by UF1, latest of equals",
        "CapsuleNet",
        partial(subject_best, metric="uf1", ties="latest"),
    ),
}


def probabilities_by(
    rule: EpochRule,
    sample_ids: Sequence[Sequence[str]],
    trajectories: Sequence[Trajectory],
    labels: Sequence[Labels],
    subjects: Sequence[Subjects],
) -> dict[str, NDArray[np.float32]]:
    """What a rule reports of each clip: ``sample_id`` -> probabilities, (classes,) float32.

    Arguments and errors are those of the rules and of ``trajectories.reported_probabilities``.
    """
    epochs = rule.choose(trajectories, labels, subjects)
    return reported_probabilities(sample_ids, trajectories, epochs)


def _right(matrices: Matrices) -> NDArray[np.float64]:
    """Number of right clips: (..., classes, classes) -> (...)."""
    return np.trace(matrices, axis1=-2, axis2=-1).astype(np.float64)


_METRICS: dict[str, Callable[[Matrices], NDArray[np.float64]]] = {"right": _right, "uf1": uf1}


def _recall_of_occurring_classes(matrices: Matrices) -> NDArray[np.float64]:
    """Mean recall of classes with a label or a prediction: (..., classes, classes) -> (...)."""
    right = np.diagonal(matrices, axis1=-2, axis2=-1)
    labelled, predicted = matrices.sum(axis=-1), matrices.sum(axis=-2)
    recalls = right / np.maximum(labelled, 1)
    return recalls.sum(axis=-1) / (labelled + predicted > 0).sum(axis=-1)


def _best_of_clips(
    trajectory: Trajectory, labels: Labels, metric: Metric, ties: Ties, stop_at_perfect: bool
) -> int:
    """The epoch, counted from 1, that is best on all clips of a trajectory."""
    matrices = confusion_by_epoch(trajectory, labels)
    if stop_at_perfect:
        perfect = np.flatnonzero(_right(matrices) == len(labels))
        if perfect.size:
            matrices = matrices[: perfect[0] + 1]
    return _best(_METRICS[metric](matrices), ties)


def _best(scores: NDArray[np.float64], ties: Ties) -> int:
    """The epoch, counted from 1, of the highest score (epochs,)."""
    rounded = scores.round(DECIMALS)
    best = np.flatnonzero(rounded == rounded.max())
    return int(best[0 if ties == "first" else -1]) + 1
