"""Files that users keep are written whole and one change at a time, on disks of any kind."""

import errno
import fcntl
import multiprocessing
import os
import signal
import stat

import pytest

from mer_keras import whole_files
from mer_keras.whole_files import (
    HeldError,
    hold_lock,
    holder_of,
    locked,
    write_users_file,
    write_whole,
)


def count_up(path, times):
    for _ in range(times):
        with locked(path):
            write_users_file(path, str(int(path.read_text()) + 1).encode())


def test_fault_71_changes_by_several_processes_are_all_kept(tmp_path):
    path = tmp_path / "count"
    path.write_text("0")
    processes = multiprocessing.get_context("fork")
    writers = [processes.Process(target=count_up, args=(path, 20)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert path.read_text() == "60"
    assert list(tmp_path.iterdir()) == [path], "no lock is left"


def test_fault_71_a_writer_that_was_killed_holds_nothing(tmp_path):
    path = tmp_path / "list.json"

    def die():
        with locked(path):
            os.kill(os.getpid(), signal.SIGKILL)

    killed = multiprocessing.get_context("fork").Process(target=die)
    killed.start()
    killed.join()
    assert (tmp_path / ".list.json.lock").exists()
    with locked(path):
        pass
    assert not list(tmp_path.iterdir())


def test_fault_71_a_writer_that_was_stopped_is_named_in_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(whole_files, "PATIENCE_SECONDS", 0.1)
    path = tmp_path / "list.json"
    with locked(path), pytest.raises(OSError, match=f"process {os.getpid()} is changing it"):
        locked(path).__enter__()


def test_fault_71_a_lock_that_was_removed_is_noticed(tmp_path):
    path = tmp_path / ".lock"
    with hold_lock(path, 0) as lock:
        assert lock.is_in_place()
        path.unlink()
        assert not lock.is_in_place()
        with hold_lock(path, 0) as second:  # Another process may begin now.
            assert second.is_in_place()
            assert not lock.is_in_place()


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_fault_67_a_lock_in_a_folder_of_somebody_else_changes_no_other_file(tmp_path, kind):
    other, lock = tmp_path / "other", tmp_path / ".lock"
    other.write_text("mine")
    if kind == "link":
        lock.symlink_to(other)
    elif kind == "pipe":
        os.mkfifo(lock)
    else:
        lock.mkdir()
    with pytest.raises(OSError, match=r"link|regular|directory"):  # noqa: SIM117
        with hold_lock(lock, 0):
            pass
    assert holder_of(lock) is None
    assert other.read_text() == "mine"


def test_a_lock_that_holds_no_number_is_still_held(tmp_path):
    path = tmp_path / ".lock"
    with path.open("wb") as holder:
        holder.write(b"\xff\x1b[2J")
        holder.flush()
        fcntl.flock(holder, fcntl.LOCK_EX)
        assert holder_of(path) == "?"
        with pytest.raises(HeldError, match=r"^\?$"):  # noqa: SIM117
            with hold_lock(path, 0):
                pass


def test_fault_72_a_file_system_without_locks_is_named(tmp_path, monkeypatch):
    def unable(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", unable)
    with pytest.raises(OSError, match="file system can't lock files"):  # noqa: SIM117
        with hold_lock(tmp_path / ".lock", 0):
            pass


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_fault_72_a_file_system_that_cannot_flush_still_takes_files(tmp_path, monkeypatch, number):
    def unable(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", unable)
    write_whole(tmp_path / "list.json", b"whole")
    assert (tmp_path / "list.json").read_bytes() == b"whole"


@pytest.mark.parametrize("function", ["fsync", "rename"])
def test_fault_72_what_stood_there_stays_where_flush_or_rename_fails(
    tmp_path, monkeypatch, function
):
    path = tmp_path / "list.json"
    path.write_bytes(b"before")

    def broken(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    if function == "fsync":
        monkeypatch.setattr(os, "fsync", broken)
    else:
        monkeypatch.setattr(whole_files.Path, "replace", broken)
    with pytest.raises(OSError, match="Input/output error"):
        write_whole(path, b"after")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_fault_71_a_users_link_stays_a_link_and_a_mode_stays(tmp_path):
    real, link = tmp_path / "dotfiles" / "list.json", tmp_path / "list.json"
    real.parent.mkdir()
    real.write_text("{}")
    real.chmod(0o600)
    link.symlink_to(real)
    write_users_file(link, b"[]")
    assert link.is_symlink()
    assert real.read_bytes() == b"[]"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
