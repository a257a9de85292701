"""A network with two inputs goes wherever a network with one goes."""

import json
import re

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from typer.testing import CliRunner  # noqa: E402

from mer_keras.arrays import each_shape, shape_text, values_of  # noqa: E402
from mer_keras.cli import models as models_verb  # noqa: E402
from mer_keras.errors import ConfigError  # noqa: E402
from mer_keras.models import cost, registry  # noqa: E402
from mer_keras.report.cards import model_card  # noqa: E402
from tests.models.two_inputs import SHAPES, SPEC  # noqa: E402


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(registry.MODELS, SPEC.name, SPEC)


def test_shapes_of_one_and_of_several_inputs():
    assert each_shape((28, 28, 3)) == ((28, 28, 3),)
    assert each_shape(SHAPES) == SHAPES
    assert shape_text((28, 28, 3)) == "28x28x3"
    assert shape_text(SHAPES) == "6x6x3 + 4x6x6x1"
    assert values_of((28, 28, 3)) == 28 * 28 * 3
    assert values_of(SHAPES) == 6 * 6 * 3 + 4 * 6 * 6


def test_it_is_built_at_its_own_shapes_and_at_others():
    network = registry.build(SPEC.name)
    assert [tuple(tensor.shape[1:]) for tensor in network.inputs] == list(SHAPES)
    assert network.output_shape == (None, SPEC.classes)
    shapes = ((8, 8, 3), (5, 6, 6, 1))
    network = registry.build(SPEC.name, shapes, 4, filters=3)
    assert [tuple(tensor.shape[1:]) for tensor in network.inputs] == list(shapes)
    rng = np.random.default_rng(0)
    clips = [rng.random((2, *shape)).astype("float32") for shape in shapes]
    probabilities = np.asarray(network(clips))
    assert probabilities.shape == (2, 4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    with pytest.raises(ConfigError, match="did you mean 'filters'"):
        registry.build(SPEC.name, filtres=3)
    assert registry.reading_of(SPEC.name, {"filters": 2}) == {}
    assert registry.reading_of(SPEC.name, {"filters": 3}) == {"filters": 3}


def test_its_cost_is_that_of_both_streams():
    network = registry.build(SPEC.name)
    layers = {layer.name: layer for layer in cost.layer_costs(network)}
    assert layers["flow"].inputs == layers["clips"].inputs == ()
    assert layers["joined"].inputs == ("flow_mean", "clip_mean")
    assert cost.multiply_accumulates(network) == SPEC.multiply_accumulates == 864 + 1728 + 12
    assert sum(layer.activations for layer in layers.values()) == SPEC.activations
    assert network.count_params() == SPEC.built_parameters
    assert cost.training_bytes(network) == (16 * 127, 4 * SPEC.activations)


def test_it_is_listed_and_shown():
    runner = CliRunner()
    table = runner.invoke(models_verb.app, []).stdout
    assert re.search(r"two_inputs +6x6x3 \+.*\n +4x6x6x1", table)
    listed = json.loads(runner.invoke(models_verb.app, ["--json"]).stdout)
    assert listed[-1] == SPEC.model_dump(mode="json")
    shown = json.loads(runner.invoke(models_verb.app, ["show", SPEC.name, "--json"]).stdout)
    assert sum(layer["multiply_accumulates"] for layer in shown) == SPEC.multiply_accumulates
    assert "| input | 6 x 6 x 3 + 4 x 6 x 6 x 1, float32 |" in model_card(SPEC.name)
