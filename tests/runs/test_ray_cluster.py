"""Runs on a Ray cluster of this machine: the same predictions, and workers that die."""

import builtins
import os
import socket
import tempfile
import time
from pathlib import Path
from unittest.mock import MagicMock

import pytest

pytest.importorskip("keras")
from typer.testing import CliRunner

from mer_keras.cli.main import app
from mer_keras.errors import UserError
from mer_keras.report.scoring import score_row
from mer_keras.report.view import read_view
from mer_keras.runs import processes
from mer_keras.runs import ray_cluster as room
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.processes import ProcessExecutor
from mer_keras.runs.ray_cluster import RayExecutor, joined
from mer_keras.runs.ray_worker import Files
from mer_keras.runs.run import run_experiments
from mer_keras.training.fold import OutOfMemoryError
from tests.runs import small as small_room
from tests.runs.small import NETWORK, contents


@pytest.fixture(scope="module")
def cluster():
    """Two cores, which answer to this machine alone; no process of it is left at the end."""
    import psutil

    pytest.importorskip("ray")
    with joined("local", cores=2) as there:
        import ray

        address = ray.get_runtime_context().gcs_address
        assert address.startswith("127.0.0.1:")
        assert {node["NodeManagerAddress"] for node in ray.nodes()} == {"127.0.0.1"}
        token = Path(os.environ["RAY_AUTH_TOKEN_PATH"])
        assert os.environ["RAY_AUTH_MODE"] == "token"
        for file in token.parent.rglob("*.*"):
            assert not file.is_file() or token.read_bytes() not in file.read_bytes()
        started = psutil.Process().children(recursive=True)
        yield there
    _, left = psutil.wait_procs(started, timeout=10)
    assert not [p.cmdline() for p in left]


@pytest.fixture
def small(small_data):
    """The config of the small run, on its database."""
    return small_room.small("record_epochs=true")


def run(config, cluster, **options):
    return small_room.run(config, executor=RayExecutor(cluster), **options)


@pytest.mark.long
class TestOnACluster:
    def test_predictions_are_those_of_this_machine_alone(
        self, small, cluster, small_data, monkeypatch
    ):
        """Bit for bit, where both have one thread; and a second call does nothing."""
        monkeypatch.setattr(processes.os, "cpu_count", lambda: 2)
        reports = []
        folder = run(small, cluster, progress=lambda *report: reports.append(report))
        assert {("Proposed ConvLSTM", 3, 3), ("majority class", 3, 3)} <= set(reports)
        monkeypatch.setenv("MER_RESULTS", str(small_data / "other"))
        alone = small_room.run(small, executor=ProcessExecutor(2))
        assert len(contents(folder.path)) == 6 + 3
        assert contents(folder.path) == contents(alone.path)
        assert folder.run_id == alone.run_id

        monkeypatch.setattr(room, "compute", lambda *_: os._exit(1))
        assert contents(run(small, cluster).path) == contents(alone.path)

    def test_experiments_share_the_cluster(self, small, cluster):
        other = small.model_copy(update={"seeds": (7,)})
        configs = [small, other, small]
        folders = run_experiments(
            configs, profile="quick", data="real", executor=RayExecutor(cluster)
        )
        assert len({folder.run_id for folder in folders}) == len(folders) == 2
        assert [len(contents(folder.path, ".parquet")) for folder in folders] == [6, 6]

    def test_given_weights_travel(self, small, cluster, small_data):
        from mer_keras.models import registry

        file = small_data / "net.weights.h5"
        registry.build("ststnet", (28, 28, 3), 3).save_weights(file)
        folder = run(small, cluster, weights=file)
        assert folder.manifest()["selection"] == "external"
        assert all(row.complete for row in read_view(folder.path).rows)

    def test_fault_42_a_worker_that_dies_once_is_replaced(
        self, small, cluster, tmp_path, monkeypatch
    ):
        marker = tmp_path / "died"

        def dying(job, task):
            if not marker.exists():
                marker.touch()
                os._exit(1)
            from mer_keras.runs.ray_worker import compute

            return compute(job, task)

        monkeypatch.setattr(room, "compute", dying)
        view = read_view(run(small, cluster).path)
        assert marker.exists()
        assert all(row.complete for row in view.rows)

    def test_fault_42_a_worker_that_always_dies_fails_its_folds_alone(
        self, small, cluster, monkeypatch
    ):
        real = room.compute

        def dying(job, task):
            if any(unit.fold == "fold-2" for unit in task):
                os._exit(1)
            from mer_keras.runs.ray_worker import compute

            return compute(job, task)

        monkeypatch.setattr(room, "compute", dying)
        view = read_view(run(small, cluster).path)
        for row in view.rows:
            assert (row.done, row.expected) == (2, 3)
            assert "died, 4 times in all" in row.failures[0]
            assert score_row(view, row) is None, "no headline while a fold is missing"
        monkeypatch.setattr(room, "compute", real)
        view = read_view(run(small, cluster).path)
        assert all(row.complete for row in view.rows), "the next run tries it again"

    def test_an_error_of_ours_ends_the_run_and_keeps_what_is_done(
        self, small, cluster, small_data, monkeypatch
    ):
        real = room.compute

        def short_of_memory(job, task):
            if (task[0].row, task[0].fold) == (NETWORK, "fold-3"):
                time.sleep(5)
                raise OutOfMemoryError("batches of 8 clips")
            return real(job, task)

        monkeypatch.setattr(room, "compute", short_of_memory)
        with pytest.raises(OutOfMemoryError, match="batches of 8 clips") as caught:
            run(small, cluster)
        assert caught.value.exit_code == 2
        (path,) = (small_data / "results").iterdir()
        assert 0 < len(contents(path, ".parquet")) < 6

    def test_an_interrupt_keeps_what_is_done(self, small, cluster, small_data):
        def stop(what, done, total):
            if what in ("Proposed ConvLSTM", "majority class") and 0 < done < total:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(small, cluster, progress=stop)
        (path,) = (small_data / "results").iterdir()
        with RunFolder(path).writer():
            assert 0 < len(contents(path, ".parquet")) < 6
        assert len(contents(run(small, cluster).path, ".parquet")) == 6

    def test_a_gpu_that_no_machine_has(self, cluster):
        import ray

        with pytest.raises(UserError, match="no machine of the cluster has"):
            room._measure(ray, 1, 1.0)
        assert (cluster.hosts, cluster.cores, cluster.gpus) == (1, 2, 0)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_an_address_where_nothing_listens_is_told_within_seconds():
    started = time.monotonic()
    with (
        pytest.raises(UserError, match=r"nothing answers there.*ray start --head"),
        joined(f"127.0.0.1:{free_port()}"),
    ):
        pass
    assert time.monotonic() - started < 10


