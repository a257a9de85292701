"""``train`` and ``bundle``: what they print, write and refuse."""

import json

import pytest
from typer.testing import CliRunner

from mer_keras.bundles.card import Card
from mer_keras.cli.main import app
from mer_keras.errors import MerKerasError, UserError
from mer_keras.terms import WATERMARK
from tests.cli.small import SMALL


def call(*arguments):
    """Run a verb; return what it prints, or the error that it ends with."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception is not None and isinstance(done.exception, MerKerasError):
        return done.exception
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A bundle that the command line made on drawn faces, and the experiment's file."""
    root = tmp_path_factory.mktemp("trained")
    config = root / "small.yaml"
    config.write_text(SMALL)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("data", "cache", "results"):
            (root / name).mkdir()
            patch.setenv(f"MER_{name.upper()}", str(root / name))
        (root / "folder.mer").mkdir()
        done = call("train", f"{config}:Linear SVM", "--out", root / "svm.mer", "--json")
        yield root, json.loads(done.stdout)


def test_a_trained_bundle_says_what_it_is(trained):
    root, tree = trained
    card = tree["card"]
    assert tree["file"] == str(root / "svm.mer")
    assert card["training"]["data_kind"] == "synthetic"
    assert card["classes"] == ["positive", "negative", "surprise"]
    assert card["estimate"] is None
    assert len(tree["sha256"]) == 64


def test_it_is_said_what_will_be_done(trained, monkeypatch):
    root, _ = trained
    for name in ("data", "cache", "results"):
        monkeypatch.setenv(f"MER_{name.upper()}", str(root / name))
    done = call("train", root / "small.yaml:Linear SVM", "--out", root / "2.mer", "--seeds", "2")
    assert "small: Linear SVM, fitted 2 time(s) to drawn faces" in done.stderr
    assert "members: 2" in done.stdout


def test_it_is_shown_and_checked(trained):
    root, tree = trained
    shown = call("bundle", "show", root / "svm.mer").stdout
    assert WATERMARK in shown
    assert "classes: positive, negative, surprise" in shown
    assert "No estimate: no run of these settings and clips is stored (mer-keras run with" in shown
    assert "Not for lie detection" in shown
    assert shown.splitlines()[-1].endswith(f"SHA-256 {tree['sha256']}")
    as_json = json.loads(call("bundle", "show", root / "svm.mer", "--json").stdout)
    assert as_json["card"] == tree["card"]
    good = call("bundle", "check", root / "svm.mer", "--expect", tree["sha256"][:12], "--json")
    assert json.loads(good.stdout) == {
        "file": "svm.mer",
        "sha256": tree["sha256"],
        "members": 1,
        "good": True,
    }


def test_nothing_of_it_names_a_folder(trained):
    root, tree = trained
    assert str(root) not in json.dumps(tree["card"])
    assert str(root).encode() not in (root / "svm.mer").read_bytes()


def test_the_schema_is_that_of_the_manifest(trained):
    schema = json.loads(call("bundle", "schema").stdout)
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == set(Card.model_fields) == set(trained[1]["card"])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["bundle", "check", "absent.mer"], "no such file"),
        (["bundle", "show", "{root}/small.yaml"], "not a bundle"),
        (["bundle", "check", "{root}/svm.mer", "--expect", "0" * 12], "it is another file"),
        (["train", "{root}/small.yaml", "--out", "svm.zip"], "ends in .mer"),
        (["train", "{root}/small.yaml", "--out", "{root}/folder.mer"], "is a folder"),
        (["train", "{root}/small.yaml:SVN", "--out", "svm.mer"], "has no row 'SVN'"),
        (
            ["train", "{root}/small.yaml:linear-svm", "--out", "a.mer", "--profile", "full"],
            "numbers on drawn faces say nothing about people",
        ),
        (["train", "no/such:row", "--out", "svm.mer"], "no experiment 'no/such:row'"),
        (["train", "meranet/table1", "--out", "svm.mer"], "several parts: give one of"),
        (
            ["train", "{root}/small.yaml", "--out", "a.mer", "--from-run", "x", "--seeds", "2"],
            "leave out --seeds",
        ),
    ],
)
def test_what_cannot_be_done_ends_with_2(trained, arguments, expected):
    error = call(*(str(argument).format(root=trained[0]) for argument in arguments))
    assert isinstance(error, UserError)
    assert error.exit_code == 2
    assert expected in str(error)
