import subprocess
import sys

import pandas as pd
import pytest

from mer_keras.errors import ResultsError
from mer_keras.protocols.folds import Fold, FoldSet
from mer_keras.runs.folder import FOLDS, MANIFEST, RunFolder, Unit, slug, units_of, write_json
from mer_keras.terms import PREDICTION_COLUMNS, Selection

FOLD_SET = FoldSet(
    (
        Fold("d/1", ("d/2/a",), (), ("d/1/a",), Selection.LAST_EPOCH),
        Fold("d/2", ("d/1/a",), (), ("d/2/a",), Selection.LAST_EPOCH),
    )
)
MANIFEST_TREE = {
    "identity": {"config": "c", "samples": "s"},
    "config": {"seeds": [0, 1]},
    "rows": [{"key": "net"}],
}
UNIT = Unit("net", 0, "d/1")


def predictions(sample="d/1/a"):
    return pd.DataFrame([dict.fromkeys(PREDICTION_COLUMNS, "x") | {"sample_id": sample}])


@pytest.fixture
def run(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.open(MANIFEST_TREE, FOLD_SET)
    return folder


def files(run, suffix):
    return list(run.path.glob(f"predictions/net/seed-0/*{suffix}"))


def test_stored_unit_comes_back(run):
    assert not run.is_done(UNIT)
    run.store(UNIT, predictions(), {"seconds": 1.5})
    assert run.is_done(UNIT)
    assert run.record(UNIT)["seconds"] == 1.5
    assert list(run.predictions([UNIT, Unit("net", 1, "d/1")])["sample_id"]) == ["d/1/a"]


def test_units_are_rows_times_seeds_times_folds():
    units = units_of(MANIFEST_TREE, FOLD_SET)["net"]
    assert len(units) == len(set(units)) == 4


@pytest.mark.parametrize("damage", ["truncate", "change", "no record", "bad record"])
def test_fault_41_damaged_unit_does_not_count_as_done(run, damage):
    run.store(UNIT, predictions(), {})
    (table,), (record,) = files(run, ".parquet"), files(run, ".json")
    if damage == "truncate":
        table.write_bytes(table.read_bytes()[:-10])
    elif damage == "change":
        predictions("d/9/a").to_parquet(table)
    elif damage == "no record":
        record.unlink()
    else:
        record.write_text("{")
    assert not run.is_done(UNIT)
    assert run.predictions([UNIT]).empty
    with pytest.raises(ResultsError, match="not finished"):
        run.record(UNIT)


def test_fault_41_interrupted_write_leaves_nothing_that_counts(run, monkeypatch):
    monkeypatch.setattr(
        "mer_keras.runs.folder.write_json", lambda *_: (_ for _ in ()).throw(OSError)
    )
    with pytest.raises(ResultsError, match="can't be stored"):
        run.store(UNIT, predictions(), {})
    assert not run.is_done(UNIT)


def test_names_that_look_alike_stay_apart(run):
    one, other = Unit("net", 0, "s/1"), Unit("net", 0, "s-1")
    assert one.stem() != other.stem()
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


def test_predictions_need_all_columns(run):
    with pytest.raises(ResultsError, match="sample_id"):
        run.store(UNIT, predictions().drop(columns="sample_id"), {})


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
    code = (
        "import sys; from pathlib import Path; from mer_keras.runs.folder import RunFolder\n"
        "with RunFolder(Path(sys.argv[1])).writer(): pass"
    )
    command = [sys.executable, "-c", code, str(run.path)]
    with run.writer():
        other = subprocess.run(command, capture_output=True, text=True)
        assert "is writing this run" in other.stderr
    assert subprocess.run(command, capture_output=True).returncode == 0
