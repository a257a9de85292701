"""``predict`` and ``export`` as a user meets them."""

import json

import pytest
from typer.testing import CliRunner

from mer_keras.bundles import loading
from mer_keras.cli.main import app
from mer_keras.errors import FrameError, UserError
from mer_keras.prediction.result import Prediction
from mer_keras.terms import DataKind
from tests.prediction.small import SmallBundle, with_training, write_frames


@pytest.fixture
def bundle(monkeypatch):
    """A bundle that any file name loads."""
    small = SmallBundle()
    monkeypatch.setattr(loading, "load_bundle", lambda path, expect=None: small)
    return small


@pytest.fixture
def frames(tmp_path):
    """Forty frames."""
    return write_frames(tmp_path / "talk", 40)


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_predict_writes_and_says_what_it_is_not_for(bundle, frames, tmp_path):
    out = tmp_path / "out"
    done = call("predict", "any.mer", frames, "--fps", 100, "--crop", "centre", "--out", out)
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in out.iterdir()) == [
        "intervals.csv",
        "page.html",
        "result.json",
        "talk.eaf",
    ]
    words = " ".join(done.stdout.split())
    assert "Not for lie detection" in words
    assert "no number here says how often it is right" in words
    assert "0.70" in words


def test_json_is_the_result(bundle, frames, tmp_path):
    done = call(
        "predict", "any.mer", frames, "--fps", 100, "--crop", "centre", "--out", tmp_path, "--json"
    )
    (tree,) = json.loads(done.stdout)
    assert Prediction.model_validate(tree).intervals[0].decision == "positive"


def test_the_schema_is_printed_alone():
    done = call("predict", "--schema")
    schema = json.loads(done.stdout)
    assert schema["title"] == "Prediction"
    described = schema["$defs"]["PredictedInterval"]["properties"]
    assert all(field.get("description") for field in described.values())


def test_given_intervals(bundle, frames, tmp_path):
    mine = tmp_path / "mine.csv"
    mine.write_text("onset,apex,offset\n3,8,20\n22,,38\n")
    options = ("--fps", 100, "--crop", "centre", "--out", tmp_path / "out", "--json")
    done = call("predict", "any.mer", frames, "--intervals", mine, *options)
    (tree,) = json.loads(done.stdout)
    assert [interval["onset"] for interval in tree["intervals"]] == [3, 22]


def test_a_recording_that_cannot_be_used_is_named_and_others_go_on(bundle, frames, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"#EXTM3U\nother.mp4\n")
    options = ("--fps", 100, "--crop", "centre", "--out", tmp_path / "out")
    done = call("predict", "any.mer", broken, frames, *options)
    assert isinstance(done.exception, UserError)
    assert "1 of 2 recordings can't be used" in str(done.exception)
    assert "broken.mp4" in str(done.exception)
    assert (tmp_path / "out" / "result.json").is_file()
    assert isinstance(call("predict", "any.mer", broken, *options).exception, FrameError)


def test_a_recording_without_an_interval_does_not_lose_the_others(bundle, frames, tmp_path):
    other = write_frames(tmp_path / "other", 9)
    mine = tmp_path / "mine.csv"
    mine.write_text("video,onset,offset\ntalk,3,20\n")
    options = ("--fps", 100, "--crop", "centre", "--out", tmp_path / "out", "--intervals", mine)
    done = call("predict", "any.mer", frames, other, *options)
    assert "1 of 2 recordings can't be used: other: the file of intervals has none" in str(
        done.exception
    )
    assert (tmp_path / "out" / "result.json").is_file()


def test_a_bundle_of_drawn_faces_is_refused_before_anything_is_read(bundle, frames, tmp_path):
    bundle.card = with_training(data_kind=DataKind.SYNTHETIC)
    done = call("predict", "any.mer", frames, "--out", tmp_path / "out")
    assert "--allow-synthetic" in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_what_is_no_network_cannot_be_exported(bundle, tmp_path):
    out = tmp_path / "net.onnx"
    done = call("export", "any.mer", "--format", "onnx", "--out", out)
    assert "A small <method> can't be exported: it is no network" in str(done.exception)
    assert not out.exists()
