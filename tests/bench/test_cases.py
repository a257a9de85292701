"""Which cases there are, which are chosen, and what becomes of one that can't run."""

import inspect
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mer_keras.bench.__main__ import BACKENDS, all_cases, main, parse
from mer_keras.bench.case import Case, CaseOptions, case_file, choose, load_cases
from mer_keras.bench.isolation import call_in_process, measure_in_process, without_paths
from mer_keras.errors import UserError
from mer_keras.models.registry import MODELS
from tests.bench.light_cases import end, fail, lack, sleep, variables

CASES = [
    Case("a", "", lambda options: []),
    Case("step/x/jax", "", lambda options: [], quick=False),
    Case("step/y/jax", "", lambda options: []),
]


def names(cases):
    return [case.name for case in cases]


def test_all_cases_are_chosen_unless_some_are_named():
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
    cases = names(all_cases(BACKENDS))
    assert len(cases) == len(set(cases))
    assert {f"step/{name}/{backend}" for name in MODELS for backend in BACKENDS} <= set(cases)


def test_arguments_in_the_file_of_cases_are_those_of_the_functions():
    cases = load_cases("tensorflow")
    assert len(cases) == len(case_file()["cases"])
    for case in cases:
        inspect.signature(case.measure).bind(CaseOptions(quick=True, folder=Path("x")))
    assert all(case.about for case in cases)
    (torch,) = choose(cases, ["loso/torch"], quick=True)
    assert (torch.needs, torch.limit, torch.quick) == (("torch",), 5400, False)


def test_list_measures_nothing(capsys):
    assert main(["--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(all_cases(parse([]).backends))


def test_a_case_that_lacks_a_module_is_not_started():
    outcome = measure_in_process(Case("a", "", sleep, needs=("no_such_module",)))
    assert (outcome.reason, outcome.failed) == ("no_such_module is not installed", False)
    outcome = measure_in_process(Case("a", "", sleep, backend="no_such_backend"))
    assert outcome.reason == "no_such_backend is not installed"


def test_a_case_over_its_time_is_ended():
    started = time.perf_counter()
    outcome = measure_in_process(Case("a", "", sleep, limit=0.1))
    assert (outcome.reason, outcome.failed) == ("over 0 s", False)
    assert time.perf_counter() - started < 15


def test_a_fault_is_reported_as_one_without_its_paths():
    outcome = measure_in_process(Case("a", "", fail))
    assert outcome.failed
    assert outcome.reason == "failed: ValueError('PATH is damaged')"


@pytest.mark.parametrize(("measure", "reason"), [(end, "killed"), (lack, "no GPU")])
def test_a_lack_of_the_machine_is_no_fault(measure, reason):
    outcome = measure_in_process(Case("a", "", measure))
    assert outcome.reason.startswith(reason) and not outcome.failed


def test_a_case_has_a_process_with_its_own_folders_and_backend(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    before = dict(os.environ)
    outcome = measure_in_process(Case("a", "", variables, backend="tensorflow"))
    assert not outcome.reason
    (measurement,) = outcome.measurements
    assert measurement.way == "tensorflow" and measurement.seconds == (1.0,)
    assert measurement.peak_mib > 20
    folders = {measurement.facts[f"MER_{part}"] for part in ("DATA", "CACHE", "RESULTS", "CONFIG")}
    assert len(folders) == 4 and {Path(name).parent.exists() for name in folders} == {False}
    assert dict(os.environ) == before


def test_texts_lose_their_folders():
    text = "No such file: '/tmp/x-1/data/a.png' or ~/b/c; 3/4 of 10 GFLOP/s, ../up/here"
    assert without_paths(text) == "No such file: 'PATH' or PATH; 3/4 of 10 GFLOP/s, PATH"


@pytest.mark.slow
def test_a_quick_pass_prints_and_writes(places, capsys):
    assert main(["--quick", "--only", "spotting", "--only", "step-mixed/ststnet"]) == 0
    shown = capsys.readouterr().out
    assert "[1/2] spotting: " in shown
    session = json.loads((places / "results/bench.json").read_text())
    (row,) = session["measured"]
    assert (row["case"], row["way"], row["ratio"]) == ("spotting", "flow", 1.0)
    assert row["least"] <= row["median"] <= row["largest"]
    assert row["peak_mib"] > 20
    assert session["data_kind"] == "synthetic" and session["quick"]
    assert session["versions"]["keras"]
    assert session["machine"]["cores"] >= 1
    text = (places / "results/bench.md").read_text()
    assert "| spotting, 60 frames of 96x96 | flow |" in text and text in shown
    assert str(places) not in text + json.dumps(session)


def test_a_function_in_another_process_returns_its_value_or_raises():
    assert call_in_process(os.getpid) != os.getpid()
    with pytest.raises(ZeroDivisionError):
        call_in_process(divmod, 1, 0)


@pytest.mark.slow
def test_a_case_ends_with_the_pass_that_started_it(tmp_path):
    code = "from tests.bench.light_cases import measure_for_ever; measure_for_ever()"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    session = subprocess.Popen([sys.executable, "-c", code], env=environment, **silent)
    case = wait_for(lambda: with_children(children_of(session.pid, "spawn_main")))
    own = wait_for(lambda: children_of(case[0], "spawn_main"))
    session.kill()
    session.wait()
    wait_for(lambda: not any(runs(pid) for pid in [*case, *own]))


def children_of(parent, word):
    lists = [file.read_text() for file in Path(f"/proc/{parent}/task").glob("*/children")]
    commands = {int(pid): Path(f"/proc/{pid}/cmdline") for pid in " ".join(lists).split()}
    return [pid for pid, file in commands.items() if file.exists() and word in file.read_text()]


def with_children(processes):
    """Those that have started processes: the one of a case, not the one that describes."""
    return [pid for pid in processes if children_of(pid, "spawn_main")]


def runs(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for(condition):
    until = time.monotonic() + 120
    while not (value := condition()):
        assert time.monotonic() < until
        time.sleep(0.2)
    return value
