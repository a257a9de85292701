"""Differences between two sets of predictions: against closed forms and simulation."""

import numpy as np
import pytest
from scipy.stats import binom

from mer_keras.errors import UserError
from mer_keras.evaluation import metrics
from mer_keras.evaluation.statistics import Predictions, align, difference, mcnemar

CLASSES = ["a", "b", "c"]


def predictions_of(predicted, labels=None, subjects=None, ids=None):
    count = len(predicted[0])
    labels = labels or [CLASSES[i % 3] for i in range(count)]
    subjects = subjects or [f"d/{i // 4}" for i in range(count)]
    return Predictions(
        tuple(ids or [f"s{i:03}" for i in range(count)]),
        tuple(subjects),
        tuple(labels),
        tuple(tuple(of_seed) for of_seed in predicted),
    )


def noisy(rng, share, count=60):
    """Predictions of which about a share is right."""
    labels = np.array([CLASSES[i % 3] for i in range(count)])
    drawn = rng.choice(CLASSES, count)
    return list(np.where(rng.random(count) < share, labels, drawn))


def test_equal_predictions_do_not_differ():
    predictions = predictions_of([noisy(np.random.default_rng(0), 0.5)])
    gap = difference(predictions, predictions, CLASSES, "uf1")
    assert (gap.value, gap.low, gap.high) == (0, 0, 0)
    assert mcnemar(predictions, predictions) == (0, 0, 1.0)


@pytest.mark.parametrize("metric", list(metrics.METRICS))
def test_the_difference_is_that_of_the_metrics(metric):
    rng = np.random.default_rng(1)
    a, b = predictions_of([noisy(rng, 0.3)]), predictions_of([noisy(rng, 0.8)])
    gap = difference(a, b, CLASSES, metric)
    values = [
        float(
            metrics.METRICS[metric](metrics.confusion_matrix(run.labels, run.predicted[0], CLASSES))
        )
        for run in (a, b)
    ]
    assert (gap.first, gap.second) == pytest.approx(values)
    assert gap.low < gap.value < gap.high
    exchanged = difference(b, a, CLASSES, metric)
    assert (exchanged.low, exchanged.high) == pytest.approx((-gap.high, -gap.low))


def test_drawing_the_same_people_for_both_narrows_the_interval():
    """Where both fail on the same people, the difference is surer than either number."""
    rng = np.random.default_rng(2)
    labels = [CLASSES[i % 3] for i in range(120)]
    hard = [(i // 4) % 2 == 0 for i in range(120)]
    first = ["a" if h else label for h, label in zip(hard, labels, strict=True)]
    second = [label if rng.random() < 0.05 else p for p, label in zip(first, labels, strict=True)]
    a, b = predictions_of([first]), predictions_of([second])
    alone = metrics.bootstrap_interval(a.labels, first, a.subject_ids, CLASSES, "war")
    gap = difference(a, b, CLASSES, "war")
    assert gap.high - gap.low < 0.5 * (alone[1] - alone[0])


def test_seeds_are_averaged():
    rng = np.random.default_rng(3)
    runs = [noisy(rng, 0.6) for _ in range(3)]
    whole = difference(predictions_of([runs[0]]), predictions_of(runs), CLASSES, "war")
    first = predictions_of([runs[0]])
    of_seeds = [difference(first, predictions_of([run]), CLASSES, "war").second for run in runs]
    assert whole.second == pytest.approx(np.mean(of_seeds))


@pytest.mark.slow
def test_the_interval_covers():
    """Over simulated pairs of equal skill and 70 people, the interval of the difference holds 0."""
    rng = np.random.default_rng(4)
    held = 0
    for draw in range(300):
        a, b = (predictions_of([noisy(rng, 0.6, 280)]) for _ in range(2))
        gap = difference(a, b, CLASSES, "uar", resamples=400, seed=draw)
        held += gap.low <= 0 <= gap.high
    assert 0.93 <= held / 300 <= 0.97


def test_mcnemar_is_a_sign_test_on_the_clips_that_differ():
    labels = ["a"] * 20
    first = ["a"] * 12 + ["b"] * 8
    second = ["a"] * 10 + ["b"] * 2 + ["a"] * 7 + ["b"]
    a, b = (predictions_of([predicted], labels=labels) for predicted in (first, second))
    only_first, only_second, p = mcnemar(a, b)
    assert (only_first, only_second) == (2, 7)
    assert p == pytest.approx(2 * binom.cdf(2, 9, 0.5))


def test_clips_are_joined_by_their_id():
    rng = np.random.default_rng(5)
    a = predictions_of([noisy(rng, 0.5)])
    order = rng.permutation(60)
    ids, subjects, labels, predicted = (
        tuple(values[i] for i in order)
        for values in (a.sample_ids, a.subject_ids, a.labels, a.predicted[0])
    )
    mixed = Predictions(ids, subjects, labels, (predicted,))
    assert mixed.sample_ids != a.sample_ids
    assert align(a, mixed) == a


def test_other_clips_or_labels_are_refused():
    a = predictions_of([["a"] * 6])
    with pytest.raises(UserError, match="different clips \\(2 stand in one only\\)"):
        align(a, predictions_of([["a"] * 6], ids=[f"s{i:03}" for i in range(5)] + ["x"]))
    with pytest.raises(UserError, match="different labels"):
        align(a, predictions_of([["a"] * 6], labels=["c"] * 6))
