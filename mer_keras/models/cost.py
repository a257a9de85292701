"""What a forward pass costs: counted layer by layer from the shapes of a built network.

Layers of this package, and others' that want to be counted, say themselves what they cost::

    def multiply_accumulates(self, input_shapes: Sequence[tuple[int, ...]]) -> int: ...
    def kept_values(self, input_shapes: Sequence[tuple[int, ...]]) -> int: ...  # optional

Shapes have the batch in front. Layers of Keras that are not named here stop with an error, since
a count of 0 would be wrong without anybody seeing it.
"""

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from mer_keras.errors import UserError

if TYPE_CHECKING:
    import keras

    from mer_keras.layers.tensors import Tensor

Sizes = tuple[int, ...]

#: Keras' layers that only add, scale, pool, activate, move or drop values.
_FREE = re.compile(
    r"(Global)?(Average|Max)Pooling[123]D|(Cropping|UpSampling|ZeroPadding)[123]D"
    r"|(Batch|Group|Layer|Unit)?Normalization|Rescaling|Activation|G?ELU|(Leaky|P)?ReLU|Softmax"
    r"|(Gaussian)?Dropout|SpatialDropout[123]D|GaussianNoise"
    r"|Add|Average|Concatenate|Maximum|Minimum|Multiply|Subtract"
    r"|Flatten|Identity|InputLayer|Masking|Permute|RepeatVector|Reshape"
)
#: Keras' operations, as in ``x + y`` or ``keras.ops.mean(x)``, that do no more than these.
_FREE_OPERATIONS = re.compile(
    r"Absolute|Add|(True)?Divide|Exp|Log|Max(imum)?|Mean|Min(imum)?|Multiply|Negative|Relu|Sigmoid"
    r"|Softmax|Sqrt|Square|Subtract|Sum|Tanh|Concatenate|ExpandDims|GetItem|Reshape|Squeeze|Stack"
    r"|Transpose"
)
#: A number of clips that no other size of a network is.
_BATCH = 7919
#: Attributes by which layers and recurrent cells hold their activations.
_ACTIVATIONS = ("activation", "recurrent_activation")
#: Layers whose kernel is multiplied with what lies under each position of the output.
_KERNELS = re.compile(r"(Depthwise)?Conv[123]D|Dense")
#: Recurrent layers, and values that the backward pass needs of each unit and frame: gates, cell and
#: state; the one without gates keeps its state.
_RECURRENT = {f"ConvLSTM{axes}D": 6 for axes in (1, 2, 3)} | {"LSTM": 6, "GRU": 4, "SimpleRNN": 1}


@dataclass(frozen=True)
class LayerCost:
    """One layer of a network.

    Attributes:
        name: of the layer.
        kind: its class.
        inputs: names of the layers that it reads.
        output_shape: without the batch.
        parameters: moving statistics included.
        multiply_accumulates: of a forward pass of one clip; 0 for what only adds, scales, pools
            or activates.
        activations: values that a training step keeps of one clip.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    output_shape: Sizes
    parameters: int
    multiply_accumulates: int
    activations: int


def layer_costs(network: "keras.Model") -> list[LayerCost]:
    """Count every layer of a functional or sequential network, in order.

    A layer that is called several times counts for each call, a network within the network as one
    layer.

    Raises:
        UserError: a layer's cost is not known, a size is left open, or the network is a class of
            its own, so that its layers' calls are not known.
    """
    import keras

    graph = network._functional if isinstance(network, keras.Sequential) else network
    if not hasattr(graph, "operations") or not _is_of_keras(graph):
        raise UserError(
            f"the cost of network {network.name!r} can't be counted: build it as "
            "keras.Model(inputs, outputs)"
        )
    calls: dict[int, list[_Call]] = defaultdict(list)
    for nodes in graph._nodes_by_depth.values():
        for node in nodes:
            calls[id(node.operation)].append(node)
    return [_cost_of(operation, calls[id(operation)]) for operation in graph.operations]


def _is_of_keras(operation: "keras.Operation") -> bool:
    """Whether Keras itself says what is computed; a class of somebody's own may compute more."""
    return type(operation).__module__.startswith("keras.")


def multiply_accumulates(network: "keras.Model") -> int:
    """Count multiplications with additions of a forward pass of one clip.

    One counts once, where "FLOPs" often means two. Convolutions count the positions of their
    output, borders included.

    Raises:
        UserError: see ``layer_costs``.
    """
    return sum(layer.multiply_accumulates for layer in layer_costs(network))


