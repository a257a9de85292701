"""What each epoch rule would have reported of a run that stored all of its epochs."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mer_keras.evaluation.epoch_rules import RULES, probabilities_by
from mer_keras.evaluation.trajectories import Trajectory
from mer_keras.report.view import RunView
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.units import Unit


@dataclass(frozen=True)
class RecordedSeed:
    """All epochs of one seed of a row; lists have one entry a fold.

    Attributes:
        clips: the table of ``RunView.of_row`` of this seed.
        trajectories: see ``evaluation.trajectories``; ``None`` where a fold stored none.
        sample_ids: tested clips, in the order of the fold's trajectory.
        labels: numbers of their classes.
        subjects: their people.
    """

    clips: pd.DataFrame
    trajectories: list[Trajectory | None]
    sample_ids: list[list[str]]
    labels: list[NDArray[np.int64]]
    subjects: list[list[str]]

    @property
    def whole(self) -> list[Trajectory]:
        """The trajectories of all folds; empty where a fold stored none."""
        stored = [trajectory for trajectory in self.trajectories if trajectory is not None]
        return stored if len(stored) == len(self.trajectories) else []


def recorded_seeds(view: RunView, key: str) -> Iterator[RecordedSeed]:
    """Read the epochs of a complete row, seed after seed.

    Args:
        view: the run.
        key: the row's key.

    Raises:
        ResultsError: a stored trajectory is damaged.
    """
    folder = RunFolder(view.path)
    number_of = {name: number for number, name in enumerate(view.classes)}
    for seed, of_seed in view.of_row(key).groupby("seed"):
        folds = [(str(fold), clips) for fold, clips in of_seed.groupby("fold", sort=False)]
        yield RecordedSeed(
            of_seed,
            [folder.trajectory(Unit(key, int(seed), fold)) for fold, _ in folds],
            [list(clips["sample_id"]) for _, clips in folds],
            [clips["label"].map(number_of).to_numpy(np.int64) for _, clips in folds],
            [list(clips["subject_id"]) for _, clips in folds],
        )


def predictions_by_rule(view: RunView, key: str) -> dict[str, pd.DataFrame]:
    """Predictions of a complete row as each rule reports them.

    Args:
        view: the run.
        key: the row's key.

    Returns:
        Name of each rule of ``epoch_rules.RULES`` -> the table of ``RunView.of_row`` with the
        classes that the rule reports as ``predicted``; empty where a training did not store its
        epochs.

    Raises:
        ResultsError: a stored trajectory is damaged.
    """
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in RULES}
    for seed in recorded_seeds(view, key):
        if not seed.whole:
            return {}
        for name, predicted in predicted_by_rule(seed, view.classes).items():
            tables[name].append(seed.clips.assign(predicted=predicted))
    return {name: pd.concat(of_rule) for name, of_rule in tables.items()}


def predicted_by_rule(seed: RecordedSeed, classes: list[str]) -> dict[str, list[str]]:
    """The classes that each rule reports of a seed whose trajectories are whole.

    Args:
        seed: all epochs of one seed.
        classes: the full label set.

    Returns:
        Name of the rule -> a class for each row of ``seed.clips``.
    """
    predicted = {}
    for name, rule in RULES.items():
        probabilities = probabilities_by(
            rule, seed.sample_ids, seed.whole, seed.labels, seed.subjects
        )
        ids = seed.clips["sample_id"]
        predicted[name] = [classes[probabilities[sample_id].argmax()] for sample_id in ids]
    return predicted
