"""Pieces that more than one network is made of."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import keras
from keras import layers

from mer_keras.layers.channels import ChannelRange
from mer_keras.layers.choice import choose
from mer_keras.layers.convlstm import PeepholeConvLSTM
from mer_keras.layers.counted_norm import CountedNormalization
from mer_keras.layers.response_norm import LocalResponseNorm
from mer_keras.layers.tensors import Tensor

#: Frameworks that papers name.
Framework = Literal["caffe", "keras", "pytorch"]


class BatchNormConstants(NamedTuple):
    """Constants of batch normalisation.

    Attributes:
        momentum: of the moving statistics: what they keep of themselves in a step of training.
        epsilon: added to the variance.
    """

    momentum: float
    epsilon: float


#: What each framework's layer has unless it is told otherwise. Caffe divides its moving sums by the
#: weight that they have gathered, so that in its first thousand steps they are plain means; Keras'
#: start from 0 and 1. After some thousand steps the two are the same.
BATCH_NORM: dict[Framework, BatchNormConstants] = {
    "caffe": BatchNormConstants(momentum=0.999, epsilon=1e-5),
    "keras": BatchNormConstants(momentum=0.99, epsilon=1e-3),
    "pytorch": BatchNormConstants(momentum=0.9, epsilon=1e-5),
}
MOMENTUM, EPSILON = BATCH_NORM["pytorch"]


def convolve(
    x: Tensor,
    filters: int,
    kernel_size: Sequence[int],
    strides: int | Sequence[int] = 1,
    *,
    name: str,
    use_bias: bool = False,
    kernel_initializer: str | keras.Initializer = "glorot_uniform",
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
        kernel_initializer: initial values of the kernel.

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
        filters,
        tuple(kernel_size),
        strides=steps,
        padding=padding,
        use_bias=use_bias,
        kernel_initializer=kernel_initializer,
        name=name,
    )(x)


def pytorch_start(fan_in: int) -> dict[str, keras.Initializer]:
    """Initial values of PyTorch's convolutions and dense layers: uniform in +-1/sqrt(fan in).

    Args:
        fan_in: values that are multiplied with the weights of one output.

    Returns:
        Arguments of Keras' layers, of kernel and bias.
    """
    limit = fan_in**-0.5
    return {
        "kernel_initializer": keras.initializers.RandomUniform(-limit, limit),
        "bias_initializer": keras.initializers.RandomUniform(-limit, limit),
    }


def pytorch_convolve(
    x: Tensor,
    filters: int,
    edge: int,
    *,
    name: str,
    padding: Literal["valid", "same"] = "same",
    dilation: int = 1,
    activation: str | None = None,
) -> Tensor:
    """Convolve images at stride 1, with a bias and PyTorch's initial values.

    Args:
        x: (batch, height, width, channels).
        filters: number of output channels.
        edge: of the kernel.
        name: of the layer.
        padding: ``same`` keeps height and width.
        dilation: distance of the kernel's values.
        activation: applied afterwards.
    """
    convolution = choose(layers.Conv2D)(
        filters,
        edge,
        padding=padding,
        dilation_rate=dilation,
        activation=activation,
        name=name,
        **pytorch_start(int(x.shape[-1]) * edge * edge),
    )
    return convolution(x)


def grouped_convolve(
    x: Tensor, filters: int, edge: int, groups: int, *, name: str, start: Mapping[str, object]
) -> Tensor:
    """Convolve groups of channels apart, each with its share of the filters, then apply ReLU.

    Keras' own groups have no gradient on a processor with TensorFlow.

    Args:
        x: (batch, height, width, channels); ``groups`` divides channels and filters.
        filters: number of output channels.
        edge: of the kernels.
        groups: number of groups; with 1 the layer is called ``name``, else ``name`` and a number.
        name: of the layers.
        start: initial values, as arguments of Keras' layers.

    Returns:
        (batch, height, width, filters), zeros padded on all sides.
    """
    channels = int(x.shape[-1])
    if channels % groups or filters % groups:
        raise ValueError(f"{groups} groups don't divide {channels} channels and {filters} filters")
    if groups == 1:
        plain = layers.Conv2D(filters, edge, padding="same", activation="relu", name=name, **start)
        return plain(x)
    width, parts = channels // groups, []
    for number in range(groups):
        part = ChannelRange(number * width, (number + 1) * width, name=f"{name}_part{number}")(x)
        convolution = layers.Conv2D(
            filters // groups,
            edge,
            padding="same",
            activation="relu",
            name=f"{name}_{number}",
            **start,
        )
        parts.append(convolution(part))
    return layers.Concatenate(name=name)(parts)


def each_frame(layer: keras.Layer, clips: Tensor, *, name: str) -> Tensor:
    """Apply a layer or a network to each frame, (batch, time, ...) -> (batch, time, ...)."""
    return choose(layers.TimeDistributed)(layer, name=name)(clips)


def pytorch_dense(x: Tensor, units: int, *, name: str, activation: str | None = None) -> Tensor:
    """Multiply the last axis, (batch, ..., width) -> (batch, ..., units), as PyTorch starts it."""
    start = pytorch_start(int(x.shape[-1]))
    return layers.Dense(units, activation=activation, name=name, **start)(x)


def dropout(x: Tensor, rate: float, *, name: str) -> Tensor:
    """Set a part of the values to zero in training."""
    return choose(layers.Dropout)(rate, name=name)(x)


def response_norm(x: Tensor, *, name: str) -> Tensor:
    """Divide each value by its neighbouring channels, with AlexNet's constants."""
    return choose(LocalResponseNorm)(name=name)(x)


def counted_norm(name: str) -> keras.Layer:
    """Return batch normalisation of images with PyTorch's constants.

    Unlike ``normalise``, it can leave out rows that fill up a batch, so that folds of a network can
    be trained together.
    """
    return choose(CountedNormalization)(momentum=MOMENTUM, epsilon=EPSILON, name=name)


def normalise(x: Tensor, name: str, framework: Framework = "pytorch") -> Tensor:
    """Normalise each channel over batch and positions, with learned scale and shift.

    Args:
        x: (batch, ..., channels).
        name: of the layer.
        framework: whose constants it has.
    """
    constants = BATCH_NORM[framework]._asdict()
    return choose(layers.BatchNormalization)(**constants, name=name)(x)


def normalise_relu(x: Tensor, name: str, framework: Framework = "pytorch") -> Tensor:
    """Normalise by the batch, then apply ReLU; see ``normalise``."""
    return layers.ReLU(name=f"{name}_relu")(normalise(x, name, framework))


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
