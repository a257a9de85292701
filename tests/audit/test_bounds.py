"""Bounds of UF1 at a UAR, against every confusion matrix of small classes."""

from collections import defaultdict
from itertools import product

import numpy as np
import pytest

from mer_keras.audit.bounds import is_possible, uf1_bounds
from mer_keras.errors import UserError
from mer_keras.evaluation.metrics import uar, uf1


def rows(clips, classes):
    """All ways to predict so many clips: tuples of counts."""
    return [row for row in product(range(clips + 1), repeat=classes) if sum(row) == clips]


@pytest.mark.parametrize("sizes", [(3, 2, 3), (1, 4, 2), (4, 5), (2, 1, 1, 2)])
def test_bounds_are_those_of_all_matrices(sizes):
    matrices = np.array(list(product(*(rows(size, len(sizes)) for size in sizes))))
    values = defaultdict(list)
    for recall, score in zip(uar(matrices), uf1(matrices), strict=True):
        values[round(recall, 6)].append(score)
    for recall, scores in values.items():
        bounds = uf1_bounds(sizes, recall, 5)
        assert bounds.low == pytest.approx(min(scores))
        assert bounds.high == pytest.approx(max(scores))


def test_the_misprint_of_lbp_top_on_smic():
    """UF1 .2000 with UAR .5280, over 70, 51 and 43 clips."""
    bounds = uf1_bounds((70, 51, 43), 0.5280, 4)
    assert (round(bounds.low, 4), round(bounds.high, 4)) == (0.3983, 0.5553)
    assert not is_possible((70, 51, 43), 0.2000, 0.5280, 4)
    assert is_possible((70, 51, 43), 0.4, 0.5280, 4)


def test_a_uar_that_no_counts_give():
    assert uf1_bounds((2, 2), 0.3, 2) is None
    assert not is_possible((2, 2), 0.3, 0.3, 2)


def test_a_score_may_have_been_cut_off():
    # Two of three: .6667, which is cut off to .666.
    assert uf1_bounds((3, 3), 0.666, 3) is None
    assert uf1_bounds((3, 3), 0.666, 3, units=1) is not None


def test_too_many_combinations_are_refused():
    with pytest.raises(UserError, match="smaller classes"):
        uf1_bounds((400, 400, 400), 0.5, 4)
