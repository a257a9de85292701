"""Counted cost against counts written out by hand; unknown layers stop the count."""

import pytest

from mer_keras.errors import UserError
from mer_keras.models import cost, registry

keras = pytest.importorskip("keras")
from keras import layers  # noqa: E402

from mer_keras.layers.choice import FAST_FORMS  # noqa: E402
from mer_keras.layers.convlstm import PeepholeConvLSTM  # noqa: E402

FastConvLSTM2D = FAST_FORMS[layers.ConvLSTM2D]
FastTimeDistributed = FAST_FORMS[layers.TimeDistributed]


def network_of(shape, *stack):
    inputs = keras.Input(shape)
    x = inputs
    for layer in stack:
        x = layer(x)
    return keras.Model(inputs, x)


def count(shape, *stack):
    return cost.multiply_accumulates(network_of(shape, *stack))


@pytest.mark.parametrize(
    ("shape", "layer", "expected"),
    [
        ((10, 8, 3), lambda: layers.Conv2D(4, 3), 8 * 6 * 4 * 3 * 9),
        ((10, 8, 3), lambda: layers.Conv2D(4, 3, 2, "same"), 5 * 4 * 4 * 3 * 9),
        ((10, 8, 4), lambda: layers.Conv2D(6, 3, groups=2), 8 * 6 * 6 * 2 * 9),
        ((10, 8, 3), lambda: layers.DepthwiseConv2D(3), 8 * 6 * 3 * 9),
        ((5, 10, 8, 3), lambda: layers.Conv3D(4, 3, padding="same"), 400 * 4 * 3 * 27),
        ((12,), lambda: layers.Dense(7), 84),
        ((6, 12), lambda: layers.Dense(7), 6 * 84),
        ((5, 10, 8, 3), lambda: layers.TimeDistributed(layers.Conv2D(4, 3)), 5 * 48 * 4 * 27),
        ((5, 10, 8, 3), lambda: FastTimeDistributed(layers.Conv2D(4, 3)), 5 * 48 * 4 * 27),
        # four gates, from the input and from the state
        ((5, 10, 8, 3), lambda: layers.ConvLSTM2D(4, 3), 5 * 8 * 6 * 9 * 16 * (3 + 4)),
        ((5, 10, 8, 3), lambda: FastConvLSTM2D(4, 3), 5 * 8 * 6 * 9 * 16 * (3 + 4)),
        # three products with the cell state on top
        (
            (5, 10, 8, 3),
            lambda: PeepholeConvLSTM(4),
            5 * 8 * 6 * (9 * 16 * (3 + 4) + 3 * 4),
        ),
        ((6, 12), lambda: layers.LSTM(7), 6 * 4 * 7 * (12 + 7)),
        ((6, 12), lambda: layers.LSTM(7, return_sequences=True), 6 * 4 * 7 * (12 + 7)),
        ((6, 12), lambda: layers.GRU(7), 6 * 3 * 7 * (12 + 7)),
        ((6, 12), lambda: layers.SimpleRNN(7), 6 * 7 * (12 + 7)),
        ((6, 12), lambda: layers.Bidirectional(layers.LSTM(7)), 2 * 6 * 4 * 7 * (12 + 7)),
        (
            (3, 6, 12),
            lambda: layers.TimeDistributed(layers.Bidirectional(layers.GRU(7))),
            3 * 2 * 6 * 3 * 7 * (12 + 7),
        ),
        ((10, 8, 3), lambda: layers.MaxPooling2D(), 0),
        ((10, 8, 3), lambda: layers.BatchNormalization(), 0),
    ],
)
def test_layers_by_hand(shape, layer, expected):
    assert count(shape, layer()) == expected


def test_self_attention_by_hand():
    tokens = keras.Input((6, 20))
    attended = layers.MultiHeadAttention(2, 5)(tokens, tokens)
    # Queries, keys, values and output take 20 x 10 each; scores and sums 6 x 10 a token each.
    assert cost.multiply_accumulates(keras.Model(tokens, attended)) == 4 * 6 * 200 + 2 * 6 * 60


def test_attention_between_two_sequences_by_hand():
    query, value = keras.Input((6, 20)), keras.Input((4, 12))
    attended = layers.MultiHeadAttention(2, 5, value_dim=3)(query, value)
    projections = 6 * 20 * 10 + 4 * 12 * (10 + 6) + 6 * 6 * 20
    network = keras.Model([query, value], attended)
    assert cost.multiply_accumulates(network) == projections + 6 * 4 * (10 + 6)


@pytest.mark.parametrize(
    ("axes", "pairs"),
    [(None, 20 * 20), ((1,), 20 * 4), ((2,), 20 * 5), ((1, 2), 20 * 20), ((-2,), 20 * 5)],
)
def test_fault_61_attention_along_some_axes_by_hand(axes, pairs):
    """A query meets the keys along these axes at its own place on the others."""
    maps = keras.Input((4, 5, 12))
    attended = layers.MultiHeadAttention(2, 3, attention_axes=axes)(maps, maps)
    projections = 4 * 20 * 12 * 6
    assert cost.multiply_accumulates(keras.Model(maps, attended)) == projections + pairs * 2 * 6


