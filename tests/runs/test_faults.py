"""Faults while a run goes on: kills at any instant, a full disk, no memory, a fold that dies."""

import errno
import os
import random
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")
from mer_keras import settings
from mer_keras.errors import ProtocolError, ResultsError
from mer_keras.report.scoring import score_row
from mer_keras.report.view import read_view
from mer_keras.runs import folder as folder_room
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.processes import ProcessExecutor
from mer_keras.training import trainer as trainer_room
from mer_keras.training.fold import OutOfMemoryError
from mer_keras.training.trainer import Trainer
from tests.runs.kills import Attacker, Server, is_whole, runs_for
from tests.runs.small import contents, run, small

ROOT = Path(__file__).parents[2]
KILLS = 20
#: Overrides of runs that train networks and store all epochs.
TRAINED = ("train.plateau=null", "record_epochs=true")


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.timeout(2400)
@pytest.mark.parametrize(
    ("way", "overrides"),
    [
        ("alone", ("train.engine=sequential", *TRAINED)),
        ("alone", ("train.engine=vectorised", *TRAINED)),
        # Processes that needn't import TensorFlow begin in seconds.
        ("workers", ("rows.0.method=linear_svm",)),
        ("cluster", ("rows.0.method=linear_svm",)),
    ],
    ids=("alone, sequential", "alone, vectorised", "workers", "cluster"),
)
def test_fault_41_kills_at_twenty_random_points_change_nothing(
    small_data, monkeypatch, way, overrides
):
    """SIGKILL, as a power cut would be, SIGTERM, Ctrl-C, and SIGSTOP for a second, at any instant.

    They hit the process that runs the experiment, or one of those that it has started. A run that
    is whole is followed by another, until twenty kills have hit. No process is left then, and no
    clip in the temporary folder.
    """
    if way == "cluster":
        pytest.importorskip("ray")
    temporary = Path(tempfile.mkdtemp(prefix="k-", dir="/tmp"))  # Names of sockets must be short.
    monkeypatch.setenv("TMPDIR", str(temporary))
    for name in settings.THREADS:
        monkeypatch.setenv(name, "1")
    server = Server(way, *overrides)
    started = time.monotonic()
    server.start(small_data / "calm")
    assert server.status() == 0
    whole = time.monotonic() - started
    attacker, number = Attacker(random.Random(0)), 0
    while attacker.kills < KILLS:
        results = small_data / f"troubled-{number}"
        process = server.start(results)
        started, delay = time.monotonic(), attacker.rng.uniform(0, whole)
        if runs_for(process, delay):
            attacker.strike(process)
        else:  # The machine is quicker than it was, so that the next one is struck earlier.
            whole = time.monotonic() - started
        print(f"{way}: {attacker.counts}", flush=True)
        server.status()
        for manifest in results.glob("*/manifest.json"):
            for row in (view := read_view(manifest.parent)).rows:
                # There is no headline number while a fold is missing.
                assert row.complete or score_row(view, row) is None
            number += is_whole(manifest.parent)
    server.start(small_data / f"troubled-{number}")
    assert server.status() == 0
    server.close()
    assert not attacker.left(seconds=30), "processes outlive the run that started them"
    # TensorFlow's own code, generated for tracing, which holds no clip and stays after SIGKILL.
    generated = "__autograph_generated_file"
    files = [path for path in temporary.rglob("*") if not path.is_dir()]
    files = [path for path in files if not path.name.startswith(generated)]
    assert not files, "what was written for other processes stays behind"
    shutil.rmtree(temporary)
    (calm,) = (small_data / "calm").iterdir()
    assert len(contents(calm)) == 6 + 3 * ("record_epochs=true" in overrides)
    compared = 0
    for folder in small_data.glob("troubled-*"):
        (run_folder,) = folder.iterdir()
        assert run_folder.name == calm.name
        assert contents(run_folder) == contents(calm)
        compared += sum(map(len, contents(run_folder).values()))
    print(f"{way}: {attacker.kills} kills, {number + 1} runs, {compared:,} bytes compared")


def test_fault_41_a_full_disk_leaves_finished_folds_and_says_so(small_data, monkeypatch):
    real, written = folder_room.write_whole, []

    def write_whole(path, content):
        if len(written) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(path, content)
        written.append(path)

    monkeypatch.setattr(folder_room, "write_whole", write_whole)
    with pytest.raises(ResultsError, match=r"No space left on device.*make room"):
        run(small())
    monkeypatch.setattr(folder_room, "write_whole", real)
    (path,) = (small_data / "results").iterdir()
    assert not list(path.rglob("*.part"))
    before = contents(path)
    assert len(before) == 2
    run(small())
    assert {name: contents(path)[name] for name in before} == before
    assert len(contents(path)) == 6


def test_fault_41_a_second_process_is_told_who_holds_the_run(small_data, copied_run):
    config = small("record_epochs=true")
    with copied_run.writer(), pytest.raises(ResultsError, match=f"process {os.getpid()} is wri"):
        run(config)


