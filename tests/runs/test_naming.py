"""One way to name a run, whatever else lies beside it."""

import pytest

from mer_keras.errors import UserError
from mer_keras.runs.naming import (
    find_run,
    find_run_and_row,
    find_whole_run,
    row_key,
    stored_runs,
)
from tests.runs.manifests import ROWS, write_manifest

NAMES = [(row["key"], row["name"]) for row in ROWS]


@pytest.fixture
def results(places):
    """Two runs of one experiment, one of a part of another, in an order that names don't have."""
    root = places / "results"
    write_manifest(root, "aa-older", created="2026-01-01T00:00:00+00:00")
    write_manifest(root, "ab-newer", created="2026-03-01T00:00:00+00:00")
    write_manifest(
        root, "b-part", experiment="paper/table2/casme", created="2026-02-01T00:00:00+00:00"
    )
    return root


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("aa-older", "aa-older"),
        ("aa", "aa-older"),
        ("b", "b-part"),
        ("latest", "ab-newer"),
        ("paper/table1", "ab-newer"),
        ("paper/table2/casme", "b-part"),
        ("paper/table2", "b-part"),
        ("aa/", "aa-older"),
        ("latest/", "ab-newer"),
        ("paper/table1/", "ab-newer"),
    ],
)
def test_fault_77_ids_prefixes_experiments_and_latest_name_a_run(results, name, folder):
    assert find_run(name) == results / folder


def test_fault_77_a_path_names_a_run_wherever_it_lies(results, tmp_path, monkeypatch):
    elsewhere = write_manifest(tmp_path / "usb: stick", "copy")
    assert find_run(str(elsewhere)) == elsewhere
    monkeypatch.chdir(elsewhere.parent)
    assert find_run("copy").resolve() == elsewhere
    assert find_run("../usb: stick/copy").resolve() == elsewhere
    assert find_run_and_row(f"{elsewhere}:net") == (elsewhere, "net")
    assert find_run_and_row(f"{elsewhere}:A: net") == (elsewhere, "A: net")
    assert find_run_and_row(str(elsewhere)) == (elsewhere, None)


def test_a_whole_id_wins_over_longer_ones_that_begin_so(results):
    write_manifest(results, "aa-older-copy")
    assert find_run("aa-older") == results / "aa-older"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a", ["2 runs are called so", "aa-older", "ab-newer", "give more of the id"]),
        ("paper", ["3 runs are called so", "b-part"]),
        ("", ["no such run", "aa-older"]),
        ("ab-newest", ["did you mean 'ab-newer'", "aa-older", "mer-keras status"]),
        ("paper/table3", ["did you mean 'paper/table1'"]),
        ("x" * 5000, ["no such run"]),
        ("nul\0", ["no such run"]),
        (".", ["no such run", "no manifest.json"]),
    ],
)
def test_fault_77_several_or_none_are_listed_with_the_next_step(results, name, said):
    with pytest.raises(UserError) as refused:
        find_run(name)
    assert all(part in str(refused.value) for part in said), refused.value
    assert refused.value.exit_code == 2


def test_without_runs_it_is_said_how_to_make_one(places):
    with pytest.raises(UserError, match="mer-keras run EXPERIMENT makes one"):
        find_run("latest")


def test_a_message_lists_some_runs_and_counts_the_rest(places):
    for number in range(14):
        write_manifest(places / "results", f"run-{number}")
    with pytest.raises(UserError, match=r"14 runs(?s:.)*and 4 more") as refused:
        find_run("run")
    assert str(refused.value).count("\n  run-") == 10


def test_runs_are_newest_first_and_folders_of_other_things_are_none(results):
    (results / "report" / "tables").mkdir(parents=True)
    (results / "file").touch()
    assert [run.name for run in stored_runs()] == ["ab-newer", "b-part", "aa-older"]


def test_fault_67_a_run_that_cannot_be_read_is_named_and_the_others_stay(results):
    (results / "aa-older" / "manifest.json").write_text("{")
    (results / "lost" / "predictions").mkdir(parents=True)
    problems = {run.name: run.problem for run in stored_runs()}
    assert not problems["ab-newer"] and not problems["b-part"]
    assert "not a JSON file" in problems["aa-older"]
    assert "not there" in problems["lost"]
    assert find_run("latest").name == "ab-newer"
    assert find_run("lost") == results / "lost", "its verb says what is wrong with it"


@pytest.mark.parametrize(
    ("text", "run", "row"),
    [
        ("latest:net", "ab-newer", "net"),
        ("aa:A: net", "aa-older", "A: net"),
        ("paper/table1:", "ab-newer", None),
        ("b", "b-part", None),
    ],
)
def test_fault_77_a_row_follows_after_a_colon(results, text, run, row):
    assert find_run_and_row(text) == (results / run, row)


def test_fault_77_where_whole_runs_are_meant_a_row_is_refused(results):
    assert find_whole_run("latest") == results / "ab-newer"
    with pytest.raises(UserError, match="latest:net: whole runs are meant here: leave out :net"):
        find_whole_run("latest:net")


def test_a_run_without_a_readable_name_is_not_proposed(results):
    (results / "aa-older" / "manifest.json").write_text("{")
    with pytest.raises(UserError, match="''") as refused:
        find_run("")
    assert "did you mean" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "key"),
    [("net", "net"), ("A: net", "net"), ("Baseline Majority", "baseline-majority")],
)
def test_a_row_is_called_by_key_or_name(text, key):
    assert row_key("run", text, NAMES) == key


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nat", r"no row 'nat' \(did you mean 'net'\?\): net, baseline-majority"),
        ("same", "several rows 'same': give the key of one: one, two"),
    ],
)
def test_rows_that_are_unknown_or_ambiguous_are_listed(text, said):
    with pytest.raises(UserError, match=said):
        row_key("run", text, NAMES if text == "nat" else [("one", "same"), ("two", "same")])
