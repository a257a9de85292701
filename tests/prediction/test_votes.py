"""Votes of several members become shares, or nothing that could be believed."""

import numpy as np
import pytest

from mer_keras.prediction.votes import said_of

CLASSES = ("a", "b", "c")


def said(*members):
    return said_of(CLASSES, np.array(members, "float32"))


def test_the_share_is_the_mean_and_the_spread_is_kept():
    of_two = said((0.8, 0.1, 0.1), (0.6, 0.3, 0.1))
    assert of_two.decision == "a"
    assert of_two.votes["a"].share == pytest.approx(0.7)
    assert of_two.votes["b"].least == pytest.approx(0.1)
    assert of_two.votes["b"].greatest == pytest.approx(0.3)
    assert sum(vote.share for vote in of_two.votes.values()) == pytest.approx(1)


@pytest.mark.parametrize(("second", "decision"), [(0.39, "a"), (0.41, None)])
def test_classes_less_than_a_tenth_apart_are_undecided(second, decision):
    assert said((0.5, second, 0.5 - second)).decision == decision


def test_dissent_of_more_than_a_quarter_of_the_members_is_undecided():
    dissenting, agreeing = (0.05, 0.9, 0.05), (0.9, 0.05, 0.05)
    assert said(dissenting, agreeing, agreeing, agreeing, agreeing).decision == "a"
    three = said(dissenting, agreeing, agreeing)
    assert three.decision is None
    assert "1 of 3 members choose another class" in three.remarks[-1]
