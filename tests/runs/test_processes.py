"""Tasks shared among processes: the same predictions, deaths told, nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("keras")
from mer_keras import settings
from mer_keras.errors import UserError
from mer_keras.runs import processes as room
from mer_keras.runs.processes import ProcessExecutor, take_gpu
from mer_keras.training.fold import OutOfMemoryError
from tests.runs.small import BASELINE, NETWORK, contents, run, small

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]

#: What a worker process finds when it starts: a task of the network that never ends.
WAITING = """
import os, time
from pathlib import Path
from mer_keras.runs.tasks import TaskRunner

real = TaskRunner.compute

def compute(self, task, on_epoch=None):
    Path({left!r}, str(os.getpid())).touch()
    time.sleep(60)

TaskRunner.compute = compute
"""
PARENT = """
import sys
from mer_keras.runs.processes import ProcessExecutor
from tests.runs.small import run, small

if __name__ == "__main__":
    try:
        run(small(), executor=ProcessExecutor(2, isolate=sys.argv[1] == "isolate"))
    except KeyboardInterrupt:
        sys.exit(130)
"""


def patch_workers(monkeypatch, folder, code):
    """Let new processes run some code when Python starts; this one does not."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{ROOT}")


def test_all_is_computed_alike_whoever_computes_it(small_data, monkeypatch, capfd):
    """Bit for bit where both have the same threads, whoever computes which task.

    What workers print, such as a library's warnings, must not cross the bar.
    """
    patch_workers(
        monkeypatch,
        small_data / "patch",
        "import os\n"
        "from mer_keras.runs.tasks import TaskRunner\n"
        "real = TaskRunner.compute\n"
        "def compute(self, task, on_epoch=None):\n"
        "    os.write(2, b'a remark of a library')\n"
        "    print('another')\n"
        "    return real(self, task, on_epoch)\n"
        "TaskRunner.compute = compute\n",
    )
    config = small("record_epochs=true", "train.plateau=null")
    seen = []
    folder = run(config, executor=ProcessExecutor(2), progress=lambda *what: seen.append(what))
    printed = "".join(capfd.readouterr())
    assert not any(word in printed for word in ("oneDNN", "remark", "another")), printed
    for title in ("Proposed ConvLSTM", "majority class"):
        computing = [what for what in seen if what[0] == title]
        assert computing[-1] == (title, 3, 3)
        assert [done for _, done, _ in computing] == sorted(done for _, done, _ in computing)
    monkeypatch.setenv("MER_RESULTS", str(small_data / "again"))
    again = run(config, executor=ProcessExecutor(2))
    assert len(contents(folder.path)) == 6 + 3
    assert contents(folder.path) == contents(again.path)


@pytest.mark.long
def test_rows_are_stored_while_later_rows_wait(small_data, monkeypatch, tmp_path):
    """What is done is safe: nothing waits until the last row is begun."""
    patch_workers(
        monkeypatch,
        tmp_path / "patch",
        "import os\n"
        "from mer_keras.runs.tasks import TaskRunner\n"
        "real = TaskRunner.compute\n"
        "def compute(self, task, on_epoch=None):\n"
        f"    if task[0].row == {BASELINE!r}:\n"
        "        raise ValueError('the last row fails')\n"
        "    return real(self, task, on_epoch)\n"
        "TaskRunner.compute = compute\n",
    )
    with pytest.raises(ValueError, match="the last row fails"):
        run(small(), executor=ProcessExecutor(1))
    (path,) = (small_data / "results").iterdir()
    assert len([name for name in contents(path) if name.startswith(NETWORK)]) == 3


@pytest.mark.long
def test_fault_42_an_error_that_concerns_all_folds_ends_the_run(small_data, monkeypatch, tmp_path):
    patch_workers(
        monkeypatch,
        tmp_path / "patch",
        "from mer_keras.runs.tasks import TaskRunner\n"
        "from mer_keras.training.fold import OutOfMemoryError\n"
        "def compute(self, task, on_epoch=None):\n"
        "    raise OutOfMemoryError('batches of 8 clips')\n"
        "TaskRunner.compute = compute\n",
    )
    started = time.monotonic()
    with pytest.raises(OutOfMemoryError, match="batches of 8 clips"):
        run(small(), executor=ProcessExecutor(2))
    assert time.monotonic() - started < 100


