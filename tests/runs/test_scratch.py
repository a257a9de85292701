"""What processes hand to each other doesn't stay behind, even when all are killed at once."""

import multiprocessing
import os
import signal
import stat

import pytest

from mer_keras.runs.scratch import scratch_folder


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """An own temporary folder."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_this_users_alone_and_goes(temporary):
    with scratch_folder() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "context").write_bytes(b"clips")
    assert not list(temporary.iterdir())


def test_fault_41_the_next_run_removes_what_a_killed_one_left(temporary):
    def be_killed():
        with scratch_folder() as folder:
            (folder / "context").write_bytes(b"clips")
            os.kill(os.getpid(), signal.SIGKILL)

    killed = multiprocessing.get_context("fork").Process(target=be_killed)
    killed.start()
    killed.join()
    (left,) = temporary.glob("*/context")
    assert (left.parent / ".lock").exists()
    (temporary / "mer-elsewhere").mkdir()
    with scratch_folder() as first, scratch_folder() as second:
        others = [temporary / "mer-elsewhere", first, second]
        assert sorted(temporary.iterdir()) == sorted(others), "one that is in use stays"


def test_a_removal_that_was_killed_is_gone_on_with(temporary, monkeypatch):
    """The lock, by which the folder is known as abandoned, goes last."""

    class KilledError(BaseException):
        pass

    def be_killed(*_, **__):
        raise KilledError

    with monkeypatch.context() as patch, pytest.raises(KilledError), scratch_folder() as folder:
        (folder / "context").write_bytes(b"clips")
        (folder / "session").mkdir()
        patch.setattr("shutil.rmtree", be_killed)
    assert (folder / ".lock").exists()
    with scratch_folder():
        assert not folder.exists()
