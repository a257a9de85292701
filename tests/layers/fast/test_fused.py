import numpy as np
import pytest

pytest.importorskip("keras")
from keras import ops

from mer_keras.layers.fast.fused import fused


def test_a_fused_chain_is_the_chain():
    def chain(a, b):
        return ops.relu(a + b) * 2, ops.sum(a)

    a, b = np.random.default_rng(0).normal(size=(2, 3, 28, 3)).astype("float32")
    for result, expected in zip(fused(chain)(a, b), chain(a, b), strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-5)
