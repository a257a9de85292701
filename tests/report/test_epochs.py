"""Predictions by epoch rule, from trajectories that are stored beside the predictions."""

import pytest

from mer_keras.evaluation.epoch_rules import RULES
from mer_keras.report.epochs import predictions_by_rule
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.units import Unit
from tests.report.stored import CLASSES, make_run

ROW = "proposed-convlstm"


@pytest.fixture
def view(tmp_path):
    return make_run(tmp_path, record_epochs=True, seeds=[0, 1], copies=True)


def test_the_last_epoch_is_what_the_run_reports(view):
    tables = predictions_by_rule(view, ROW)
    assert list(tables) == list(RULES)
    assert tables["last_epoch"].equals(view.of_row(ROW))


def test_a_subjects_best_epoch_by_a_loop_over_stored_epochs(view):
    reported = predictions_by_rule(view, ROW)["subject_best_latest"]
    folder = RunFolder(view.path)
    for (seed, fold), clips in view.of_row(ROW).groupby(["seed", "fold"], sort=False):
        trajectory = folder.trajectory(Unit(ROW, seed, fold))
        for subject in clips["subject_id"].unique():
            own = (clips["subject_id"] == subject).to_numpy()
            best_epoch, most_right = 0, -1
            for epoch, probabilities in enumerate(trajectory):
                predicted = [CLASSES[number] for number in probabilities[own].argmax(axis=1)]
                right = (clips.loc[own, "label"] == predicted).sum()
                if right >= most_right:
                    best_epoch, most_right = epoch, right
            expected = [CLASSES[i] for i in trajectory[best_epoch, own].argmax(axis=1)]
            rows = reported[(reported["seed"] == seed) & (reported["fold"] == fold)]
            assert list(rows.loc[rows["subject_id"] == subject, "predicted"]) == expected


def test_a_row_that_stored_no_epochs_has_no_rules(tmp_path, view):
    assert predictions_by_rule(view, "baseline-majority") == {}
    assert predictions_by_rule(make_run(tmp_path / "plain"), ROW) == {}
