"""Arrays -> what ``fit`` consumes: ``tf.data`` on TensorFlow, plain arrays on other backends."""

import random
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import tensorflow as tf

#: TensorFlow's own seed, which rules nothing but is part of every order that tf.data draws.
_GRAPH_SEED = 0


def make_deterministic() -> None:
    """Make TensorFlow choose deterministic kernels: two seeded runs on one machine are equal."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def set_seeds(seed: int) -> None:
    """Set what initial weights, random layers and orders come from.

    It does what ``keras.utils.set_random_seed`` does, but TensorFlow's global seed is set once:
    setting it throws away all compiled functions, and to make them again costs more than an epoch
    of a small network. An order of ``training_input`` depends on its own seed instead.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        keras.utils.set_random_seed(seed)
        return
    import tensorflow as tf

    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - This is what Keras reads.
    if tf.compat.v1.get_seed(0)[0] != _GRAPH_SEED:
        tf.random.set_seed(_GRAPH_SEED)


def training_input(
    inputs: dict[str, NDArray[np.float32]],
    labels: NDArray[np.int32],
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
        seed: of the shuffling. On other backends ``set_seeds`` rules instead.
        shuffle: if false, batches are cut from the samples in their order, in every epoch.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return {"x": inputs, "y": labels, "batch_size": batch_size, "shuffle": shuffle}
    import tensorflow as tf

    tensors = {name: tf.constant(array) for name, array in inputs.items()}
    targets = tf.constant(labels)

    def gather(index: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        batch = {name: tf.gather(tensor, index) for name, tensor in tensors.items()}
        return batch, tf.gather(targets, index)

    batches = _order(len(labels), seed, shuffle).batch(batch_size).map(gather).prefetch(1)
    # There is nothing to tune, and the thread that would do it lets the end of an epoch wait for
    # up to two seconds.
    options = tf.data.Options()
    options.autotune.enabled = False
    return {"x": batches.with_options(options), "shuffle": False}


def epoch_orders(count: int, epochs: int, *, seed: int, shuffle: bool = True) -> NDArray[np.int64]:
    """Return, epoch after epoch, the order in which ``training_input`` gives its samples.

    On TensorFlow it is the very order in which ``fit`` sees them; on others NumPy draws one.

    Args:
        count: number of samples.
        epochs: how many.
        seed: of the shuffling.
        shuffle: if false, every epoch has the samples in their order.

    Returns:
        (epochs, count) int64 positions.
    """
    import keras

    if not shuffle:
        return np.tile(np.arange(count), (epochs, 1))
    if keras.backend.backend() != "tensorflow":
        rng = np.random.default_rng(seed)
        return np.stack([rng.permutation(count) for _ in range(epochs)])
    # ``fit`` begins one more iterator at the end of each epoch, and an order is drawn for it too.
    orders = _order(count, seed, shuffle).batch(count).repeat(2 * epochs)
    return np.stack(list(orders.as_numpy_iterator())[::2])


def _order(count: int, seed: int, shuffle: bool) -> "tf.data.Dataset":
    import tensorflow as tf

    order = tf.data.Dataset.range(count)
    return order.shuffle(count, seed=seed, reshuffle_each_iteration=True) if shuffle else order
