"""Which counts a printed share can come from, against brute force."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from mer_keras.audit.fractions import (
    counts_of,
    exact_interval,
    fitting_wholes,
    is_mean_over_folds,
    partitions,
    rounds_to,
    row_counts,
)


@given(st.integers(1, 200), st.integers(0, 4), st.data())
def test_a_count_is_found_again_from_what_is_printed_of_it(whole, decimals, data):
    count = data.draw(st.integers(0, whole))
    printed = round(100 * count / whole, decimals)
    assert count in counts_of(whole, printed, decimals)
    assert rounds_to(count, whole, printed, decimals)


@given(st.integers(1, 60), st.floats(0, 100), st.integers(0, 3))
def test_counts_are_those_of_brute_force(whole, value, decimals):
    value = round(value, decimals)
    expected = [k for k in range(whole + 1) if rounds_to(k, whole, value, decimals)]
    assert counts_of(whole, value, decimals) == expected


def test_a_whole_unit_lets_cut_off_digits_through():
    assert counts_of(23, 43.47, 2) == []
    assert counts_of(23, 43.47, 2, units=1) == [10]
    assert counts_of(253, 0.763, 3, scale=1) == [193]


@given(st.lists(st.integers(0, 30), min_size=2, max_size=5).filter(lambda row: sum(row) > 0))
def test_a_row_of_a_matrix_gives_its_size_back(row):
    whole = sum(row)
    shares = [round(100 * count / whole, 2) for count in row]
    assert whole in fitting_wholes(shares, 2, whole)
    assert sum(row_counts(shares, 2, whole)) == whole
    if whole < 90:  # Two decimals tell neighbours apart.
        assert row_counts(shares, 2, whole) == row


def test_no_counts_where_they_do_not_add_up():
    assert row_counts([50.0, 25.0], 1, 4) is None
    assert fitting_wholes([50.0, 25.0], 1, 40) == []


def test_partitions_are_all_falling_sums():
    expected = {
        tuple(sorted(parts, reverse=True))
        for parts in product(range(1, 8), repeat=3)
        if sum(parts) == 9
    }
    assert set(partitions(9, 3)) == expected
    assert list(partitions(9, 3)) == sorted(partitions(9, 3), reverse=True)
    assert list(partitions(2, 3)) == []


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 4)), min_size=1, max_size=3))
def test_a_mean_over_folds_is_recognised(folds):
    folds = [(min(right, size), size) for right, size in folds]
    clips = sum(size for _, size in folds)
    mean = round(100 * sum(right / size for right, size in folds) / len(folds), 2)
    assert is_mean_over_folds(mean, 2, clips, len(folds))


def test_what_no_division_into_folds_gives_is_refused():
    # Two clips in at most two folds give halves only.
    for value, possible in ((25.0, False), (50.0, True), (0.0, True), (33.33, False)):
        assert is_mean_over_folds(value, 2, 2, 2) == possible
    # Three clips as 2 + 1 give quarters, all in one fold thirds.
    for value, possible in ((25.0, True), (75.0, True), (33.33, True), (20.0, False)):
        assert is_mean_over_folds(value, 2, 3, 2) == possible


@pytest.mark.parametrize(("right", "whole"), [(0, 10), (10, 10), (19, 21), (11, 12), (1, 2)])
def test_the_exact_interval_leaves_the_tails(right, whole):
    low, high = exact_interval(right, whole)
    assert 0 <= low <= right / whole <= high <= 1
    if right:
        assert binom.sf(right - 1, whole, low) == pytest.approx(0.025, rel=1e-6)
    if right < whole:
        assert binom.cdf(right, whole, high) == pytest.approx(0.025, rel=1e-6)
