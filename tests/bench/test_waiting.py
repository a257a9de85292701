"""Waiting for input is told apart from training."""

import time

import pytest

from mer_keras.bench.waiting import walk


class Network:
    def train_on_batch(self, clips, labels):
        time.sleep(0.02)


def batches():
    for pause in (0.06, 0.01, 0.01):
        time.sleep(pause)
        yield None, None
    time.sleep(0.01)


def test_waiting_and_steps_are_told_apart():
    walked = walk(Network(), batches())
    assert walked.first == pytest.approx(0.06, abs=0.03)
    assert walked.waited >= 0.09
    assert walked.stepped >= 0.06
