"""SIGTERM ends a run once, and does afterwards what it did before."""

import os
import signal
import threading

import pytest

from mer_keras.runs.stopping import ended_like_by_ctrl_c


def test_a_second_signal_does_not_break_off_the_ending():
    before = signal.getsignal(signal.SIGTERM)
    ended = []
    with pytest.raises(KeyboardInterrupt), ended_like_by_ctrl_c():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            ended.append(True)
    assert ended
    assert signal.getsignal(signal.SIGTERM) == before


def test_other_threads_leave_it_alone():
    before, within = signal.getsignal(signal.SIGTERM), []

    def work():
        with ended_like_by_ctrl_c():
            within.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert within == [before]
