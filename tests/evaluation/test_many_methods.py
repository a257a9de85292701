"""Comparisons of many methods against ``statistics.difference`` and p-values by hand."""

import numpy as np
import pytest

from mer_keras.errors import UserError
from mer_keras.evaluation.many_methods import (
    PairDifference,
    compare_all,
    holm,
    indistinct_groups,
    score,
)
from mer_keras.evaluation.metrics import subject_matrices, uf1
from mer_keras.evaluation.statistics import Predictions, difference

CLASSES = ["a", "b", "c"]


def predictions(skill, seed, clips=120, people=15):
    rng = np.random.default_rng(7)
    labels = rng.choice(CLASSES, clips)
    owners = [f"p{number:02}" for number in rng.integers(0, people, clips)]
    rng = np.random.default_rng(seed)
    predicted = np.where(rng.random(clips) < skill, labels, rng.choice(CLASSES, clips))
    ids = tuple(map(str, range(clips)))
    return Predictions(ids, tuple(owners), tuple(labels), (tuple(predicted),))


def test_a_pair_is_what_the_difference_of_two_is():
    first, second = predictions(0.4, 1), predictions(0.7, 2)
    expected = difference(first, second, CLASSES, "uf1", resamples=2000)
    matrices = [p.subject_matrices(CLASSES) for p in (first, second)]
    (pair,) = compare_all(matrices, "uf1", resamples=2000)
    assert (pair.value, pair.low, pair.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
    assert pair.p == pair.corrected_p


def test_p_is_small_where_zero_is_far_outside_the_interval():
    methods = [predictions(skill, seed) for skill, seed in ((0.1, 1), (0.9, 2), (0.9, 3))]
    pairs = compare_all([m.subject_matrices(CLASSES) for m in methods], "uf1", resamples=2000)
    assert [(p.first, p.second) for p in pairs] == [(0, 1), (0, 2), (1, 2)]
    assert [p.differs() for p in pairs] == [True, True, False]
    # the smallest p is one of all samples and the sample itself, on two sides, times three pairs
    assert pairs[0].corrected_p == pytest.approx(3 * 2 / 2001)


def test_a_method_beside_itself_never_differs():
    matrices = predictions(0.5, 1).subject_matrices(CLASSES)
    (pair,) = compare_all([matrices, matrices], "uar", resamples=200)
    assert (pair.value, pair.p) == (0, 1)


def test_the_score_is_the_mean_over_seeds():
    one, two = (predictions(0.5, seed).subject_matrices(CLASSES)[0] for seed in (1, 2))
    expected = np.mean([uf1(one.sum(axis=0)), uf1(two.sum(axis=0))])
    assert score(np.stack([one, two]), "uf1") == pytest.approx(expected)


@pytest.mark.parametrize(
    ("ps", "expected"),
    [
        ([0.01, 0.02, 0.03, 0.04], [0.04, 0.06, 0.06, 0.06]),
        ([0.2, 0.001], [0.2, 0.002]),
        ([0.9, 0.8], [1, 1]),
        ([], []),
    ],
)
def test_holm(ps, expected):
    assert holm(ps) == pytest.approx(expected)


def test_groups_are_the_largest_without_a_difference():
    def pair(first, second, p):
        return PairDifference(first, second, 0.1, 0, 0.2, p, p)

    pairs = [pair(i, j, 0.01 if j - i > 1 else 0.5) for i in range(4) for j in range(i + 1, 4)]
    assert indistinct_groups(4, pairs) == [(0, 1), (1, 2), (2, 3)]
    assert indistinct_groups(4, []) == [(0, 1, 2, 3)]
    assert indistinct_groups(2, [pair(0, 1, 0.001)]) == [(0,), (1,)]


def test_a_group_in_common_means_no_difference_whatever_lies_between():
    rng = np.random.default_rng(0)
    for methods in (0, 1, 7, 20):
        differ = np.triu(rng.random((methods, methods)) < 0.2, 1)
        pairs = [
            PairDifference(i, j, 0.1, 0, 0.2, p := 0.01 if differ[i, j] else 0.5, p)
            for i in range(methods)
            for j in range(i + 1, methods)
        ]
        groups = indistinct_groups(methods, pairs)
        for pair in pairs:
            together = any({pair.first, pair.second} <= set(group) for group in groups)
            assert together != differ[pair.first, pair.second]
        assert {method for group in groups for method in group} == set(range(methods))
        assert not any(set(group) < set(other) for group in groups for other in groups)
        assert len(groups) <= len(pairs) + methods


def test_twins_make_no_more_groups_than_pairs():
    """Each differs from its own twin alone, so that there are 2^30 largest groups."""
    twins = [PairDifference(2 * n, 2 * n + 1, 0.1, 0, 0.2, 0.01, 0.01) for n in range(30)]
    groups = indistinct_groups(60, twins)
    assert len(groups) < 60 * 59 / 2
    assert all(len(group) == 30 for group in groups)


def test_a_difference_can_be_shown_among_forty_methods():
    best, worst = (predictions(skill, 1, people=8) for skill in (1, 0))
    methods = [best, *[worst] * 39]
    pairs = compare_all([m.subject_matrices(CLASSES) for m in methods], "uf1")
    assert [pair.differs() for pair in pairs] == [pair.first == 0 for pair in pairs]


def test_other_people_are_refused():
    few = subject_matrices(["a"], ["a"], ["p"], CLASSES)[np.newaxis]
    with pytest.raises(UserError, match="1 to 15 people"):
        compare_all([predictions(0.5, 1).subject_matrices(CLASSES), few], "uf1")
