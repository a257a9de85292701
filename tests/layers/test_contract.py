"""Every layer of ours is what Keras' own layers compute, also where one rarely looks, or raises.

``plain_keras`` says of each layer what it is in Keras' layers.
"""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import layers, ops  # noqa: E402

import mer_keras.layers  # noqa: E402
from tests.layers.forms import random_weights  # noqa: E402
from tests.layers.plain_keras import LiteralNorm, cases  # noqa: E402

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="gradients are taken as TensorFlow does"
)
NAMES = list(cases())
#: Layers whose written-out gradient says so when it is differentiated.
FIRST_ORDER_ONLY = ("FastConvNormPool", "FastDenseBlock")
#: Layers with an argument that is the edge of a kernel.
WITH_KERNEL = (
    "SpatialAttention",
    "PeepholeConvLSTM",
    "DenseBlock",
    "FastConvLSTM2D",
    "FastDenseBlock",
)


def clips_of(shape, dtype="float32"):
    """Clips, or a list of them where a layer reads several."""
    shapes = shape if isinstance(shape, list) else [shape]
    rng = np.random.default_rng(1)
    arrays = [ops.convert_to_tensor(rng.normal(1, 1, s), dtype) for s in shapes]
    return arrays if isinstance(shape, list) else arrays[0]


def pair(name, dtype="float32", **changes):
    """Our layer and its twin with equal weights, and clips that they read."""
    case = cases(**changes)[name]
    ours, twin = case.pair(dtype)
    clips = clips_of(case.shape, ours.compute_dtype)
    for layer in (ours, twin):
        layer(clips)
    weights = [0.5 * value for value in random_weights(ours, np.random.default_rng(0))]
    if name == "PeepholeConvLSTM":
        weights[-1][:] = 0  # Without peepholes it is Keras' layer.
    ours.set_weights(weights)
    twin.set_weights(weights[: len(twin.weights)])
    return ours, twin, clips


