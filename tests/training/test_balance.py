from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.config.training import Train
from mer_keras.training.balance import oversample, training_rows

classes = st.lists(st.integers(0, 11), max_size=60)


def recipe(**changes):
    base = {"optimizer": {"learning_rate": 0.1}, "epochs": 1, "batch_size": 4}
    return Train.model_validate(base | changes)


@given(classes, st.integers(0, 2**32))
def test_classes_reach_the_largest_and_copies_are_spread_evenly(labels, seed):
    copies = oversample(labels, np.random.default_rng(seed))
    times = Counter([*range(len(labels)), *copies.tolist()])
    assert set(times) == set(range(len(labels)))
    largest = max(Counter(labels).values(), default=0)
    for label in set(labels):
        own = [times[row] for row, of_row in enumerate(labels) if of_row == label]
        assert sum(own) == largest
        assert max(own) - min(own) <= 1


@given(classes, st.integers(0, 2**32))
def test_equal_draws_give_equal_copies(labels, seed):
    first, second = (oversample(labels, np.random.default_rng(seed)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_copies_are_those_of_a_loop():
    """The order of classes is that of their names, so that class 10 comes before class 2."""
    labels = [2, 10, 2, 0, 2, 10, 2, 2]
    rng, expected = np.random.default_rng(5), []
    for label, size in (("0", 1), ("10", 2), ("2", 5)):
        members = [row for row, of_row in enumerate(labels) if str(of_row) == label]
        missing = 5 - size
        while missing >= size:
            expected += [members[i] for i in rng.permutation(size)]
            missing -= size
        expected += [members[i] for i in rng.permutation(size)[:missing]]
    assert oversample(labels, np.random.default_rng(5)).tolist() == expected


def test_the_odd_copies_are_drawn():
    labels = [0] * 5 + [1] * 4
    copies = {oversample(labels, np.random.default_rng(seed))[-1] for seed in range(60)}
    assert copies == {5, 6, 7, 8}


def test_balanced_classes_get_no_copy():
    assert oversample([1, 0], np.random.default_rng(0)).size == 0


@pytest.mark.parametrize("order", ["shuffled", "by_class"])
@pytest.mark.parametrize("balance", ["none", "oversample"])
def test_rows_of_an_epoch(balance, order):
    labels = np.array([1, 0, 1, 1, 0, 1, 2])
    rows, is_copy = training_rows(labels, recipe(balance=balance, order=order), seed=3)
    originals = rows[~is_copy]
    assert sorted(originals) == list(range(7))
    if balance == "oversample":
        copies = oversample(labels, np.random.default_rng(3))
        assert sorted(rows[is_copy]) == sorted(copies)
    else:
        assert not is_copy.any()
    if order == "by_class":
        assert labels[rows].tolist() == sorted(labels[rows])
        assert all(np.all(np.diff(originals[labels[originals] == label]) > 0) for label in range(3))
    else:
        assert rows[:7].tolist() == list(range(7))
