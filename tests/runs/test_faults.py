"""Faults while a run goes on: kills at any instant, a full disk, no memory, a fold that dies."""

import contextlib
import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")
from mer_keras.config.files import load_config
from mer_keras.errors import ProtocolError, ResultsError
from mer_keras.report.scoring import score_row
from mer_keras.report.view import read_view
from mer_keras.runs.folder import RunFolder, units_of
from mer_keras.runs.run import run_experiment
from mer_keras.runs.verify import verify_fold
from mer_keras.synthetic import stand_ins
from mer_keras.training.fold import OutOfMemoryError
from mer_keras.training.trainer import Trainer
from tests.runs.small import SMALL, contents

ROOT = Path(__file__).parents[2]
KILLS = 20

#: imports once, then runs the experiment in one child after another, into the folder that a line
#: on stdin names
SERVER = """
import os, pathlib, sys
import keras, tensorflow
from mer_keras.config.files import load_config
from mer_keras.runs.run import run_experiment
config = load_config(pathlib.Path(sys.argv[1]), profile="quick", overrides=sys.argv[2:])
print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if not child:
        os.environ["MER_RESULTS"] = line.strip()
        try:
            run_experiment(config, profile="quick", data="real")
        except BaseException as error:
            print(type(error).__name__, error, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.fixture
def small(places):
    """A small database on disk, and a config that runs on it within seconds."""
    stand_ins.write("samm", places / "data" / "SAMM", stand_ins.StandInOptions(clips=24, size=24))
    path = ROOT / "experiments/shallow_convlstm/table1.yaml"
    return load_config(path, profile="quick", overrides=SMALL)


def run(config, **options):
    return run_experiment(config, profile="quick", data="real", **options)


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("engine", ["sequential", "all_folds"])
def test_fault_41_kills_at_twenty_random_points_change_nothing(small, places, engine):
    """SIGKILL, as a power cut would be, SIGTERM and Ctrl-C, at any instant of a run.

    A run that ends before its kill is followed by another; twenty kills must hit.
    """
    command = [sys.executable, "-c", SERVER]
    command += [str(ROOT / "experiments/shallow_convlstm/table1.yaml"), *SMALL]
    command += [f"train.engine={engine}", "train.plateau=null"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout.readline() == "ready\n"

    def start(results):
        print(places / results, file=server.stdin, flush=True)
        return int(server.stdout.readline())

    def ended_well():
        return int(server.stdout.readline()) == 0

    started = time.monotonic()
    start("calm")
    assert ended_well()
    whole = time.monotonic() - started
    rng, killed, number = random.Random(0), 0, 0
    while killed < KILLS:
        child = start(f"troubled-{number}")
        time.sleep(rng.uniform(0, whole))
        how = rng.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        with contextlib.suppress(ProcessLookupError):  # it may have ended already
            os.kill(child, how)
        if ended_well():
            number += 1
        else:
            killed += 1
        for manifest in places.glob(f"troubled-{number}/*/manifest.json"):
            for row in (view := read_view(manifest.parent)).rows:
                # no headline number while a fold is missing
                assert row.complete or score_row(view, row) is None
    start(f"troubled-{number}")
    assert ended_well()
    server.stdin.close()
    server.wait()
    (calm,) = (places / "calm").iterdir()
    assert len(contents(calm)) == 6
    for folder in places.glob("troubled-*"):
        (run_folder,) = folder.iterdir()
        assert run_folder.name == calm.name
        assert contents(run_folder) == contents(calm)


def test_fault_41_a_full_disk_leaves_finished_folds_and_says_so(small, monkeypatch):
    real = RunFolder.store
    stored = []

    def store(self, unit, predictions, record):
        if len(stored) == 2:
            predictions = FullDisk(predictions)
        real(self, unit, predictions, record)
        stored.append(unit)

    class FullDisk:
        def __init__(self, table):
            self.columns = table.columns

        def to_parquet(self, path, index):
            Path(path).write_bytes(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(RunFolder, "store", store)
    with pytest.raises(ResultsError, match=r"No space left on device.*make room"):
        run(small)
    monkeypatch.setattr(RunFolder, "store", real)
    (path,) = Path(os.environ["MER_RESULTS"]).iterdir()
    assert not list(path.rglob("*.part"))
    folder = RunFolder(path)
    assert all(folder.is_done(unit) for unit in stored)
    before = contents(path)
    run(small)
    assert {name: contents(path)[name] for name in before} == before
    assert len(contents(path)) == 6


def test_fault_41_a_second_process_is_told_who_holds_the_run(small):
    folder = run(small)
    with folder.writer(), pytest.raises(ResultsError, match=f"process {os.getpid()} is writing"):
        run(small)


def test_fault_42_out_of_memory_names_the_batch_size(small, monkeypatch):
    class ResourceExhaustedError(Exception):
        pass

    calls = []

    def fit(self, *args):
        calls.append(1)
        if len(calls) == 2:
            raise ResourceExhaustedError("OOM when allocating tensor")
        return real(self, *args)

    real = Trainer._fit_predict
    monkeypatch.setattr(Trainer, "_fit_predict", fit)
    batch = small.train.batch_size
    with pytest.raises(OutOfMemoryError, match=rf"batches of {batch} clips.*={batch // 2}"):
        run(small)
    (path,) = Path(os.environ["MER_RESULTS"]).iterdir()
    assert len(contents(path)) == 1, "the finished fold is kept"


def test_fault_42_other_errors_stay_what_they_are(small, monkeypatch):
    monkeypatch.setattr(Trainer, "_fit_predict", lambda *_: (_ for _ in ()).throw(KeyError("x")))
    with pytest.raises(KeyError):
        run(small)


def test_fault_37_one_subject_cannot_be_left_out(places):
    from mer_keras.config.protocol import ProtocolConfig
    from mer_keras.protocols.build import build_folds
    from mer_keras.terms import Selection
    from tests.protocols.test_build import table_of

    table = table_of([("a", 1, "x"), ("a", 1, "y")])
    with pytest.raises(ProtocolError, match="subject"):
        build_folds(table, ProtocolConfig(name="loso"), Selection.LAST_EPOCH)


@pytest.mark.long
def test_an_isolated_fold_that_dies_ends_alone(small, monkeypatch, tmp_path):
    """The second fold's process is killed from within, as the system does when memory ends."""
    patch = tmp_path / "sitecustomize.py"
    patch.write_text(
        "import os, signal\n"
        "import mer_keras.runs.run as room\n"
        "real = room.run_share\n"
        "def dying(*args, share, **rest):\n"
        "    if share[0] == 1:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return real(*args, share=share, **rest)\n"
        "room.run_share = dying\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    folder = run(small, isolate=True, workers=2)
    view = read_view(folder.path)
    for row in view.rows:
        assert (row.done, row.expected) == (2, 3)
        assert "signal 9" in row.failures[0]
        assert score_row(view, row) is None
    monkeypatch.delenv("PYTHONPATH")
    whole = read_view(run(small).path)
    assert all(row.complete for row in whole.rows)


class TestVerify:
    def test_a_fold_is_derived_again_bit_for_bit(self, small):
        folder = run(small)
        found = verify_fold(folder)
        assert found.identical
        assert (found.samples, found.changed) == (len(folder.folds().folds[0].test), 0)
        assert "fold" not in found.to_json()

    def test_a_tampered_prediction_is_found(self, small):
        folder = run(small)
        unit = units_of(folder.manifest(), folder.folds())["proposed-convlstm"][1]
        table = folder.predictions([unit])
        names = [c for c in table if c.startswith("prob_")]
        table[names] = np.roll(table[names].to_numpy(), 1, axis=1)
        folder.store(unit, table, {"seconds": 0})
        assert verify_fold(folder).identical
        found = verify_fold(folder, fold=unit.fold)
        assert not found.agrees

    def test_what_cannot_be_verified_is_said(self, small):
        folder = run(small)
        with pytest.raises(Exception, match="no row 'nothing'"):
            verify_fold(folder, row="nothing")
        with pytest.raises(Exception, match="no fold 'nine'"):
            verify_fold(folder, fold="nine")


def test_nothing_is_fetched_at_run_time(small, monkeypatch, tmp_path):
    """From the run to the report without a socket to anywhere."""
    import socket

    from mer_keras.report.document import write_report

    def refused(*args, **kwargs):
        raise AssertionError(f"asked for the network: {args[1:]}")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    view = read_view(run(small).path)
    assert write_report([(small, [view])], tmp_path / "report")


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory from /proc")
def test_memory_stays_flat_over_many_folds(small, monkeypatch):
    """From the tenth training on, thirty more take next to nothing."""

    def resident():
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    seen = []
    real = Trainer.fit_predict

    def measured(self, *args):
        outcome = real(self, *args)
        seen.append(resident())
        return outcome

    monkeypatch.setattr(Trainer, "fit_predict", measured)
    run(small.model_copy(update={"seeds": tuple(range(12)), "baselines": ()}))
    assert len(seen) == 36
    assert seen[-1] - seen[9] < 60
