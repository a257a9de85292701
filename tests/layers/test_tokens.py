import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.layers.tokens import GridBlocks, PositionalEmbedding, TokenAt  # noqa: E402


def test_blocks_are_the_cells_in_reading_order():
    clips = np.random.default_rng(0).random((2, 5, 9, 12, 1)).astype("float32")
    blocks = np.asarray(GridBlocks(3, 3)(clips))
    assert blocks.shape == (2, 9, 5, 3, 4, 1)
    for cell in range(9):
        row, column = divmod(cell, 3)
        expected = clips[:, :, 3 * row : 3 * row + 3, 4 * column : 4 * column + 4]
        np.testing.assert_array_equal(blocks[:, cell], expected)


def test_grid_must_divide_the_frame():
    with pytest.raises(ValueError, match="does not divide frames of 10x9"):
        GridBlocks(3, 3).build((None, 5, 10, 9, 1))


def test_positions_are_added_and_learned():
    layer = PositionalEmbedding()
    tokens = np.ones((2, 3, 4), "float32")
    out = np.asarray(layer(tokens))
    np.testing.assert_allclose(out - tokens, np.broadcast_to(layer.embedding, (2, 3, 4)), atol=1e-6)
    assert len(layer.trainable_weights) == 1


@pytest.mark.parametrize("index", [0, 2, -1])
def test_one_token_is_read_out(index):
    tokens = np.arange(24, dtype="float32").reshape(2, 3, 4)
    np.testing.assert_array_equal(TokenAt(index)(tokens), tokens[:, index])


@pytest.mark.parametrize("layer", [GridBlocks(2, 3), PositionalEmbedding(), TokenAt(4)])
def test_config_round_trip(layer):
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
