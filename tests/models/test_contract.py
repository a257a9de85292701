"""What every registered network must do."""

import importlib
import inspect
import math

import numpy as np
import pytest

from mer_keras.arrays import each_shape
from mer_keras.errors import ConfigError, UserError
from mer_keras.models import cost, registry
from mer_keras.models.counting import build_without_values
from mer_keras.training.recipe import compile_model
from tests.models.small import SHAPES as SMALL
from tests.models.small import WITHOUT_EFFECT, build_small, marked

keras = pytest.importorskip("keras")

NAMES = list(registry.MODELS)


@pytest.fixture(scope="module", params=marked(NAMES))
def name(request):
    """Each network in turn, so that all tests of one share what is built below."""
    return request.param


@pytest.fixture(scope="module")
def network(name):
    """A small one, which tests look at and don't change."""
    return build_small(name)


@pytest.fixture(scope="module")
def answers(name, network):
    """Its probabilities for eight clips."""
    return np.asarray(network(batch(name)[0], training=False))


def batch(name, count=8, classes=3):
    rng = np.random.default_rng(0)
    shapes = each_shape(SMALL[name])
    clips = [rng.random((count, *shape)).astype("float32") for shape in shapes]
    return clips if len(clips) > 1 else clips[0], np.arange(count, dtype="int32") % classes


def test_every_network_is_tested():
    assert set(SMALL) == set(registry.MODELS)


@pytest.mark.parametrize("name", NAMES)
def test_parameter_counts_to_the_digit(name):
    spec = registry.get_spec(name)
    model = build_without_values(name)  # Some networks have hundreds of millions.
    assert model.count_params() == spec.built_parameters
    trainable = sum(math.prod(v.shape) for v in model.trainable_weights)
    assert trainable == spec.trainable_parameters
    layers = cost.layer_costs(model)
    assert cost.multiply_accumulates(model) == spec.multiply_accumulates
    assert sum(layer.activations for layer in layers) == spec.activations
    assert sum(layer.parameters for layer in layers) == spec.built_parameters
    shapes = [tuple(tensor.shape) for tensor in model.inputs]
    assert shapes == [(None, *shape) for shape in each_shape(spec.input_shape)]
    assert len(spec.inputs) == len(shapes)
    assert model.output_shape == (None, spec.classes)


def test_probabilities(answers):
    assert answers.shape == (8, 3)
    assert answers.dtype == np.float32
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)


def test_config_and_weights_round_trip(name, network, answers, tmp_path):
    loaded = type(network).from_config(network.get_config())
    file = tmp_path / "net.weights.h5"
    network.save_weights(file)
    loaded.load_weights(file)
    loaded_answers = np.asarray(loaded(batch(name)[0], training=False))
    np.testing.assert_allclose(loaded_answers, answers, atol=1e-6)


def trained(names):
    """Names for trainings: MERANet is built on the 3-D residual network and stands for it."""
    long = pytest.mark.long
    return [pytest.param(n, marks=long) if n == "resnet3d_18" else n for n in marked(names)]


@pytest.mark.slow
@pytest.mark.parametrize("name", trained(NAMES))
def test_it_learns_eight_clips_by_heart(name):
    keras.utils.set_random_seed(0)
    model = build_small(name)
    clips, labels = batch(name)
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.5  # Moving statistics follow within few steps.
    # Deep transformers take smaller steps.
    rate = 3e-4 if name.startswith(("htnet", "causalnet")) else 3e-3
    compile_model(model, keras.optimizers.Adam(rate))
    before = [np.array(v) for v in model.trainable_weights]
    start = model.evaluate(clips, labels, verbose=0)[0]
    # It gets at most 150 epochs.
    for _ in range(30):
        model.fit(clips, labels, batch_size=8, epochs=5, verbose=0)
        loss, accuracy = model.evaluate(clips, labels, verbose=0)
        if accuracy == 1.0 and loss < start:
            break
    assert loss < start
    assert accuracy == 1.0
    for variable, old in zip(model.trainable_weights, before, strict=True):
        is_trained = np.any(np.array(variable) != old) or variable.path in WITHOUT_EFFECT
        assert is_trained, f"{variable.path} was not trained"


def test_every_layer_is_named_and_none_runs_code(name, network):
    # Names that Keras makes up are counted on from network to network.
    second = build_small(name)
    assert [layer.name for layer in network.layers] == [layer.name for layer in second.layers]
    assert not any(isinstance(layer, keras.layers.Lambda) for layer in network.layers)
    assert network.name == name


def test_the_focus_of_grad_cam_is_a_layer_with_places(name, network):
    if len(network.inputs) > 1:
        assert not registry.get_spec(name).focus, "clips of several inputs aren't explained"
        return
    assert len(network.get_layer(registry.get_spec(name).focus).output.shape) >= 4


@pytest.mark.parametrize("name", NAMES)
def test_a_difference_from_the_published_count_has_a_reason(name):
    spec = registry.get_spec(name)
    reached = spec.published_parameters in (
        None,
        spec.built_parameters,
        spec.trainable_parameters,
    )
    assert reached == (not spec.count_differs)


@pytest.mark.parametrize("name", NAMES)
def test_module_cites_its_paper_and_its_builder_explains_its_arguments(name):
    spec = registry.get_spec(name)
    module, function = spec.builder.split(":")
    imported = importlib.import_module(module)
    venue = spec.paper.split(", ")[-1].split()[0]
    assert venue in imported.__doc__
    assert f"{spec.trainable_parameters:,}" in imported.__doc__ or name == "dense_mixed_attention"
    builder = getattr(imported, function)
    for argument in inspect.signature(builder).parameters:
        assert f"{argument}:" in builder.__doc__


@pytest.mark.parametrize("readout", ["onset", "apex", "offset"])
def test_readout_token_can_be_chosen(readout):
    name = "shallow_attention_conv2d"
    model = registry.build(name, SMALL[name], 3, readout=readout)
    index = {"onset": 0, "apex": 2, "offset": 4}[readout]
    assert model.get_layer(f"{readout}_token").index == index


def test_unknown_names_and_arguments():
    with pytest.raises(UserError, match="did you mean 'ststnet'"):
        registry.build("ststne")
    with pytest.raises(ConfigError, match="did you mean 'padding'"):
        registry.build("shallow_convlstm", paddin="same")
