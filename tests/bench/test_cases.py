"""Which cases there are, which are asked for, and what becomes of one that can't run."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mer_keras.bench.__main__ import BACKENDS, all_cases, main, parse
from mer_keras.bench.apart import alone, measure_apart, without_paths
from mer_keras.bench.case import Case, choose
from mer_keras.errors import UserError
from mer_keras.models.registry import MODELS

CASES = [
    Case("a", "", lambda asked: []),
    Case("step/x/jax", "", lambda asked: [], quick=False),
    Case("step/y/jax", "", lambda asked: []),
]


def names(cases):
    return [case.name for case in cases]


def test_all_cases_are_chosen_unless_some_are_asked_for():
    assert names(choose(CASES, [], quick=False)) == ["a", "step/x/jax", "step/y/jax"]
    assert names(choose(CASES, [], quick=True)) == ["a", "step/y/jax"]


def test_a_name_is_a_case_or_a_group_and_quick_leaves_it_alone():
    assert names(choose(CASES, ["step/x"], quick=True)) == ["step/x/jax"]
    assert names(choose(CASES, ["step/y/jax", "a"], quick=False)) == ["a", "step/y/jax"]
    assert names(choose(CASES, ["step"], quick=False)) == ["step/x/jax", "step/y/jax"]


def test_an_unknown_name_is_refused_with_a_hint(capsys):
    with pytest.raises(UserError, match="did you mean 'step'"):
        choose(CASES, ["stepp"], quick=False)
    assert main(["--only", "spoting"]) == UserError.exit_code
    assert "did you mean 'spotting'" in capsys.readouterr().err


def test_command_line():
    assert parse(["--only", "a", "--only", "b"]).only == ["a", "b"]
    assert parse(["--backends", "jax,torch,jax"]).backends == ("jax", "torch")
    with pytest.raises(SystemExit):
        parse(["--backends", "theano"])


def test_every_network_has_a_case_on_every_backend():
    found = names(all_cases(BACKENDS))
    assert len(found) == len(set(found))
    assert {f"step/{name}/{backend}" for name in MODELS for backend in BACKENDS} <= set(found)


def test_list_measures_nothing(capsys):
    assert main(["--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(all_cases(parse([]).backends))


def test_a_case_that_lacks_a_module_is_not_started():
    case = Case("spotting", "", lambda asked: [], needs=("no_such_module",))
    outcome = measure_apart(case, [])
    assert outcome.why_not == "no_such_module is not installed"
    assert not outcome.failed


def test_a_case_over_its_time_is_ended():
    started = time.perf_counter()
    outcome = measure_apart(Case("spotting", "", lambda asked: [], limit=0.1), [])
    assert outcome.why_not == "over 0 s"
    assert not outcome.failed
    assert time.perf_counter() - started < 5


def test_a_fault_is_told_as_one_and_without_a_folder():
    outcome = measure_apart(Case("no/such/case", "", lambda asked: []), [])
    assert outcome.failed
    assert outcome.why_not.startswith("failed: ")


def test_texts_lose_their_folders():
    text = "No such file: '/tmp/x-1/data/a.png' or ~/b/c; 3/4 of 10 GFLOP/s, ../up/here"
    assert without_paths(text) == "No such file: 'PATH' or PATH; 3/4 of 10 GFLOP/s, PATH"


@pytest.mark.slow
def test_a_quick_pass_prints_and_writes(places, capsys):
    assert main(["--quick", "--only", "spotting", "--only", "step-mixed/ststnet"]) == 0
    shown = capsys.readouterr().out
    assert "[1/2] spotting: " in shown
    found = json.loads((places / "results/bench.json").read_text())
    (row,) = found["measured"]
    assert (row["case"], row["way"], row["ratio"]) == ("spotting", "flow", 1.0)
    assert row["least"] <= row["median"] <= row["largest"]
    assert row["peak_mib"] > 20
    assert found["data_kind"] == "synthetic" and found["quick"] and found["versions"]["keras"]
    assert found["machine"]["cores"] >= 1
    text = (places / "results/bench.md").read_text()
    assert "| spotting, 60 frames of 96x96 | flow |" in text
    assert str(places) not in text + json.dumps(found)


def test_a_function_alone_runs_elsewhere_and_tells_what_it_returns():
    assert alone(os.getpid) != os.getpid()
    with pytest.raises(ZeroDivisionError):
        alone(divmod, 1, 0)


@pytest.mark.slow
def test_a_case_ends_with_the_pass_that_started_it(tmp_path):
    asked = ["--quick", "--only", "loso/engines"]
    code = f"from mer_keras.bench.__main__ import main; main({asked})"
    environment = {**os.environ, "MER_RESULTS": str(tmp_path), "TMPDIR": str(tmp_path)}
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    begun = subprocess.Popen([sys.executable, "-c", code], env=environment, **silent)
    case = wait_for(lambda: children_of(begun.pid, "--inside"))
    own = wait_for(lambda: children_of(case[0], "spawn_main"))
    begun.kill()
    begun.wait()
    wait_for(lambda: not any(runs(pid) for pid in [*case, *own]))


def children_of(parent, word):
    lists = [file.read_text() for file in Path(f"/proc/{parent}/task").glob("*/children")]
    commands = {int(pid): Path(f"/proc/{pid}/cmdline") for pid in " ".join(lists).split()}
    return [pid for pid, file in commands.items() if file.exists() and word in file.read_text()]


def runs(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for(found):
    until = time.monotonic() + 120
    while not (value := found()):
        assert time.monotonic() < until
        time.sleep(0.2)
    return value
