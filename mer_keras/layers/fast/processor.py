"""Where the fast forms were measured to be faster (``make bench``)."""

from functools import cache

import keras


def on_tensorflow() -> bool:
    """Whether TensorFlow computes, which the fast forms are written for."""
    return bool(keras.backend.backend() == "tensorflow")


def on_tensorflow_processor() -> bool:
    """Whether TensorFlow computes, and has no GPU."""
    return on_tensorflow() and not _gpus()


@cache
def _gpus() -> int:
    import tensorflow as tf

    return len(tf.config.list_physical_devices("GPU"))
