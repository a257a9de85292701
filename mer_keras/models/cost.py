"""What a forward pass costs: counted layer by layer from the shapes of a built network."""

import math
from dataclasses import dataclass
from typing import Any


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
    output_shape: tuple[int, ...]
    parameters: int
    multiply_accumulates: int
    activations: int


def layer_costs(network: Any) -> list[LayerCost]:
    """Count every layer of a functional network that uses each layer once, in order."""
    return [_cost_of(layer) for layer in network.layers]


def multiply_accumulates(network: Any) -> int:
    """Count multiplications with additions of a forward pass of one clip.

    One counts once, where "FLOPs" often means two. Convolutions count the places of their output,
    borders included.
    """
    return sum(layer.multiply_accumulates for layer in layer_costs(network))


def training_bytes(network: Any) -> tuple[int, int]:
    """Return bytes that training by Adam in float32 takes at least: (for the weights, per clip).

    Weights: value, gradient, two moments. A clip: the outputs of all layers, which the backward
    pass reads; frameworks keep some and may need room for copies. ``make bench`` measures.
    """
    trained = sum(math.prod(weight.shape) for weight in network.trainable_weights)
    return 16 * trained, 4 * sum(layer.activations for layer in layer_costs(network))


def _cost_of(layer: Any) -> LayerCost:
    is_input = type(layer).__name__ == "InputLayer"
    incoming = layer.input if isinstance(layer.input, list) else [layer.input]
    read = () if is_input else tuple(t._keras_history.operation.name for t in incoming)
    output = tuple(layer.output.shape)
    shapes = [tuple(tensor.shape) for tensor in incoming]
    keeps_more = hasattr(layer, "kept_values")
    kept = layer.kept_values(shapes) if keeps_more else math.prod(output[1:])
    return LayerCost(
        name=layer.name,
        kind=type(layer).__name__,
        inputs=read,
        output_shape=output[1:],
        parameters=layer.count_params(),
        multiply_accumulates=_count(layer, shapes, output),
        activations=kept,
    )


def _count(layer: Any, shapes: list[tuple[int, ...]], output: tuple[int, ...]) -> int:
    """Multiplications with additions of one layer, given shapes with the batch in front."""
    kind = type(layer).__name__
    if hasattr(layer, "multiply_accumulates"):
        return int(layer.multiply_accumulates(shapes))
    if kind == "Each":
        each = (shapes[0][0], *shapes[0][2:])
        return shapes[0][1] * _count(layer.layer, [each], (output[0], *output[2:]))
    if kind in ("Conv2D", "Conv3D", "Dense"):
        return math.prod(output[1:-1]) * math.prod(layer.kernel.shape)
    if kind == "ConvLSTM2D":
        weights = math.prod(layer.cell.kernel.shape) + math.prod(layer.cell.recurrent_kernel.shape)
        return shapes[0][1] * math.prod(output[-3:-1]) * weights
    if kind == "MultiHeadAttention":
        tokens, width = output[1:]
        inner = layer.num_heads * layer.key_dim
        return 4 * tokens * width * inner + 2 * tokens * tokens * inner
    return 0
