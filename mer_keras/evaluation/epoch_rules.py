"""Which epoch a published code would have reported: rules over stored trajectories.

Each rule looks at the trajectories of all folds and returns the epoch that it reports, counted from
1, so that one training shows what every rule makes of it. All rules but ``last_epoch`` look at the
labels of tested clips: what they report is optimistic.

All rules share these arguments, each with one array a fold:

- ``trajectories``: probabilities, (epochs, tested clips, classes), float32 (see ``trajectories``).
- ``labels``: the true class of each tested clip, (tested clips,), integers in 0..classes-1.
- ``subjects``: the ``subject_id`` of each tested clip, (tested clips,).

All raise ``UserError`` where a trajectory is empty or holds a NaN, or where labels or subjects do
not belong to the trajectories. Arguments that a rule does not look at may be given, so that all
rules are called alike.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import yaml
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


def last_epoch(trajectories: Sequence[Trajectory], *_: object) -> Epochs:
    """The last epoch of each fold: (folds,) int64. The tested clips' labels are not looked at.

    Source: the public code of STSTNet, RCN and ELRCN.
    """
    check_trajectories(trajectories)
    return np.array([len(trajectory) for trajectory in trajectories], np.int64)


def best_for_all(
    trajectories: Sequence[Trajectory],
    labels: Sequence[Labels],
    *_: object,
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
    *_: object,
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
    check_labels(trajectories, labels)
    epochs = []
    for trajectory, truth in zip(trajectories, labels, strict=True):
        matrices = confusion_by_epoch(trajectory, truth)
        if stop_at_perfect:
            perfect = np.flatnonzero(_right(matrices) == len(truth))
            matrices = matrices[: perfect[0] + 1] if perfect.size else matrices
        epochs.append(_best(_METRICS[metric](matrices), ties))
    return np.array(epochs, np.int64)


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
    check_labels(trajectories, labels)
    check_subjects(trajectories, subjects)
    epochs_of_folds = []
    for trajectory, truth, owners in zip(trajectories, labels, subjects, strict=True):
        _, numbers = np.unique(owners, return_inverse=True)  # (tested clips,)
        own_clips = [numbers == number for number in range(numbers.max() + 1)]
        # Each subject is a fold of its own, whose trajectory holds that subject's clips alone.
        epochs = fold_best(
            [trajectory[:, own] for own in own_clips],
            [truth[own] for own in own_clips],
            metric=metric,
            ties=ties,
            stop_at_perfect=stop_at_perfect,
        )
        epochs_of_folds.append(epochs[numbers])
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


def _read_rules() -> Iterator[tuple[str, EpochRule]]:
    rules = (last_epoch, best_for_all, fold_best, subject_best)
    functions = {rule.__name__: rule for rule in rules}
    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    for name, rule in yaml.safe_load(text).items():
        choose = partial(functions[rule["function"]], **rule.get("settings", {}))
        yield name, EpochRule(rule["title"], rule["source"], choose)


#: Rules by name, from one epoch for all clips to one for each tested subject.
RULES: Mapping[str, EpochRule] = dict(_read_rules())


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


def _best(scores: NDArray[np.float64], ties: Ties) -> int:
    """The epoch, counted from 1, of the highest score (epochs,)."""
    rounded = scores.round(DECIMALS)
    best = np.flatnonzero(rounded == rounded.max())
    return int(best[0 if ties == "first" else -1]) + 1