def training_bytes(network: "keras.Model") -> tuple[int, int]:
    """Return bytes that training by Adam in float32 takes at least: (for the weights, per clip).

    Weights: value, gradient, two moments. A clip: the outputs of all layers, which the backward
    pass reads; frameworks keep some and may need room for copies. ``make bench`` measures.

    Raises:
        UserError: see ``layer_costs``.
    """
    trained = sum(math.prod(weight.shape) for weight in network.trainable_weights)
    return 16 * trained, 4 * sum(layer.activations for layer in layer_costs(network))


class _Call(Protocol):
    """One use of a layer, which Keras calls a node. Its list of them is private."""

    operation: "keras.Operation"
    arguments: "_Arguments"
    parent_nodes: "list[_Call]"
    input_tensors: "list[Tensor]"
    output_tensors: "list[Tensor]"


class _Arguments(Protocol):
    """What an operation was called with: tensors, and values that are none."""

    args: tuple[object, ...]
    kwargs: dict[str, object]


class _Work(NamedTuple):
    """Multiplications with additions of a forward pass, and values kept for the backward pass."""

    multiply_accumulates: int
    kept: int


def _total(works: Sequence[_Work]) -> _Work:
    return _Work(sum(w.multiply_accumulates for w in works), sum(w.kept for w in works))


def _cost_of(operation: "keras.Operation", calls: Sequence[_Call]) -> LayerCost:
    read = [parent.operation.name for call in calls for parent in call.parent_nodes]
    works = []
    for call in calls:
        inputs = [tuple(tensor.shape) for tensor in call.input_tensors]
        output = tuple(call.output_tensors[0].shape)
        if None in (*(size for shape in inputs for size in shape[1:]), *output[1:]):
            raise UserError(
                f"layer {operation.name!r} maps {inputs} to {output}: its cost can't be counted "
                "while a size is left open: build the network with a fixed input shape"
            )
        _check_batch(call)
        works.append(_work(operation, inputs, output))
    total = _total(works)
    return LayerCost(
        name=operation.name,
        kind=type(operation).__name__,
        inputs=tuple(dict.fromkeys(read)),
        output_shape=tuple(calls[0].output_tensors[0].shape[1:]),
        parameters=operation.count_params() if hasattr(operation, "count_params") else 0,
        multiply_accumulates=total.multiply_accumulates,
        activations=total.kept,
    )


def _check_batch(call: _Call) -> None:
    """Check that an operation leaves clips apart; what it makes of one is counted once otherwise.

    ``keras.ops.reshape(x, (-1, ...))`` may lay the frames of a clip beside the clips, so that the
    layers behind it compute more than their shapes without the batch say.

    Raises:
        UserError: it doesn't leave as many clips as it gets.
    """
    import keras

    operation = call.operation
    if isinstance(operation, keras.Layer) and not isinstance(operation, keras.layers.Concatenate):
        return  # Keras' other layers leave the batch as it is.
    if not call.input_tensors:
        return

    def with_batch(value: object) -> object:
        if not isinstance(value, keras.KerasTensor):
            return value
        return keras.KerasTensor((_BATCH, *value.shape[1:]), value.dtype)

    arguments, options = keras.tree.map_structure(
        with_batch, (call.arguments.args, call.arguments.kwargs)
    )
    try:
        outputs = keras.tree.flatten(operation.compute_output_spec(*arguments, **options))
        kept = all(output.shape[:1] == (_BATCH,) for output in outputs)
    except Exception:  # Its shapes can't be told for so many clips.
        kept = False
    if not kept:
        raise UserError(
            f"operation {operation.name!r} mixes the clips of a batch with something else, so that "
            "the cost of one clip can't be counted: keep the batch the first axis, or use "
            "TimeDistributed"
        )


