"""Where a layer has a quicker form for TensorFlow on a processor, as measured by ``make bench``."""

from functools import cache

import keras


def tensorflow_on_processor() -> bool:
    """Whether TensorFlow computes, and has no GPU."""
    return keras.backend.backend() == "tensorflow" and not _gpus()


@cache
def _gpus() -> int:
    import tensorflow as tf

    return len(tf.config.list_physical_devices("GPU"))
