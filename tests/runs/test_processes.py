"""Work shared among processes: done once each, failures told, nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mer_keras.runs.processes import THREADS, share_out

pytestmark = pytest.mark.slow

WORK = """
import os, time
from pathlib import Path

def note(folder, share):
    threads = os.environ["OMP_NUM_THREADS"]
    Path(folder, f"{share[0]}of{share[1]}").write_text(threads)

def fail(folder, share):
    if share[0] == 0:
        raise ValueError("the first share fails")
    time.sleep(60)

def wait(folder, share):
    Path(folder, str(os.getpid())).touch()
    time.sleep(60)
"""
PARENT = """
import sys
from mer_keras.runs.processes import one_each, share_out
import shared_work

if __name__ == "__main__":
    job = (shared_work.wait, (sys.argv[1],))
    try:
        if sys.argv[2] == "share_out":
            share_out(2, *job, lambda: (0, 1))
        else:
            one_each(2, *job, 5, print, lambda: (0, 1))
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A module that new processes can import, and a folder for what they leave."""
    (tmp_path / "shared_work.py").write_text(WORK)
    (tmp_path / "left").mkdir()
    paths = [str(tmp_path), str(Path.cwd()), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.syspath_prepend(str(tmp_path))
    import shared_work

    yield shared_work, tmp_path / "left"
    sys.modules.pop("shared_work", None)


def test_each_process_has_its_share_and_its_cores(work):
    module, left = work
    told = []
    share_out(2, module.note, (str(left),), lambda: (1, 2), lambda *what: told.append(what))
    threads = str(max(1, (os.cpu_count() or 1) // 2))
    assert {file.name: file.read_text() for file in left.iterdir()} == {
        "0of2": threads,
        "1of2": threads,
    }
    assert "OMP_NUM_THREADS" in THREADS
    assert all(what == ("2 processes", 1, 2) for what in told)


def test_a_failure_is_told_and_stops_the_others(work):
    module, left = work
    started = time.monotonic()
    with pytest.raises(ValueError, match="the first share fails"):
        share_out(2, module.fail, (str(left),), lambda: (0, 1))
    assert time.monotonic() - started < 30


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # a process that nobody waited for is still listed
    state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    return state != "Z"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks processes up in /proc")
@pytest.mark.parametrize("way", ["share_out", "one_each"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, "Ctrl-C"])
def test_fault_41_nothing_goes_on_when_the_parent_is_killed(work, tmp_path, how, way):
    """Ctrl-C in a terminal goes to all at once; then only the parent answers."""
    _, left = work
    (tmp_path / "parent.py").write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py"), str(left), way],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # where these tests run in the background, it is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while len(list(left.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    children = [int(file.name) for file in left.iterdir()]
    assert len(children) == 2
    if how == "Ctrl-C":
        os.killpg(parent.pid, signal.SIGINT)
    else:
        parent.send_signal(how)
    _, told = parent.communicate(timeout=20)
    if how in ("Ctrl-C", signal.SIGINT):
        assert (parent.returncode, told) == (130, "")
    deadline = time.monotonic() + 20
    while any(map(alive, children)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(alive, children))
