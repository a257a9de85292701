import numpy as np
import pytest

pytest.importorskip("keras")
from mer_keras.layers.shortcut import ZeroPaddedShortcut


def test_every_second_place_and_zeros_behind():
    clips = np.random.default_rng(0).random((2, 4, 6, 5, 3)).astype("float32")
    layer = ZeroPaddedShortcut(7)
    shortcut = np.array(layer(clips))
    np.testing.assert_array_equal(shortcut[..., :3], clips[:, ::2, ::2, ::2])
    assert shortcut.shape == (2, 2, 3, 3, 7)
    assert not shortcut[..., 3:].any()
    assert ZeroPaddedShortcut.from_config(layer.get_config()).filters == 7
