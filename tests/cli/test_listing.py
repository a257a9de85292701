"""``mer-keras list``: everything that can be named is there, in lines that fit a terminal."""

import json
import resource
import subprocess
import sys

import pytest
import yaml
from typer.testing import CliRunner

from mer_keras.cli.main import app
from mer_keras.config.experiment import Experiment
from mer_keras.config.files import PROFILES, experiment_names, load_experiments
from mer_keras.databases.label_schemes import known_schemes
from mer_keras.databases.registry import DATABASES
from mer_keras.errors import UserError
from mer_keras.methods.registry import known_methods
from tests.config.small import FILE

KINDS = ["experiments", "methods", "databases", "labels", "profiles", "keys"]


@pytest.fixture(autouse=True)
def nothing_is_here(tmp_path, monkeypatch):
    """A working folder and data folders without anything in them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("MER_DATA", "MER_CONFIG", "MER_RESULTS"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def everything():
    """``mer-keras list --json``, read once."""
    done = CliRunner().invoke(app, ["list", "--json"], catch_exceptions=False)
    return json.loads(done.stdout)


def lines_of(*arguments):
    done = CliRunner().invoke(app, ["list", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout.splitlines()


def entries_of(kind):
    return {e["name"]: e for e in json.loads("\n".join(lines_of(kind, "--json")))}


def test_the_names_of_all_kinds_are_shown():
    text = " ".join(line.strip() for line in lines_of())
    for names in (experiment_names(), known_methods(), DATABASES, known_schemes(), PROFILES):
        for name in names:
            assert name in text.replace(",", " ").split()
    for kind in KINDS:
        assert f"mer-keras list {kind}" in text


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_no_line_is_wider_than_the_terminal(kind):
    lines = lines_of(*([kind] if kind else []))
    assert max(map(len, lines)) <= 80
    assert all(line == line.rstrip() for line in lines)


def test_one_list_and_the_list_of_everything_are_the_same(everything):
    assert [*everything] == KINDS
    for kind in ("methods", "labels", "profiles", "keys"):
        assert {entry["name"]: entry for entry in everything[kind]} == entries_of(kind)


def test_an_experiment_is_described_by_its_config(everything):
    (entry,) = (e for e in everything["experiments"] if e["name"] == "meranet/table1")
    parts = load_experiments("meranet/table1")
    assert [f"meranet/table1/{part}" for part in entry["parts"]] == [part.name for part in parts]
    assert entry["databases"] == ["casme", "casme2", "cas_me2"]
    assert entry["heading"] == f"{parts[0].paper.short}: Table 1"
    assert {*PROFILES} <= {*entry["profiles"]}


def test_a_damaged_file_hides_no_other(nothing_is_here, monkeypatch):
    monkeypatch.setattr("mer_keras.settings._PACKAGE", nothing_is_here / "nothing/package")
    folder = nothing_is_here / "experiments/mine"
    folder.mkdir(parents=True)
    (folder / "broken.yaml").write_text("name: [")
    (folder / "whole.yaml").write_text(yaml.safe_dump(FILE | {"name": "mine/whole"}))
    (nothing_is_here / "experiments/methods").mkdir()
    (nothing_is_here / "experiments/methods/broken.yaml").write_text("title: 3\nkind: 1")
    experiments, methods = entries_of("experiments"), entries_of("methods")
    assert "broken.yaml" in experiments["mine/broken"]["problem"]
    assert "kind" in methods["broken"]["problem"]
    assert {*experiments} == {"mine/broken", "mine/whole"}
    assert experiments["mine/whole"]["problem"] == ""
    assert {*known_methods()} == {*methods} > {"broken"}
    assert "can't be read" in " ".join(lines_of("experiments"))
    assert entries_of("profiles")["full"]["experiments"] == ["mine/whole"]


def test_methods_say_whether_they_run_and_what_they_need(everything):
    entries = {entry["name"]: entry for entry in everything["methods"]}
    assert entries["linear_svm"]["config"]["classical"]["feature"] == "pixels"
    assert "Liong" in entries["ststnet"]["paper"] and entries["ststnet"]["runs"]
    for entry in entries.values():
        assert entry["runs"] == (not entry["missing"])
    (line,) = [line for line in lines_of("methods") if line.startswith("ststnet ")]
    assert line.split()[1] == "yes"


def test_databases_say_where_they_lie(nothing_is_here):
    assert entries_of("databases")["samm"]["place"] is None
    (nothing_is_here / "SAMM").mkdir()
    entry = entries_of("databases")["samm"]
    assert entry["place"] == str(nothing_is_here / "SAMM") and entry["synthetic"]


def test_a_data_folder_that_is_not_there_is_named(nothing_is_here, monkeypatch):
    monkeypatch.setenv("MER_DATA", str(nothing_is_here / "nowhere"))
    for words in (["list", "databases"], ["data", "list"]):
        done = CliRunner().invoke(app, words, catch_exceptions=False)
        assert done.exit_code == 0
        assert "nowhere: no such folder (MER_DATA names" in done.stderr
        assert "mer-keras data howto NAME" in done.stderr
    monkeypatch.setenv("MER_DATA", str(nothing_is_here))
    assert CliRunner().invoke(app, ["data", "list"]).stderr == ""


def test_a_profile_of_ones_own_is_listed(nothing_is_here):
    folder = nothing_is_here / "experiments/mine"
    folder.mkdir(parents=True)
    tree = FILE | {"name": "mine/table", "profiles": {"overnight": {}}}
    (folder / "table.yaml").write_text(yaml.safe_dump(tree))
    entry = entries_of("profiles")["overnight"]
    assert entry == {"name": "overnight", "meaning": "", "experiments": ["mine/table"]}


def test_keys_below_one(nothing_is_here):
    lines = lines_of("keys", "train.plateau")
    assert lines[0].startswith("train.plateau: ")
    assert "train.plateau.patience: integer >= 1, needed" in lines
    with pytest.raises(UserError, match="no key begins with 'trian'"):
        CliRunner().invoke(app, ["list", "keys", "trian"], catch_exceptions=False)


def test_top_keys_are_those_of_an_experiment():
    names = [name for name in entries_of("keys") if "." not in name]
    assert {*Experiment.model_fields} <= {*names}
    assert {*names} - {*Experiment.model_fields} == {"base", "profiles", "parts"}


def test_it_is_quick_and_needs_no_tensorflow():
    code = (
        "import sys; sys.argv = ['mer-keras', 'list', '--json']\n"
        "from mer_keras.cli import main as cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'tensorflow', 'keras', 'sklearn', 'cv2'} & set(sys.modules)),"
        " file=sys.stderr)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
    # The bound is generous: the longest of all lists takes a second of the processor, importing
    # TensorFlow five.
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 8
