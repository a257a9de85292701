"""Verbs that read stored runs: each takes a run by the same names, and one bad run stops none."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from mer_keras.cli.main import app
from mer_keras.cli.named_runs import results_beside
from mer_keras.errors import MerKerasError, UserError
from mer_keras.runs.folder import RunFolder
from mer_keras.settings import results_root
from mer_keras.terms import WATERMARK
from tests.report.stored import make_run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A whole run, an unfinished one and a broken one; tests copy them."""
    root = tmp_path_factory.mktemp("made") / "results"
    make_run(root, folder="whole", created="2026-01-01T00:00:00+00:00")
    half = {"folder": "half", "kind": "synthetic", "created": "2026-02-01T00:00:00+00:00"}
    make_run(root, skip={("proposed-convlstm", "fold-2")}, **half)
    broken = root / "shallow-convlstm-table1-broken" / "manifest.json"
    broken.parent.mkdir()
    broken.write_text('{"run_id": "\\u001b[2Jgone"}')
    return root


@pytest.fixture
def results(made, places):
    return shutil.copytree(made, places / "results", dirs_exist_ok=True)


def call(*arguments):
    """Run a verb; return what it prints, or the error that it ends with."""
    done = CliRunner().invoke(app, list(arguments))
    if done.exception is not None:
        if isinstance(done.exception, MerKerasError):
            return done.exception
        raise done.exception
    return done


class TestStatus:
    def test_fault_67_each_run_is_there_and_a_broken_one_has_its_reason(self, results):
        lines = call("status").stdout.splitlines()
        whole, half = (
            next(number for number, line in enumerate(lines) if line.startswith(f"{name}  "))
            for name in ("whole", "half")
        )
        assert "8/8 folds, complete" in lines[whole] and lines[whole + 1].endswith(" 24")
        assert "7/8 folds, unfinished" in lines[half]
        network = lines[half + 1].split()
        assert network[-3:] == ["-"] * 3, "there is no number while a fold is missing"
        reasons = dict(line.partition(": ")[::2] for line in lines if ": " in line)
        assert "mer-keras resume half goes on" in reasons["half"]
        assert reasons["shallow-convlstm-table1-broken"].startswith("broken: ")

    def test_lines_fit_into_80_columns(self, results):
        lines = call("status").stdout.splitlines()
        runs_and_rows = lines[: next(k for k, line in enumerate(lines) if ": unfinished: " in line)]
        assert all(len(line) <= 80 for line in runs_and_rows)

    def test_kinds_of_data_share_no_table(self, results):
        text = call("status").stdout
        assert text.index("licensed data") < text.index("whole ") < text.index(WATERMARK)
        assert text.index(WATERMARK) < text.index("half ")

    def test_nothing_that_a_run_says_reaches_the_terminal_as_a_command(self, results):
        assert "\x1b" not in call("status").stdout

    def test_json_has_all_of_it(self, results):
        entries = {entry["run_id"]: entry for entry in json.loads(call("status", "--json").stdout)}
        assert list(entries) == ["half", "whole", "shallow-convlstm-table1-broken"]
        assert entries["whole"]["rows"][0]["uf1"] > 0.5
        assert entries["half"]["rows"][0]["uf1"] is None
        assert entries["shallow-convlstm-table1-broken"]["state"] == "broken"

    @pytest.mark.parametrize("name", ["whole", "wh", "whole/"])
    def test_fault_77_some_runs_are_shown_with_their_baselines(self, results, name):
        name = str(results / name) if name.endswith("/") else name
        text = call("status", name).stdout
        assert "majority class" in text and "half" not in text
        (entry,) = json.loads(call("status", name, "--json").stdout)
        assert entry["run_id"] == "whole"


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "wholly"),
        ("verify", "wholly"),
        ("resume", "wholly"),
        ("track", "wholly", "--tensorboard", "logs"),
        ("compare", "whole:proposed-convlstm", "wholly"),
        ("report", "wholly"),
        ("explain", "wholly"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_fault_77_every_verb_says_what_may_have_been_meant(results, arguments):
    error = call(*arguments)
    assert isinstance(error, UserError)
    assert "wholly: no such run (did you mean 'whole'?)" in str(error)
    assert "shallow-convlstm-table1-broken  (can't be read)" in str(error)


def test_fault_77_two_rows_are_compared_by_any_names_of_their_run(results):
    names = "shallow_convlstm/table1", f"{results / 'whole'}:majority class"
    make_run(results, folder="zz", created="2026-03-01T00:00:00+00:00")
    tree = json.loads(call("compare", *names, "--json").stdout)
    assert tree["second"]["row"] == "majority class"
    error = call("compare", "latest", "half:proposed-convlstm")
    assert "INCOMPLETE 3/4" in str(error) and "mer-keras resume half" in str(error)


def test_fault_67_a_report_names_runs_that_are_not_whole_and_shows_the_others(results, places):
    done = call("report", "shallow_convlstm/table1", "--out", str(places / "report"))
    assert "shallow-convlstm-table1-broken: " in done.stderr
    assert "half: 7 of 8 folds are done" in done.stderr
    tree = json.loads((places / "report/report.json").read_text())
    (experiment,) = tree["experiments"]
    assert {run["data kind"] for run in experiment["runs"]} == {"licensed", "synthetic"}
    assert {run["run"] for run in tree["not_whole"]} == {"half", "shallow-convlstm-table1-broken"}


def test_fault_77_a_report_may_be_of_one_run(results, places):
    call("report", "whole", "--out", str(places / "report"))
    tree = json.loads((places / "report/report.json").read_text())
    (run,) = tree["experiments"][0]["runs"]
    assert run["data kind"] == "licensed" and tree["not_whole"] == []
    assert "leave out :net" in str(call("report", "whole:net", "--out", str(places / "report")))


def test_fault_77_two_names_of_one_run_make_one_section(results, places, monkeypatch):
    monkeypatch.chdir(places)
    names = ("whole", "results/whole/", f"{results}/whole//", "wh")
    call("report", *names, "--out", str(places / "report"))
    tree = json.loads((places / "report/report.json").read_text())
    (experiment,) = tree["experiments"]
    assert [run["data kind"] for run in experiment["runs"]] == ["licensed"]


def test_fault_77_a_run_that_is_called_like_an_option_is_named_behind_two_dashes(results):
    shutil.copytree(results / "whole", results / "--json")
    assert call("status", "--", "--json").stdout.count("8/8 folds") == 1
    (entry,) = json.loads(call("status", str(results / "--json"), "--json").stdout)
    assert entry["run_id"] == "--json" and entry["state"] == "complete"


def test_a_run_goes_on_where_it_lies(results, tmp_path):
    view = make_run(tmp_path / "elsewhere")
    before = results_root()
    with results_beside(RunFolder(view.path)):
        assert results_root() == view.path.parent
    assert results_root() == before
    renamed = view.path.rename(view.path.with_name("renamed"))
    with (
        pytest.raises(UserError, match=f"its own name, {view.run_id}"),
        results_beside(RunFolder(renamed)),
    ):
        pass
