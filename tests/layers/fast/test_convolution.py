"""``FastConv2D``: which maps it multiplies by itself, and that Keras' convolution does the rest."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import ops  # noqa: E402

from mer_keras.layers.fast.convolution import FastConv2D  # noqa: E402


class OfKerasError(Exception):
    """Keras' own convolution was called."""


@pytest.fixture
def convolve(monkeypatch):
    """Convolves maps of a shape; raises where Keras would."""

    def refuse(*_):
        raise OfKerasError

    def convolve(shape, **arguments):
        layer = FastConv2D(**({"filters": 5, "kernel_size": 3, "padding": "same"} | arguments))
        layer.build(shape)
        monkeypatch.setattr(keras.layers.Conv2D, "convolution_op", refuse)
        return layer(np.ones(shape, "float32"))

    return convolve


@pytest.mark.parametrize("size", [3, 5, (1, 3), (3, 1)])
@pytest.mark.parametrize("sides", [(2, 2), (1, 2), (2, 1), (1, 1)])
def test_few_places_are_multiplied_here(convolve, sides, size):
    assert convolve((3, *sides, 4), kernel_size=size).shape == (3, *sides, 5)


@pytest.mark.parametrize(
    ("sides", "arguments"),
    [
        ((3, 2), {}),
        ((2, 3), {}),
        ((2, 2), {"kernel_size": 1}),
        ((2, 2), {"kernel_size": 2}),
        ((2, 2), {"strides": 2}),
        ((2, 2), {"dilation_rate": 2}),
        ((2, 2), {"padding": "valid", "kernel_size": 2}),
        ((2, 2), {"filters": 4, "groups": 2}),
        ((2, 2), {"data_format": "channels_first"}),
    ],
)
def test_all_else_is_keras_own(convolve, sides, arguments):
    with pytest.raises(OfKerasError):
        convolve((3, *sides, 4), **arguments)


def test_open_sizes_are_keras_own():
    layer = FastConv2D(5, 3, padding="same")
    assert layer(keras.Input((None, None, 4))).shape == (None, None, None, 5)


def test_the_literal_sum():
    """Sums over places in four loops."""
    rng = np.random.default_rng(0)
    maps, kernel = rng.normal(size=(2, 2, 2, 3)), rng.normal(size=(3, 3, 3, 4))
    layer = FastConv2D(4, 3, padding="same", use_bias=False)
    layer.build(maps.shape)
    layer.set_weights([kernel])
    expected = np.zeros((2, 2, 2, 4))
    for row in range(2):
        for column in range(2):
            for y in range(2):
                for x in range(2):
                    part = kernel[y - row + 1, x - column + 1]
                    expected[:, row, column] += maps[:, y, x] @ part
    np.testing.assert_allclose(ops.convert_to_numpy(layer(maps)), expected, rtol=1e-5, atol=1e-5)


def test_bfloat16_rounds_the_sum_once():
    """Products that are added in bfloat16 would lose the small ones."""
    maps = np.array([256.0, 1, 1, 1], "float32").reshape(1, 2, 2, 1)
    layer = FastConv2D(1, 3, padding="same", use_bias=False, dtype="bfloat16")
    layer.build(maps.shape)
    layer.set_weights([np.ones((3, 3, 1, 1), "float32")])
    sums = ops.convert_to_numpy(ops.cast(layer(maps), "float32"))
    assert set(sums.ravel().tolist()) <= {258.0, 260.0}
