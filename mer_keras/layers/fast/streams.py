"""STSTNet's stream layer with little memory traffic."""

from functools import reduce
from itertools import product

from keras import ops

from mer_keras.layers.counted import share_of_value
from mer_keras.layers.fast.first_order import first_order_only
from mer_keras.layers.fast.fused import fused
from mer_keras.layers.fast.processor import on_tensorflow
from mer_keras.layers.fast.registration import fast_form_of
from mer_keras.layers.streams import WINDOW, ConvNormPool, pad_in_front
from mer_keras.layers.tensors import Tensor


@fast_form_of(ConvNormPool, compiled_by_shape=True)
class FastConvNormPool(ConvNormPool):
    """``ConvNormPool`` that passes over the full map as seldom as possible.

    A small network is bound by memory and not by arithmetic:

    - Normalisation is an increasing function of its input where ``gamma`` is not negative and a
      decreasing one elsewhere, so that it commutes with pooling if the largest or the smallest
      value of a window is taken. Only the pooled map, a ninth, is normalised. The statistics are
      those of the full map, the last row and column included, which no window reaches.
    - The gradient of all this is written out, so that the full map is passed over once and not
      once for each operation (see ``_norm_pool``). Where values of a window tie, they share it;
      the plain layer gives it to the first of them.

    Shapes and arguments: as ``ConvNormPool``, which runs on other backends than TensorFlow.
    There is no second derivative in training: asking for it raises.
    """

    def call(self, images: Tensor, training: bool = False) -> Tensor:
        """Normalise by the batch while training, by the moving statistics otherwise."""
        if not on_tensorflow():
            return super().call(images, training=training)
        sums = self.convolve(images)  # (batch, height + 2, width + 2, filters)
        # A gradient that is written out takes tensors only, no variables.
        bias, gamma, beta = (
            ops.cast(weight * 1.0, sums.dtype) for weight in (self.bias, self.gamma, self.beta)
        )
        by_batch = training and self.trainable
        maps = _rectified(sums, bias) if by_batch else ops.relu(sums + bias)
        if not by_batch:
            pooled = _pool(maps, _sign(gamma))
            scale = gamma * ops.rsqrt(self.moving_variance + self.epsilon)
            return ops.cast((pooled - self.moving_mean) * scale + beta, self.compute_dtype)
        share = share_of_value(maps)
        mean, variance = _statistics(ops.stop_gradient(maps), share)
        self.follow(mean, variance)
        inverse_deviation = ops.rsqrt(variance + self.epsilon)
        pooled = _norm_pool(maps, gamma, beta, mean, inverse_deviation, share)
        return ops.cast(pooled, self.compute_dtype)