def test_fault_42_out_of_memory_names_the_batch_size(small_data, monkeypatch):
    class ResourceExhaustedError(Exception):
        pass

    import keras

    real, calls = keras.Model.fit, []

    def fit(self, **options):
        calls.append(1)
        if len(calls) == 2:
            raise ResourceExhaustedError("OOM when allocating tensor")
        return real(self, **options)

    monkeypatch.setattr(keras.Model, "fit", fit)
    config = small()
    batch = config.train.batch_size
    with pytest.raises(OutOfMemoryError, match=rf"batches of {batch} clips.*={batch // 2}"):
        run(config)
    (path,) = (small_data / "results").iterdir()
    assert len(contents(path)) == 1, "the finished fold is kept"


@pytest.mark.parametrize("step", ["reset", "standardise_by"])
def test_fault_42_memory_that_ends_before_the_first_step_is_told_too(monkeypatch, step):
    """While a network is built, or while the statistics of its input are computed."""

    def full(self, *_):
        raise MemoryError

    monkeypatch.setattr(Trainer, "reset", lambda *_: None)
    monkeypatch.setattr(Trainer, step, full)
    trainer = Trainer(lambda: None, small().train)
    with pytest.raises(OutOfMemoryError, match="batches of"):
        trainer.fit(np.zeros((2, 4, 4, 1), "float32"), np.zeros(2, "int32"))


def test_fault_42_other_errors_stay_what_they_are(small_data, monkeypatch):
    monkeypatch.setattr("keras.Model.fit", lambda *_, **__: (_ for _ in ()).throw(KeyError("x")))
    with pytest.raises(KeyError):
        run(small())


def test_fault_43_a_loss_that_is_not_finite_fails_its_fold_alone(small_data, monkeypatch):
    real, calls = trainer_room.check_finite, []

    def check_finite(losses, weights):
        calls.append(1)
        real([float("nan")] if len(calls) == 1 else losses, weights)

    monkeypatch.setattr(trainer_room, "check_finite", check_finite)
    view = read_view(run(small()).path)
    network, baseline = view.rows
    assert (network.done, network.expected) == (2, 3)
    assert "no longer finite" in network.failures[0]
    assert score_row(view, network) is None, "no headline while a fold is missing"
    assert baseline.complete


def test_fault_37_one_subject_cannot_be_left_out():
    from mer_keras.config.protocol import ProtocolConfig
    from mer_keras.protocols.build import build_folds
    from mer_keras.terms import Selection
    from tests.protocols.test_build import table_of

    table = table_of([("a", 1, "x"), ("a", 1, "y")])
    with pytest.raises(ProtocolError, match="subject"):
        build_folds(table, ProtocolConfig(name="loso"), Selection.LAST_EPOCH)


@pytest.mark.long
@pytest.mark.timeout(900)  # Each process imports TensorFlow, on a busy machine in half a minute.
@pytest.mark.parametrize("isolate", [False, True])
def test_a_fold_whose_process_dies_ends_alone(small_data, monkeypatch, tmp_path, isolate):
    """The second fold's process is killed from within, as the system does when memory ends."""
    patch = tmp_path / "sitecustomize.py"
    patch.write_text(
        "import os, signal\n"
        "from mer_keras.runs.tasks import TaskRunner\n"
        "real = TaskRunner.compute\n"
        "def dying(self, task, on_epoch=None):\n"
        "    if any(unit.fold == 'fold-2' for unit in task):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return real(self, task, on_epoch)\n"
        "TaskRunner.compute = dying\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    view = read_view(run(small(), executor=ProcessExecutor(2, isolate=isolate)).path)
    for row in view.rows:
        assert (row.done, row.expected) == (2, 3)
        assert "signal 9" in row.failures[0]
        assert score_row(view, row) is None
    monkeypatch.delenv("PYTHONPATH")
    whole = read_view(run(small()).path)
    assert all(row.complete for row in whole.rows)


def test_nothing_is_fetched_at_run_time(small_data, monkeypatch, tmp_path):
    """From the run to the report without a socket to anywhere."""
    import socket

    from mer_keras.report.document import write_report

    def refused(*args, **kwargs):
        raise AssertionError(f"asked for the network: {args[1:]}")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    config = small()
    view = read_view(run(config).path)
    assert write_report([(config, [view])], tmp_path / "report")


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory from /proc")
def test_memory_stays_flat_over_many_folds(small_data, monkeypatch):
    """From the tenth training on, thirty more take next to nothing."""

    def resident():
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    sizes = []
    real = Trainer.fit

    def measured(self, *args, **kwargs):
        record = real(self, *args, **kwargs)
        sizes.append(resident())
        return record

    monkeypatch.setattr(Trainer, "fit", measured)
    run(small("baselines=[]").model_copy(update={"seeds": tuple(range(12))}))
    assert len(sizes) == 36
    assert sizes[-1] - sizes[9] < 60


def test_a_vanished_folder_is_told(tmp_path):
    with pytest.raises(ResultsError, match="expected a run folder"):
        RunFolder(tmp_path / "gone").manifest()
