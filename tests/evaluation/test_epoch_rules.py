"""Epoch rules against literal loops over epochs, and by what must hold between them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, recall_score

from mer_keras.errors import UserError
from mer_keras.evaluation.epoch_rules import (
    RULES,
    best_for_all,
    fold_best,
    last_epoch,
    probabilities_by,
    subject_best,
)

CLASSES = 3


def said(rows):
    """A trajectory from predicted classes: one row an epoch, one number a clip."""
    return np.eye(CLASSES, dtype=np.float32)[np.array(rows)]


@st.composite
def runs(draw, shortest=1, folds=4):
    """Trajectories, labels and subjects of a few folds with different numbers of epochs."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    trajectories, labels, subjects = [], [], []
    for fold in range(draw(st.integers(1, folds))):
        epochs, clips = draw(st.integers(shortest, 8)), draw(st.integers(1, 7))
        # few levels, so that classes tie too
        probabilities = rng.integers(0, 4, (epochs, clips, CLASSES)) / 4
        trajectories.append(probabilities.astype(np.float32))
        labels.append(rng.integers(0, CLASSES, clips))
        subjects.append([f"d/{fold}-{number}" for number in rng.integers(0, 3, clips)])
    return trajectories, labels, subjects


def predicted_class(probabilities):
    """The first of the most probable classes, in words of a loop."""
    best = 0
    for number in range(1, len(probabilities)):
        if probabilities[number] > probabilities[best]:
            best = number
    return best


def right_clips(probabilities, labels):
    return sum(predicted_class(p) == label for p, label in zip(probabilities, labels, strict=True))


def macro_f1(probabilities, labels):
    predicted = [predicted_class(p) for p in probabilities]
    value = f1_score(labels, predicted, labels=range(CLASSES), average="macro", zero_division=0)
    return round(value, 10)


SCORES = {"right": right_clips, "uf1": macro_f1}


def loop_over_epochs(trajectory, labels, metric, ties, stop_at_perfect):
    """Training as the published codes write it: keep the best epoch so far, perhaps stop."""
    best_epoch, best_score = 0, -1
    for number, probabilities in enumerate(trajectory, start=1):
        score = SCORES[metric](probabilities, labels)
        if score > best_score or (score == best_score and ties == "latest"):
            best_epoch, best_score = number, score
        if stop_at_perfect and right_clips(probabilities, labels) == len(labels):
            break
    return best_epoch


def number_right(trajectories, labels, epochs):
    return sum(
        int((trajectory[chosen - 1, np.arange(len(truth))].argmax(-1) == truth).sum())
        for trajectory, truth, chosen in zip(trajectories, labels, epochs, strict=True)
    )


options = st.fixed_dictionaries(
    {
        "metric": st.sampled_from(["right", "uf1"]),
        "ties": st.sampled_from(["first", "latest"]),
        "stop_at_perfect": st.booleans(),
    }
)


@given(runs(), options)
def test_fold_best_is_a_loop_over_epochs(run, setting):
    trajectories, labels, _ = run
    epochs = fold_best(trajectories, labels, **setting)
    assert epochs.dtype == np.int64
    assert epochs.tolist() == [
        loop_over_epochs(trajectory, truth, **setting)
        for trajectory, truth in zip(trajectories, labels, strict=True)
    ]


@given(runs(), options)
def test_subject_best_is_a_loop_over_the_epochs_of_each_subject(run, setting):
    trajectories, labels, subjects = run
    for trajectory, truth, owners, epochs in zip(
        trajectories, labels, subjects, subject_best(*run, **setting), strict=True
    ):
        assert epochs.shape == truth.shape
        for subject in set(owners):
            clips = [i for i, owner in enumerate(owners) if owner == subject]
            expected = loop_over_epochs(trajectory[:, clips], truth[clips], **setting)
            assert set(epochs[clips]) == {expected}


