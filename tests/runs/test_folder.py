"""The run folder: what is stored whole comes back, and nothing else counts as done."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from mer_keras.errors import ProtocolError, ResultsError
from mer_keras.names import slug
from mer_keras.protocols.folds import FoldSet
from mer_keras.runs.executors import OpenRun, RowCounts
from mer_keras.runs.folder import FOLDS, MANIFEST, RunFolder
from mer_keras.runs.json_files import read_json, write_json
from mer_keras.runs.units import Unit, units_of
from tests.runs.folders import (
    FOLD_SET,
    MANIFEST_TREE,
    TRAJECTORY,
    UNIT,
    as_npy,
    file_of,
    opened,
    predictions,
    rewrite,
)


@pytest.fixture
def run(tmp_path):
    return opened(tmp_path / "run")


def test_stored_unit_comes_back(run):
    assert not run.is_done(UNIT)
    run.store(UNIT, predictions(), {"seconds": 1.5})
    assert run.is_done(UNIT)
    assert run.record(UNIT)["seconds"] == 1.5
    pd.testing.assert_frame_equal(run.predictions([UNIT, Unit("net", 1, "d/1")]), predictions())
    assert run.trajectory(UNIT) is None


def test_units_are_rows_times_seeds_times_folds():
    units = units_of(MANIFEST_TREE, FOLD_SET)
    assert list(units) == ["net", "other"]
    assert len(units["net"]) == len(set(units["net"])) == 4


@pytest.mark.parametrize(
    "manifest",
    [
        {},
        {"rows": [{"key": "net"}]},
        {"rows": 3, "config": {"seeds": [0]}},
        {"rows": [{"key": "net"}], "config": {"seeds": ["../../etc"]}},
        {"rows": [{"key": 1}], "config": {"seeds": [0]}},
        {"rows": ["net"], "config": {"seeds": [0]}},
    ],
)
def test_a_foreign_manifest_gives_no_units_and_no_path(manifest):
    with pytest.raises(ResultsError, match="manifest"):
        units_of(manifest, FOLD_SET)


@pytest.mark.parametrize("damage", ["truncate", "change", "no table", "no record", "bad record"])
def test_fault_41_damaged_unit_does_not_count_as_done(run, damage):
    run.store(UNIT, predictions(), {})
    table, record = file_of(run, ".parquet"), file_of(run, ".json")
    if damage == "truncate":
        table.write_bytes(table.read_bytes()[:-10])
    elif damage == "change":
        predictions(label="y").to_parquet(table)
    elif damage == "no table":
        table.unlink()
    elif damage == "no record":
        record.unlink()
    else:
        record.write_text("{")
    assert not run.is_done(UNIT)
    assert run.predictions([UNIT]).empty
    with pytest.raises(ResultsError, match="not finished"):
        run.record(UNIT)


def test_fault_71_a_run_whose_lock_was_removed_stops_before_it_stores_more(run):
    """Another process could begin to write it now."""
    with run.writer():
        run.store(UNIT, predictions(), {})
        (run.path / ".lock").unlink()
        with pytest.raises(ResultsError, match=r"\.lock: this file was removed.*are kept"):
            run.store(UNIT, predictions(), {})
    assert run.is_done(UNIT)
    with run.writer():
        run.check_there()


def test_fault_70_another_folder_in_the_place_of_a_run_is_noticed(run):
    with run.writer():
        run.path.rename(run.path.with_name("moved"))
        shutil.copytree(run.path.with_name("moved"), run.path)
        with pytest.raises(ResultsError, match="removed or replaced"):
            run.check_there()


@pytest.mark.parametrize("link", ["predictions", "predictions/net", "learned"])
def test_fault_67_nothing_is_written_through_a_link_in_a_run(run, tmp_path, link):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (run.path / link).parent.mkdir(exist_ok=True)
    (run.path / link).symlink_to(elsewhere)
    with pytest.raises(ResultsError, match="is a link"):
        run.store(UNIT, predictions(), {}, learned=b"x")
    if link != "learned":
        with pytest.raises(ResultsError, match="is a link"):
            run.fail(UNIT, "x")
    assert not list(elsewhere.iterdir())


def test_fault_72_a_failure_that_cannot_be_stored_is_told(run, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mer_keras.runs.folder.write_json", full)
    with pytest.raises(ResultsError, match=r"a fold failed \(NaN\).*make room"):
        run.fail(UNIT, "NaN")


class TestTrajectory:
    def test_it_comes_back_bit_for_bit_as_a_plain_array_file(self, run):
        run.store(UNIT, predictions(), {}, TRAJECTORY)
        np.testing.assert_array_equal(run.trajectory(UNIT), TRAJECTORY)
        assert run.trajectory(UNIT).dtype == np.float32
        assert file_of(run, ".npy").read_bytes() == as_npy(TRAJECTORY, allow_pickle=False)

    @pytest.mark.parametrize("damage", ["truncate", "change", "remove"])
    def test_fault_41_a_damaged_one_does_not_count_as_done(self, run, damage):
        run.store(UNIT, predictions(), {}, TRAJECTORY)
        file = file_of(run, ".npy")
        if damage == "truncate":
            file.write_bytes(file.read_bytes()[:-4])
        elif damage == "change":
            file.write_bytes(as_npy(TRAJECTORY + 1))
        else:
            file.unlink()
        assert not run.is_done(UNIT)

    @pytest.mark.parametrize(
        "content",
        [
            as_npy(np.array([print, None]), allow_pickle=True),
            as_npy(TRAJECTORY.astype("float64")),
            as_npy(TRAJECTORY[:, :1]),
            as_npy(TRAJECTORY[0]),
            as_npy(TRAJECTORY * np.float32("nan")),
            as_npy(TRAJECTORY) + b"\0",
            b"\x93NUMPY\x01\x00"
            + b"v\x00"
            + b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99, 99), }".ljust(
                117
            )
            + b"\n",
            b"PK\x03\x04",
            b"",
        ],
        ids=[
            "pickled",
            "float64",
            "other clips",
            "one epoch",
            "NaN",
            "more",
            "bomb",
            "zip",
            "empty",
        ],
    )
    def test_what_is_none_is_told_and_nothing_of_it_runs(self, run, content):
        run.store(UNIT, predictions(), {}, TRAJECTORY)
        rewrite(run, ".npy", content)
        with pytest.raises(ResultsError, match=r"\.npy: "):
            run.trajectory(UNIT)

    def test_fault_58_one_of_other_classes_is_told(self, run):
        run.store(UNIT, predictions(), {}, TRAJECTORY)
        write_json(run.path / MANIFEST, MANIFEST_TREE | {"classes": ["a", "b", "c"]})
        with pytest.raises(ResultsError, match=r"\.npy: .*2 tested clips, 3 classes"):
            RunFolder(run.path).trajectory(UNIT)

    def test_one_of_other_clips_is_not_stored(self, run):
        with pytest.raises(ResultsError, match="2 tested clips"):
            run.store(UNIT, predictions(), {}, TRAJECTORY[:, :1])
        assert not run.is_done(UNIT)


@pytest.mark.parametrize("suffix", [".parquet", ".npy", ".json"])
def test_fault_41_interrupted_write_leaves_nothing_that_counts(run, monkeypatch, suffix):
    """Whichever of a unit's files is the one that no longer fits on the disk."""
    from mer_keras.runs import folder, json_files

    real = json_files.write_whole

    def full(path, content):
        if path.suffix == suffix:
            raise OSError(28, "No space left on device")
        real(path, content)

    monkeypatch.setattr(folder, "write_whole", full)
    monkeypatch.setattr(json_files, "write_whole", full)
    with pytest.raises(ResultsError, match="can't be stored: No space left"):
        run.store(UNIT, predictions(), {}, TRAJECTORY)
    assert not run.is_done(UNIT)


