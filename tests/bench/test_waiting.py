"""Seconds of waiting for input and of training are kept apart."""

import time

import pytest

from mer_keras.bench.case import CaseOptions, choose, load_cases
from mer_keras.bench.waiting import train_epoch


class Network:
    def train_on_batch(self, clips, labels):
        time.sleep(0.02)


def batches():
    for pause in (0.06, 0.01, 0.01):
        time.sleep(pause)
        yield None, None
    time.sleep(0.01)


def test_waiting_and_steps_are_timed_apart():
    epoch = train_epoch(Network(), batches())
    assert epoch.first == pytest.approx(0.06, abs=0.03)
    assert epoch.waiting >= 0.09
    assert epoch.steps >= 0.06


def test_a_small_network_is_timed_with_and_without_fit(tmp_path):
    pytest.importorskip("tensorflow")
    (case,) = choose(load_cases("tensorflow"), ["input/ststnet"], quick=True)
    by_fit, without = case.measure(CaseOptions(quick=True, folder=tmp_path, repeats=1))
    assert (by_fit.way, without.way) == ("training_input", "AllFolds")
    for row in (by_fit, without):
        assert 0 < row.facts["share waiting for input"] < 1
    assert 0 < without.facts["of it picking clips"] < without.facts["share waiting for input"]
    # Of the 20 epochs, the first compiles and is left out.
    assert len(without.seconds) == 19
