"""Differences between two sets of predictions: against closed forms and simulation."""

import numpy as np
import pytest
from scipy.stats import binom

from mer_keras.errors import UserError
from mer_keras.evaluation import metrics
from mer_keras.evaluation.statistics import Predictions, align, difference, mcnemar

CLASSES = ["a", "b", "c"]


def made(predicted, labels=None, subjects=None, ids=None):
    count = len(predicted[0])
    labels = labels or [CLASSES[i % 3] for i in range(count)]
    subjects = subjects or [f"d/{i // 4}" for i in range(count)]
    return Predictions(
        tuple(ids or [f"s{i:03}" for i in range(count)]),
        tuple(subjects),
        tuple(labels),
        tuple(tuple(one) for one in predicted),
    )


def noisy(rng, share, count=60):
    """Predictions of which about a share is right."""
    labels = np.array([CLASSES[i % 3] for i in range(count)])
    drawn = rng.choice(CLASSES, count)
    return list(np.where(rng.random(count) < share, labels, drawn))


def test_equal_predictions_do_not_differ():
    one = made([noisy(np.random.default_rng(0), 0.5)])
    found = difference(one, one, CLASSES, "uf1")
    assert (found.value, found.low, found.high) == (0, 0, 0)
    assert mcnemar(one, one) == (0, 0, 1.0)


@pytest.mark.parametrize("metric", list(metrics.METRICS))
def test_the_difference_is_that_of_the_metrics(metric):
    rng = np.random.default_rng(1)
    a, b = made([noisy(rng, 0.3)]), made([noisy(rng, 0.8)])
    found = difference(a, b, CLASSES, metric)
    values = [
        float(
            metrics.METRICS[metric](metrics.confusion_matrix(one.labels, one.predicted[0], CLASSES))
        )
        for one in (a, b)
    ]
    assert (found.first, found.second) == pytest.approx(values)
    assert found.low < found.value < found.high
    turned = difference(b, a, CLASSES, metric)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_drawing_the_same_people_for_both_narrows_the_interval():
    """Where both fail on the same people, the difference is surer than either number."""
    rng = np.random.default_rng(2)
    labels = [CLASSES[i % 3] for i in range(120)]
    hard = [(i // 4) % 2 == 0 for i in range(120)]
    first = ["a" if h else label for h, label in zip(hard, labels, strict=True)]
    second = [label if rng.random() < 0.05 else p for p, label in zip(first, labels, strict=True)]
    a, b = made([first]), made([second])
    alone = metrics.bootstrap_interval(a.labels, first, a.subject_ids, CLASSES, "war")
    found = difference(a, b, CLASSES, "war")
    assert found.high - found.low < 0.5 * (alone[1] - alone[0])


def test_seeds_are_averaged():
    rng = np.random.default_rng(3)
    runs = [noisy(rng, 0.6) for _ in range(3)]
    whole = difference(made([runs[0]]), made(runs), CLASSES, "war")
    each = [difference(made([runs[0]]), made([one]), CLASSES, "war").second for one in runs]
    assert whole.second == pytest.approx(np.mean(each))


@pytest.mark.slow
def test_the_interval_covers():
    """Over simulated pairs of equal skill and 70 people, the interval of the difference holds 0."""
    rng = np.random.default_rng(4)
    held = 0
    for draw in range(300):
        a, b = (made([noisy(rng, 0.6, 280)]) for _ in range(2))
        found = difference(a, b, CLASSES, "uar", resamples=400, seed=draw)
        held += found.low <= 0 <= found.high
    assert 0.93 <= held / 300 <= 0.97


def test_mcnemar_is_a_sign_test_on_the_clips_that_differ():
    labels = ["a"] * 20
    first = ["a"] * 12 + ["b"] * 8
    second = ["a"] * 10 + ["b"] * 2 + ["a"] * 7 + ["b"]
    a, b = (made([one], labels=labels) for one in (first, second))
    only_first, only_second, p = mcnemar(a, b)
    assert (only_first, only_second) == (2, 7)
    assert p == pytest.approx(2 * binom.cdf(2, 9, 0.5))


def test_clips_are_joined_by_their_id():
    rng = np.random.default_rng(5)
    a = made([noisy(rng, 0.5)])
    order = rng.permutation(60)
    mixed = a.in_order([a.sample_ids[i] for i in order])
    assert mixed.sample_ids != a.sample_ids
    assert align(a, mixed) == a


def test_other_clips_or_labels_are_refused():
    a = made([["a"] * 6])
    with pytest.raises(UserError, match="different clips \\(2 stand in one only\\)"):
        align(a, made([["a"] * 6], ids=[f"s{i:03}" for i in range(5)] + ["x"]))
    with pytest.raises(UserError, match="different labels"):
        align(a, made([["a"] * 6], labels=["c"] * 6))
