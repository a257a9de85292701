"""Pieces that more than one network is made of."""

from collections.abc import Sequence
from typing import Any, Literal

from keras import layers

from mer_keras.layers.batch_norm import BatchNormalization
from mer_keras.layers.convlstm import ConvLSTM2D, PeepholeConvLSTM

#: constants of the frameworks that the papers used (Caffe, PyTorch), not Keras' own
EPSILON = 1e-5
MOMENTUM = 0.9


def convolve(
    x: Any,
    filters: int,
    kernel: Sequence[int],
    strides: int | Sequence[int] = 1,
    *,
    name: str,
    use_bias: bool = False,
) -> Any:
    """Convolve with zero padding of half the kernel on each side, as Caffe and PyTorch do.

    At stride 1 that is Keras' ``same``. At stride 2 ``same`` puts less in front than behind, and
    weights trained elsewhere would look at places shifted by one pixel.

    Args:
        x: (batch, ..., channels), as many axes between as the kernel has.
        filters: number of output channels.
        kernel: odd edges; two for images, three for clips.
        strides: one for all axes, or one each.
        name: of the layer.
        use_bias: whether a bias is added.
    """
    rank = len(kernel)
    steps = (strides,) * rank if isinstance(strides, int) else tuple(strides)
    padding = "same"
    if any(step > 1 for step in steps) and any(edge > 1 for edge in kernel):
        pad = layers.ZeroPadding2D if rank == 2 else layers.ZeroPadding3D
        x = pad(tuple(edge // 2 for edge in kernel), name=f"{name}_pad")(x)
        padding = "valid"
    layer = layers.Conv2D if rank == 2 else layers.Conv3D
    return layer(
        filters, tuple(kernel), strides=steps, padding=padding, use_bias=use_bias, name=name
    )(x)


def normalise(x: Any, name: str) -> Any:
    """Batch normalisation over all positions, learned scale and shift."""
    return BatchNormalization(MOMENTUM, EPSILON, name=name)(x)


def normalise_relu(x: Any, name: str) -> Any:
    """Batch normalisation, then ReLU."""
    return layers.ReLU(name=f"{name}_relu")(normalise(x, name))


def convlstm(
    clips: Any,
    filters: int,
    padding: Literal["valid", "same"],
    all_states: bool,
    *,
    kernel: int = 3,
    peepholes: bool = False,
) -> Any:
    """Convolutional LSTM over the frames, as the layer ``convlstm``.

    Args:
        clips: (batch, time, height, width, channels).
        filters: number of output channels.
        padding: of the convolution of the input.
        all_states: give the state after each frame, not the last one only.
        kernel: edge of the kernels.
        peepholes: whether the gates see the former cell state.
    """
    if peepholes:
        return PeepholeConvLSTM(
            filters, kernel, padding=padding, return_sequences=all_states, name="convlstm"
        )(clips)
    return ConvLSTM2D(
        filters, kernel, padding=padding, return_sequences=all_states, name="convlstm"
    )(clips)
