"""What the verbs that train say before, during and after their work."""

import contextlib
import os
import signal
import subprocess
from types import SimpleNamespace

import pytest

from mer_keras.cli import main as cli
from mer_keras.cli import running
from mer_keras.cli.running import about, announce, describe, tell_what_stays
from mer_keras.config.files import load_experiments
from mer_keras.errors import UserError
from mer_keras.methods.chance import ChanceMethod
from mer_keras.runs.timetable import Moment
from tests.cli.small import SMALL

#: The small experiment, in whose quick profile people are divided in two.
IN_TWO = SMALL.replace("quick: {}", "quick: {protocol.k: 2}")


@pytest.fixture
def small(places):
    file = places / "small.yaml"
    file.write_text(IN_TWO)
    return str(file)


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the command line in this process."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["mer-keras", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return subprocess.CompletedProcess(arguments, end.value.code or 0, *capsys.readouterr())

    return run


def test_fault_73_hours_on_drawn_faces_must_be_asked_for(call, small, places):
    """It says how long it would take and what to type; nothing is drawn, read or run."""
    done = call("run", small, "--profile", "full")
    assert (done.returncode, done.stdout) == (2, "")
    said = " ".join(done.stderr.split())
    assert "drawn faces" in said and "about" in said
    assert f"mer-keras run {small} --profile full --yes" in said
    assert not list((places / "results").iterdir())
    assert not list((places / "cache").iterdir())


def test_fault_73_hours_of_any_profile_must_be_asked_for(call, small, places, monkeypatch):
    """A small profile is made long by --set, and every profile is on a slow machine."""
    monkeypatch.setattr(running, "LONG", 0)
    done = call("run", small, "--set", "train.epochs=2")
    assert (done.returncode, done.stdout) == (2, "")
    assert "profile quick as it is changed takes about" in done.stderr and "--yes" in done.stderr
    assert "--profile quick as it is in the file checks" in done.stderr
    assert not list((places / "results").iterdir())
    assert call("run", small, "--set", "train.epochs=2", "--yes").returncode == 0


