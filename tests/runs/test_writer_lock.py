"""One process writes a run; whoever looks at it neither hinders it nor is mistaken for it."""

import fcntl
import threading

import pytest

from mer_keras.runs import writer_lock
from mer_keras.whole_files import HeldError


def test_a_writer_is_seen_as_long_as_it_writes(tmp_path):
    run = tmp_path / "run"
    assert writer_lock.writer_of(run) is None
    with writer_lock.hold(run):
        assert writer_lock.writer_of(run).isdigit()
        assert writer_lock.writer_of(run).isdigit(), "looking at it takes nothing from it"
    assert writer_lock.writer_of(run) is None


def test_a_second_writer_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(writer_lock, "_PATIENCE_SECONDS", 0.0)
    second = writer_lock.hold(tmp_path)
    with writer_lock.hold(tmp_path), pytest.raises(HeldError, match=r"^\d+$"):
        second.__enter__()


def test_a_look_at_the_very_moment_does_not_refuse_a_writer(tmp_path):
    with (tmp_path / ".lock").open("a+") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        end = threading.Timer(0.1, fcntl.flock, (looking, fcntl.LOCK_UN))
        end.start()
        with writer_lock.hold(tmp_path):
            assert writer_lock.writer_of(tmp_path)
        end.join()
