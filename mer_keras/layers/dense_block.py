"""A block of densely connected convolutions, with few passes over memory."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mer_keras.layers.batch_norm import BatchNormalization
from mer_keras.layers.fused import fused
from mer_keras.layers.processor import tensorflow_on_processor


@keras.saving.register_keras_serializable(package="mer_keras")
class DenseBlock(keras.layers.Layer):
    """Layers of which each sees the block's input and what all layers before it give.

    A layer is a convolution (stride 1, ``same``, bias), ReLU and batch normalisation. Training on
    TensorFlow and a processor has a form of its own, with the same results and gradients (tested;
    see ``_written``); else it is done as it is said here.

    Shapes: (batch, height, width, channels) -> (batch, height, width, depth * growth), what the
    layers give, the first layer's first.

    Source: Gan et al., "Transfer-learning enabled micro-expression recognition using dense
    connections and mixed attention", equation 4; Huang et al., "Densely connected convolutional
    networks", CVPR 2017.

    Args:
        depth: number of layers.
        growth: filters of each.
        kernel: odd edge of the kernels.
        momentum: of the normalisations' moving statistics.
        epsilon: of the normalisations.
    """

    def __init__(
        self,
        depth: int,
        growth: int,
        kernel: int,
        *,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        **kwargs: Any,
    ) -> None:
        """See the class."""
        super().__init__(**kwargs)
        self.depth, self.growth, self.kernel_size = depth, growth, kernel
        self.momentum, self.epsilon = momentum, epsilon
        self.steps = []
        for number in range(1, depth + 1):
            convolution = keras.layers.Conv2D(
                growth,
                kernel,
                padding="same",
                data_format="channels_last",
                activation="relu",
                dtype=self.dtype_policy,
                name=f"layer{number}",
            )
            norm = BatchNormalization(
                momentum, epsilon, dtype=self.dtype_policy, name=f"layer{number}_norm"
            )
            self.steps.append([convolution, norm])

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the layers in their order."""
        *places, channels = input_shape
        for number, (convolution, norm) in enumerate(self.steps):
            convolution.build((*places, int(channels or 0) + number * self.growth))
            norm.build((*places, self.growth))

    def call(self, features: Any, training: bool | None = None) -> Any:
        """Run through the layers."""
        learns = training and all(norm.trainable for _, norm in self.steps)
        if learns and tensorflow_on_processor() and self.compute_dtype == "float32":
            return self._learn(features)
        given: list[Any] = []
        for convolution, norm in self.steps:
            seen = ops.concatenate([features, *given], axis=-1)
            given.append(norm(convolution(seen), training=training))
        return ops.concatenate(given, axis=-1)

    def _learn(self, features: Any) -> Any:
        weights = [
            # as tensors: a gradient that is written out takes no variables
            value * 1.0
            for convolution, norm in self.steps
            for value in (convolution.kernel, convolution.bias, norm.gamma, norm.beta)
        ]
        out, *statistics = _written(self.epsilon)(features, *weights)
        count = ops.size(out) // out.shape[-1]
        for (_, norm), mean, variance in zip(
            self.steps, statistics[: self.depth], statistics[self.depth :], strict=True
        ):
            norm.follow(mean, variance, count)
        return out

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of what the layers give."""
        return *input_shape[:-1], self.depth * self.growth

    def multiply_accumulates(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Multiplications and additions for one image, of the whole map."""
        places = math.prod(input_shapes[0][1:3])
        return places * sum(math.prod(one.kernel.shape) for one, _ in self.steps)

    def kept_values(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Values that a training step keeps of one image where it is done layer by layer.

        Before and after each normalisation, and what each layer but the first saw.
        """
        _, height, width, channels = input_shapes[0]
        seen = sum(channels + number * self.growth for number in range(1, self.depth))
        return height * width * (seen + 2 * self.depth * self.growth)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the layer."""
        own = {
            "depth": self.depth,
            "growth": self.growth,
            "kernel": self.kernel_size,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }
        return {**super().get_config(), **own}


#: of a layer: kernel, bias, scale, shift
_WEIGHTS = 4


def _written(epsilon: float) -> Any:
    """Return the block as one operation of TensorFlow, with its gradient written out.

    It takes the features and the weights of one layer after the other, and gives what the layers
    give, their batch means, then their batch variances (divided by one less than there are places);
    the statistics have no gradient.

    A convolution from many channels to few is slow, since it fills a processor's vectors with the
    few. Convolutions are sums over channels, so that forward what is new goes at once through the
    kernels of all layers that will see it, from few channels to many. Backward, the gradient of
    what a layer saw goes from few to many by itself; that of its kernel does, turned round, with
    the maps and their gradient in each other's place.
    """
    import tensorflow as tf

    raw = tf.raw_ops
    same = {"strides": [1, 1, 1, 1], "padding": "SAME"}

    @tf.custom_gradient
    def block(features: Any, *weights: Any) -> Any:
        layers = [weights[i : i + _WEIGHTS] for i in range(0, len(weights), _WEIGHTS)]
        channels, growth = features.shape[-1], layers[0][0].shape[-1]
        newest, to_all = features, []
        before, given, means, variances, saved = [], [], [], [], []
        first = 0
        for number, (_, bias, scale, shift) in enumerate(layers):
            last = first + newest.shape[-1]
            wide = tf.concat([kernel[:, :, first:last] for kernel, *_ in layers[number:]], -1)
            first = last
            to_all.append(raw.Conv2D(input=newest, filter=wide, **same))
            before.append(_rectify(bias, number, growth, *to_all))
            newest, mean, variance, *rest = raw.FusedBatchNormV3(
                x=before[-1],
                scale=scale,
                offset=shift,
                mean=[],
                variance=[],
                epsilon=epsilon,
                is_training=True,
            )
            given.append(newest)
            means.append(mean)
            variances.append(variance)
            saved.append({f"reserve_space_{i}": one for i, one in enumerate(rest, start=1)})

        def gradient(above: Any, *_: Any) -> list[Any]:
            to_seen: list[Any] = []
            to_weights: list[Any] = []
            for number in reversed(range(len(layers))):
                kernel, _, scale, _ = layers[number]
                at = number * growth
                of_given = _slot(above, at, channels + at, growth, *to_seen)
                to_rectified, to_scale, to_shift, *_ = raw.FusedBatchNormGradV3(
                    y_backprop=of_given,
                    x=before[number],
                    scale=scale,
                    **saved[number],
                    epsilon=epsilon,
                    is_training=True,
                )
                to_sum = raw.ReluGrad(gradients=to_rectified, features=before[number])
                seen = tf.concat([features, *given[:number]], -1)
                to_seen.append(
                    raw.Conv2DBackpropInput(
                        input_sizes=tf.shape(seen), filter=kernel, out_backprop=to_sum, **same
                    )
                )
                rows, columns, ins, outs = kernel.shape
                turned = raw.Conv2DBackpropFilter(
                    input=to_sum,
                    filter_sizes=(rows, columns, outs, ins),
                    out_backprop=seen,
                    **same,
                )
                to_kernel = tf.transpose(turned[::-1, ::-1], (0, 1, 3, 2))
                to_bias = raw.BiasAddGrad(out_backprop=to_sum)
                to_weights[:0] = [to_kernel, to_bias, to_scale, to_shift]
            return [_first(channels, *to_seen), *to_weights]

        return (tf.concat(given, -1), *means, *variances), gradient

    return block


@fused
def _rectify(bias: Any, number: int, growth: int, *to_all: Any) -> Any:
    """ReLU of one layer's sum: the i-th convolution was for the layers from the i-th on."""
    at = [(number - first) * growth for first in range(len(to_all))]
    parts = (one[..., k : k + growth] for one, k in zip(to_all, at, strict=True))
    return ops.relu(sum(parts, bias))


@fused
def _slot(above: Any, at: int, seen_at: int, width: int, *to_seen: Any) -> Any:
    """Gradient of what one layer gives: from above the block, and from the layers after it."""
    return sum(
        (one[..., seen_at : seen_at + width] for one in to_seen), above[..., at : at + width]
    )


@fused
def _first(width: int, *to_seen: Any) -> Any:
    """Gradient of the block's input, from all layers."""
    return sum(one[..., :width] for one in to_seen)
