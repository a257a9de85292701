"""Found and not found, by the interval of UAR against chance."""

import numpy as np
import pytest
from scipy.stats import t

from mer_keras.errors import UserError
from mer_keras.evaluation.metrics import bootstrap_interval
from mer_keras.evaluation.pipeline_check import (
    CheckedRow,
    MotionCheck,
    chance_uar,
    check_motion,
    check_sentence,
    widening,
)

FOUND, NOT_FOUND, UNFINISHED = MotionCheck


@pytest.mark.parametrize(
    ("uar", "low", "classes", "check"),
    [
        (0.35, 0.345, 3, FOUND),
        # The 95 % interval lies above chance, the 99.9 % interval doesn't.
        (0.46, 0.35, 3, NOT_FOUND),
        (0.46, 0.40, 3, FOUND),
        (1 / 3, 1 / 3, 3, NOT_FOUND),
        (0.3, 0.2, 3, NOT_FOUND),
        (0.36, 0.34, 2, NOT_FOUND),
        (0.22, 0.215, 5, FOUND),
        (1.0, 1.0, 2, FOUND),
        (0.1, 0.0, 7, NOT_FOUND),
        (None, None, 3, UNFINISHED),
    ],
)
def test_found_is_above_chance(uar, low, classes, check):
    assert check_motion(uar, low, classes, people=1000) is check


@pytest.mark.parametrize(
    ("uar", "low", "classes"),
    [(0.5, 0.5, 1), (0.5, 0.5, 0), (None, None, 1), (0.1, -0.1, 3), (40.0, 33.0, 3), (2.0, 0.5, 3)],
)
def test_what_is_no_interval_of_classes_is_refused(uar, low, classes):
    with pytest.raises(UserError):
        check_motion(uar, low, classes, people=20)


@pytest.mark.parametrize("people", [3, 16, 68])
def test_the_wider_interval_is_that_of_students_distribution(people):
    """Of a mean over people, whose interval by resampling has the normal distribution's 1.96."""
    values = np.random.default_rng(people).normal(0.5, 0.1, people)
    resampled = 1.96 * values.std() / people**0.5
    low, _ = t.interval(0.999, people - 1, values.mean(), values.std(ddof=1) / people**0.5)
    assert widening(people) * resampled == pytest.approx(values.mean() - low, rel=1e-4)


def test_of_few_people_more_is_asked():
    """The same UAR with the same interval: a network on 16 people without motion had these."""
    assert check_motion(0.374, 0.351, 3, people=16) is NOT_FOUND
    assert check_motion(0.374, 0.351, 3, people=500) is FOUND
    assert check_motion(1.0, 1.0, 3, people=1) is NOT_FOUND


def test_chance_is_what_guessing_has_on_average():
    """However large the classes are, a guess that looks at nothing has this UAR."""
    rng = np.random.default_rng(0)
    labels = rng.choice(3, 3000, p=[0.7, 0.2, 0.1])
    guesses = rng.choice(3, 3000, p=[0.1, 0.6, 0.3])
    recalls = [(guesses[labels == number] == number).mean() for number in range(3)]
    assert np.mean(recalls) == pytest.approx(chance_uar(3), abs=0.03)


def test_guesses_are_rarely_found_and_skill_is():
    rng = np.random.default_rng(1)
    classes = ["a", "b", "c"]

    def recalls(labels, guesses):
        return [(guesses[labels == name] == name).mean() for name in classes]

    subjects = [f"s{number % 12}" for number in range(96)]

    def checked(skill):
        labels = rng.choice(classes, 96)
        guesses = np.where(rng.random(96) < skill, labels, rng.choice(classes, 96))
        low, _ = bootstrap_interval(
            list(labels), list(guesses), subjects, classes, "uar", resamples=200
        )
        return check_motion(float(np.mean(recalls(labels, guesses))), low, 3, people=12)

    assert [checked(0.6) for _ in range(10)] == [FOUND] * 10
    assert [checked(0.0) for _ in range(40)].count(FOUND) <= 1


def rows(*checks, **options):
    return [CheckedRow(f"N{number}", check, **options) for number, check in enumerate(checks, 1)]


CHANCE = CheckedRow("majority class", NOT_FOUND, can_find=False, baseline=True)


def test_all_found():
    sentence = check_sentence([*rows(FOUND, FOUND), CHANCE], moves=True)
    assert sentence == "Pipeline check on drawn faces: 2 of 2 networks found the drawn motion."


def test_networks_that_did_not_are_named():
    sentence = check_sentence([*rows(FOUND, NOT_FOUND, NOT_FOUND), CHANCE], moves=True)
    assert "1 of 3 networks found the drawn motion; N2, N3 did not: don't trust" in sentence


def test_a_classifier_beside_the_table_that_did_not_is_named_and_not_counted():
    svm = CheckedRow("linear SVM", NOT_FOUND, baseline=True)
    sentence = check_sentence([*rows(FOUND), svm], moves=True)
    assert "1 of 1 networks found" in sentence
    assert "linear SVM did not" in sentence


def test_what_can_find_nothing_and_did_is_a_leak():
    shuffled = CheckedRow("shuffled labels", FOUND, can_find=False, baseline=True)
    sentence = check_sentence([*rows(FOUND), shuffled], moves=True)
    assert "shuffled labels found it too" in sentence
    assert "leak" in sentence


def test_unfinished_networks_are_counted_apart():
    sentence = check_sentence(rows(FOUND, UNFINISHED), moves=True)
    assert "1 of 2 networks found the drawn motion; 1 not finished." in sentence


def test_without_motion_none_may_find_one():
    still = check_sentence(rows(NOT_FOUND, NOT_FOUND), moves=False)
    assert "motion was taken away: 0 of 2 networks found one, as it must be." in still
    wrong = check_sentence(rows(NOT_FOUND, FOUND), moves=False)
    assert "1 of 2 networks found one (N2): one row in two thousand" in wrong
    assert "must be" not in wrong


def test_a_smoke_test_promises_nothing():
    sentence = check_sentence(rows(NOT_FOUND), moves=True, profile="smoke")
    assert "too small to find a motion (0 of 1 networks did)" in sentence
    assert "trust" not in sentence


def test_rows_are_called_networks_only_if_they_are():
    mixed = [*rows(FOUND), CheckedRow("LBP-TOP", FOUND, is_network=False)]
    assert "2 of 2 methods found" in check_sentence(mixed, moves=True)


@pytest.mark.parametrize("classes", range(2, 12))
@pytest.mark.parametrize("seeds", [1, 3, 5, 7])
def test_always_the_same_class_is_at_chance_and_not_above(classes, seeds):
    names = [f"c{number}" for number in range(classes)]
    low, _ = bootstrap_interval(names, ["c0"] * classes, ["s"] * classes, names, "uar", resamples=9)
    mean = float(np.mean([low] * seeds))
    assert check_motion(mean, mean, classes, people=classes) is NOT_FOUND
