"""The guesser against drawn epochs that go through the rules themselves, and exact facts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mer_keras.errors import UserError
from mer_keras.evaluation.epoch_rules import RULES, probabilities_by
from mer_keras.evaluation.guessing import GuessedClips, guess, guessed_matrices
from mer_keras.evaluation.metrics import confusion_matrix, uf1
from mer_keras.evaluation.predictions_file import people_of, read_predictions

LOG = Path(__file__).parents[2] / "experiments/ststnet/authors_log.csv"


@pytest.fixture(scope="module")
def composite():
    """The 442 clips of the MEGC 2019 composite set, a fold a person."""
    file = read_predictions(LOG, ["negative", "positive", "surprise"])
    table = file.table.loc[file.table.index.repeat(file.table["clips"])]
    labels = np.array([file.classes.index(label) for label in table["label"]])
    people = people_of(table)
    assert len(labels) == 442
    assert len(set(people)) == 68
    return GuessedClips(labels, people, people, 3)


def few_clips():
    return GuessedClips(
        labels=np.array([0, 0, 0, 1, 1, 2, 0, 1, 2, 0]),
        subjects=["a", "a", "a", "a", "b", "b", "c", "c", "c", "d"],
        folds=["1", "1", "1", "1", "1", "1", "2", "2", "2", "2"],
        classes=3,
    )


@pytest.mark.parametrize(
    ("epochs", "expected"), [(40, 0.70), (200, 0.78), (800, 0.825)], ids=["40", "200", "800"]
)
def test_choosing_for_each_person_is_worth_most_of_what_is_published(composite, epochs, expected):
    value = guess(composite, epochs, repetitions=100)["uf1"]
    assert value.mean == pytest.approx(expected, abs=0.01)


def test_one_epoch_gives_a_third(composite):
    # each class is found as often as it is drawn: the recalls are the shares, which sum to 1
    value = guess(composite, 800, "last_epoch", repetitions=300)["uar"]
    assert value.mean == pytest.approx(1 / 3, abs=0.005)
    assert value.low < 0.30 < 0.355 < value.high
    assert guess(composite, 1, repetitions=300)["uar"].mean == pytest.approx(1 / 3, abs=0.005)


@pytest.mark.parametrize("rule", ["best_for_all", "fold_best", "subject_best_latest_stopped"])
def test_draws_that_go_through_the_rule_score_alike(rule):
    tested, epochs, repetitions = few_clips(), 4, 100
    rng = np.random.default_rng(1)
    shares = np.bincount(tested.labels) / len(tested.labels)
    folds = [np.flatnonzero(np.equal(tested.folds, name)) for name in ("1", "2")]
    scores = []
    for _ in range(repetitions):
        drawn = rng.choice(3, (epochs, len(tested.labels)), p=shares)
        reported = probabilities_by(
            RULES[rule],
            [[str(clip) for clip in fold] for fold in folds],
            [np.eye(3, dtype=np.float32)[drawn[:, fold]] for fold in folds],
            [tested.labels[fold] for fold in folds],
            [[tested.subjects[clip] for clip in fold] for fold in folds],
        )
        predicted = [str(reported[str(clip)].argmax()) for clip in range(len(tested.labels))]
        scores.append(uf1(confusion_matrix(list(map(str, tested.labels)), predicted, list("012"))))
    value = guess(tested, epochs, rule, repetitions=3000)["uf1"]
    error = 4 * np.std(scores) * np.sqrt(1 / repetitions + 1 / 3000)
    assert value.mean == pytest.approx(np.mean(scores), abs=error)
    assert value.low == pytest.approx(np.quantile(scores, 0.025), abs=0.08)


def test_a_person_of_one_clip_is_right_as_often_as_one_of_the_draws():
    tested = GuessedClips(np.array([0, 1, 1, 1]), list("abcd"), list("abcd"), 2)
    matrices = guessed_matrices(tested, 3, "subject", 4000, 0)
    # the first clip's class has a share of 1/4, that of the others 3/4
    right = np.diagonal(matrices.mean(axis=0))
    assert right == pytest.approx([1 - 0.75**3, 3 * (1 - 0.25**3)], abs=0.03)
    assert (matrices.sum(axis=(1, 2)) == 4).all()


def test_many_epochs_make_everything_right():
    assert guess(few_clips(), 10**7, repetitions=20)["uf1"].low > 0.99


def test_a_class_without_clips_counts_in_no_mean():
    """So guesses compare with the scores of ``mer-keras score``."""
    two = GuessedClips(np.array([0, 1, 0, 1]), ["a", "a", "b", "b"], ["a", "a", "b", "b"], 2)
    three = replace(two, classes=3)
    assert guess(two, 3, repetitions=50) == guess(three, 3, repetitions=50)


def test_clips_of_one_class_are_all_right():
    tested = GuessedClips(np.zeros(3, int), list("aab"), list("aab"), 2)
    assert guess(tested, 1, repetitions=5)["war"].low == 1


def test_what_cant_be_guessed_is_refused(composite):
    with pytest.raises(UserError, match="subject_best_uf1: looks at more"):
        guess(composite, 5, "subject_best_uf1")
    with pytest.raises(UserError, match="best_of_all: is no rule"):
        guess(composite, 5, "best_of_all")
    with pytest.raises(UserError, match="0 epochs"):
        guess(composite, 0)
    with pytest.raises(UserError, match="too many"):
        guess(composite, 5, repetitions=10**8)