@pytest.mark.long
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise SystemExit(3)", "end as soon as they start"),
        (
            "import os, signal\n"
            "from mer_keras.runs.tasks import TaskRunner\n"
            "TaskRunner.tasks = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n",
            "no row can be begun: its process ended with signal 9",
        ),
    ],
)
def test_processes_that_cannot_begin_are_told(small_data, monkeypatch, tmp_path, code, said):
    """A run must neither wait for ever nor end in a traceback of the pool's own."""
    guard = "import sys\nif '--multiprocessing-fork' in sys.argv or 'spawn_main' in str(sys.argv)"
    code = f"{guard}:\n" + "\n".join(f"    {line}" for line in code.splitlines())
    patch_workers(monkeypatch, tmp_path / "patch", code)
    with pytest.raises(UserError, match=said):
        run(small(), executor=ProcessExecutor(2))


class TestWhatAProcessFinds:
    @pytest.fixture(autouse=True)
    def environment(self, monkeypatch):
        for name in (
            "CUDA_VISIBLE_DEVICES",
            "TF_FORCE_GPU_ALLOW_GROWTH",
            "XLA_PYTHON_CLIENT_PREALLOCATE",
        ):
            monkeypatch.delenv(name, raising=False)

    def test_gpus_are_taken_in_turn(self, monkeypatch, tmp_path):
        monkeypatch.setattr(room, "_GPUS", tmp_path)
        for number in range(3):
            (tmp_path / str(number)).mkdir()
        taken = []
        for number in range(4):
            os.environ.pop("CUDA_VISIBLE_DEVICES", None)
            take_gpu(number)
            taken.append(os.environ["CUDA_VISIBLE_DEVICES"])
        assert taken == ["0", "1", "2", "0"]
        assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"

    def test_a_machine_without_gpus_is_left_as_it_is(self, monkeypatch, tmp_path):
        monkeypatch.setattr(room, "_GPUS", tmp_path)
        take_gpu(1)
        assert "CUDA_VISIBLE_DEVICES" not in os.environ

    @pytest.mark.parametrize(
        ("visible", "taken"), [("5,7", "7"), ("5", "5"), ("", ""), ("-1", "-1")]
    )
    def test_gpus_that_the_user_chose_are_respected(self, monkeypatch, visible, taken):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        take_gpu(1)
        assert os.environ["CUDA_VISIBLE_DEVICES"] == taken

    @pytest.mark.long
    def test_cores_are_shared(self, small_data, monkeypatch, tmp_path):
        patch_workers(
            monkeypatch,
            tmp_path / "patch",
            "import os\n"
            "from mer_keras.runs.tasks import TaskRunner\n"
            "def compute(self, task, on_epoch=None):\n"
            "    raise ValueError(os.environ['OMP_NUM_THREADS'])\n"
            "TaskRunner.compute = compute\n",
        )
        threads = str(max(1, (os.cpu_count() or 1) // 2))
        before = {name: os.environ.get(name) for name in settings.THREADS}
        with pytest.raises(ValueError, match=f"^{threads}$"):
            run(small(), executor=ProcessExecutor(2))
        assert {name: os.environ.get(name) for name in settings.THREADS} == before


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that nobody waited for is still listed.
    state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    return state != "Z"


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks processes up in /proc")
@pytest.mark.parametrize("way", ["shared", "isolate"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, "Ctrl-C"])
def test_fault_41_nothing_goes_on_when_the_parent_is_killed(
    small_data, tmp_path, monkeypatch, how, way
):
    """Ctrl-C in a terminal goes to all at once; then only the parent answers."""
    left = tmp_path / "left"
    left.mkdir()
    patch_workers(monkeypatch, tmp_path / "patch", WAITING.format(left=str(left)))
    (tmp_path / "parent.py").write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py"), way],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Where these tests run in the background, Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while len(list(left.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    children = [int(file.name) for file in left.iterdir()]
    assert len(children) == 2
    if how == "Ctrl-C":
        os.killpg(parent.pid, signal.SIGINT)
    else:
        parent.send_signal(how)
    _, said = parent.communicate(timeout=20)
    if how in ("Ctrl-C", signal.SIGINT):
        assert parent.returncode == 130
        assert "Traceback" not in said
    deadline = time.monotonic() + 20
    while any(map(alive, children)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(alive, children))
