"""Tables of a run folder are bound to their folds and units, and say what the manifest says."""

import pandas as pd
import pytest

from mer_keras.errors import ResultsError
from mer_keras.runs import unit_files
from mer_keras.runs.folder import MANIFEST, RunFolder
from mer_keras.runs.json_files import read_json, write_json
from mer_keras.runs.units import Unit
from tests.runs.folders import (
    MANIFEST_TREE,
    TRAJECTORY,
    UNIT,
    as_parquet,
    file_of,
    opened,
    predictions,
    rewrite,
)


@pytest.fixture
def run(tmp_path):
    return opened(tmp_path / "run")


class TestBinding:
    """Files of another unit don't count, however they came to lie here (fault 58)."""

    @pytest.mark.parametrize(
        "column", [{"run_id": "run-2"}, {"row": "other"}, {"seed": 1}, {"fold": "d/2"}]
    )
    def test_fault_58_predictions_of_another_unit_are_not_stored(self, run, column):
        with pytest.raises(ResultsError, match=f"column {next(iter(column))} holds"):
            run.store(UNIT, predictions(**column), {})
        assert not run.is_done(UNIT)

    @pytest.mark.parametrize(
        "ids", [["d/2/a", "d/2/b"], ["d/1/b", "d/1/a"], ["d/1/a", "d/1/a"], ["d/1/a", "d/9/x"]]
    )
    def test_fault_58_other_samples_or_another_order_are_not_stored(self, run, ids):
        with pytest.raises(ResultsError, match="not those that the fold tests"):
            run.store(UNIT, predictions(sample_id=ids), {})

    @pytest.mark.parametrize("other", [Unit("other", 0, "d/1"), Unit("net", 1, "d/1")])
    def test_fault_58_files_of_another_row_or_seed_do_not_count(self, run, other):
        run.store(other, predictions(other), {})
        self.move(run, other, UNIT)
        assert not run.is_done(UNIT)
        assert run.predictions([UNIT]).empty

    def test_fault_58_files_of_another_fold_do_not_count(self, run):
        other = Unit("net", 0, "d/2")
        run.store(other, predictions(other), {}, TRAJECTORY)
        self.move(run, other, UNIT)
        assert not run.is_done(UNIT)

    def test_fault_58_files_of_another_run_do_not_count(self, run, tmp_path):
        other = opened(tmp_path / "other", run_id="run-2")
        other.store(UNIT, predictions(run_id="run-2"), {})
        for suffix in (".json", ".parquet"):
            target = file_of(run, suffix)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file_of(other, suffix).read_bytes())
        assert not run.is_done(UNIT)

    def test_fault_58_a_swapped_table_does_not_count(self, run):
        other = Unit("net", 1, "d/1")
        run.store(UNIT, predictions(), {})
        run.store(other, predictions(other), {})
        file_of(run, ".parquet").write_bytes(file_of(run, ".parquet", other).read_bytes())
        assert not run.is_done(UNIT)

    @pytest.mark.parametrize("key", ["run_id", "row", "seed", "fold"])
    def test_fault_58_a_swapped_record_does_not_count(self, run, key):
        run.store(UNIT, predictions(), {})
        record = read_json(file_of(run, ".json"))
        write_json(file_of(run, ".json"), record | {key: "another"})
        assert not run.is_done(UNIT)

    @pytest.mark.parametrize(
        "changes",
        [
            {"run_id": "run-2"},
            {"row": "other"},
            {"seed": 1},
            {"fold": "d/2"},
            {"sample_id": ["d/1/b", "d/1/a"]},
        ],
    )
    def test_fault_58_a_swapped_table_is_told_even_if_its_checksum_is_right(self, run, changes):
        run.store(UNIT, predictions(), {})
        rewrite(run, ".parquet", as_parquet(predictions(**changes)))
        assert run.is_done(UNIT)
        with pytest.raises(ResultsError, match=r"parquet: (column|the samples)"):
            run.predictions([UNIT])

    def test_fault_58_copies_are_bound_too(self, run):
        copy = predictions().iloc[:1].assign(is_copy=True)
        run.store(UNIT, pd.concat([predictions(), copy]), {})
        other = predictions().iloc[1:].assign(is_copy=True)
        rewrite(run, ".parquet", as_parquet(pd.concat([predictions(), other])))
        with pytest.raises(ResultsError, match="other samples than its record names"):
            run.predictions([UNIT])

    @pytest.mark.parametrize(
        "content", [b"", b"PAR1 not really", as_parquet(pd.DataFrame({"a": [1]}))]
    )
    def test_foreign_tables_are_told(self, run, content):
        run.store(UNIT, predictions(), {})
        rewrite(run, ".parquet", content)
        with pytest.raises(ResultsError, match="parquet: "):
            run.predictions([UNIT])

    @staticmethod
    def move(run, source, target):
        for suffix in (".json", ".parquet", ".npy"):
            if file_of(run, suffix, source).exists():
                file_of(run, suffix, target).parent.mkdir(parents=True, exist_ok=True)
                file_of(run, suffix, source).rename(file_of(run, suffix, target))


