"""What each epoch rule would have reported of a run that stored all of its epochs."""

import numpy as np
import pandas as pd

from mer_keras.evaluation.epoch_rules import RULES, probabilities_by
from mer_keras.report.view import RunView
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.units import Unit


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
    folder = RunFolder(view.path)
    number_of = {name: number for number, name in enumerate(view.classes)}
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in RULES}
    for seed, of_seed in view.of_row(key).groupby("seed"):
        trajectories, sample_ids, labels, subjects = [], [], [], []
        for fold, clips in of_seed.groupby("fold", sort=False):
            trajectory = folder.trajectory(Unit(key, int(seed), str(fold)))
            if trajectory is None:
                return {}
            trajectories.append(trajectory)
            sample_ids.append(list(clips["sample_id"]))
            labels.append(clips["label"].map(number_of).to_numpy(np.int64))
            subjects.append(list(clips["subject_id"]))
        for name, rule in RULES.items():
            probabilities = probabilities_by(rule, sample_ids, trajectories, labels, subjects)
            predicted = [view.classes[probabilities[i].argmax()] for i in of_seed["sample_id"]]
            tables[name].append(of_seed.assign(predicted=predicted))
    return {name: pd.concat(of_rule) for name, of_rule in tables.items()}
