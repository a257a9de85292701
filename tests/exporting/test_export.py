"""An exported network gives Keras' own probabilities, or isn't written."""

import hashlib
import json
import types
from pathlib import Path

import numpy as np
import pytest

from mer_keras.errors import UserError
from mer_keras.exporting import export as exporting
from mer_keras.exporting.export import TOLERANCE, export_network
from mer_keras.exporting.formats import FORMATS, ExportFormat
from mer_keras.layers.conversion import is_converting
from mer_keras.models.registry import MODELS

PROBE = np.array([[0.2], [0.4]], "float32")


class FakeNetwork:
    """A network of one input in plain numpy: x -> (x, 1 - x)."""

    name = "fake"
    output_shape = (None, 2)
    inputs = (types.SimpleNamespace(name="clip", shape=(None, 1)),)

    def __call__(self, clips, training):
        assert training is False
        return np.concatenate([clips, 1 - clips], axis=1)


def fake_format(error=0.0, opens=True, suffix=".fake", modules=()):
    """A format that computes what the network computes, but for an error."""

    def write(network, path):
        assert is_converting()
        if suffix:
            path.write_text("weights")
        else:
            (path / "variables").mkdir(parents=True)
            (path / "variables" / "data").write_text("weights")

    def open_again(path, names):
        assert path.exists()
        assert list(names) == ["clip"]
        if not opens:
            raise RuntimeError("Op (OddOperator) is not a registered function")
        return lambda inputs: FakeNetwork()(inputs[0], training=False) + error

    return ExportFormat("fake", suffix, write, open_again, modules)


@pytest.fixture
def export(monkeypatch, tmp_path):
    """Export the fake network to the fake format."""

    def run(name="net.fake", probe=PROBE, facts=None, **arguments):
        monkeypatch.setitem(FORMATS, "fake", fake_format(**arguments))
        return export_network(FakeNetwork(), [probe], "fake", tmp_path / name, facts)

    return run


def test_the_description_says_what_goes_in_and_what_was_written(export):
    exported = export(facts={"classes": ["negative", "positive"]})
    description = json.loads(exported.description.read_text())
    assert exported.description.name == "net.fake.json"
    assert description["inputs"] == [{"name": "clip", "shape": [None, 1], "dtype": "float32"}]
    assert description["classes"] == ["negative", "positive"]
    assert description["sha256"] == hashlib.sha256(b"weights").hexdigest()
    assert description["bytes"] == len("weights")
    assert description["greatest_difference"] == exported.greatest_difference == 0


def test_a_folder_has_one_digest_of_names_and_contents(export):
    exported = export("saved", suffix="")
    line = f"{hashlib.sha256(b'weights').hexdigest()}  variables/data\n"
    assert exported.sha256 == hashlib.sha256(line.encode()).hexdigest()
    assert (exported.path / "variables" / "data").is_file()
    with pytest.raises(UserError, match="there is a folder already"):
        export("saved", suffix="")


@pytest.mark.parametrize("error", [2 * TOLERANCE, np.nan])
def test_other_probabilities_are_not_written(export, tmp_path, error):
    with pytest.raises(UserError, match=r"'fake' was not exported.*other probabilities"):
        export(error=error)
    assert not list(tmp_path.iterdir())


def test_a_difference_within_the_tolerance_is_recorded(export):
    difference = export(error=TOLERANCE / 2).greatest_difference
    assert difference == pytest.approx(TOLERANCE / 2, rel=0.01)


def test_what_cannot_be_run_is_named_and_nothing_is_left(export, tmp_path):
    with pytest.raises(UserError, match=r"'fake' can't be exported to fake: .*OddOperator"):
        export(opens=False)
    assert not list(tmp_path.iterdir())


def test_what_stood_there_stays_if_the_export_fails(export, tmp_path):
    (tmp_path / "net.fake").write_text("older")
    with pytest.raises(UserError):
        export(error=1)
    assert (tmp_path / "net.fake").read_text() == "older"


def test_bad_requests(export):
    with pytest.raises(UserError, match=r"must end with \.fake"):
        export("net.other")
    with pytest.raises(UserError, match=r"no_such_module.*mer_keras\[export\]"):
        export(modules=("no_such_module",))
    with pytest.raises(UserError, match="the probe has"):
        export(probe=np.zeros((2, 3), "float32"))
    with pytest.raises(UserError, match=r"no format 'onxn'.*did you mean 'onnx'"):
        export_network(FakeNetwork(), [PROBE], "onxn", Path("net.onnx"))


def test_layers_are_told_of_the_conversion_and_of_its_end(export):
    assert not is_converting()
    export()
    assert not is_converting()
    with pytest.raises(UserError):
        export(error=1)
    assert not is_converting()


def small_network(name):
    """A small network of the registry with weights that tell clips apart, and two clips."""
    from tests.models.small import build_small, ramp_clips, set_ramp_weights

    network = build_small(name)
    set_ramp_weights(network)
    clips = ramp_clips(name)
    return network, clips if isinstance(clips, list) else [clips]


@pytest.mark.long
@pytest.mark.parametrize("name", MODELS)
def test_every_network_in_onnxruntime(name, tmp_path):
    for module in FORMATS["onnx"].modules:
        pytest.importorskip(module, reason=f"the extra [export] is not installed: {module}")
    network, clips = small_network(name)
    exported = export_network(network, clips, "onnx", tmp_path / f"{name}.onnx")
    assert exported.greatest_difference <= exporting.TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("form", ["keras", "saved_model"])
def test_formats_that_need_no_extra(form, tmp_path):
    network, clips = small_network("ststnet")
    path = tmp_path / f"net{FORMATS[form].suffix}"
    assert export_network(network, clips, form, path).greatest_difference < 1e-6