def test_names_that_look_alike_stay_apart():
    assert Unit("net", 0, "s/1").stem() != Unit("net", 0, "s-1").stem()
    assert slug("../../etc/<x>") == "etc-x"


def test_failure_is_recorded_and_forgotten_on_success(run):
    run.fail(UNIT, "the loss became nan")
    assert run.failure(UNIT) == "the loss became nan"
    run.store(UNIT, predictions(), {})
    assert run.failure(UNIT) is None


def test_fault_39_going_on_needs_the_same_input(run):
    run.open(MANIFEST_TREE, FOLD_SET)
    other = MANIFEST_TREE | {"identity": {"config": "c", "samples": "t"}}
    with pytest.raises(ResultsError, match="another samples"):
        run.open(other, FOLD_SET)
    with pytest.raises(ResultsError, match="folds changed"):
        run.open(MANIFEST_TREE, FoldSet(FOLD_SET.folds[:1]))


@pytest.mark.parametrize(
    ("key", "variable", "values"),
    [
        ("backend", "KERAS_BACKEND", ("tensorflow", "jax")),
        ("layers", "MER_LAYERS", ("fast", "plain")),
    ],
)
def test_fault_58_folds_of_two_computations_are_not_mixed(tmp_path, key, variable, values):
    run = opened(tmp_path / "run", **{key: values[0]})
    run.open(MANIFEST_TREE | {key: values[0]}, FOLD_SET)
    with pytest.raises(ResultsError, match=f"{variable}={values[0]}") as caught:
        run.open(MANIFEST_TREE | {key: values[1]}, FOLD_SET)
    assert caught.value.exit_code == 2
    assert f"began with {key} '{values[0]}', and now it is '{values[1]}'" in str(caught.value)
    run.open(MANIFEST_TREE, FOLD_SET)  # A run of an earlier version doesn't say it.


