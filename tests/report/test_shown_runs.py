"""Which runs a report shows, and that no run is believed that contradicts itself."""

import hashlib
import json
import shutil

import pandas as pd
import pytest

from mer_keras.errors import ResultsError
from mer_keras.report.document import write_report
from mer_keras.report.scoring import score_row, verdict
from mer_keras.report.shown_runs import views_of
from mer_keras.report.tables import tables_of
from mer_keras.report.view import UNKNOWN_CONFIG, read_view
from mer_keras.runs.identity import run_id_of
from mer_keras.runs.json_files import read_json, write_json
from mer_keras.runs.stored_manifest import MANIFEST
from tests.report.stored import CONFIG, make_run


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A whole run; tests copy it."""
    return make_run(tmp_path_factory.mktemp("whole"), folder="whole").path


@pytest.fixture
def copy(whole, places):
    """Copy the run below the results under a name; return the copy's path."""
    return lambda name: shutil.copytree(whole, places / "results" / name)


def rewrite_tables(path, row="*", **changes):
    """Change columns of files of predictions, and their checksums in the records too."""
    for file in path.glob(f"predictions/{row}/**/*.parquet"):
        pd.read_parquet(file).assign(**changes).to_parquet(file, index=False)
        record = read_json(file.with_suffix(".json"))
        content = file.read_bytes()
        record["checksums"][".parquet"] = hashlib.blake2b(content, digest_size=16).hexdigest()
        write_json(file.with_suffix(".json"), record)


def change_manifest(path, *, rename=False, **changes):
    """Change fields; ``rename`` gives the run the id that fits them, as somebody thorough would."""
    tree = read_json(path / MANIFEST) | changes
    if rename:
        fields = ("experiment", "profile", "data_kind", "identity")
        tree["run_id"] = run_id_of(*(tree[field] for field in fields))
    write_json(path / MANIFEST, tree)


def drop_fold(path):
    for file in path.glob("predictions/**/fold-2-*"):
        file.unlink()


def states(remarks):
    return {remark.run: remark.state for remark in remarks}


def test_the_whole_of_two_copies_is_shown_whatever_they_are_called(copy):
    drop_fold(copy("a-partial"))
    copy("b-whole")
    drop_fold(copy("c-partial"))
    views, remarks = views_of(CONFIG.name)
    assert [view.path.name for view in views] == ["b-whole"]
    said = states(remarks)
    for name in ("a-partial", "c-partial"):
        assert any(r.run == name and "a copy of" in r.state for r in remarks), said
        assert any(r.run == name and "6 of 8 folds" in r.reason for r in remarks), said
    assert "b-whole" not in said


def test_a_complete_run_comes_before_a_newer_unfinished_one(places):
    root = places / "results"
    new = {"folder": "new", "created": "2026-05-01T00:00:00+00:00"}
    make_run(root, folder="old", created="2026-01-01T00:00:00+00:00")
    make_run(root, skip={("proposed-convlstm", "fold-1")}, **new)
    views, remarks = views_of(CONFIG.name)
    assert [view.path.name for view in views] == ["old", "new"]
    assert states(remarks) == {"new": "unfinished: 7 of 8 folds"}
    assert "mer-keras resume new" in remarks[0].reason


DAMAGES = {
    "no manifest": lambda path: (path / MANIFEST).unlink(),
    "half a manifest": lambda path: (path / MANIFEST).write_text('{"run_id":'),
    "absent field": lambda path: write_json(path / MANIFEST, {"experiment": CONFIG.name}),
    "no folds": lambda path: (path / "folds.json").unlink(),
    "other folds": lambda path: (path / "folds.json").write_text('{"folds": [], "digest": "0"}'),
    "profile": lambda path: change_manifest(path, profile="quick"),
    "kind in the tables": lambda path: rewrite_tables(path, data_kind="public"),
    "selection in the tables": lambda path: rewrite_tables(path, selection="test_fold"),
    "more clips": lambda path: change_manifest(path, n_samples=5, class_counts={"positive": 5}),
    "fewer people": lambda path: change_manifest(path, n_subjects=3),
    "other classes": lambda path: change_manifest(path, classes=["a", "b", "c"]),
    "a label differs between rows": lambda path: rewrite_tables(
        path, "baseline-majority", label="positive"
    ),
    "record": lambda path: [
        write_json(file, read_json(file) | {"seconds": "long"})
        for file in path.glob("predictions/**/fold-1-*.json")
    ],
}


@pytest.mark.parametrize("what", DAMAGES)
def test_fault_67_a_run_that_contradicts_itself_is_named_and_others_are_shown(copy, what):
    name = f"{CONFIG.name.replace('/', '-').replace('_', '-')}-full-licensed-00000000"
    DAMAGES[what](copy(name))
    copy("whole")
    views, remarks = views_of(CONFIG.name)
    assert [view.path.name for view in views] == ["whole"]
    assert states(remarks) == {name: "broken: it can't be read or contradicts itself"}
    assert len(remarks[0].reason) > 20


def test_fault_67_predictions_do_not_follow_a_run_that_is_renamed_thoroughly(copy):
    """They bear the name that they were made under."""
    change_manifest(copy("renamed"), rename=True, data_kind="public")
    (view,), remarks = views_of(CONFIG.name)
    assert view.predictions.empty
    assert states(remarks) == {"renamed": "unfinished: 0 of 8 folds"}


def test_runs_that_are_not_whole_stand_in_every_report_without_paths(copy, places):
    drop_fold(copy("half"))
    files = write_report([(CONFIG, [])], places, views_of(CONFIG.name)[1])
    for file in files:
        if file.name.startswith("report."):
            assert "unfinished: 6 of 8 folds" in file.read_text(), file
            assert str(places) not in file.read_text()
    tree = json.loads((places / "report.json").read_text())
    assert tree["not_whole"] == [{"run": "half", "state": "unfinished: 6 of 8 folds"}]


@pytest.mark.parametrize("change", [{"caption": "another"}, {"key_of_another_version": 1}])
def test_a_config_that_is_not_of_this_version_is_not_comparable(copy, change):
    path = copy("whole")
    config = read_json(path / MANIFEST)["config"]
    change_manifest(path, config=config | change)
    view = read_view(path)
    assert view.changes == (UNKNOWN_CONFIG,)
    scores = score_row(view, view.rows[0])
    assert verdict(CONFIG.rows[0].published[0], view, scores) == "not comparable"
    assert UNKNOWN_CONFIG in next(t for t in tables_of(CONFIG, [view]) if t.view).caption


def test_damage_says_which_file_it_is(copy):
    path = copy("whole")
    rewrite_tables(path, data_kind="public")
    with pytest.raises(ResultsError, match=r"fold-1-.*\.parquet: column data_kind holds 'public'"):
        read_view(path)
