"""What ``FastConvLSTM2D`` is beside an equal function (see ``tests/layers/test_choice.py``)."""

import pytest

pytest.importorskip("keras")
from mer_keras.layers.fast.convlstm import FastConvLSTM2D


def test_no_setting_that_it_does_not_follow():
    with pytest.raises(TypeError, match="strides"):
        FastConvLSTM2D(3, 3, strides=2)
