"""Gradient-weighted class activation maps of 2-D, 3-D and recurrent convolutional networks.

Source: Selvaraju et al., "Grad-CAM", ICCV 2017, equations 1 and 2, with time as one more axis of
the positions. MERANet (figure 6) and dense connections with mixed attention (figure 8) show such
maps.
"""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray
from skimage.transform import resize

from mer_keras.arrays import Array
from mer_keras.layers.tensors import Tensor
from mer_keras.layers.tokens import GridBlocks


def grad_cam(
    network: keras.Model, clips: Array, focus: str, classes: NDArray[np.integer] | None = None
) -> Array:
    """Return where each clip speaks for a class.

    The maps of the focus layer are weighed by the mean gradient of the class' score (before the
    softmax), added, and cut off below zero.

    Args:
        network: functional, its last layer a dense softmax or a softmax of scores.
        clips: (clips, height, width, channels) or (clips, time, height, width, channels), as the
            network reads them.
        focus: name of the layer (``ModelSpec.focus``); all that follows must go through it.
        classes: (clips,) class numbers; the predicted ones if left out.

    Returns:
        (clips, height, width) or (clips, time, height, width) float32 in 0..1; the largest value
        of a clip is 1, or the map is zero where nothing speaks for the class. A layer without an
        axis of time gives one map for all frames.
    """
    layer, last = network.get_layer(focus), network.layers[-1]
    below = keras.Model(network.inputs, layer.output)
    above = keras.Model(layer.output, last.input)
    if classes is None:
        classes = np.asarray(network.predict(clips, verbose=0)).argmax(axis=1)
    class_count = network.output_shape[-1]
    one_hot = ops.one_hot(ops.convert_to_tensor(classes), class_count)  # (clips, classes)

    def score(maps: Tensor) -> Tensor:
        logits = above(maps, training=False)
        if not isinstance(last, keras.layers.Softmax):
            logits = ops.matmul(logits, last.kernel) + last.bias
        return ops.sum(logits * ops.cast(one_hot, logits.dtype))

    maps = below(ops.convert_to_tensor(clips), training=False)  # (clips, ..., channels)
    gradient = np.asarray(ops.convert_to_numpy(_gradient(score, maps)), "float32")
    values = np.asarray(ops.convert_to_numpy(maps), "float32")
    positions = tuple(range(1, values.ndim - 1))
    weights = gradient.mean(positions, keepdims=True)  # (clips, 1, ..., channels)
    heat = np.maximum((weights * values).sum(axis=-1), 0)  # (clips, ...)
    grids = [grid for grid in network.layers if isinstance(grid, GridBlocks)]
    if grids:
        heat = _assembled(heat, grids[0].rows, grids[0].columns)
    return np.stack([to_input_size(of_clip, clips.shape[1:-1]) for of_clip in heat])


def to_input_size(heat: Array, shape: tuple[int, ...]) -> Array:
    """Scale one map to the size of the input, linearly between places, with the largest value 1.

    Args:
        heat: (height, width) or (time, height, width), not negative.
        shape: the input's shape without batch and channels.
    """
    if heat.ndim < len(shape):
        heat = heat[None]
    peak = float(heat.max())
    scaled = resize(heat / peak if peak > 0 else heat, shape, order=1, mode="edge")
    return np.asarray(scaled, "float32")


def _assembled(heat: Array, rows: int, columns: int) -> Array:
    """(clips, rows * columns, time, height, width) -> (clips, time, rows height, columns width)."""
    clips, _, time, height, width = heat.shape
    cells = heat.reshape(clips, rows, columns, time, height, width)
    return cells.transpose(0, 3, 1, 4, 2, 5).reshape(clips, time, rows * height, columns * width)


def _gradient(score: Callable[[Tensor], Tensor], maps: Tensor) -> Tensor:
    """Gradient of a scalar function of maps, by the backend that Keras runs on."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(maps)
            value = score(maps)
        return tape.gradient(value, maps)
    if backend == "jax":
        import jax

        return jax.grad(score)(maps)
    maps = maps.detach().requires_grad_()
    score(maps).backward()
    return maps.grad
