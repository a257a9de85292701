"""SIGTERM ends a run as Ctrl-C does, and does afterwards what it did before."""

import os
import signal
import threading

import pytest

from mer_keras.runs.stopping import ended_like_by_ctrl_c, stops_held_back


def test_it_interrupts_and_is_then_as_before():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), ended_like_by_ctrl_c():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_second_signal_does_not_break_off_the_ending():
    ended = []
    with pytest.raises(KeyboardInterrupt), ended_like_by_ctrl_c():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except KeyboardInterrupt:
            with stops_held_back():
                os.kill(os.getpid(), signal.SIGTERM)
                ended.append(True)
            raise
    assert ended


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_that_was_lost_can_be_sent_again():
    """Python only prints what is raised while an object is deleted."""

    class Deleted:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt), ended_like_by_ctrl_c():
        Deleted()
        os.kill(os.getpid(), signal.SIGTERM)


def test_other_threads_leave_it_alone():
    before, within = signal.getsignal(signal.SIGTERM), []

    def work():
        with ended_like_by_ctrl_c():
            within.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert within == [before]
