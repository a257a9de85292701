"""Convolutional LSTM with peepholes. Without peepholes it is Keras' own ``ConvLSTM2D``."""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import ops

from mer_keras.layers.base import PaperLayer
from mer_keras.layers.tensors import Shape, Tensor, check_positive, fixed

#: Input, forget, cell, output: the order of the gates in Keras' kernels.
GATES = 4


@keras.saving.register_keras_serializable(package="mer_keras")
class PeepholeConvLSTM(PaperLayer):
    """ConvLSTM whose gates also see the cell state of the frame before, place by place.

    With * a convolution and . a product place by place, frame t gives

    - i = sigmoid(W_xi * x_t + W_hi * h_(t-1) + W_ci . c_(t-1) + b_i), the input gate,
    - f = sigmoid(W_xf * x_t + W_hf * h_(t-1) + W_cf . c_(t-1) + b_f), the forget gate,
    - c_t = f . c_(t-1) + i . tanh(W_xc * x_t + W_hc * h_(t-1) + b_c), the cell state,
    - o = sigmoid(W_xo * x_t + W_ho * h_(t-1) + W_co . c_(t-1) + b_o), the output gate,
    - h_t = o . tanh(c_t), the state.

    Keras' ``ConvLSTM2D`` lacks the three maps W_ci, W_cf, W_co; where they are zero, as at the
    start, this layer is that one (tested).

    Shapes: (batch, time, height, width, channels) -> (batch, height', width', filters), the last
    state, or (batch, time, height', width', filters), all of them.

    Source: ACCV 2022 workshops (shallow ConvLSTM), equations 1-5. Its equation 4 gives the output
    gate the former cell state as well, where other texts take the new one.

    Args:
        filters: number of output channels.
        kernel_size: edge of the kernels.
        padding: of the convolution of the input; that of the state is always ``same``.
        return_sequences: whether all states are returned.

    Raises:
        ValueError: a size is not above 0.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 3,
        *,
        padding: Literal["valid", "same"] = "valid",
        return_sequences: bool = False,
        **kwargs: object,
    ) -> None:
        """See the class."""
        super().__init__(**kwargs)
        check_positive(self, filters=filters, kernel_size=kernel_size)
        self.filters = filters
        self.kernel_size = kernel_size
        self.padding = padding
        self.return_sequences = return_sequences

    def build(self, input_shape: Shape) -> None:
        """Create kernels, bias (1 for the forget gate, else 0) and the three maps (0)."""
        window = (self.kernel_size, self.kernel_size)
        state = self._state_shape(input_shape)

        def start_bias(shape: Sequence[int], dtype: str | None = None) -> Tensor:
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

    def call(self, clips: Tensor) -> Tensor:
        """Run over the frames as the class says."""
        from_input = [
            ops.conv(clips[:, frame], self.kernel, padding=self.padding) + self.bias
            for frame in range(clips.shape[1])
        ]  # time times (batch, height', width', 4 filters)
        hidden = cell = ops.zeros_like(from_input[0][..., : self.filters])
        states = []
        for of_frame in from_input:
            gates = of_frame + ops.conv(hidden, self.recurrent_kernel, padding="same")
            # four times (batch, height', width', filters)
            input_gate, forget_gate, candidate, output_gate = ops.split(gates, GATES, axis=-1)
            input_gate = ops.sigmoid(input_gate + self.peepholes[0] * cell)
            forget_gate = ops.sigmoid(forget_gate + self.peepholes[1] * cell)
            output_gate = ops.sigmoid(output_gate + self.peepholes[2] * cell)
            cell = forget_gate * cell + input_gate * ops.tanh(candidate)
            hidden = output_gate * ops.tanh(cell)
            states.append(hidden)
        return ops.stack(states, axis=1) if self.return_sequences else hidden

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the state or the states."""
        frames = (input_shape[1],) if self.return_sequences else ()
        return input_shape[0], *frames, *self._state_shape(input_shape)

    def multiply_accumulates(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Multiplications with additions for one clip."""
        _, frames, *_, channels = input_shapes[0]
        height, width, filters = self._state_shape(input_shapes[0])
        window = self.kernel_size**2 * GATES * filters
        return frames * height * width * (window * (channels + filters) + 3 * filters)

    def kept_values(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Values that a training step keeps of one clip: gates, cell and state of each frame."""
        height, width, filters = self._state_shape(input_shapes[0])
        return input_shapes[0][1] * (GATES + 2) * height * width * filters

    def _state_shape(self, input_shape: Shape) -> tuple[int, int, int]:
        """Height, width and filters of a state."""
        lost = self.kernel_size - 1 if self.padding == "valid" else 0
        height, width = (fixed(side) - lost for side in input_shape[2:4])
        return height, width, self.filters
