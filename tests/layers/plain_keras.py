"""What each layer of ours is in Keras' own layers and operations, with the same weights."""

from collections.abc import Callable
from dataclasses import dataclass, field

import keras
from keras import layers, ops

from mer_keras.layers import attention, convlstm, dense_block, shortcut, spectral, streams, tokens
from mer_keras.layers.choice import FAST_FORMS
from tests.layers.plain_flow import flow_cases


class InKeras(keras.layers.Layer):
    """Keras' layers, applied by a function ``apply(parts, inputs, training)``."""

    def __init__(self, make, apply, **kwargs):
        super().__init__(**kwargs)
        self.make, self.apply = make, apply
        self.parts = make(self.dtype_policy)

    def call(self, inputs, training=None):
        return self.apply(self.parts, inputs, training)


def channel_attention(parts, x, training):
    axes = tuple(range(1, len(x.shape) - 1))
    mean, maximum = (f(x, axis=axes, keepdims=True) for f in (ops.mean, ops.max))
    squeeze, expand = parts
    return ops.sigmoid(expand(squeeze(mean)) + expand(squeeze(maximum)))


def spatial_attention(parts, x, training):
    both = [f(x, axis=-1, keepdims=True) for f in (ops.mean, ops.max)]
    return parts[0](ops.concatenate(both, axis=-1))


def micro_attention(parts, scales, training):
    maps = parts[0](ops.concatenate(scales, axis=-1))
    return ops.sigmoid(ops.mean(maps, axis=-1, keepdims=True))


def conv_norm_pool(parts, x, training):
    pad, convolution, norm, pool = parts
    maps = norm(convolution(pad(x)), training=training)
    padded = ops.pad(maps, [[0, 0], [1, 0], [1, 0], [0, 0]], constant_values=-6e4)
    return pool(padded)


def dense(parts, x, training):
    outputs = []
    for convolution, norm in zip(parts[::2], parts[1::2], strict=True):
        outputs.append(norm(convolution(ops.concatenate([x, *outputs], -1)), training=training))
    return ops.concatenate(outputs, axis=-1)


def every_second(parts, x, training):
    for axis in (1, 2, 3):
        x = ops.take(x, range(0, x.shape[axis], 2), axis=axis)
    return ops.concatenate([x, ops.zeros((*x.shape[:-1], 3), x.dtype)], axis=-1)


def grid(parts, x, training):
    rows = ops.split(x, 2, axis=2)
    return ops.stack([cell for row in rows for cell in ops.split(row, 2, axis=3)], axis=1)


class LiteralNorm(layers.BatchNormalization):
    """The equation in training.

    The variance of ``tf.nn.moments``, which Keras' layer takes, has the mean for a constant: that
    leaves the first derivative as it is, but not the second.
    """

    def call(self, inputs, training=None, mask=None):
        axes = tuple(range(len(inputs.shape) - 1))
        mean = ops.mean(inputs, axes, keepdims=True)
        variance = ops.mean(ops.square(inputs - mean), axes, keepdims=True)
        return (inputs - mean) / ops.sqrt(variance + self.epsilon) * self.gamma + self.beta


class LiteralSpectral(layers.Conv2D):
    """Keras' convolution by a kernel divided by u' W v, after one step of power iteration."""

    def build(self, input_shape):
        super().build(input_shape)
        self.u = self.add_weight(name="u", shape=(self.filters,), trainable=False)

    def call(self, inputs, training=None):
        of_filter = ops.transpose(ops.reshape(self.kernel, (-1, self.filters)))  # W
        fixed = ops.stop_gradient(of_filter)
        u = ops.normalize(ops.convert_to_tensor(self.u), axis=-1)
        v = ops.normalize(ops.tensordot(u, fixed, 1), axis=-1)
        if training and self.trainable:
            u = ops.normalize(ops.tensordot(fixed, v, 1), axis=-1)
            self.u.assign(ops.cast(u, self.u.dtype))
        u, v = (ops.stop_gradient(ops.cast(vector, of_filter.dtype)) for vector in (u, v))
        largest = ops.sum(u[:, None] * of_filter * v[None, :])
        return self.convolution_op(inputs, self.kernel / largest) + self.bias


def stream_parts(filters, norm):
    return lambda dtype: [
        layers.ZeroPadding2D(2, dtype=dtype),
        layers.Conv2D(filters, 3, activation="relu", dtype=dtype),
        norm(momentum=0.9, epsilon=1e-5, dtype=dtype),
        layers.MaxPooling2D(3, dtype=dtype),
    ]


def dense_parts(depth, growth, size):
    def make(dtype):
        parts = []
        for _ in range(depth):
            parts.append(
                layers.Conv2D(growth, size, padding="same", activation="relu", dtype=dtype)
            )
            parts.append(layers.BatchNormalization(dtype=dtype))
        return parts

    return make


@dataclass(frozen=True)
class Case:
    """A layer of ours, its twin of Keras' layers, and what it reads."""

    ours: Callable
    twin: Callable
    shape: tuple
    #: Arguments of both.
    arguments: dict = field(default_factory=dict)

    def pair(self, dtype="float32"):
        """Both layers, built, with equal weights of a plausible size."""
        return self.ours(dtype=dtype, **self.arguments), self.twin(dtype=dtype, **self.arguments)


