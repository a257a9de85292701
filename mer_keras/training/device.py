"""How a device is used: the format of numbers, several devices, the batch that fits."""

import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from mer_keras.training.fold import OutOfMemoryError, out_of_memory_told

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

#: A batch twice as large is worth its memory if it is faster by this factor a clip.
WORTH = 1.05
#: Share of the machine's free memory that a trial may be expected to take.
FREE_SHARE = 0.7


@contextmanager
def number_format(policy: str) -> Iterator[None]:
    """Build layers with one of Keras' dtype policies, such as ``mixed_bfloat16``."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextmanager
def across_devices() -> Iterator[None]:
    """Build networks, within, whose batches are divided among all devices of this machine.

    ``MirroredStrategy`` on TensorFlow, ``keras.distribution`` on JAX; with one device nothing is
    divided. Statistics over a batch are then those of each device's part of it.
    """
    import keras

    if len(keras.distribution.list_devices()) < 2 or keras.backend.backend() == "torch":
        yield
    elif keras.backend.backend() == "tensorflow":
        with _strategy().scope():
            yield
    else:
        if keras.distribution.distribution() is None:
            keras.distribution.set_distribution(keras.distribution.DataParallel())
        yield


@cache
def _strategy() -> "tf.distribute.Strategy":
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    devices = gpus or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])


@dataclass(frozen=True)
class Trial:
    """A batch that fits: clips in it, and clips that are trained on in a second."""

    batch: int
    rate: float


def trials(model: "keras.Model", most: int) -> Iterator[Trial]:
    """Train with ever larger batches until memory ends, a batch is no faster, or ``most``.

    Args:
        model: compiled; its weights are spoilt.
        most: clips in the largest batch that is tried.

    Yields:
        batches that fit, from one clip on, doubled each time.
    """
    rng = np.random.default_rng(0)
    batch, rate, peak = 1, 0.0, _peak()
    while batch <= most:
        inputs = {
            tensor.name: rng.random((batch, *tensor.shape[1:]), dtype=np.float32)
            for tensor in model.inputs
        }
        labels = rng.integers(0, model.output_shape[-1], batch)
        try:
            with out_of_memory_told(batch):
                model.train_on_batch(inputs, labels)
                started = time.perf_counter()
                model.train_on_batch(inputs, labels)
        except OutOfMemoryError:
            return
        trial = Trial(batch, batch / (time.perf_counter() - started))
        yield trial
        # A processor's memory ends with a kill, not with an error: trials stop before it.
        expected = 2 * (_peak() - peak)
        if trial.rate < rate * WORTH or (batch > 1 and expected > FREE_SHARE * _free()):
            return
        batch, rate = 2 * batch, trial.rate


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _free() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
