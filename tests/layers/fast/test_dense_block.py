"""What ``FastDenseBlock`` is beside an equal function (see ``tests/layers/test_choice.py``)."""

import numpy as np
import pytest

pytest.importorskip("keras")
from mer_keras.layers.dense_block import DenseBlock
from tests.layers.forms import assert_near, both_forms

IMAGES = np.random.default_rng(0).normal(size=(3, 9, 8, 5)).astype("float32")


def test_frozen_it_keeps_to_its_moving_statistics():
    arguments = {"depth": 2, "growth": 3, "kernel_size": 3}
    plain, fast = both_forms(DenseBlock, IMAGES.shape, **arguments)
    plain.trainable = fast.trainable = False
    before = fast.get_weights()
    assert_near(fast(IMAGES, training=True), plain(IMAGES, training=True))
    for after, value in zip(fast.get_weights(), before, strict=True):
        np.testing.assert_array_equal(after, value)