@given(runs(), st.sampled_from(["right", "uf1"]), st.sampled_from(["first", "latest"]))
def test_best_for_all_is_a_loop_over_pooled_epochs(run, metric, ties):
    trajectories, labels, _ = run
    longest = max(map(len, trajectories))
    pooled = np.stack(
        [
            np.concatenate(
                [trajectory[min(epoch, len(trajectory) - 1)] for trajectory in trajectories]
            )
            for epoch in range(longest)
        ]
    )
    expected = loop_over_epochs(pooled, np.concatenate(labels), metric, ties, False)
    epochs = best_for_all(trajectories, labels, metric=metric, ties=ties)
    assert epochs.tolist() == [min(expected, len(trajectory)) for trajectory in trajectories]


@settings(deadline=None, max_examples=40)
@given(runs())
def test_best_for_all_by_the_folds_own_recall(run):
    """scikit-learn's default looks at the classes that occur in the labels or the predictions."""
    trajectories, labels, _ = run
    means = []
    for epoch in range(max(map(len, trajectories))):
        recalls = []
        for trajectory, truth in zip(trajectories, labels, strict=True):
            predicted = [predicted_class(p) for p in trajectory[min(epoch, len(trajectory) - 1)]]
            recalls.append(recall_score(truth, predicted, average="macro", zero_division=0))
        means.append(round(float(np.mean(recalls)), 10))
    expected = means.index(max(means)) + 1
    epochs = best_for_all(trajectories, labels, metric="fold_uar")
    assert epochs.tolist() == [min(expected, len(trajectory)) for trajectory in trajectories]


@given(runs())
def test_the_more_a_rule_may_choose_the_more_clips_are_right(run):
    trajectories, labels, _ = run
    chosen = (
        subject_best(*run),
        fold_best(trajectories, labels),
        best_for_all(trajectories, labels),
        last_epoch(trajectories),
    )
    counts = [number_right(trajectories, labels, epochs) for epochs in chosen]
    assert counts == sorted(counts, reverse=True)


@given(runs(), options)
def test_ties_and_stopping_change_no_number_of_right_clips(run, setting):
    trajectories, labels, _ = run
    best = number_right(trajectories, labels, subject_best(*run))
    epochs = subject_best(*run, **(setting | {"metric": "right"}))
    assert number_right(trajectories, labels, epochs) == best


@given(runs(), st.sampled_from(["right", "uf1"]))
def test_the_first_of_equals_is_the_same_whether_training_stops(run, metric):
    """The first perfect epoch has the highest score that there is."""
    trajectories, labels, _ = run
    stopped = fold_best(trajectories, labels, metric=metric, stop_at_perfect=True)
    assert np.array_equal(stopped, fold_best(trajectories, labels, metric=metric))


@given(runs())
def test_where_a_fold_tests_one_subject_it_is_the_fold_that_chooses(run):
    trajectories, labels, _ = run
    subjects = [[f"d/{fold}"] * len(truth) for fold, truth in enumerate(labels)]
    for setting in ({}, {"ties": "latest", "stop_at_perfect": True}):
        for epochs, epoch in zip(
            subject_best(trajectories, labels, subjects, **setting),
            fold_best(trajectories, labels, **setting),
            strict=True,
        ):
            assert set(epochs) == {epoch}


@pytest.mark.parametrize(
    ("setting", "epoch"),
    [
        ({"ties": "first"}, 2),
        ({"ties": "latest"}, 5),
        ({"ties": "latest", "stop_at_perfect": True}, 2),
        ({"ties": "first", "stop_at_perfect": True}, 2),
    ],
)
def test_equals_and_stopping_by_hand(setting, epoch):
    trajectory = said([[0, 2], [0, 1], [2, 2], [0, 0], [0, 1], [1, 1]])
    labels = [np.array([0, 1])]
    assert fold_best([trajectory], labels, **setting).tolist() == [epoch]
    (epochs,) = subject_best([trajectory], labels, [["d/1", "d/1"]], **setting)
    assert epochs.tolist() == [epoch, epoch]


