"""Optimisers against loops that do what the sources say."""

import math

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.config.training import Cosine, Optimizer, StepDecay, Train  # noqa: E402
from mer_keras.training.optimizers import CoupledSGD, OnePassAdam, WarmAdam, make_optimizer  # noqa: E402
from mer_keras.training.recipe import initialise, learning_rate_at  # noqa: E402

GRADIENTS = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
START = np.array([1.0, -2.0, 0.5], "float32")
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"


def path_of(optimizer):
    """Where a variable goes under fixed gradients."""
    variable = keras.Variable(START)
    places = []
    for gradient in GRADIENTS:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        places.append(np.array(variable))
    return np.array(places)


def test_coupled_sgd_is_caffes():
    rate, momentum, decay = 0.05, 0.9, 0.03
    weight, speed, expected = START.astype("float64"), np.zeros(3), []
    for gradient in GRADIENTS:
        speed = momentum * speed + rate * (gradient + decay * weight)
        weight = weight - speed
        expected.append(weight)
    np.testing.assert_allclose(path_of(CoupledSGD(rate, momentum, decay)), expected, rtol=1e-5)


def test_coupled_sgd_without_decay_is_keras():
    own, theirs = CoupledSGD(0.05, 0.9), keras.optimizers.SGD(0.05, 0.9)
    np.testing.assert_allclose(path_of(own), path_of(theirs), rtol=1e-6)


def test_adam_in_one_pass_is_keras(monkeypatch):
    theirs = keras.optimizers.Adam(0.1)
    expected = path_of(theirs)
    if ON_TENSORFLOW:  # Nothing of Keras' update is left.
        monkeypatch.delattr(keras.optimizers.Adam, "update_step")
    own = OnePassAdam(0.1)
    np.testing.assert_allclose(path_of(own), expected, rtol=1e-5, atol=1e-6)
    for mine, keras_own in zip(own.variables, theirs.variables, strict=True):
        np.testing.assert_allclose(np.array(mine), np.array(keras_own), rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(not ON_TENSORFLOW, reason="the one pass is TensorFlow's")
@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_adam_in_one_pass_leaves_other_numbers_to_keras(dtype):
    changed = []
    for optimizer in (OnePassAdam(0.1), keras.optimizers.Adam(0.1)):
        variable = keras.Variable(START, dtype=dtype)
        optimizer.apply([keras.ops.convert_to_tensor(GRADIENTS[0], dtype)], [variable])
        changed.append(np.array(variable))
    np.testing.assert_array_equal(*changed)


@pytest.mark.skipif(not ON_TENSORFLOW, reason="other backends change nothing in place")
def test_values_that_were_read_before_a_step_stay_as_they_were():
    """Folds that are trained together are read, used and changed in one compiled function."""
    import tensorflow as tf

    variable, optimizer = keras.Variable(START), OnePassAdam(0.1)
    optimizer.build([variable])

    @tf.function
    def step():
        before = tf.convert_to_tensor(variable.value)
        optimizer.apply([tf.constant(GRADIENTS[0])], [variable])
        return before + 0.0

    np.testing.assert_array_equal(step().numpy(), START)
    assert not np.array_equal(np.array(variable), START)


@pytest.mark.parametrize("warmup", ["linear", "exponential"])
def test_warm_adam_follows_the_formula(warmup):
    rate, b1, b2, eps = 0.1, 0.9, 0.999, 1e-7
    weight, m, v, expected = START.astype("float64"), np.zeros(3), np.zeros(3), []
    for t, gradient in enumerate(GRADIENTS.astype("float64"), start=1):
        m, v = b1 * m + (1 - b1) * gradient, b2 * v + (1 - b2) * gradient**2
        pace = (1 - b2) * t
        factor = min(1, pace / 2) if warmup == "linear" else 1 - math.exp(-pace)
        step = math.sqrt(1 - b2**t) / (1 - b1**t)
        weight = weight - rate * factor * step * m / (np.sqrt(v) + eps)
        expected.append(weight)
    np.testing.assert_allclose(path_of(WarmAdam(rate, warmup)), expected, rtol=2e-5, atol=1e-6)


def test_linear_warm_up_ends_after_2_over_1_minus_beta_2_steps():
    """Ma and Yarats: 2 000 steps for the usual beta_2."""
    late, plain = WarmAdam(0.1, "linear"), OnePassAdam(0.1)
    steps = []
    for optimizer in (late, plain):
        variable = keras.Variable(START)
        optimizer.build([variable])
        optimizer.iterations.assign(2_000)
        optimizer.apply([keras.ops.convert_to_tensor(GRADIENTS[0])], [variable])
        steps.append(np.array(variable) - START)
    np.testing.assert_allclose(steps[0], steps[1], rtol=1e-6)


@pytest.mark.parametrize(
    ("setting", "kind"),
    [
        (Optimizer(learning_rate=0.1), OnePassAdam if ON_TENSORFLOW else keras.optimizers.Adam),
        (Optimizer(learning_rate=0.1, warmup="linear"), WarmAdam),
        (Optimizer(name="sgd", learning_rate=0.1, momentum=0.9, weight_decay=0.03), CoupledSGD),
    ],
)
def test_a_config_gives_its_optimiser_which_can_be_stored(setting, kind):
    optimizer = make_optimizer(setting)
    assert isinstance(optimizer, kind)
    again = kind.from_config(optimizer.get_config())
    np.testing.assert_allclose(path_of(again), path_of(make_optimizer(setting)))


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "adam", "momentum": 0.9},
        {"name": "adam", "weight_decay": 0.1},
        {"name": "sgd", "warmup": "linear"},
    ],
)
def test_fields_belong_to_their_optimiser(fields):
    with pytest.raises(ValueError, match="belong"):
        Optimizer(learning_rate=0.1, **fields)


def recipe(**schedule):
    return Train(optimizer=Optimizer(learning_rate=0.1), epochs=100, batch_size=8, **schedule)


def test_steps_divide_the_rate_by_ten_every_ten_epochs():
    train = recipe(step_decay=StepDecay(factor=0.1, every=10))
    rates = [learning_rate_at(train, epoch) for epoch in (0, 9, 10, 19, 20, 35)]
    np.testing.assert_allclose(rates, [0.1, 0.1, 0.01, 0.01, 0.001, 0.0001])


def test_the_cosine_falls_from_start_to_end():
    train = recipe(cosine=Cosine(final_learning_rate=0.02))
    rates = [learning_rate_at(train, epoch) for epoch in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[50] == pytest.approx(0.06)
    assert rates[100] == pytest.approx(0.02)
    assert np.all(np.diff(rates) < 0)


def test_two_schedules_are_refused():
    with pytest.raises(ValueError, match="at most one"):
        recipe(cosine=Cosine(), step_decay=StepDecay(factor=0.1, every=10))


def test_kernels_are_drawn_as_asked():
    layers = [keras.layers.Dense(400, name="wide"), keras.layers.Dense(3, name="classes")]
    network = keras.Sequential([keras.Input((200,)), *layers])
    bias = np.array(network.get_layer("wide").bias)
    keras.utils.set_random_seed(1)
    initialise(network, "he_normal")
    kernel = np.array(network.get_layer("wide").kernel)
    assert kernel.std() == pytest.approx(math.sqrt(2 / 200), rel=0.03)
    np.testing.assert_array_equal(network.get_layer("wide").bias, bias)
