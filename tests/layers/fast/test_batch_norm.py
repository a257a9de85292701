"""What ``FastBatchNormalization`` is beside an equal function (``tests/layers/test_choice.py``)."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import ops  # noqa: E402

from mer_keras.layers.fast.batch_norm import FastBatchNormalization  # noqa: E402
from tests.layers.forms import both_forms, numbers  # noqa: E402

RNG = np.random.default_rng(0)


def maps(shape):
    return RNG.normal(3, 2, size=shape).astype("float32")


def test_statistics_are_those_of_the_batch():
    layer = FastBatchNormalization(0.5, 0.0)
    inputs = maps((3, 4, 5, 2))
    normalised = numbers(layer(inputs, training=True))
    np.testing.assert_allclose(normalised.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(normalised.var(axis=(0, 1, 2)), 1, atol=1e-5)
    # They start at a mean of 0 and a variance of 1; the variance is that of the population.
    np.testing.assert_allclose(
        numbers(layer.moving_mean), inputs.mean(axis=(0, 1, 2)) / 2, rtol=1e-5
    )
    np.testing.assert_allclose(
        numbers(layer.moving_variance), (1 + inputs.var(axis=(0, 1, 2))) / 2, rtol=1e-5
    )


def test_frozen_it_keeps_to_its_moving_statistics():
    plain, fast = both_forms(keras.layers.BatchNormalization, (2, 5, 4, 3))
    inputs, before = maps((2, 5, 4, 3)), fast.get_weights()
    plain.trainable = fast.trainable = False
    np.testing.assert_allclose(
        numbers(fast(inputs, training=True)), numbers(plain(inputs, training=True)), atol=1e-6
    )
    np.testing.assert_array_equal(fast.get_weights(), before)


@pytest.mark.parametrize(("dtype", "tolerance"), [("mixed_bfloat16", 1e-6), ("float64", 1e-12)])
def test_other_number_formats(dtype, tolerance):
    plain, fast = both_forms(keras.layers.BatchNormalization, (2, 5, 4, 3), dtype=dtype)
    inputs = ops.cast(maps((2, 5, 4, 3)), fast.compute_dtype)
    outputs = [layer(inputs, training=True) for layer in (fast, plain)]
    assert outputs[0].dtype == outputs[1].dtype
    normalised, expected = (numbers(ops.cast(output, "float64")) for output in outputs)
    # A last digit of bfloat16 differs where float32 differs by rounding.
    last_digit = 2**-7 if dtype == "mixed_bfloat16" else 0
    np.testing.assert_allclose(normalised, expected, atol=tolerance, rtol=last_digit)


def test_one_place_has_no_variance():
    layer = FastBatchNormalization(0.5)
    np.testing.assert_array_equal(numbers(layer(maps((1, 1, 1, 3)), training=True)), 0)
    np.testing.assert_allclose(numbers(layer.moving_variance), 0.5)


def test_no_setting_that_it_does_not_follow():
    with pytest.raises(TypeError, match="FastBatchNormalization has no argument axis, scale"):
        FastBatchNormalization(scale=False, axis=1, name="norm")
