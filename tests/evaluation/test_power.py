"""Power grows with the advantage and with people; mending is what a loop over clips does."""

import numpy as np
import pytest

from mer_keras.evaluation.metrics import uf1
from mer_keras.evaluation.power import PowerPoint, power_curve, smallest_shown

MENDED = (0, 0.1, 0.2, 0.4, 0.6)


def drawn(people, seed, skill=0.6):
    """Confusion matrices of six clips a person."""
    rng = np.random.default_rng(seed)
    matrices = np.zeros((people, 3, 3), int)
    for person in range(people):
        for label in rng.integers(0, 3, 6):
            predicted = label if rng.random() < skill else rng.integers(0, 3)
            matrices[person, label, predicted] += 1
    return matrices


@pytest.fixture(scope="module")
def curve():
    return power_curve(drawn(40, 1), drawn(40, 2), mended=MENDED, studies=60, resamples=80)


def test_advantages_begin_at_the_stored_difference_and_grow(curve):
    differences = [point.difference for point in curve]
    stored = uf1(drawn(40, 2).sum(axis=0)) - uf1(drawn(40, 1).sum(axis=0))
    assert differences[0] == pytest.approx(float(stored))
    assert differences == sorted(differences)


def test_power_grows_with_the_advantage(curve):
    assert curve[0].power < 0.3
    assert curve[-1].power > 0.9


def test_more_people_show_smaller_differences(curve):
    many = power_curve(
        drawn(40, 1), drawn(40, 2), people=160, mended=MENDED, studies=40, resamples=60
    )
    assert smallest_shown(many) < smallest_shown(curve)


def test_equal_methods_without_advantage_are_rarely_told_apart():
    matrices = drawn(40, 1)
    shuffled = np.random.default_rng(0).permutation(matrices)
    points = power_curve(matrices, shuffled, mended=[0], studies=200, resamples=100)
    assert points[0].difference == pytest.approx(0)
    assert points[0].power < 0.08


def test_the_smallest_difference_lies_between_two_points():
    points = [PowerPoint(0.0, 0.1), PowerPoint(0.1, 0.6), PowerPoint(0.2, 1.0)]
    assert smallest_shown(points) == pytest.approx(0.15)
    assert smallest_shown(points[:2]) is None
