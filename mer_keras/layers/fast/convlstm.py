"""Keras' ConvLSTM in fewer passes over memory."""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import ops

from mer_keras.layers.convlstm import GATES
from mer_keras.layers.fast.fused import fused
from mer_keras.layers.fast.processor import on_tensorflow
from mer_keras.layers.fast.registration import check_common, fast_form_of
from mer_keras.layers.tensors import Tensor


@fast_form_of(keras.layers.ConvLSTM2D, compiled_by_shape=True)
class FastConvLSTM2D(keras.layers.ConvLSTM2D):
    """Keras' ``ConvLSTM2D`` with its default activations, unrolled over the frames.

    It takes less time in these ways:

    - One convolution a frame gives all four gates, and the first frame, whose state is zero, needs
      none.
    - The windows of the input, small where it has few channels, are multiplied with kernel and bias
      in one matrix product.
    - The maps between the convolutions are passed over as seldom as possible (see ``_frame``).

    Keras' own code runs on other backends than TensorFlow, and where frames are masked, a state is
    given or a size is left open.

    Shapes: (batch, time, height, width, channels) -> (batch, height', width', filters), the last
    state, or (batch, time, height', width', filters), all of them.

    Source: Shi et al., "Convolutional LSTM network", NIPS 2015, without peepholes, as in Keras.

    Args:
        filters: number of output channels.
        kernel_size: edge of the kernels.
        padding: of the convolution of the input; that of the state is always ``same``.
        return_sequences: whether all states are returned.
        unroll: always; taken so that this layer and Keras' are made by the same call.
        **common: ``name``, ``trainable`` and ``dtype``, as every layer takes them.

    Raises:
        TypeError: another setting of Keras' layer.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        *,
        padding: Literal["valid", "same"] = "valid",
        return_sequences: bool = False,
        unroll: Literal[True] = True,
        **common: object,
    ) -> None:
        """See the class."""
        check_common(self, common)
        common |= {"padding": padding, "return_sequences": return_sequences, "unroll": unroll}
        super().__init__(filters, kernel_size, **common)

    def call(
        self,
        sequences: Tensor,
        initial_state: Tensor | None = None,
        mask: Tensor | None = None,
        training: bool = False,
    ) -> Tensor:
        """Run over the frames."""
        is_plain = initial_state is None and mask is None and None not in sequences.shape[1:]
        if not (is_plain and on_tensorflow()):
            return super().call(sequences, initial_state, mask, training)
        # A gradient that is written out takes tensors only, no variables.
        recurrent_kernel = self.cell.recurrent_kernel * 1.0
        kernel = ops.reshape(self.cell.kernel, (-1, GATES * self.filters))
        kernel_and_bias = ops.concatenate([kernel, self.cell.bias[None]])
        # (batch, time, height', width', edge^2 channels + 1)
        windows = _windows(sequences, self.kernel_size[0], self.padding)
        state_shape = (-1, *windows.shape[2:4], self.filters)
        gates_shape = (-1, GATES, self.filters)  # positions of all clips first
        states: list[Tensor] = []
        cell = None
        for frame in range(sequences.shape[1]):
            from_input = ops.matmul(windows[:, frame], kernel_and_bias)
            parts = [ops.reshape(from_input, gates_shape)]
            if states:
                from_state = ops.conv(states[-1], recurrent_kernel, padding="same")
                parts.append(ops.reshape(from_state, gates_shape))
            else:
                cell = ops.zeros_like(parts[0][:, 0])  # (positions, filters)
            hidden, cell = _frame(cell, *parts)
            states.append(ops.reshape(hidden, state_shape))
        return ops.stack(states, axis=1) if self.return_sequences else states[-1]

    def get_config(self) -> dict[str, object]:
        """Arguments of the layer."""
        own = {
            "filters": self.filters,
            "kernel_size": self.kernel_size[0],
            "padding": self.padding,
            "return_sequences": self.return_sequences,
        }
        return {**keras.layers.Layer.get_config(self), **own}


def _windows(clips: Tensor, edge: int, padding: str) -> Tensor:
    """What the kernel sees from each place, and a one for the bias: (..., edge^2 channels + 1)."""
    if padding == "same":
        around = [(edge - 1) // 2, edge // 2]
        clips = ops.pad(clips, [[0, 0], [0, 0], around, around, [0, 0]])
    height, width = (size - edge + 1 for size in clips.shape[2:4])
    shifted = [
        clips[:, :, row : row + height, column : column + width]
        for row in range(edge)
        for column in range(edge)
    ]
    return ops.concatenate([*shifted, ops.ones_like(shifted[0][..., :1])], axis=-1)


@ops.custom_gradient
def _frame(cell: Tensor, *parts: Tensor) -> tuple[Tensor, Tensor]:
    """One frame: the new state and the new cell, (positions, filters) each.

    Only gates and cell are kept for the gradient, which is written out. Each pass has one result of
    the shape that is passed over: only then does XLA make a loop of it that uses the processor's
    vectors.

    Args:
        cell: (positions, filters), that of the frame before.
        parts: (positions, gates, filters) each; their sum goes into the gates.
    """
    gates = _activate(*parts)
    new_cell = _new_cell(gates, cell)

    def gradient(to_state: Tensor, to_new_cell: Tensor) -> tuple[Tensor, ...]:
        along_cell = _gradient_of_cell(gates, new_cell, to_state, to_new_cell)
        to_output_gate = _gradient_of_output_gate(new_cell, to_state)
        to_parts = _gradient_of_parts(gates, cell, along_cell, to_output_gate)
        return _gradient_of_former_cell(gates, along_cell), *(to_parts for _ in parts)

    return (_state(gates, new_cell), new_cell), gradient


def _per_gate(values: Sequence[float], like: Tensor) -> Tensor:
    """A number for each gate (input, forget, cell, output), (1, gates, 1)."""
    return ops.reshape(ops.convert_to_tensor(values, like.dtype), (1, GATES, 1))


@fused
def _activate(*parts: Tensor) -> Tensor:
    """Three sigmoids, and a hyperbolic tangent for the cell gate.

    A sigmoid of x is (tanh(x / 2) + 1) / 2, so that all four are one function.
    """
    total = parts[0] if len(parts) == 1 else parts[0] + parts[1]
    slope = _per_gate([0.5, 0.5, 1, 0.5], total)
    return slope * ops.tanh(slope * total) + _per_gate([0.5, 0.5, 0, 0.5], total)


@fused
def _new_cell(gates: Tensor, cell: Tensor) -> Tensor:
    return gates[:, 1] * cell + gates[:, 0] * gates[:, 2]


@fused
def _state(gates: Tensor, new_cell: Tensor) -> Tensor:
    return gates[:, 3] * ops.tanh(new_cell)


@fused
def _gradient_of_cell(
    gates: Tensor, new_cell: Tensor, to_state: Tensor, to_new_cell: Tensor
) -> Tensor:
    return to_new_cell + to_state * gates[:, 3] * (1 - ops.square(ops.tanh(new_cell)))


@fused
def _gradient_of_former_cell(gates: Tensor, along_cell: Tensor) -> Tensor:
    return gates[:, 1] * along_cell


@fused
def _gradient_of_output_gate(new_cell: Tensor, to_state: Tensor) -> Tensor:
    return to_state * ops.tanh(new_cell)


@fused
def _gradient_of_parts(
    gates: Tensor, cell: Tensor, along_cell: Tensor, to_output_gate: Tensor
) -> Tensor:
    """Gradient before the activations, (positions, gates, filters).

    Each gate's factor is put in its place by ones and zeros: XLA's concatenation is slower.
    """
    input_gate, candidate = gates[:, :1], gates[:, 2:3]
    to_gates = (
        _per_gate([1, 0, 0, 0], gates) * (along_cell[:, None] * candidate)
        + _per_gate([0, 1, 0, 0], gates) * (along_cell * cell)[:, None]
        + _per_gate([0, 0, 1, 0], gates) * (along_cell[:, None] * input_gate)
        + _per_gate([0, 0, 0, 1], gates) * to_output_gate[:, None]
    )
    # A sigmoid s has the slope s (1 - s), a hyperbolic tangent s has 1 - s^2.
    slope = _per_gate([0, 0, 1, 0], gates) + _per_gate([1, 1, 0, 1], gates) * gates
    return to_gates * (slope - gates * gates)