@ops.custom_gradient
def _rectified(sums: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """ReLU for ``_norm_pool``, which takes its slope into account in the same pass as all else."""

    def gradient(*arguments: Tensor, upstream: Tensor | None = None) -> tuple[Tensor, Tensor]:
        to_maps = arguments[0] if upstream is None else upstream
        return to_maps, _sum_per_filter(to_maps)

    return ops.relu(sums + bias), gradient


def _sum_per_filter(maps: Tensor) -> Tensor:
    """Sum of each filter, first within each row: quicker than at once on TensorFlow."""
    positions = ops.reshape(maps, (-1, maps.shape[1] * maps.shape[2], maps.shape[3]))
    return ops.sum(ops.sum(positions, 1), 0)


@ops.custom_gradient
def _norm_pool(
    maps: Tensor,
    gamma: Tensor,
    beta: Tensor,
    mean: Tensor,
    inverse_deviation: Tensor,
    share: Tensor,
) -> tuple[Tensor, Tensor]:
    """Normalise and pool rectified maps; the gradient flows through the statistics too.

    With y = (m - mean) inverse_deviation gamma + beta, where m is the extreme of each window, a
    value a > 0 of the full map gets ``share`` (d mean + 2 a d variance), and the gradient of m
    where a is m. It is that before rectification: a value of 0 gets none.

    Args:
        maps: (batch, height, width, filters), the full map, none negative.
        gamma: (filters,).
        beta: (filters,).
        mean: (filters,), that of ``maps``.
        inverse_deviation: (filters,), 1 / standard deviation.
        share: (batch, 1, 1, 1), of one value in the statistics.
    """
    pooled = _pool_fused(maps, _sign(gamma))

    def gradient(*arguments: Tensor, upstream: Tensor | None = None) -> tuple[Tensor, ...]:
        to_output = arguments[0] if upstream is None else upstream
        to_beta = ops.sum(to_output, (0, 1, 2))
        to_scale = ops.sum(to_output * (pooled - mean), (0, 1, 2))
        to_variance = -0.5 * gamma * to_scale * inverse_deviation**3
        to_mean = -gamma * to_beta * inverse_deviation - 2 * mean * to_variance
        to_pooled = to_output * gamma * inverse_deviation
        to_maps = _spread(maps, pooled, to_pooled, to_mean, 2 * to_variance, share)
        to_gamma = to_scale * inverse_deviation
        written_out = first_order_only((to_maps, to_gamma, to_beta), "FastConvNormPool")
        zeros = (ops.zeros_like(mean), ops.zeros_like(inverse_deviation), ops.zeros_like(share))
        return *written_out, *zeros

    return (pooled - mean) * (inverse_deviation * gamma) + beta, gradient


def _sign(gamma: Tensor) -> Tensor:
    """1 for filters whose largest value is needed, -1 for those whose smallest is."""
    return ops.where(gamma >= 0, ops.ones_like(gamma), -ops.ones_like(gamma))


def _statistics(maps: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of each filter.

    The squares are the diagonal of a matrix product: a library's product reads the map once, at
    the speed of memory, and writes none.
    """
    positions = ops.reshape(maps, (-1, maps.shape[1] * maps.shape[2], maps.shape[3]))
    products = ops.matmul(ops.transpose(positions, (0, 2, 1)), positions)
    squares = ops.diagonal(products, axis1=1, axis2=2)  # (batch, filters)
    weights = ops.reshape(share, (1, -1))
    mean = ops.matmul(weights, ops.sum(positions, axis=1))[0]
    return mean, ops.maximum(ops.matmul(weights, squares)[0] - mean * mean, 0.0)


def _window_values(maps: Tensor, outside: float) -> list[Tensor]:
    """The nine places of all windows, which begin at -1: 9 x (batch, n, n, filters).

    Padding the few values that begin outside, and not the map, lets a compiler read it in a row.
    """
    _, height, width, _ = maps.shape
    values = []
    for down, right in product((-1, 0, 1), repeat=2):
        inside = maps[
            :, down % WINDOW : height + down : WINDOW, right % WINDOW : width + right : WINDOW
        ]
        values.append(pad_in_front(inside, int(down < 0), int(right < 0), outside))
    return values


def _pool(maps: Tensor, sign: Tensor) -> Tensor:
    """Largest or, where the sign is negative, smallest value of each window."""
    return sign * reduce(ops.maximum, _window_values(sign * maps, -1e30))


_pool_fused = fused(_pool)


def _to_maps(pooled: Tensor) -> Tensor:
    """Give each place of the full map the value of its window; 0 where it has none."""
    _, rows, columns, filters = pooled.shape
    tiles = ops.broadcast_to(
        pooled[:, :, None, :, None],
        (ops.shape(pooled)[0], rows, WINDOW, columns, WINDOW, filters),
    )
    whole = ops.reshape(tiles, (-1, rows * WINDOW, columns * WINDOW, filters))
    return ops.pad(whole[:, 1:, 1:], [[0, 0], [0, 1], [0, 1], [0, 0]])


@fused
def _spread(
    maps: Tensor,
    pooled: Tensor,
    to_pooled: Tensor,
    to_mean: Tensor,
    to_square: Tensor,
    share: Tensor,
) -> Tensor:
    """Gradient of the full map (see ``_norm_pool``)."""
    tied = sum(ops.cast(values == pooled, maps.dtype) for values in _window_values(maps, -1e30))
    to_extreme = to_pooled / tied
    is_extreme = ops.cast(maps == _to_maps(pooled), maps.dtype)
    gradient = share * (to_mean + to_square * maps) + is_extreme * _to_maps(to_extreme)
    return ops.where(maps > 0, gradient, ops.zeros_like(gradient))
