"""Pieces that more than one network is made of."""

from collections.abc import Sequence
from typing import Literal

from keras import layers

from mer_keras.layers.choice import choose
from mer_keras.layers.convlstm import PeepholeConvLSTM
from mer_keras.layers.tensors import Tensor

#: Constants of batch normalisation in the frameworks that the papers used (Caffe, PyTorch), not
#: Keras' own.
EPSILON = 1e-5
MOMENTUM = 0.9


def convolve(
    x: Tensor,
    filters: int,
    kernel_size: Sequence[int],
    strides: int | Sequence[int] = 1,
    *,
    name: str,
    use_bias: bool = False,
) -> Tensor:
    """Convolve with zero padding of half the kernel on each side, as Caffe and PyTorch do.

    At stride 1 that is Keras' ``same``. At stride 2 ``same`` puts less in front than behind, and
    weights trained elsewhere would look at positions shifted by one pixel.

    Args:
        x: (batch, ..., channels), with as many axes between as the kernel has.
        filters: number of output channels.
        kernel_size: odd edges; two for images, three for clips.
        strides: one for all axes, or one each.
        name: of the layer.
        use_bias: whether a bias is added.

    Returns:
        (batch, ..., filters), each size divided by its stride and rounded up.
    """
    rank = len(kernel_size)
    steps = (strides,) * rank if isinstance(strides, int) else tuple(strides)
    padding = "same"
    if any(step > 1 for step in steps) and any(edge > 1 for edge in kernel_size):
        pad = layers.ZeroPadding2D if rank == 2 else layers.ZeroPadding3D
        x = pad(tuple(edge // 2 for edge in kernel_size), name=f"{name}_pad")(x)
        padding = "valid"
    layer = layers.Conv2D if rank == 2 else layers.Conv3D
    return layer(
        filters, tuple(kernel_size), strides=steps, padding=padding, use_bias=use_bias, name=name
    )(x)


def normalise(x: Tensor, name: str) -> Tensor:
    """Normalise each channel over batch and positions, with learned scale and shift."""
    norm = choose(layers.BatchNormalization)(momentum=MOMENTUM, epsilon=EPSILON, name=name)
    return norm(x)


def normalise_relu(x: Tensor, name: str) -> Tensor:
    """Normalise by the batch, then apply ReLU."""
    return layers.ReLU(name=f"{name}_relu")(normalise(x, name))


def convlstm(
    clips: Tensor,
    filters: int,
    *,
    padding: Literal["valid", "same"],
    return_sequences: bool,
    kernel_size: int = 3,
    peepholes: bool = False,
) -> Tensor:
    """Run a convolutional LSTM over the frames, as the layer ``convlstm``.

    Args:
        clips: (batch, time, height, width, channels).
        filters: number of output channels.
        padding: of the convolution of the input.
        return_sequences: give the state after each frame, not the last one only.
        kernel_size: edge of the kernels.
        peepholes: whether the gates see the former cell state.

    Returns:
        (batch, height', width', filters), or with all states (batch, time, height', width',
        filters).
    """
    layer_class = PeepholeConvLSTM if peepholes else choose(layers.ConvLSTM2D)
    # XLA compiles a convolution inside a loop for minutes; the layer with peepholes has no loop.
    loop = {} if peepholes else {"unroll": True}
    return layer_class(
        filters,
        kernel_size,
        padding=padding,
        return_sequences=return_sequences,
        name="convlstm",
        **loop,
    )(clips)