def test_subjects_of_a_fold_choose_for_themselves():
    trajectory = said([[0, 0, 0], [1, 1, 0], [0, 1, 1]])
    (epochs,) = subject_best([trajectory], [np.array([0, 1, 1])], [["d/1", "d/2", "d/2"]])
    assert epochs.tolist() == [1, 3, 3]


def test_a_fold_that_stopped_early_repeats_its_last_epoch():
    short, long = said([[0], [1]]), said([[0], [0], [0], [1]])
    epochs = best_for_all([short, long], [np.array([1]), np.array([1])])
    assert epochs.tolist() == [2, 4]
    assert last_epoch([short, long]).tolist() == [2, 4]


def test_most_right_clips_and_best_uf1_may_be_different_epochs():
    """Five clips of one class against one each of the two others."""
    labels = [np.array([0, 0, 0, 0, 0, 1, 2])]
    all_first, some_of_each = [0] * 7, [0, 0, 1, 2, 2, 1, 2]
    trajectory = said([all_first, some_of_each])
    assert best_for_all([trajectory], labels).tolist() == [1]
    assert best_for_all([trajectory], labels, metric="uf1").tolist() == [2]
    assert fold_best([trajectory], labels, metric="uf1").tolist() == [2]


@given(runs(shortest=1))
def test_of_one_epoch_every_rule_reports_it(run):
    trajectories, labels, subjects = run
    firsts = [trajectory[:1] for trajectory in trajectories]
    for rule in RULES.values():
        for epochs in rule.choose(firsts, labels, subjects):
            assert np.all(epochs == 1)


@given(runs())
def test_every_named_rule_reports_an_epoch_that_exists_for_every_clip(run):
    trajectories, labels, _ = run
    ids = [[f"{fold}/{i}" for i in range(len(truth))] for fold, truth in enumerate(labels)]
    for rule in RULES.values():
        probabilities = probabilities_by(rule, ids, *run)
        assert list(probabilities) == [sample_id for of_fold in ids for sample_id in of_fold]
        for fold, (trajectory, chosen) in enumerate(
            zip(trajectories, rule.choose(*run), strict=True)
        ):
            for i, epoch in enumerate(np.broadcast_to(chosen, len(ids[fold]))):
                assert np.array_equal(probabilities[ids[fold][i]], trajectory[epoch - 1, i])


@pytest.mark.parametrize(
    ("code", "epoch"),
    [
        ("STSTNet, RCN, ELRCN", 7),
        ("MicroExpSTCNN", 3),
        ("CausalNet", 3),
        ("SKD-TSTSAN", 3),
        ("HTNet", 6),
        ("CapsuleNet", 6),
    ],
)
def test_named_rules_have_the_settings_of_the_codes_they_name(code, epoch):
    trajectory = said([[0, 2], [0, 0], [0, 1], [2, 2], [0, 0], [0, 1], [1, 1]])
    (rule,) = [rule for rule in RULES.values() if rule.source == code]
    (chosen,) = rule.choose([trajectory], [np.array([0, 1])], [["d/1", "d/1"]])
    assert np.all(chosen == epoch)


@pytest.mark.parametrize(("name", "epoch"), [("stopped", 1), ("latest_stopped", 3)])
def test_where_no_epoch_is_perfect_training_does_not_stop(name, epoch):
    trajectory = said([[0, 2], [2, 2], [1, 1], [2, 0]])
    (chosen,) = RULES[f"subject_best_{name}"].choose(
        [trajectory], [np.array([0, 1])], [["d/1", "d/1"]]
    )
    assert np.all(chosen == epoch)


def test_rules_refuse_what_does_not_fit():
    trajectories, labels = [said([[0, 1]])], [np.array([0, 1])]
    with pytest.raises(UserError, match="fold 1: subjects of shape"):
        subject_best(trajectories, labels, [["d/1"]])
    for rule in (fold_best, best_for_all):
        with pytest.raises(UserError, match="1 trajectories, but arrays for 2 folds"):
            rule(trajectories, labels * 2)
        with pytest.raises(UserError, match="no trajectory"):
            rule([], [])