@pytest.mark.parametrize("column", ["sample_id", "label", "is_copy"])
def test_predictions_need_all_columns(run, column):
    with pytest.raises(ResultsError, match=f"{column} are missing"):
        run.store(UNIT, predictions().drop(columns=column), {})


def test_broken_files_are_named(run):
    (run.path / MANIFEST).write_text("not json")
    with pytest.raises(ResultsError, match=MANIFEST):
        run.manifest()
    (run.path / FOLDS).unlink()
    with pytest.raises(ResultsError, match=FOLDS):
        run.folds()
    write_json(run.path / MANIFEST, {"a": 1})
    assert run.manifest() == {"a": 1}
    (run.path / MANIFEST).write_text("[1]")
    with pytest.raises(ResultsError, match="mapping"):
        run.manifest()


def test_fault_41_one_writer_at_a_time(run):
    refused = pytest.raises(ResultsError, match=f"process {os.getpid()} is writing this run")
    with run.writer(), refused, RunFolder(run.path).writer():
        pass
    with RunFolder(run.path).writer():
        pass


def test_fault_41_a_process_that_is_killed_holds_a_run_no_longer(run):
    code = (
        "import fcntl, sys\n"
        "lock = open(sys.argv[1], 'a+')\n"
        "fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()"
    )
    command = [sys.executable, "-I", "-S", "-c", code, str(run.path / ".lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ResultsError, match="is writing this run"), run.writer():
            pass
        other.kill()
        other.wait()
    with run.writer():
        pass


class TestVanishedFolder:
    """Nothing is written into a place where a run used to be (fault 70)."""

    @pytest.mark.parametrize("how", ["removed", "moved", "emptied"])
    def test_fault_70_a_run_whose_folder_is_gone_stores_nothing(self, run, how):
        if how == "removed":
            shutil.rmtree(run.path)
        elif how == "moved":
            run.path.rename(run.path.with_name("elsewhere"))
        else:
            (run.path / MANIFEST).unlink()
        for write in (
            lambda: run.store(UNIT, predictions(), {}),
            lambda: run.fail(UNIT, "reason"),
            run.check_there,
        ):
            with pytest.raises(ResultsError, match="moved or deleted while the run goes on"):
                write()
        assert not (run.path / "predictions").exists()

    def test_fault_70_a_report_of_progress_ends_the_run(self, run):
        """A network is told after each epoch, not after hours of training."""
        counts = RowCounts(OpenRun(FakeContext, run))
        during = counts.during([UNIT])
        during(1, 10)
        shutil.rmtree(run.path)
        with pytest.raises(ResultsError, match="moved or deleted"):
            during(2, 10)


class FakeContext:
    """What is counted of a run."""

    class config:  # noqa: N801
        plans = ()
        seeds = ()

    class folds:  # noqa: N801
        folds = ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    tmp_path.chmod(0o500)
    with (
        pytest.raises(ResultsError, match="can't be written"),
        RunFolder(tmp_path / "run").writer(),
    ):
        pass


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path):
    (tmp_path / "results").touch()
    run = RunFolder(tmp_path / "results" / "run")
    with pytest.raises(ResultsError, match="can't be written"), run.writer():
        pass


def test_a_damaged_record_of_a_failure_still_says_that_it_failed(run):
    run.fail(UNIT, "the loss became nan")
    file_of(run, ".failed.json").write_text("{")
    assert run.failure(UNIT) == "the record of the failure is damaged"


@pytest.mark.parametrize("epoch", ["3", None, 2.5], ids=["text", "none", "half"])
def test_fault_58_an_epoch_that_is_no_number_is_told(run, epoch):
    with pytest.raises(ResultsError, match="column epoch holds"):
        run.store(UNIT, predictions(epoch=epoch), {})


def test_fault_67_folds_that_were_changed_are_told_with_their_file(run):
    tree = read_json(run.path / FOLDS)
    tree["folds"][0]["name"] = "../../elsewhere"
    write_json(run.path / FOLDS, tree)
    with pytest.raises(ProtocolError, match=r"folds\.json: the stored folds"):
        run.folds()
