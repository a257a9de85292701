"""Counted cost against counts written out by hand, and the drawing."""

import pytest

from mer_keras.layers.each import Each
from mer_keras.models import cost, registry
from tests.models.small import SHAPES

keras = pytest.importorskip("keras")
from keras import layers  # noqa: E402

from mer_keras.layers.convlstm import ConvLSTM2D, PeepholeConvLSTM  # noqa: E402


def count(shape, *stack):
    inputs = keras.Input(shape)
    x = inputs
    for layer in stack:
        x = layer(x)
    return cost.multiply_accumulates(keras.Model(inputs, x))


@pytest.mark.parametrize(
    ("shape", "layer", "expected"),
    [
        ((10, 8, 3), lambda: layers.Conv2D(4, 3), 8 * 6 * 4 * 3 * 9),
        ((10, 8, 3), lambda: layers.Conv2D(4, 3, 2, "same"), 5 * 4 * 4 * 3 * 9),
        ((5, 10, 8, 3), lambda: layers.Conv3D(4, 3, padding="same"), 400 * 4 * 3 * 27),
        ((12,), lambda: layers.Dense(7), 84),
        ((6, 12), lambda: layers.Dense(7), 6 * 84),
        ((5, 10, 8, 3), lambda: Each(layers.Conv2D(4, 3)), 5 * 48 * 4 * 27),
        # four gates, from the input and from the state
        ((5, 10, 8, 3), lambda: layers.ConvLSTM2D(4, 3), 5 * 8 * 6 * 9 * 16 * (3 + 4)),
        ((5, 10, 8, 3), lambda: ConvLSTM2D(4, 3), 5 * 8 * 6 * 9 * 16 * (3 + 4)),
        ((10, 8, 3), lambda: layers.MaxPooling2D(), 0),
    ],
)
def test_layers_by_hand(shape, layer, expected):
    assert count(shape, layer()) == expected


def test_self_attention_by_hand():
    tokens = keras.Input((6, 20))
    out = layers.MultiHeadAttention(2, 5)(tokens, tokens)
    # queries, keys, values and output: 20 x 10 each; scores and sums: 6 x 10 a token each
    assert cost.multiply_accumulates(keras.Model(tokens, out)) == 4 * 6 * 200 + 2 * 6 * 60


def test_twice_the_batch_changes_nothing_and_twice_the_height_doubles():
    small, tall = (registry.build("resnet3d_18", (4, h, 32, 3)) for h in (32, 64))
    head = 512 * 3
    ratio = (cost.multiply_accumulates(tall) - head) / (cost.multiply_accumulates(small) - head)
    assert ratio == 2


def test_bytes_for_training():
    network = registry.build("ststnet")
    weights, clip = cost.training_bytes(network)
    assert weights == 16 * 1683
    assert clip == 4 * registry.get_spec("ststnet").activations


@pytest.mark.parametrize("kind", [ConvLSTM2D, PeepholeConvLSTM])
@pytest.mark.parametrize("sequences", [False, True])
def test_a_recurrent_layer_keeps_every_frame(kind, sequences):
    clips = keras.Input((5, 10, 8, 3))
    network = keras.Model(clips, kind(4, 3, return_sequences=sequences)(clips))
    # four gates, cell and state
    assert cost.layer_costs(network)[1].activations == 5 * 8 * 6 * 4 * 6


@pytest.mark.parametrize("name", SHAPES)
def test_every_layer_is_in_one_box_and_no_arrow_points_up(name):
    from mer_keras.models.drawing import boxes

    network = registry.build(name, SHAPES[name])
    drawn = boxes(network)
    names = [layer.name for box in drawn for layer in box.layers]
    assert sorted(names) == sorted(layer.name for layer in network.layers)
    assert len({(box.row, box.column) for box in drawn}) == len(drawn)
    for box in drawn:
        assert all(drawn[read].row < box.row for read in box.reads)


def test_drawing_is_an_image_without_a_date(tmp_path):
    from mer_keras.models.drawing import draw

    network = registry.build("micro_attention", SHAPES["micro_attention"])
    file = tmp_path / "net.svg"
    draw(network, file)
    text = file.read_text()
    assert text.lstrip().startswith("<?xml")
    assert "<dc:date>" not in text
