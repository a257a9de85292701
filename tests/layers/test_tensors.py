"""Arguments that no layer can be made with are refused where it is made."""

import pytest

keras = pytest.importorskip("keras")
from mer_keras.layers.attention import ChannelAttention, SpatialAttention  # noqa: E402
from mer_keras.layers.convlstm import PeepholeConvLSTM  # noqa: E402
from mer_keras.layers.dense_block import DenseBlock  # noqa: E402
from mer_keras.layers.shortcut import ZeroPaddedShortcut  # noqa: E402
from mer_keras.layers.streams import ConvNormPool  # noqa: E402
from mer_keras.layers.tokens import GridBlocks  # noqa: E402


@pytest.mark.parametrize(
    ("layer_class", "arguments", "name"),
    [
        (ChannelAttention, (0,), "reduction"),
        (SpatialAttention, (-1,), "kernel_size"),
        (PeepholeConvLSTM, (0,), "filters"),
        (DenseBlock, (0, 4, 3), "depth"),
        (ZeroPaddedShortcut, (0,), "filters"),
        (ConvNormPool, (0,), "filters"),
        (GridBlocks, (3, 0), "columns"),
    ],
)
def test_sizes_are_above_zero(layer_class, arguments, name):
    with pytest.raises(ValueError, match=f"{layer_class.__name__}: {name} is .* more than 0"):
        layer_class(*arguments)


def test_open_sizes_are_refused():
    with pytest.raises(ValueError, match="fixed shape"):
        ConvNormPool(4).build((None, None, 28, 3))