def _work(layer: "keras.Operation", inputs: Sequence[Sizes], output: Sizes) -> _Work:
    """Work of one call of a layer; shapes have the batch in front."""
    import keras

    from mer_keras.layers.choice import plain_form

    values = math.prod(output[1:])
    _check_parts(layer)
    if hasattr(layer, "multiply_accumulates"):
        if _computes_more(type(layer)):
            raise _unknown(layer)
        kept = layer.kept_values(inputs) if hasattr(layer, "kept_values") else values
        return _Work(int(layer.multiply_accumulates(inputs)), int(kept))
    if isinstance(layer, keras.Sequential) or hasattr(layer, "operations"):
        inner = [cost for cost in layer_costs(layer) if cost.kind != "InputLayer"]
        return _total([_Work(cost.multiply_accumulates, cost.activations) for cost in inner])
    kind = plain_form(type(layer))
    name = kind.__name__
    if not isinstance(layer, keras.Layer) and _is_of_keras(layer):
        free = _FREE_OPERATIONS
    elif getattr(keras.layers, name, None) is kind:
        free = _FREE
    else:
        raise _unknown(layer)
    if free.fullmatch(name):
        return _Work(0, values)
    if getattr(layer, "data_format", None) == "channels_first":
        raise _unknown(layer)  # The formulas below take the last axis for the channels.
    if _KERNELS.fullmatch(name):
        return _Work(math.prod(output[1:-1]) * math.prod(layer.kernel.shape), values)
    if name in _RECURRENT:
        return _recurrent(layer, inputs[0], output, _RECURRENT[name])
    if name == "MultiHeadAttention":
        return _Work(_attention(layer, *inputs[:2]), values)
    if name == "TimeDistributed":
        part, inner = (inputs[0][0], *inputs[0][2:]), layer.layer
        return _total([_work(inner, [part], inner.compute_output_shape(part))] * inputs[0][1])
    if name == "Bidirectional":
        rnns = (layer.forward_layer, layer.backward_layer)
        return _total([_work(rnn, inputs, _first_output(rnn, inputs[0])) for rnn in rnns])
    raise _unknown(layer)


def _computes_more(kind: type) -> bool:
    """Whether a class has a ``call`` of its own and inherits what it says of the cost.

    Fast forms of this package's layers compute the same as their plain ones, and inherit it.
    """

    def owner(name: str) -> int:
        return next((i for i, base in enumerate(kind.__mro__) if name in vars(base)), 0)

    call = owner("call")
    own = kind.__mro__[call].__module__.startswith("mer_keras.")
    return call < owner("multiply_accumulates") and not own


def _first_output(layer: "keras.Layer", clip: Sizes) -> Sizes:
    """Shape of what a layer gives first; recurrent ones may give their states too."""
    shape = layer.compute_output_shape(clip)
    return tuple(shape[0] if isinstance(shape[0], tuple | list) else shape)


def _check_parts(layer: "keras.Operation") -> None:
    """Check what a layer applies besides its own operation, such as an activation.

    Raises:
        UserError: an activation is not one of Keras, or low-rank matrices stand beside a kernel.
    """
    import keras

    parts = layer._flatten_layers() if isinstance(layer, keras.Layer) else [layer]
    for part in parts:
        if getattr(part, "lora_enabled", False):
            raise _unknown(layer)
        for activation in (getattr(part, name, None) for name in _ACTIVATIONS):
            known = vars(keras.activations).values()
            if callable(activation) and not any(activation is function for function in known):
                raise _unknown(layer, " with an activation that Keras doesn't name")


def _unknown(layer: "keras.Operation", what: str = "") -> UserError:
    return UserError(
        f"the cost of layer {layer.name!r} ({type(layer).__name__}{what}) is not known: give its "
        "class a method multiply_accumulates(input_shapes) that returns the multiplications with "
        "additions of one clip"
    )


def _recurrent(layer: "keras.Layer", clip: Sizes, output: Sizes, kept_per_unit: int) -> _Work:
    """Work over the frames of (batch, time, ...)."""
    state = output[2:] if layer.return_sequences else output[1:]  # (..., filters)
    cell = layer.cell
    weights = math.prod(cell.kernel.shape) + math.prod(cell.recurrent_kernel.shape)
    frames = clip[1]
    return _Work(
        frames * math.prod(state[:-1]) * weights, frames * kept_per_unit * math.prod(state)
    )


def _attention(layer: "keras.Layer", query: Sizes, value: Sizes) -> int:
    """Projections of queries, keys and values, scores, weighted sums, and the last projection."""
    queries, keys = math.prod(query[1:-1]), math.prod(value[1:-1])
    parts = (layer.query_dense, layer.output_dense, layer.key_dense, layer.value_dense)
    to_query, to_output, to_key, to_value = (math.prod(part.kernel.shape) for part in parts)
    per_pair = layer.num_heads * (layer.key_dim + layer.value_dim)
    # Each query meets the keys along the attention's axes; along the others, only its own place.
    axes = [axis % len(query) for axis in layer.attention_axes or range(1, len(query) - 1)]
    pairs = queries * math.prod(value[axis] for axis in axes)
    return queries * (to_query + to_output) + keys * (to_key + to_value) + pairs * per_pair