@keras.saving.register_keras_serializable("tests")
def products_of_features(x):
    """An activation that multiplies matrices, and that Keras doesn't name."""
    return keras.ops.matmul(x, keras.ops.ones((x.shape[-1], x.shape[-1])))


@pytest.mark.parametrize(
    "layer",
    [
        lambda own: layers.Activation(own, name="mine"),
        lambda own: layers.Dense(5, activation=own, name="mine"),
        lambda own: layers.LSTM(5, recurrent_activation=own, name="mine"),
        lambda own: layers.Bidirectional(layers.GRU(5, activation=own), name="mine"),
        lambda own: layers.TimeDistributed(layers.Dense(5, activation=own), name="mine"),
    ],
)
def test_fault_61_an_activation_that_keras_does_not_name_stops_the_count(layer):
    count((6, 12), layer("tanh"))
    inputs = keras.Input((6, 12))
    network = keras.Model(inputs, layer(products_of_features)(inputs))
    with pytest.raises(UserError, match=r"'mine'.* with an activation that Keras doesn't name"):
        cost.multiply_accumulates(network)


@pytest.mark.parametrize("form", ["functional", "sequential"])
def test_a_network_within_the_network_counts_all_its_layers(form):
    stack = [layers.Conv2D(4, 3, name="conv"), layers.Flatten(), layers.Dense(7, name="dense")]
    if form == "functional":
        inner = network_of((10, 8, 3), *stack)
    else:
        inner = keras.Sequential([keras.Input((10, 8, 3)), *stack])
    network = network_of((10, 8, 3), inner, layers.Dense(2))
    expected = 8 * 6 * 4 * 3 * 9 + 8 * 6 * 4 * 7
    assert cost.multiply_accumulates(inner) == expected
    assert cost.multiply_accumulates(network) == expected + 14
    nested = cost.layer_costs(network)[1]
    assert nested.output_shape == (7,)
    # The maps of the convolution, the same flat, the outputs of the dense layer.
    assert nested.activations == 2 * 8 * 6 * 4 + 7
    assert nested.parameters == inner.count_params()
    each_frame = network_of((5, 10, 8, 3), layers.TimeDistributed(inner))
    assert cost.multiply_accumulates(each_frame) == 5 * expected


def test_a_layer_counts_for_each_of_its_calls():
    """Two streams that share a network. It reads Keras' private nodes; tried on Keras 3.15.1."""
    left, right = keras.Input((12,), name="left"), keras.Input((12,), name="right")
    shared = network_of((12,), layers.Dense(7))
    both = layers.Concatenate(name="both")([shared(left), shared(right)])
    network = keras.Model([left, right], layers.Dense(3, name="classes")(both))
    by_name = {layer.name: layer for layer in cost.layer_costs(network)}
    assert by_name[shared.name].multiply_accumulates == 2 * 12 * 7
    assert by_name[shared.name].inputs == ("left", "right")
    assert by_name["both"].inputs == (shared.name,)
    assert by_name["classes"].inputs == ("both",)
    assert by_name["left"].inputs == ()
    assert cost.multiply_accumulates(network) == 2 * 12 * 7 + 14 * 3
    # Calls in other networks don't count here.
    other = network_of((12,), shared)
    assert cost.multiply_accumulates(other) == 12 * 7
    assert cost.multiply_accumulates(network) == 2 * 12 * 7 + 14 * 3


class Unknown(keras.layers.Layer):
    def call(self, x):
        return keras.ops.matmul(x, keras.ops.ones((12, 5)))

    def compute_output_shape(self, input_shape):
        return *input_shape[:-1], 5


class Told(Unknown):
    def multiply_accumulates(self, input_shapes):
        ((_, width),) = input_shapes
        return width * 5


class Dense(layers.Dense):
    """Bears the name of Keras' layer and computes something else."""

    def call(self, x):
        return super().call(super().call(x))


@pytest.mark.parametrize(
    "layer",
    [
        lambda: Unknown(name="mine"),
        lambda: Dense(12, name="mine"),
        lambda: layers.TimeDistributed(Unknown(name="mine")),
        lambda: network_of((12,), Unknown(name="mine")),
        lambda: layers.EinsumDense("ab,bc->ac", 5, name="mine"),
        lambda: layers.Conv1D(4, 3, data_format="channels_first", name="mine"),
    ],
)
def test_a_layer_that_is_not_known_stops_the_count(layer):
    layer = layer()
    shape = (3, 12) if isinstance(layer, layers.TimeDistributed | layers.Conv1D) else (12,)
    with pytest.raises(UserError, match=r"layer 'mine' .* multiply_accumulates\(input_shapes\)"):
        count(shape, layer)


def test_a_layer_of_ones_own_may_tell_its_cost():
    assert count((12,), Told()) == 60