def test_fault_73_an_explanation_trains_no_full_folds_of_drawn_faces_unasked(call, small, places):
    done = call("explain", small, "--profile", "full", "--out", str(places / "out"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "of each network at most 3 fold(s) are trained" in done.stderr
    assert f"mer-keras explain {small} --profile full" in done.stderr and "--yes" in done.stderr
    assert not list((places / "cache").iterdir()) and not (places / "out").exists()


def test_fault_73_quick_is_what_runs_by_default_and_says_so(call, small, places):
    done = call("run", small)
    assert done.returncode == 0, done.stderr
    first = done.stderr.splitlines()[0]
    assert "drawn faces" in first and "profile quick" in first
    assert "2 folds, 4 trainings, 0 of networks" in first
    (folder,) = (places / "results").iterdir()
    assert done.stdout.splitlines()[-1] == f"small: {folder}"
    rows = {line.split("  ")[0]: line for line in done.stdout.splitlines()}
    assert rows["majority class"].endswith("not found")


def test_without_a_profile_quick_the_default_is_the_files_own_values(call, places):
    """It is said, and hours on drawn faces are asked for as with --profile full."""
    file = places / "bare.yaml"
    file.write_text(IN_TWO.replace("profiles: {full: {}, quick: {protocol.k: 2}}\n", ""))
    text = file.read_text().replace("name: small", "name: bare")
    file.write_text(text)
    done = call("run", str(file))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{file}: no profile 'quick': the file's own values" in done.stderr
    assert "a profile quick in the experiment's file" in done.stderr and "--yes" in done.stderr
    assert "--profile quick checks" not in done.stderr
    done = call("run", str(file), "--yes")
    assert done.returncode == 0, done.stderr
    assert "3 folds" in done.stderr and "profile full" in done.stdout
    named = call("run", str(file), "--profile", "quick")
    assert named.returncode == 2 and "no profile 'quick'; known: full" in named.stderr


def test_experiments_whose_default_profiles_differ_are_run_apart(call, small, places):
    file = places / "bare.yaml"
    text = IN_TWO.replace("profiles: {full: {}, quick: {protocol.k: 2}}\n", "")
    file.write_text(text.replace("name: small", "name: bare"))
    done = call("plan", small, str(file))
    assert done.returncode == 2
    assert f"{file}: no profile 'quick'" in done.stderr and "run them apart" in done.stderr


def test_an_override_that_reaches_no_row_of_its_own_recipe_is_told(capsys):
    keys = ["train.epochs=5", "seeds=[0]"]
    configs = load_experiments("leaderboard/megc2019_networks", overrides=keys)
    tell_what_stays(configs, keys)
    said = capsys.readouterr().err
    assert "--set train.epochs doesn't reach" in said and "RCN-A" in said
    assert "--set rows.N.train.epochs" in said
    tell_what_stays(configs, ["train.precision=float32", "seeds=[0]"])
    assert not capsys.readouterr().err


def test_full_runs_on_drawn_faces_with_yes(call, small):
    done = call("run", small, "--profile", "full", "--yes")
    assert done.returncode == 0, done.stderr
    assert "3 folds, 6 trainings" in done.stderr
    assert "profile full" in done.stdout


def test_full_on_real_data_is_announced_and_not_asked_for(small, places, capsys):
    from mer_keras.synthetic import stand_ins
    from mer_keras.terms import SYNTHETIC_MARKER

    root = places / "data/SAMM"
    stand_ins.write("samm", root, stand_ins.StandInOptions(clips=12, size=24))
    (root / SYNTHETIC_MARKER).unlink()
    (forecast,) = announce(load_experiments(small), "full", "auto", yes=False)
    assert forecast.data_kind == "licensed" and forecast.trainings == 6
    assert "licensed data" in capsys.readouterr().err


@pytest.mark.parametrize("answer", [True, False])
def test_a_terminal_is_asked(small, places, monkeypatch, answer):
    monkeypatch.setattr(running.sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(running.sys.stderr, "isatty", lambda: True, raising=False)
    questions = []
    monkeypatch.setattr(
        running.typer, "confirm", lambda text, err: questions.append(text) or answer
    )
    configs = load_experiments(small)
    if answer:
        assert announce(configs, "full", "synthetic", yes=False)
    else:
        with pytest.raises(UserError, match="nothing was run"):
            announce(configs, "full", "synthetic", yes=False)
    assert len(questions) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_says_what_is_kept_and_how_to_go_on(
    call, small, places, monkeypatch, number
):
    """Schedulers and containers send SIGTERM; afterwards it does what it did before."""
    before = signal.getsignal(signal.SIGTERM)

    def interrupt(self, x, y, **others):
        os.kill(os.getpid(), number)

    real = ChanceMethod.fit
    monkeypatch.setattr(ChanceMethod, "fit", interrupt)
    with ctrl_c_answered():
        done = call("run", small)
    assert done.returncode == 130
    assert signal.getsignal(signal.SIGTERM) == before
    (folder,) = (places / "results").iterdir()
    assert f"2 of 4 trainings are kept in {folder}." in done.stderr
    command = done.stderr.splitlines()[-1].rpartition("To go on: ")[2]
    assert command == f"mer-keras run {small}"
    monkeypatch.setattr(ChanceMethod, "fit", real)
    assert call(*command.split()[1:]).returncode == 0


@contextlib.contextmanager
def ctrl_c_answered():
    """Where these tests run in the background, Ctrl-C is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_before_a_run_is_begun_is_not_silent(call, small, monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "import_keras", interrupt)
    done = call("run", small)
    assert done.returncode == 130
    assert "stopped; a run goes on by the same command" in done.stderr


def test_ctrl_c_before_anything_is_stored(call, small, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("mer_keras.runs.run.compose", interrupt)
    done = call("run", small)
    assert done.returncode == 130 and "No training had begun" in done.stderr
    assert "drawn whole, are kept" in done.stderr, "a drawing that is cut short is not"


def test_several_tables_share_one_estimate(call, small, places):
    other = places / "other.yaml"
    other.write_text(IN_TWO.replace("name: small", "name: other"))
    done = call("run", small, str(other))
    assert "in all: 2 tables" in done.stderr
    paths = [line.partition(": ")[0] for line in done.stdout.splitlines()[-2:]]
    assert paths == ["small", "other"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "5 s"),
        (42, "40 s"),
        (89, "90 s"),
        (420, "7 min"),
        (11100, "3 h 05 min"),
        (3e5, "3 days"),
    ],
)
def test_times_are_rounded_as_people_say_them(seconds, text):
    assert about(seconds) == text


def test_a_table_is_counted_where_there_are_several():
    moment = Moment("MERANet", "meranet/table1", 2, 5, 0.5, 60)
    assert describe(moment) == "table 2 of 5, meranet/table1: MERANet"
    alone = Moment("", "meranet/table1", 1, 1, 0.5, 60)
    assert describe(alone) == "meranet/table1"
