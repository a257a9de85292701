"""Runs on a Ray cluster of this machine: the same predictions, and workers that die."""

import builtins
import os
import socket
import time
from pathlib import Path

import pytest

pytest.importorskip("keras")
from typer.testing import CliRunner

from mer_keras.cli.main import app
from mer_keras.config.files import load_config
from mer_keras.errors import UserError
from mer_keras.report.scoring import score_row
from mer_keras.report.view import read_view
from mer_keras.runs import cluster as room
from mer_keras.runs import processes
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.ray_cluster import joined, run_on_cluster
from mer_keras.runs.ray_worker import Files
from mer_keras.runs.run import run_experiment
from mer_keras.synthetic import stand_ins
from mer_keras.training.fold import OutOfMemoryError
from tests.runs.small import SMALL

ROOT = Path(__file__).parents[2]


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
        started = psutil.Process().children(recursive=True)
        yield there
    _, left = psutil.wait_procs(started, timeout=10)
    assert not [p.cmdline() for p in left]


@pytest.fixture
def small(places):
    """A small database on disk, and a config that runs on it within seconds."""
    stand_ins.write("samm", places / "data" / "SAMM", stand_ins.StandInOptions(clips=24, size=24))
    path = ROOT / "experiments/shallow_convlstm/table1.yaml"
    return load_config(path, profile="quick", overrides=SMALL)


def contents(folder):
    """Every file of predictions, byte for byte."""
    root = folder.path / "predictions"
    return {str(f.relative_to(root)): f.read_bytes() for f in sorted(root.rglob("*.parquet"))}


def run(config, cluster, **options):
    (folder,) = run_on_cluster([config], cluster, profile="quick", data="real", **options)
    return folder


@pytest.mark.long
class TestOnACluster:
    def test_predictions_are_those_of_this_machine_alone(self, small, cluster, places, monkeypatch):
        """Bit for bit, where both have one thread; and a second call does nothing."""
        monkeypatch.setattr(processes.os, "cpu_count", lambda: 2)
        seen = []
        folder = run(small, cluster, progress=lambda *what: seen.append(what))
        assert seen[-1] == ("2 cores of one machine", 6, 6)
        monkeypatch.setenv("MER_RESULTS", str(places / "other"))
        alone = run_experiment(small, profile="quick", data="real", workers=2)
        assert len(contents(folder)) == 6
        assert contents(folder) == contents(alone)
        assert folder.run_id == alone.run_id

        monkeypatch.setattr(room, "compute", lambda *_: os._exit(1))
        assert contents(run(small, cluster)) == contents(alone)

    def test_experiments_share_the_cluster(self, small, cluster):
        other = small.model_copy(update={"seeds": (7,)})
        configs = [small, other, small]
        found = run_on_cluster(configs, cluster, profile="quick", data="real")
        assert found[0].run_id == found[2].run_id != found[1].run_id
        assert [len(contents(folder)) for folder in found] == [6, 6, 6]

    def test_given_weights_travel(self, small, cluster, places):
        from mer_keras.models import registry

        file = places / "net.weights.h5"
        registry.build("ststnet", (28, 28, 3), 3).save_weights(file)
        folder = run(small, cluster, weights=file)
        assert folder.manifest()["selection"] == "external"
        assert all(row.complete for row in read_view(folder.path).rows)

    def test_fault_42_a_worker_that_dies_once_is_replaced(
        self, small, cluster, tmp_path, monkeypatch
    ):
        marker = tmp_path / "died"

        def dying(job, row, piece):
            if not marker.exists():
                marker.touch()
                os._exit(1)
            from mer_keras.runs.ray_worker import compute

            return compute(job, row, piece)

        monkeypatch.setattr(room, "compute", dying)
        view = read_view(run(small, cluster).path)
        assert marker.exists()
        assert all(row.complete for row in view.rows)

    def test_fault_42_a_worker_that_always_dies_fails_its_folds_alone(
        self, small, cluster, monkeypatch
    ):
        real = room.compute

        def dying(job, row, piece):
            if any(unit.fold == "fold-2" for unit in piece):
                os._exit(1)
            from mer_keras.runs.ray_worker import compute

            return compute(job, row, piece)

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
        self, small, cluster, places, monkeypatch
    ):
        real = room.compute

        def short_of_memory(job, row, piece):
            if piece[0].row == "proposed-convlstm" and piece[0].fold == "fold-3":
                time.sleep(5)
                raise OutOfMemoryError("batches of 8 clips")
            return real(job, row, piece)

        monkeypatch.setattr(room, "compute", short_of_memory)
        with pytest.raises(OutOfMemoryError, match="batches of 8 clips") as caught:
            run(small, cluster)
        assert caught.value.exit_code == 2
        (path,) = (places / "results").iterdir()
        assert 0 < len(contents(RunFolder(path))) < 6

    def test_an_interrupt_keeps_what_is_done(self, small, cluster, places):
        def stop(what, done, total):
            if what.startswith("2 cores") and 0 < done < total:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(small, cluster, progress=stop)
        (path,) = (places / "results").iterdir()
        with RunFolder(path).writer():
            assert 0 < len(contents(RunFolder(path))) < 6
        assert len(contents(run(small, cluster))) == 6

    def test_a_gpu_that_no_machine_has(self, cluster):
        import ray

        with pytest.raises(UserError, match="no machine of the cluster has"):
            room._measure(ray, 1, 1.0)
        assert (cluster.hosts, cluster.cores, cluster.gpus) == (1, 2, 0)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_an_address_where_nothing_listens_is_told_within_seconds():
    started = time.monotonic()
    with (
        pytest.raises(UserError, match=r"nothing answers there.*ray start --head"),
        joined(f"127.0.0.1:{free_port()}"),
    ):
        pass
    assert time.monotonic() - started < 10


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
    one = Files.read(places / "there" / "a.npz")
    assert one.place().read_bytes() == b"a"
    assert one.place().name == "a.npz"
    assert one.place() == one.place()
    assert folder.is_relative_to(places / "cache")
