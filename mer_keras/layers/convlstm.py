"""Convolutional LSTMs: Keras' own in fewer passes over memory, and one with peepholes."""

import math
from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from mer_keras.layers.fused import fused

#: enters, forgets, candidate, leaves: the order of Keras' kernels
GATES = 4


@keras.saving.register_keras_serializable(package="mer_keras")
class ConvLSTM2D(keras.layers.ConvLSTM2D):
    """Keras' ``ConvLSTM2D`` with its default activations, unrolled over the frames.

    The same function of the same weights, with the same gradients (tested), in less time:

    - One convolution a frame gives all four gates, and the first frame, whose state is zero, needs
      none.
    - The windows of the input, small where it has few channels, are multiplied with kernel and bias
      in one matrix product.
    - On TensorFlow the maps between the convolutions are passed over as seldom as possible (see
      ``_written_step``).

    On JAX, where all this is slower, Keras' own runs.

    Shapes: (batch, time, height, width, channels) -> (batch, height', width', filters), the last
    state, or (batch, time, height', width', filters), all of them.

    Source: Shi et al., "Convolutional LSTM network", NIPS 2015, without peepholes, as in Keras.

    Args:
        filters: number of output channels.
        kernel_size: edge of the kernels.
        padding: of the convolution of the input; that of the state is always ``same``.
        return_sequences: whether all states are returned.
        name: as every layer takes it; no other setting of Keras' layer can be chosen.
        trainable: likewise.
        dtype: likewise.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        *,
        padding: Literal["valid", "same"] = "valid",
        return_sequences: bool = False,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
    ) -> None:
        """See the class."""
        super().__init__(
            filters,
            kernel_size,
            padding=padding,
            return_sequences=return_sequences,
            # XLA compiles a convolution inside a loop for minutes
            unroll=keras.backend.backend() == "jax",
            name=name,
            trainable=trainable,
            dtype=dtype,
        )

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        """Run over the frames; the state starts at zero and no frame is masked."""
        if keras.backend.backend() == "jax":
            return super().call(sequences)
        cell = self.cell
        recurrent = cell.recurrent_kernel * 1.0
        flat = ops.reshape(cell.kernel, (-1, GATES * self.filters))
        weights = ops.concatenate([flat, cell.bias[None]])
        seen = _windows(sequences, self.kernel_size[0], self.padding)
        place = (-1, *seen.shape[2:4], self.filters)
        by_gate = (-1, GATES, self.filters)
        states: list[Any] = []
        kept = None
        for frame in range(sequences.shape[1]):
            parts = [ops.reshape(ops.matmul(seen[:, frame], weights), by_gate)]
            if states:
                past = ops.conv(states[-1], recurrent, padding="same")
                parts.append(ops.reshape(past, by_gate))
            else:
                kept = ops.zeros_like(parts[0][:, 0])
            hidden, kept = _step(kept, *parts)
            states.append(ops.reshape(hidden, place))
        return ops.stack(states, axis=1) if self.return_sequences else states[-1]

    def kept_values(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Values that a training step keeps of one clip."""
        return _kept(input_shapes[0][1], self.compute_output_shape(input_shapes[0])[-3:])

    def get_config(self) -> dict[str, Any]:
        """Arguments of the layer."""
        own = {
            "filters": self.filters,
            "kernel_size": self.kernel_size[0],
            "padding": self.padding,
            "return_sequences": self.return_sequences,
        }
        return {**keras.layers.Layer.get_config(self), **own}


def _kept(frames: int, state: Sequence[int | None]) -> int:
    """Values that a backward pass needs: of each frame the gates, the cell and the state."""
    return frames * (GATES + 2) * math.prod(int(size or 0) for size in state)


def _windows(clips: Any, edge: int, padding: str) -> Any:
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


def _step(cell: Any, *parts: Any) -> tuple[Any, Any]:
    """One frame: the state and the new cell, (places, filters) each.

    Args:
        cell: (places, filters), that of the frame before.
        parts: (places, gates, filters) each; their sum goes into the gates.
    """
    if keras.backend.backend() == "tensorflow":
        return _written_step(cell, *parts)
    total = parts[0] if len(parts) == 1 else parts[0] + parts[1]
    enters, forgets, candidate, leaves = ops.unstack(total, axis=1)
    new = ops.sigmoid(forgets) * cell + ops.sigmoid(enters) * ops.tanh(candidate)
    return ops.sigmoid(leaves) * ops.tanh(new), new


@ops.custom_gradient
def _written_step(cell: Any, *parts: Any) -> tuple[Any, Any]:
    """``_step`` that keeps no more than the gates and the cell for its gradient.

    Each pass has one result of the shape that is passed over: only then does XLA make a loop of it
    that uses the processor's vectors.
    """
    gates = _activate(*parts)
    new = _new_cell(gates, cell)

    def gradient(of_state: Any, of_cell: Any) -> tuple[Any, ...]:
        along = _to_cell(gates, new, of_state, of_cell)
        each = _to_gates(gates, cell, along, _to_leaves(new, of_state))
        return _to_former(gates, along), *(each for _ in parts)

    return (_leave(gates, new), new), gradient


def _per_gate(values: Sequence[float], like: Any) -> Any:
    """A number for each gate, (1, gates, 1)."""
    return ops.reshape(ops.convert_to_tensor(values, like.dtype), (1, GATES, 1))


@fused
def _activate(*parts: Any) -> Any:
    """Three sigmoids and, for the candidate, a hyperbolic tangent: sigmoid(x) is one of x / 2."""
    total = parts[0] if len(parts) == 1 else parts[0] + parts[1]
    slope = _per_gate([0.5, 0.5, 1, 0.5], total)
    return slope * ops.tanh(slope * total) + _per_gate([0.5, 0.5, 0, 0.5], total)


