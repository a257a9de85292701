"""Every fast layer is its plain form: weights, initial values, outputs, statistics, gradients."""

import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import layers  # noqa: E402

from mer_keras.errors import UserError  # noqa: E402
from mer_keras.layers import choice  # noqa: E402
from mer_keras.layers.choice import FAST_FORMS, Form, choose, layers_of_form  # noqa: E402
from mer_keras.layers.counted_norm import CountedNormalization  # noqa: E402
from mer_keras.layers.dense_block import DenseBlock  # noqa: E402
from mer_keras.layers.fast.registration import is_compiled_by_shape  # noqa: E402
from mer_keras.layers.response_norm import LocalResponseNorm  # noqa: E402
from mer_keras.layers.streams import ConvNormPool  # noqa: E402
from tests.layers.forms import assert_near, both_forms, gradients  # noqa: E402

NORM = {"momentum": 0.9, "epsilon": 1e-5}
#: plain class, input shape with the batch, arguments
EXAMPLES = [
    (layers.BatchNormalization, (6, 3), NORM),
    (layers.BatchNormalization, (5, 7, 3), NORM),
    (layers.BatchNormalization, (2, 5, 4, 3), NORM),
    (layers.BatchNormalization, (2, 3, 4, 5, 3), NORM),
    (CountedNormalization, (2, 5, 4, 3), NORM),
    (CountedNormalization, (4, 3, 3, 2), {**NORM, "unbiased": False}),
    *(
        (layers.Conv2D, (3, *sides, 4), {"filters": 5, "kernel_size": size, "padding": "same"})
        for sides in ((2, 2), (1, 2), (2, 1), (1, 1), (3, 2))
        for size in (3, (1, 3), (5, 1), (2, 2))
    ),
    (layers.Conv2D, (3, 2, 2, 4), {"filters": 5, "kernel_size": 1}),
    (
        layers.Conv2D,
        (3, 2, 2, 4),
        {"filters": 5, "kernel_size": 3, "padding": "same", "strides": 2},
    ),
    (
        layers.Conv2D,
        (3, 2, 2, 4),
        {"filters": 5, "kernel_size": 3, "padding": "same", "dilation_rate": 2},
    ),
    (
        layers.Conv2D,
        (3, 2, 2, 4),
        {"filters": 5, "kernel_size": 3, "padding": "same", "activation": "relu"},
    ),
    *(
        (
            layers.ConvLSTM2D,
            (2, 4, 7, 6, 2),
            {"filters": 3, "kernel_size": size, "padding": padding, "return_sequences": sequences},
        )
        for size in (2, 3)
        for padding in ("valid", "same")
        for sequences in (False, True)
    ),
    (layers.Dropout, (3, 20), {"rate": 0.3, "seed": 1}),
    (layers.Dropout, (3, 4, 5, 2), {"rate": 0.5, "seed": 1}),
    (layers.TimeDistributed, (3, 5, 8, 7, 2), {"layer": lambda: layers.Conv2D(3, 3)}),
    (layers.TimeDistributed, (2, 4, 5, 8, 7, 2), {"layer": lambda: layers.Conv3D(3, 3)}),
    (layers.TimeDistributed, (3, 5, 8, 7, 2), {"layer": lambda: layers.MaxPooling2D(2)}),
    (LocalResponseNorm, (2, 5, 4, 7), {}),
    (LocalResponseNorm, (2, 3, 5, 4, 4), {"width": 3, "offset": 1.0, "alpha": 0.5}),
    (ConvNormPool, (6, 10, 10, 3), {"filters": 7}),
    (ConvNormPool, (4, 28, 28, 3), {"filters": 4, "momentum": 0.8, "epsilon": 1e-4}),
    *(
        (DenseBlock, (3, 9, 8, 5), {"depth": depth, "growth": growth, "kernel_size": size, **NORM})
        for depth, growth, size in ((1, 4, 3), (2, 3, 5), (4, 3, 3), (3, 2, 1))
    ),
]
each_example = pytest.mark.parametrize(
    ("plain_class", "shape", "arguments"),
    EXAMPLES,
    ids=[f"{plain.__name__}-{number}" for number, (plain, *_) in enumerate(EXAMPLES)],
)


def called(arguments):
    """Arguments with an inner layer of their own."""
    return {name: value() if callable(value) else value for name, value in arguments.items()}


def pair(plain_class, shape, arguments):
    if plain_class is not layers.TimeDistributed:
        return both_forms(plain_class, shape, **arguments)
    plain, fast = plain_class(**called(arguments)), FAST_FORMS[plain_class](**called(arguments))
    for layer in (plain, fast):
        layer.build(shape)
    fast.set_weights(plain.get_weights())
    return plain, fast


def draws_by_itself(plain_class, arguments):
    """Dropout of one half draws other random numbers than Keras'."""
    return plain_class is layers.Dropout and arguments["rate"] == 0.5


def inputs_of(shape):
    return np.random.default_rng(1).normal(1, 2, size=shape).astype("float32")


