"""``FastDropout`` at one half: fair, independent coins, and Keras' own layer at other rates."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import layers, ops  # noqa: E402

from mer_keras.layers.fast.dropout import BITS, FastDropout  # noqa: E402


def dropped(layer, inputs, training=True):
    return ops.convert_to_numpy(layer(inputs, training=training))


@pytest.mark.parametrize("shape", [(4, 16), (5, 3, 7, 3), (1, 1), (3, BITS + 1)])
def test_a_value_is_dropped_or_doubled(shape):
    inputs = np.random.default_rng(0).uniform(1, 2, shape).astype("float32")
    outputs = dropped(FastDropout(0.5, seed=1), inputs)
    assert outputs.shape == shape
    np.testing.assert_array_equal(outputs[outputs != 0], 2 * inputs[outputs != 0])
    np.testing.assert_array_equal(dropped(FastDropout(0.5), inputs, training=False), inputs)


def test_coins_are_fair_and_independent():
    count = 200_000
    coins = dropped(FastDropout(0.5, seed=2), np.ones((count // 50, 50), "float32")) / 2
    # Five standard deviations.
    bound = 2.5 / count**0.5
    assert abs(coins.mean() - 0.5) < bound
    # Coins within a random number, from one to the next, and from row to row.
    for lag in (1, 2, BITS - 1, BITS):
        both = coins[:, lag:] * coins[:, :-lag]
        assert abs(both.mean() - 0.25) < 2 * bound
    assert abs((coins[1:] * coins[:-1]).mean() - 0.25) < 2 * bound
    # Each place is fair by itself.
    assert np.abs(coins.mean(axis=0) - 0.5).max() < 2.5 / (count // 50) ** 0.5


def test_seeds_and_calls():
    ones = np.ones((8, 40), "float32")
    layer, twin, unlike = (
        FastDropout(0.5, seed=1),
        FastDropout(0.5, seed=1),
        FastDropout(0.5, seed=2),
    )
    first, second = dropped(layer, ones), dropped(layer, ones)
    assert np.any(first != second)
    np.testing.assert_array_equal(dropped(twin, ones), first)
    assert np.any(dropped(unlike, ones) != first)


@pytest.mark.parametrize("arguments", [{"rate": 0.3}, {"rate": 0.5, "noise_shape": (None, 1)}])
def test_all_else_is_keras_own(arguments):
    ones = np.ones((6, 40), "float32")
    expected = dropped(layers.Dropout(**arguments, seed=3), ones)
    np.testing.assert_array_equal(dropped(FastDropout(**arguments, seed=3), ones), expected)


def test_precision_and_configuration():
    half = FastDropout(0.5, seed=1, dtype="mixed_float16")
    outputs = half(np.ones((2, 5), "float32"), training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == "float16"
    loaded = FastDropout.from_config(half.get_config())
    assert (loaded.rate, loaded.seed) == (0.5, 1)
