"""A block of densely connected convolutions with few passes over memory."""

from collections.abc import Callable

from keras import ops

from mer_keras.layers.dense_block import DenseBlock
from mer_keras.layers.fast.batch_norm import FastBatchNormalization
from mer_keras.layers.fast.first_order import first_order_only
from mer_keras.layers.fast.fused import fused
from mer_keras.layers.fast.processor import on_tensorflow
from mer_keras.layers.fast.registration import fast_form_of
from mer_keras.layers.tensors import Tensor


@fast_form_of(DenseBlock, compiled_by_shape=True)
class FastDenseBlock(DenseBlock):
    """``DenseBlock`` that is one operation of TensorFlow while it trains (see ``_block``).

    Shapes and arguments: as ``DenseBlock``, which runs outside training, while a normalisation is
    frozen, with even kernels, in other number formats than float32 and on other backends. There is
    no second derivative in training: asking for it raises.
    """

    norm_layer = FastBatchNormalization

    def call(self, features: Tensor, training: bool | None = None) -> Tensor:
        """Run through the layers."""
        trained = training and all(norm.trainable for _, norm in self.steps)
        odd = self.kernel_size % 2 == 1  # A kernel that is turned round is that of ``same`` then.
        if not (trained and odd and on_tensorflow() and self.compute_dtype == "float32"):
            return super().call(features, training=training)
        weights = [
            # A gradient that is written out takes tensors only, no variables.
            weight * 1.0
            for convolution, norm in self.steps
            for weight in (convolution.kernel, convolution.bias, norm.gamma, norm.beta)
        ]
        outputs, *statistics = _block(self.epsilon)(features, *weights)
        positions = ops.size(outputs) // outputs.shape[-1]
        means, variances = statistics[: self.depth], statistics[self.depth :]
        for (_, norm), mean, variance in zip(self.steps, means, variances, strict=True):
            norm.follow(mean, variance, positions)
        return outputs


#: Number of weights of a layer: kernel, bias, scale, shift.
_WEIGHTS = 4


def _block(epsilon: float) -> Callable[..., tuple[Tensor, ...]]:
    """Return the block as one operation of TensorFlow, with its gradient written out.

    It takes the features and the weights of one layer after the other, and returns the layers'
    outputs side by side, their batch means, then their batch variances (divided by one less than
    there are positions); the statistics have no gradient.

    A convolution from many channels to few is slow, since it fills a processor's vectors with the
    few. Convolutions are sums over channels, so that forward each new output goes at once through
    the kernels of all layers that will read it, from few channels to many. Backward, the gradient
    of what a layer read goes from few to many by itself; that of its kernel does if it is computed
    turned round, with the maps and their gradient in each other's place.
    """
    import tensorflow as tf

    raw = tf.raw_ops
    same = {"strides": [1, 1, 1, 1], "padding": "SAME"}

    @tf.custom_gradient
    def block(features: Tensor, *weights: Tensor) -> Tensor:
        layers = [weights[i : i + _WEIGHTS] for i in range(0, len(weights), _WEIGHTS)]
        channels, growth = features.shape[-1], layers[0][0].shape[-1]
        newest, sums_for_later = features, []
        rectified, outputs, means, variances, saved = [], [], [], [], []
        first_channel = 0
        for index, (_, bias, scale, shift) in enumerate(layers):
            last_channel = first_channel + newest.shape[-1]
            kernels = [kernel[:, :, first_channel:last_channel] for kernel, *_ in layers[index:]]
            first_channel = last_channel
            # (batch, height, width, growth * layers from this one on)
            sums = raw.Conv2D(input=newest, filter=tf.concat(kernels, -1), **same)
            sums_for_later.append(sums)
            rectified.append(_rectify(bias, index, growth, *sums_for_later))
            newest, mean, variance, *reserved = raw.FusedBatchNormV3(
                x=rectified[-1],
                scale=scale,
                offset=shift,
                mean=[],
                variance=[],
                epsilon=epsilon,
                is_training=True,
            )
            outputs.append(newest)
            means.append(mean)
            variances.append(variance)
            saved.append({f"reserve_space_{i}": space for i, space in enumerate(reserved, start=1)})

        def gradient(to_outputs: Tensor, *_: Tensor) -> list[Tensor]:
            to_seen: list[Tensor] = []
            to_weights: list[Tensor] = []
            for index in reversed(range(len(layers))):
                kernel, _, scale, _ = layers[index]
                start = index * growth
                to_output = _gradient_of_output(
                    to_outputs, start, channels + start, growth, *to_seen
                )
                to_rectified, to_scale, to_shift, *_ = raw.FusedBatchNormGradV3(
                    y_backprop=to_output,
                    x=rectified[index],
                    scale=scale,
                    **saved[index],
                    epsilon=epsilon,
                    is_training=True,
                )
                to_sum = raw.ReluGrad(gradients=to_rectified, features=rectified[index])
                seen = tf.concat([features, *outputs[:index]], -1)
                to_seen.append(
                    raw.Conv2DBackpropInput(
                        input_sizes=tf.shape(seen), filter=kernel, out_backprop=to_sum, **same
                    )
                )
                rows, columns, inputs, filters = kernel.shape
                turned = raw.Conv2DBackpropFilter(
                    input=to_sum,
                    filter_sizes=(rows, columns, filters, inputs),
                    out_backprop=seen,
                    **same,
                )
                to_kernel = tf.transpose(turned[::-1, ::-1], (0, 1, 3, 2))
                to_bias = raw.BiasAddGrad(out_backprop=to_sum)
                to_weights[:0] = [to_kernel, to_bias, to_scale, to_shift]
            to_features = _gradient_of_input(channels, *to_seen)
            return first_order_only([to_features, *to_weights], "FastDenseBlock")

        return (tf.concat(outputs, -1), *means, *variances), gradient

    return block


@fused
def _rectify(bias: Tensor, index: int, growth: int, *sums_for_later: Tensor) -> Tensor:
    """ReLU of one layer's sum: the i-th convolution was for the layers from the i-th on."""
    starts = [(index - first) * growth for first in range(len(sums_for_later))]
    pairs = zip(sums_for_later, starts, strict=True)
    return ops.relu(sum((sums[..., start : start + growth] for sums, start in pairs), bias))


@fused
def _gradient_of_output(
    to_outputs: Tensor, start: int, start_in_seen: int, growth: int, *to_seen: Tensor
) -> Tensor:
    """Gradient of one layer's output: from above the block, and from the layers after it."""
    from_later = (to_one[..., start_in_seen : start_in_seen + growth] for to_one in to_seen)
    return sum(from_later, to_outputs[..., start : start + growth])


@fused
def _gradient_of_input(channels: int, *to_seen: Tensor) -> Tensor:
    """Gradient of the block's input, from all layers."""
    return sum(to_one[..., :channels] for to_one in to_seen)