def numbers(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float64"))


def assert_equal(ours, twin, tolerance):
    values, expected = numbers(ours), numbers(twin)
    assert values.shape == expected.shape
    assert np.isfinite(values).all()
    np.testing.assert_allclose(values, expected, rtol=tolerance, atol=tolerance)


def test_every_layer_of_ours_has_a_twin():
    classes = {
        value.__qualname__
        for module in pkgutil.walk_packages(mer_keras.layers.__path__, "mer_keras.layers.")
        for value in vars(importlib.import_module(module.name)).values()
        if inspect.isclass(value)
        and issubclass(value, keras.layers.Layer)
        and value.__module__ == module.name
        and keras.saving.get_registered_name(value).startswith("mer_keras>")
    }
    # OpenCV is the twin of images of directions, in tests/models/test_causalnet.
    assert classes == {*NAMES, "DirectionImage"}


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-9), ("mixed_float16", 2e-2)]
)
@pytest.mark.parametrize("name", NAMES)
def test_fault_64_outputs_statistics_and_number_formats(name, dtype, tolerance):
    ours, twin, clips = pair(name, dtype)
    for training in (False, True):
        own, expected = ours(clips, training=training), twin(clips, training=training)
        assert own.dtype == expected.dtype == ours.compute_dtype
        assert_equal(own, expected, tolerance)
    for weight, other in zip(ours.weights, twin.weights, strict=False):
        assert weight.dtype == ours.variable_dtype
        assert_equal(weight.value, other.value, tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_fault_64_frozen(name):
    ours, twin, clips = pair(name)
    ours.trainable = twin.trainable = False
    before = ours.get_weights()
    assert ours.trainable_weights == []
    assert_equal(ours(clips, training=True), twin(clips, training=True), 1e-4)
    for value, weight in zip(before, ours.get_weights(), strict=True):
        np.testing.assert_array_equal(value, weight)


@pytest.mark.parametrize("name", NAMES)
def test_fault_64_masked(name):
    """Frames are masked, and of what has none, positions."""
    ours, twin, clips = pair(name)
    first = clips[0] if isinstance(clips, list) else clips
    axes = first.shape[:-1] if "BatchNormalization" in name else first.shape[:2]
    mask = ops.convert_to_tensor(np.random.default_rng(3).random(axes) < 0.6)
    first._keras_mask = mask
    try:
        own = ours(clips, training=True)
    except ValueError as error:
        assert "takes no mask" in str(error)
        assert name not in ("FastBatchNormalization", "FastConvLSTM2D", "FastTimeDistributed")
        return
    assert_equal(own, twin(clips, training=True), 1e-4)
    for weight, other in zip(ours.weights, twin.weights, strict=True):
        assert_equal(weight.value, other.value, 1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_fault_64_an_initial_state(name):
    ours, twin, clips = pair(name)
    state = [clips_of((2, 7, 8, 3)), -clips_of((2, 7, 8, 3))]
    if name != "FastConvLSTM2D":
        with pytest.raises((TypeError, ValueError), match="initial_state"):
            ours(clips, initial_state=state)
        return
    own, expected = (layer(clips, initial_state=state) for layer in (ours, twin))
    assert_equal(own, expected, 1e-4)
    assert np.abs(numbers(own) - numbers(ours(clips))).max() > 1e-2


def second_derivative(layer, clips):
    """Gradient, in clips and weights, of the squared gradient in the clips."""
    import tensorflow as tf

    first = clips[0] if isinstance(clips, list) else clips
    weights = [weight.value for weight in layer.trainable_weights]
    with tf.GradientTape() as outer:
        outer.watch(first)
        with tf.GradientTape() as inner:
            inner.watch(first)
            loss = ops.sum(ops.square(layer(clips, training=True)))
        slope = inner.gradient(loss, first)
        total = ops.sum(ops.square(slope))
    gradients = outer.gradient(total, [first, *weights], unconnected_gradients="zero")
    return [tf.convert_to_tensor(gradient) for gradient in gradients]


@pytest.mark.parametrize("name", NAMES)
def test_fault_64_second_derivative(name):
    # In other formats than float32 these two are the plain ones.
    dtype = "float32" if name in ("FastBatchNormalization", "FastDenseBlock") else "float64"
    ours, twin, clips = pair(name, dtype, norm=LiteralNorm)
    if name in FIRST_ORDER_ONLY:
        with pytest.raises(NotImplementedError, match=f"{name} has no second derivative.*plain"):
            second_derivative(ours, clips)
        return
    own, expected = second_derivative(ours, clips), second_derivative(twin, clips)
    count = len(expected)  # Keras' layer lacks the peepholes.
    for value, other in zip(own[:count], expected, strict=True):
        scale = max(np.abs(numbers(other)).max(), 1e-6)
        assert_equal(value / scale, other / scale, 2e-3 if dtype == "float32" else 1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_fault_64_one_frame(name):
    ours, twin, clips = pair(name, frames=1)
    assert_equal(ours(clips, training=True), twin(clips, training=True), 1e-4)


@pytest.mark.parametrize("size", [2, 4])
@pytest.mark.parametrize("name", WITH_KERNEL)
def test_fault_64_even_kernel(name, size):
    # In float32 some gradients cancel to few digits, in Keras' own layers too.
    ours, twin, clips = pair(name, "float64", size=size)
    import tensorflow as tf

    slopes = []
    for layer in (ours, twin):
        with tf.GradientTape() as tape:
            tape.watch(clips)
            outputs = layer(clips, training=True)
            loss = ops.sum(ops.square(outputs - 0.3))
        weights = [
            weight.value for weight in layer.trainable_weights[: len(twin.trainable_weights)]
        ]
        slopes.append([outputs, *tape.gradient(loss, [clips, *weights])])
    for own, expected in zip(*slopes, strict=True):
        scale = max(np.abs(numbers(expected)).max(), 1e-6)
        assert_equal(own / scale, expected / scale, 1e-9)


@pytest.mark.parametrize("name", ["ConvNormPool", "FastConvNormPool"])
def test_fault_63_statistics_of_half_precision_are_in_float32(name):
    """A million values of 100 or so: their sum and squares leave the range of float16."""
    ours, twin, _ = pair(name, "mixed_float16")
    clips = ops.cast(100 + clips_of((64, 28, 28, 4)), "float16")
    own, expected = ours(clips, training=True), twin(clips, training=True)
    for weight, other in zip(ours.weights, twin.weights, strict=True):
        np.testing.assert_allclose(
            numbers(weight.value), numbers(other.value), rtol=2e-3, atol=1e-2
        )
    assert np.isfinite(numbers(own)).all()
    assert np.abs(numbers(own) - numbers(expected)).max() < 0.1


def test_fault_64_statistics_over_the_batch_are_not_over_the_parts():
    """A normalisation within ``TimeDistributed`` sees one part at a time."""
    from mer_keras.layers.choice import FAST_FORMS

    built = []
    for outer in (FAST_FORMS[layers.TimeDistributed], layers.TimeDistributed):
        layer = outer(layers.BatchNormalization(momentum=0.5))
        outputs = layer(clips_of((4, 3, 5, 5, 2)), training=True)
        built.append([outputs, *(weight.value for weight in layer.weights)])
    for own, expected in zip(*built, strict=True):
        assert_equal(own, expected, 1e-5)