def test_operations_count_or_stop():
    x = keras.Input((12,), name="x")
    assert cost.multiply_accumulates(keras.Model(x, x[:, :6] + keras.ops.relu(x[:, 6:]))) == 0
    product = keras.ops.matmul(x, keras.ops.ones((12, 5)))
    with pytest.raises(UserError, match="Matmul"):
        cost.multiply_accumulates(keras.Model(x, product))


def test_open_sizes_and_networks_of_ones_own_class():
    with pytest.raises(UserError, match="fixed input shape"):
        count((None, 12), layers.Dense(7))

    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(UserError, match=r"keras\.Model\(inputs, outputs\)"):
        cost.multiply_accumulates(Own())


def test_twice_the_height_doubles():
    small, tall = (registry.build("resnet3d_18", (4, h, 32, 3)) for h in (32, 64))
    head = 512 * 3
    ratio = (cost.multiply_accumulates(tall) - head) / (cost.multiply_accumulates(small) - head)
    assert ratio == 2


def test_bytes_for_training():
    weights, clip = cost.training_bytes(registry.build("ststnet"))
    assert weights == 16 * 1683
    assert clip == 4 * registry.get_spec("ststnet").activations


@pytest.mark.parametrize("kind", [layers.ConvLSTM2D, FastConvLSTM2D, PeepholeConvLSTM])
@pytest.mark.parametrize("sequences", [False, True])
def test_a_recurrent_layer_keeps_every_frame(kind, sequences):
    network = network_of((5, 10, 8, 3), kind(4, 3, return_sequences=sequences))
    # four gates, cell and state
    assert cost.layer_costs(network)[1].activations == 5 * 8 * 6 * 4 * 6


class Widened(keras.Model):
    """A functional network whose own ``call`` computes more than its graph says."""

    def __init__(self):
        inputs = keras.Input((8,))
        super().__init__(inputs=inputs, outputs=layers.Dense(4)(inputs))
        self.more = layers.Dense(100)

    def call(self, x):
        return self.more(super().call(x))


class Mean(keras.Operation):
    """An operation of somebody's own that bears the name of one of Keras'."""

    def call(self, x):
        return keras.ops.matmul(x, keras.ops.ones((8, 3)))

    def compute_output_spec(self, x):
        return keras.KerasTensor((x.shape[0], 3))


def test_fault_61_classes_of_somebodys_own_stop_the_count():
    with pytest.raises(UserError, match="can't be counted"):
        cost.multiply_accumulates(Widened())
    for own in (Widened(), Mean()):
        with pytest.raises(UserError):
            count((8,), own)


def test_fault_61_weights_beside_a_kernel_stop_the_count():
    inputs = keras.Input((4,))
    dense = layers.Dense(8)
    network = keras.Model(inputs, dense(inputs))
    dense.enable_lora(2)
    with pytest.raises(UserError):
        cost.multiply_accumulates(network)


@pytest.mark.parametrize(
    "lay_beside_clips",
    [
        lambda x: keras.ops.reshape(x, (-1, 4)),
        lambda x: keras.ops.concatenate([x, x, x], axis=0),
        lambda x: layers.Concatenate(axis=0)([x, x]),
        lambda x: keras.ops.expand_dims(x, 0)[0],
        lambda x: x[0],
    ],
    ids=["frames", "operation", "layer", "another axis", "one clip"],
)
def test_fault_61_frames_that_lie_beside_the_clips_stop_the_count(lay_beside_clips):
    """Shapes without the batch look like those of one clip; five frames would be counted once."""
    inputs = keras.Input((5, 4))
    network = keras.Model(inputs, layers.Dense(3)(lay_beside_clips(inputs)))
    with pytest.raises(UserError, match="can't be counted"):
        cost.multiply_accumulates(network)
    frames = keras.ops.reshape(inputs, (-1, 2, 10))
    assert cost.multiply_accumulates(keras.Model(inputs, layers.Dense(3)(frames))) == 2 * 10 * 3


class Counted(layers.Layer):
    """A layer of somebody's own that says what it costs."""

    def call(self, x):
        return keras.ops.matmul(x, keras.ops.ones((8, 3)))

    def multiply_accumulates(self, input_shapes):
        return 24


class Doubled(Counted):
    """It computes more, and says what the class below says."""

    def call(self, x):
        return keras.ops.matmul(super().call(x), keras.ops.ones((3, 8)))


def test_fault_61_a_cost_that_a_class_inherits_for_another_computation_stops_the_count():
    assert count((8,), Counted()) == 24
    with pytest.raises(UserError, match=r"'doubled' \(Doubled\) is not known"):
        count((8,), Doubled())


def test_states_of_both_directions_cost_nothing_more():
    inputs = keras.Input((6, 12))
    sequence, *_ = layers.Bidirectional(layers.LSTM(7, return_state=True))(inputs)
    network = keras.Model(inputs, sequence)
    assert cost.multiply_accumulates(network) == 2 * 6 * 4 * 7 * (12 + 7)