class TestDescription:
    """What marks a result stands in the manifest and in every row: both must say the same."""

    DESCRIBED = MANIFEST_TREE | {
        "experiment": "a/b",
        "protocol": "p",
        "data_kind": "synthetic",
        "classes": ["x", "y"],
        "rows": [{"key": "net", "method": "m", "selection": "last_epoch"}],
    }
    ROW = {  # noqa: RUF012
        "experiment": "a/b",
        "protocol": "p",
        "data_kind": "synthetic",
        "method": "m",
        "selection": "last_epoch",
        "prob_x": 0.75,
        "prob_y": 0.25,
    }

    @pytest.fixture
    def described(self, tmp_path):
        folder = opened(tmp_path / "described", **self.DESCRIBED)
        folder.store(UNIT, predictions(**self.ROW), {})
        return folder

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"data_kind": "licensed"}, "column data_kind holds 'licensed', expected 'synthetic'"),
            ({"experiment": "a/c"}, "column experiment holds"),
            ({"protocol": "q"}, "column protocol holds"),
            ({"selection": ["last_epoch", "test_fold"]}, "column selection holds 'test_fold'"),
            ({"method": "n"}, "column method holds"),
            ({"seed": 0.0}, "column seed holds 0.0, expected 0"),
            ({"label": "z"}, "column label holds 'z', which is no class"),
            ({"label": [1, 2]}, "column label holds int64, expected text"),
            ({"subject_id": ["s", None]}, "column subject_id has empty cells"),
            ({"predicted": "y"}, "not the one with the highest probability"),
            ({"prob_x": float("nan")}, "not finite"),
            ({"prob_x": "much"}, "holds no numbers"),
            ({"is_copy": "no"}, "is_copy holds"),
        ],
    )
    def test_fault_67_a_table_that_contradicts_the_manifest_is_told(self, described, changes, said):
        table = predictions(**self.ROW).assign(**changes)
        with pytest.raises(ResultsError, match=said):
            described.store(UNIT, table, {})
        rewrite(described, ".parquet", as_parquet(table))
        with pytest.raises(ResultsError, match=said):
            described.predictions([UNIT])

    def test_fault_67_a_manifest_that_contradicts_the_tables_is_told(self, described):
        write_json(described.path / MANIFEST, self.DESCRIBED | {"data_kind": "licensed"})
        with pytest.raises(ResultsError, match="column data_kind holds 'synthetic'"):
            RunFolder(described.path).predictions([UNIT])

    def test_fault_67_a_table_without_its_probabilities_is_told(self, described):
        rewrite(described, ".parquet", as_parquet(predictions(**self.ROW).drop(columns="prob_y")))
        with pytest.raises(ResultsError, match="prob_y are missing"):
            described.predictions([UNIT])

    def test_fault_67_a_table_of_very_many_rows_is_not_read(self, described, monkeypatch):
        monkeypatch.setattr(unit_files, "MOST_COPIES", 3)
        table = predictions(**self.ROW)
        copies = pd.concat([table, *[table.assign(is_copy=True)] * 4], ignore_index=True)
        rewrite(described, ".parquet", as_parquet(copies))
        with pytest.raises(ResultsError, match="declares 10 rows"):
            described.predictions([UNIT])

    def test_copies_of_other_clips_are_told(self, described):
        table = predictions(**self.ROW)
        other = table.assign(is_copy=True, sample_id="d/2/a")
        with pytest.raises(ResultsError, match="not those that the fold tests"):
            described.store(UNIT, pd.concat([table, other], ignore_index=True), {})
