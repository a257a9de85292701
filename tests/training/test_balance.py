from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.errors import InvariantError
from mer_keras.training.balance import oversample

classes = st.lists(st.sampled_from(["anger", "fear", "surprise"]), max_size=60)


def ids_for(labels):
    return [f"demo/{n}" for n in range(len(labels))]


@given(classes, st.integers(0, 2**32))
def test_originals_first_and_once_then_copies_only(labels, seed):
    ids = ids_for(labels)
    balanced, is_copy = oversample(ids, labels, np.random.default_rng(seed))
    assert is_copy.dtype == bool
    assert len(is_copy) == len(balanced)
    assert balanced[: len(ids)] == ids
    assert not is_copy[: len(ids)].any()
    assert is_copy[len(ids) :].all()
    assert set(balanced) == set(ids)


@given(classes, st.integers(0, 2**32))
def test_classes_reach_the_largest_and_copies_are_spread_evenly(labels, seed):
    ids = ids_for(labels)
    label_of = dict(zip(ids, labels, strict=True))
    balanced, _ = oversample(ids, labels, np.random.default_rng(seed))
    counts = Counter(label_of[sample_id] for sample_id in balanced)
    assert set(counts.values()) <= {max(Counter(labels).values(), default=0)}
    assert set(counts) == set(labels)
    times = Counter(balanced)
    for label in set(labels):
        own = [times[sample_id] for sample_id in ids if label_of[sample_id] == label]
        assert max(own) - min(own) <= 1


@given(classes, st.integers(0, 2**32))
def test_equal_draws_give_equal_copies(labels, seed):
    ids = ids_for(labels)
    first, second = (oversample(ids, labels, np.random.default_rng(seed)) for _ in range(2))
    assert first[0] == second[0]
    np.testing.assert_array_equal(first[1], second[1])


def test_by_hand():
    labels = [0] * 7 + [1] * 3
    balanced, is_copy = oversample(ids_for(labels), labels, np.random.default_rng(0))
    assert is_copy.sum() == 4
    times = Counter(balanced)
    assert sorted(times[f"demo/{n}"] for n in (7, 8, 9)) == [2, 2, 3]
    assert all(times[f"demo/{n}"] == 1 for n in range(7))


def test_the_odd_copies_are_drawn():
    labels = [0] * 5 + [1] * 4
    extra = {
        oversample(ids_for(labels), labels, np.random.default_rng(seed))[0][-1]
        for seed in range(60)
    }
    assert extra == {"demo/5", "demo/6", "demo/7", "demo/8"}


def test_balanced_classes_get_no_copy():
    balanced, is_copy = oversample(["a", "b"], [1, 0], np.random.default_rng(0))
    assert balanced == ["a", "b"]
    assert not is_copy.any()


@pytest.mark.parametrize(("ids", "labels"), [(["a", "a"], [0, 1]), (["a"], [0, 1])])
def test_a_broken_table_is_refused(ids, labels):
    with pytest.raises(InvariantError, match="one label for each"):
        oversample(ids, labels, np.random.default_rng(0))