def ours_of(make, apply):
    return lambda dtype, **_: InKeras(make, apply, dtype=dtype)


def _dense(size):
    arguments = {"depth": 3, "growth": 2, "kernel_size": size}
    return arguments, ours_of(dense_parts(3, 2, size), dense)


def cases(frames=3, size=3, norm=layers.BatchNormalization):
    """Every layer of ours by name, on clips of so many frames, with kernels of this edge.

    Layers whose argument is no kernel, and images that have no frames, stay as they are. ``norm``
    is the normalisation in the twins.
    """
    clip, image, parts = (2, frames, 7, 8, 2), (3, 10, 7, 4), (2, frames, 6, 5, 2)
    lstm = {"filters": 3, "kernel_size": size, "padding": "same", "return_sequences": True}
    block, block_twin = _dense(size)
    fast = FAST_FORMS
    plain_lstm = lambda **arguments: layers.ConvLSTM2D(**arguments)  # noqa: E731
    return {
        "ChannelAttention": Case(
            attention.ChannelAttention,
            lambda dtype, **_: InKeras(
                lambda policy: [
                    layers.Dense(2, "relu", use_bias=False, dtype=policy),
                    layers.Dense(4, use_bias=False, dtype=policy),
                ],
                channel_attention,
                dtype=dtype,
            ),
            image,
            {"reduction": 2},
        ),
        "SpatialAttention": Case(
            attention.SpatialAttention,
            lambda dtype, kernel_size: InKeras(
                lambda policy: [
                    layers.Conv3D(1, kernel_size, padding="same", activation="sigmoid",
                                  use_bias=False, dtype=policy)
                ],
                spatial_attention,
                dtype=dtype,
            ),
            clip,
            {"kernel_size": size},
        ),
        "MicroAttention": Case(
            attention.MicroAttention,
            ours_of(
                lambda policy: [layers.Dense(4, use_bias=False, dtype=policy)], micro_attention
            ),
            [image] * 3,
        ),
        "ChannelMean": Case(
            attention.ChannelMean,
            ours_of(
                lambda policy: [],
                lambda parts, x, training: ops.sigmoid(ops.mean(x, axis=-1, keepdims=True)),
            ),
            clip,
        ),
        "PeepholeConvLSTM": Case(convlstm.PeepholeConvLSTM, plain_lstm, clip, lstm),
        "DenseBlock": Case(dense_block.DenseBlock, block_twin, image, block),
        "ZeroPaddedShortcut": Case(
            shortcut.ZeroPaddedShortcut,
            ours_of(lambda policy: [], every_second),
            clip,
            {"filters": 5},
        ),
        "ConvNormPool": Case(
            streams.ConvNormPool,
            ours_of(stream_parts(5, norm), conv_norm_pool),
            image,
            {"filters": 5},
        ),
        "SpectralConv2D": Case(
            spectral.SpectralConv2D,
            LiteralSpectral,
            image,
            {"filters": 5, "kernel_size": 3, "padding": "same"},
        ),
        "GridBlocks": Case(
            tokens.GridBlocks,
            ours_of(lambda policy: [], grid),
            (2, frames, 6, 4, 2),
            {"rows": 2, "columns": 2},
        ),
        "PositionalEmbedding": Case(
            tokens.PositionalEmbedding,
            ours_of(
                lambda policy: [layers.Embedding(frames, 4, dtype=policy)],
                lambda parts, x, training: x + parts[0](ops.arange(frames)),
            ),
            (2, frames, 4),
        ),
        "TokenAt": Case(
            tokens.TokenAt,
            ours_of(
                lambda policy: [layers.Cropping1D((frames - 1, 0), dtype=policy)],
                lambda parts, x, training: ops.squeeze(parts[0](x), 1),
            ),
            (2, frames, 4),
            {"index": -1},
        ),
        "FastBatchNormalization": Case(
            fast[layers.BatchNormalization], layers.BatchNormalization, clip, {"momentum": 0.9}
        ),
        "FastConv2D": Case(
            fast[layers.Conv2D], layers.Conv2D, (3, 2, 2, 4),
            {"filters": 5, "kernel_size": 3, "padding": "same"},
        ),
        "FastConvLSTM2D": Case(fast[layers.ConvLSTM2D], plain_lstm, clip, lstm),
        "FastDropout": Case(fast[layers.Dropout], layers.Dropout, clip, {"rate": 0.3, "seed": 1}),
        "FastTimeDistributed": Case(
            lambda dtype: fast[layers.TimeDistributed](
                layers.Conv2D(3, 3, dtype=dtype), dtype=dtype
            ),
            lambda dtype: layers.TimeDistributed(layers.Conv2D(3, 3, dtype=dtype), dtype=dtype),
            parts,
        ),
        "FastConvNormPool": Case(
            fast[streams.ConvNormPool], ours_of(stream_parts(5, norm), conv_norm_pool), image,
            {"filters": 5},
        ),
        "FastDenseBlock": Case(fast[dense_block.DenseBlock], block_twin, image, block),
        **flow_cases(Case, ours_of, norm),
    }  # fmt: skip