def test_fault_72_a_cluster_that_does_not_start_leaves_nothing(tmp_path, monkeypatch):
    """Ray raises this very class where one of its parts doesn't start; the token goes with it."""
    seen = []

    def fail(**_):
        token = Path(os.environ["RAY_AUTH_TOKEN_PATH"])
        assert os.environ["RAY_AUTH_MODE"] == "token"
        assert "RAY_AUTH_TOKEN" not in os.environ
        seen.append((token.stat().st_mode & 0o777, token.parent.stat().st_mode & 0o777))
        raise Exception("the raylet failed to start\nin /some/folder")

    ray = MagicMock()
    ray.init = fail
    monkeypatch.setattr(room, "_import_ray", lambda: ray)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("RAY_AUTH_TOKEN", "mine")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
    with pytest.raises(UserError, match=r"local: no cluster.*failed to start\)"), joined("local"):
        pass
    assert seen == [(0o600, 0o700)]
    assert (os.environ["RAY_AUTH_TOKEN"], os.environ["RAY_AUTH_MODE"]) == ("mine", "disabled")
    assert "RAY_AUTH_TOKEN_PATH" not in os.environ
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("address", ["10.0.0.1", "ray://10.0.0.1:10001", "h:0", "h:x"])
def test_what_is_no_address_is_told(address):
    with pytest.raises(UserError, match="expected auto, local, or an address"), joined(address):
        pass


def test_without_ray_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "ray":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=r"pip install -e '\.\[cluster\]'"), joined("local"):
        pass


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cluster", "local", "--workers", "2"], "leave out --workers and --isolate"),
        (["--cluster", "local", "--isolate"], "leave out --workers and --isolate"),
        (["--gpus-per-fold", "0.5"], "--gpus-per-fold is for --cluster"),
    ],
)
def test_options_that_contradict(options, said):
    done = CliRunner().invoke(app, ["run", "shallow_convlstm/table1", *options])
    assert said in str(done.exception)


def test_weights_arrive_as_they_left(places):
    (places / "there").mkdir()
    for fold in ("a", "b"):
        (places / "there" / f"{fold}.npz").write_bytes(fold.encode())
    (places / "there" / "notes.txt").write_text("stay")
    folder = Files.read(places / "there").place()
    assert {f.name: f.read_bytes() for f in folder.iterdir()} == {"a.npz": b"a", "b.npz": b"b"}
    files = Files.read(places / "there" / "a.npz")
    assert files.place().read_bytes() == b"a"
    assert files.place().name == "a.npz"
    assert files.place() == files.place()
    assert folder.is_relative_to(places / "cache")


def test_sessions_that_outlived_their_folder_are_removed_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    names = ("mer-abandon1", "mer-inuse123", "mer-anothers", "mer-data", "other-12345678")
    for name in names:
        logs = tmp_path / name / "session_2026" / "logs"
        logs.mkdir(parents=True)
        (logs / "agent.out").write_text("late")
    (tmp_path / "mer-inuse123" / ".lock").touch()
    (tmp_path / "mer-anothers" / "clips.csv").touch()
    room._remove_late_sessions()
    assert {path.name for path in tmp_path.iterdir()} == {*names} - {"mer-abandon1"}
