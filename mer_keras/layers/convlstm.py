"""A convolutional LSTM with connections from the cell to the gates."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

GATES = 4


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