@fused
def _new_cell(gates: Any, cell: Any) -> Any:
    return gates[:, 1] * cell + gates[:, 0] * gates[:, 2]


@fused
def _leave(gates: Any, new: Any) -> Any:
    return gates[:, 3] * ops.tanh(new)


@fused
def _to_cell(gates: Any, new: Any, of_state: Any, of_cell: Any) -> Any:
    return of_cell + of_state * gates[:, 3] * (1 - ops.square(ops.tanh(new)))


@fused
def _to_former(gates: Any, along: Any) -> Any:
    return gates[:, 1] * along


@fused
def _to_leaves(new: Any, of_state: Any) -> Any:
    return of_state * ops.tanh(new)


@fused
def _to_gates(gates: Any, cell: Any, along: Any, of_leaves: Any) -> Any:
    """Gradient before the activations.

    Each gate's factor is put in its place by ones and zeros: XLA's concatenation is slower.
    """
    enters, candidate = gates[:, :1], gates[:, 2:3]
    above = (
        _per_gate([1, 0, 0, 0], gates) * (along[:, None] * candidate)
        + _per_gate([0, 1, 0, 0], gates) * (along * cell)[:, None]
        + _per_gate([0, 0, 1, 0], gates) * (along[:, None] * enters)
        + _per_gate([0, 0, 0, 1], gates) * of_leaves[:, None]
    )
    # s (1 - s) of a sigmoid, 1 - s^2 of a tangent
    slope = _per_gate([0, 0, 1, 0], gates) + _per_gate([1, 1, 0, 1], gates) * gates
    return above * (slope - gates * gates)


@keras.saving.register_keras_serializable(package="mer_keras")
class PeepholeConvLSTM(keras.layers.Layer):
    """ConvLSTM whose gates also see the cell state of the frame before, place by place.

    Keras' ``ConvLSTM2D`` lacks these three maps; with maps of zeros, where they start, this layer
    is that one (tested).

    Shapes: (batch, time, height, width, channels) -> (batch, height', width', filters), the last
    state, or (batch, time, height', width', filters), all of them.

    Source: ACCV 2022 workshops (shallow ConvLSTM), equations 1-5. Its equation 4 gives the output
    gate the former cell state as well, where other texts take the new one.

    Args:
        filters: number of output channels.
        kernel: edge of the kernels.
        padding: of the convolution of the input; that of the state is always ``same``.
        return_sequences: whether all states are returned.
    """

    def __init__(
        self,
        filters: int,
        kernel: int = 3,
        *,
        padding: Literal["valid", "same"] = "valid",
        return_sequences: bool = False,
        **kwargs: Any,
    ) -> None:
        """See the class."""
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel
        self.padding = padding
        self.return_sequences = return_sequences

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create kernels, bias (one for the forget gate) and the three maps."""
        window = (self.kernel_size, self.kernel_size)
        state = self._state_shape(input_shape)[1:]

        def start_bias(shape: Sequence[int], dtype: Any = None) -> Any:
            gates = ops.repeat(ops.convert_to_tensor([0.0, 1.0, 0.0, 0.0], dtype), self.filters)
            return ops.reshape(gates, shape)

        self.kernel = self.add_weight(
            name="kernel", shape=(*window, input_shape[-1], GATES * self.filters)
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(*window, self.filters, GATES * self.filters),
            initializer="orthogonal",
        )
        self.bias = self.add_weight(
            name="bias", shape=(GATES * self.filters,), initializer=start_bias
        )
        self.peepholes = self.add_weight(name="peepholes", shape=(3, *state), initializer="zeros")

    def call(self, clips: Any) -> Any:
        """Run over the frames as the class says."""
        time = clips.shape[1]
        seen = [
            ops.conv(clips[:, i], self.kernel, padding=self.padding) + self.bias
            for i in range(time)
        ]
        hidden = cell = ops.zeros_like(seen[0][..., : self.filters])
        states = []
        for now in seen:
            gates = now + ops.conv(hidden, self.recurrent_kernel, padding="same")
            enters, forgets, candidate, leaves = ops.split(gates, GATES, axis=-1)
            enters = ops.sigmoid(enters + self.peepholes[0] * cell)
            forgets = ops.sigmoid(forgets + self.peepholes[1] * cell)
            leaves = ops.sigmoid(leaves + self.peepholes[2] * cell)
            cell = forgets * cell + enters * ops.tanh(candidate)
            hidden = leaves * ops.tanh(cell)
            states.append(hidden)
        return ops.stack(states, axis=1) if self.return_sequences else hidden

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of the state or the states."""
        batch, *state = self._state_shape(input_shape)
        return (batch, input_shape[1], *state) if self.return_sequences else (batch, *state)

    def multiply_accumulates(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Multiplications and additions for one clip."""
        shape = input_shapes[0]
        _, height, width, _ = self._state_shape(shape)
        cells = int(height or 0) * int(width or 0)
        window = self.kernel_size**2 * GATES * self.filters
        return shape[1] * cells * (window * (shape[-1] + self.filters) + 3 * self.filters)

    def kept_values(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Values that a training step keeps of one clip."""
        return _kept(input_shapes[0][1], self.compute_output_shape(input_shapes[0])[-3:])

    def get_config(self) -> dict[str, Any]:
        """Arguments of the layer."""
        own = {
            "filters": self.filters,
            "kernel": self.kernel_size,
            "padding": self.padding,
            "return_sequences": self.return_sequences,
        }
        return {**super().get_config(), **own}

    def _state_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        lost = self.kernel_size - 1 if self.padding == "valid" else 0
        batch, _, height, width, _ = input_shape
        return batch, int(height or 0) - lost, int(width or 0) - lost, self.filters