def test_every_fast_form_has_an_example_and_is_named_as_one():
    assert {plain for plain, *_ in EXAMPLES} == set(FAST_FORMS)
    for plain, fast in FAST_FORMS.items():
        assert fast.__qualname__ == f"Fast{plain.__name__}"
        assert keras.saving.get_registered_name(fast) == f"mer_keras>Fast{plain.__name__}"
        assert issubclass(fast, plain)
        assert choice.plain_form(fast) is choice.plain_form(plain) is plain
    assert choice.plain_form(layers.Dense) is layers.Dense


@pytest.mark.parametrize(("plain", "fast"), FAST_FORMS.items())
def test_layers_that_are_compiled_by_shape_say_so(plain, fast):
    """A module that fuses loops imports ``fused``."""
    arguments = next(arguments for name, _, arguments in EXAMPLES if name is plain)
    fuses = hasattr(import_module(fast.__module__), "fused")
    assert is_compiled_by_shape(fast(**called(arguments))) == fuses


@each_example
def test_outputs_and_statistics(plain_class, shape, arguments):
    plain, fast = pair(plain_class, shape, arguments)
    inputs = inputs_of(shape)
    for training in (False, True):
        if training and draws_by_itself(plain_class, arguments):
            continue
        assert_near(fast(inputs, training=training), plain(inputs, training=training), 2e-4)
        for own, expected in zip(fast.weights, plain.weights, strict=True):
            assert_near(own, expected)
    assert tuple(fast.compute_output_shape(shape)) == tuple(fast(inputs).shape)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="fast forms are TensorFlow's")
@each_example
def test_gradients(plain_class, shape, arguments):
    plain, fast = pair(plain_class, shape, arguments)
    slopes = np.random.default_rng(2).normal(size=plain.compute_output_shape(shape))
    training = not draws_by_itself(plain_class, arguments)
    fast_gradients = gradients(fast, inputs_of(shape), slopes, training)
    plain_gradients = gradients(plain, inputs_of(shape), slopes, training)
    for own, expected in zip(fast_gradients, plain_gradients, strict=True):
        assert_near(own, expected, 2e-3)


@each_example
def test_names_order_and_initial_values_of_weights(plain_class, shape, arguments):
    built = []
    for layer_class in (plain_class, FAST_FORMS[plain_class]):
        keras.utils.set_random_seed(3)
        copied = called(arguments)
        if "layer" in copied:
            copied["layer"].name = "inner"
        layer = layer_class(**copied, name="layer") if "layer" in copied else layer_class(**copied)
        layer.build(shape)
        built.append(layer)
    plain, fast = built
    names = [[v.path.split("/", 1)[-1] for v in layer.variables] for layer in built]
    assert names[0] == names[1]
    for own, expected in zip(fast.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(own, expected)


@each_example
def test_a_network_of_fast_layers_is_stored_and_loaded(plain_class, shape, arguments, tmp_path):
    _, fast = pair(plain_class, shape, arguments)
    images = keras.Input(shape[1:])
    network = keras.Model(images, fast(images))
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    inputs = inputs_of(shape)
    np.testing.assert_array_equal(np.array(loaded(inputs)), np.array(network(inputs)))
    assert type(loaded.layers[-1]) is type(fast)
    configs = [layer.get_config() for layer in (loaded.layers[-1], fast)]
    for config in configs:
        config.pop("layer", None)  # Keras adds to it for which batch the inner layer was built.
    assert configs[0] == configs[1]


def test_the_switch(monkeypatch):
    monkeypatch.delenv("MER_LAYERS", raising=False)
    monkeypatch.setattr(choice, "on_tensorflow_processor", lambda: True)
    assert choose(ConvNormPool) is FAST_FORMS[ConvNormPool]
    monkeypatch.setattr(choice, "on_tensorflow_processor", lambda: False)
    assert choose(ConvNormPool) is ConvNormPool
    for form, expected in ((Form.FAST, FAST_FORMS[ConvNormPool]), (Form.PLAIN, ConvNormPool)):
        monkeypatch.setenv("MER_LAYERS", str(form))
        assert choose(ConvNormPool) is expected
    with layers_of_form(Form.FAST):
        with layers_of_form(Form.PLAIN):
            assert choose(ConvNormPool) is ConvNormPool
        assert choose(ConvNormPool) is FAST_FORMS[ConvNormPool]
    assert choose(ConvNormPool) is ConvNormPool
    monkeypatch.setenv("MER_LAYERS", "quick")
    with pytest.raises(UserError, match="MER_LAYERS is 'quick', expected plain or fast"):
        choose(ConvNormPool)


def test_plain_layers_do_not_import_fast_ones():
    modules = set(Path(choice.__file__).parent.glob("*.py")) - {Path(choice.__file__)}
    assert len(modules) > 20
    for module in modules:
        assert not re.search(r"layers(\.| import )(fast|choice)", module.read_text()), module
