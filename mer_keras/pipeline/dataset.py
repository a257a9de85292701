"""Arrays -> what ``fit`` consumes: ``tf.data`` on TensorFlow, plain arrays on other backends.

The only module that needs TensorFlow itself.
"""

from typing import Any

import numpy as np


def make_deterministic() -> None:
    """Make TensorFlow choose deterministic kernels: two seeded runs on one machine are equal."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def training_input(
    inputs: dict[str, np.ndarray],
    labels: np.ndarray,
    *,
    batch_size: int,
    seed: int,
    shuffle: bool = True,
) -> dict[str, Any]:
    """Return keyword arguments for ``keras.Model.fit``, by default shuffled anew in every epoch.

    On TensorFlow only indices are shuffled and batched, and each batch is gathered from the
    resident arrays in one operation: element-wise slicing costs several times the training step
    of a small network.

    Args:
        inputs: arrays by input name, each with the samples first.
        labels: (samples,) int32 class numbers.
        batch_size: clips in a batch; the last batch of an epoch may be smaller.
        seed: of the shuffling. On other backends ``keras.utils.set_random_seed`` rules instead.
        shuffle: if false, batches are cut from the samples in their order, in every epoch.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return {"x": inputs, "y": labels, "batch_size": batch_size, "shuffle": shuffle}
    import tensorflow as tf

    tensors = {name: tf.constant(array) for name, array in inputs.items()}
    targets = tf.constant(labels)

    def gather(index: Any) -> tuple[dict[str, Any], Any]:
        batch = {name: tf.gather(tensor, index) for name, tensor in tensors.items()}
        return batch, tf.gather(targets, index)

    order = tf.data.Dataset.range(len(labels))
    if shuffle:
        order = order.shuffle(len(labels), seed=seed, reshuffle_each_iteration=True)
    return {"x": order.batch(batch_size).map(gather).prefetch(1), "shuffle": False}
