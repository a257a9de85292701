"""What the shell may complete is what a verb then accepts."""

import json

import pytest

from mer_keras.cli import completion
from mer_keras.config.files import experiment_names, find_config
from mer_keras.models.registry import MODELS


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MER_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("MER_CONFIG", str(tmp_path))
    return tmp_path


def test_experiments_and_their_parts():
    assert completion.experiments("") == experiment_names()
    assert completion.experiments("ststnet/") == ["ststnet/megc2019"]
    parts = completion.experiments("meranet/table1/cas")
    assert parts == [f"meranet/table1/{part}" for part in ("casme", "casme2", "cas_me2")]
    assert all(find_config(part)[1] for part in parts)
    assert completion.experiments("no such") == []


def test_runs(places):
    assert completion.runs("") == ["latest"]
    folder = places / "results/ststnet-megc2019-quick-public-3b6b82e3"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"experiment": "ststnet/megc2019"}))
    assert completion.runs("ststnet") == [folder.name]
    assert completion.experiments_and_runs("ststnet") == ["ststnet/megc2019", folder.name]


@pytest.mark.parametrize(
    ("completer", "word", "names"),
    [
        (completion.profiles, "q", ["quick"]),
        (completion.papers, "mer", ["meranet"]),
        (completion.networks, "", [*MODELS]),
        (completion.databases, "casme", ["casme", "casme2"]),
        (completion.keys, "train.cosine.", ["train.cosine.final_learning_rate"]),
    ],
)
def test_other_names(completer, word, names):
    assert completer(word) == names


def test_a_damaged_file_completes_to_nothing(places):
    folder = places / "experiments/mine"
    folder.mkdir(parents=True)
    (folder / "broken.yaml").write_text("name: [")
    assert completion.experiments("mine/broken/") == []


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("mer-keras run stst", ["ststnet/megc2019"]),
        ("mer-keras plan ststnet/megc2019 --profile s", ["smoke"]),
        ("mer-keras explain stst", ["ststnet/megc2019"]),
        ("mer-keras audit mera", ["meranet"]),
        ("mer-keras models show stst", ["ststnet"]),
        ("mer-keras data card mug", ["mug"]),
        ("mer-keras verify la", ["latest"]),
        ("mer-keras list prof", ["profiles"]),
    ],
)
def test_a_shell_is_answered(monkeypatch, capsys, words, names):
    """As bash asks: the words so far, and which of them is to be completed."""
    from mer_keras.cli.main import app

    monkeypatch.setenv("_MER_KERAS_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    with pytest.raises(SystemExit):
        app(prog_name="mer-keras")
    assert capsys.readouterr().out.split() == names


def test_the_script_for_a_shell_is_shown(monkeypatch, capsys):
    from mer_keras.cli.main import app

    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    with pytest.raises(SystemExit):
        app(["--show-completion", "bash"], prog_name="mer-keras")
    assert "_MER_KERAS_COMPLETE=complete_bash" in capsys.readouterr().out
