"""Share of a training epoch that is spent waiting for input, with clips that are in memory.

The batches that ``fit`` gets are iterated over by hand: the time until the next batch is there is
compared with that of the step on it. Small networks are trained without ``fit`` (see
``training.vectorised``): there, everything that isn't a step counts as waiting, and so does the
part of a step that picks its clips out of those on the device.
"""

import statistics
import time
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from unittest.mock import patch

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mer_keras.arrays import Array
from mer_keras.bench.case import CaseOptions
from mer_keras.bench.measure import Measurement, NotMeasuredError, timed
from mer_keras.bench.networks import BATCH, compiled_network
from mer_keras.models import registry
from mer_keras.models.cost import multiply_accumulates
from mer_keras.training.vectorised.engine import SMALL

if TYPE_CHECKING:
    import keras

    from mer_keras.layers.tensors import Tensor
    from mer_keras.training.vectorised.stacked import Stack

_EPOCHS = 9
#: Batches that are picked in one call of a compiled function, since a step picks within one, too.
_PICKED = 20


def share_of_waiting(options: CaseOptions, *, name: str, clip_count: int) -> list[Measurement]:
    """Train a network on clips that are in memory, by batches as in ``networks``."""
    from mer_keras.training.dataset import training_input

    batch = BATCH[name]
    network, (clips,), labels = compiled_network(name, clip_count)
    batches = training_input({"clip": clips}, labels, batch_size=batch, seed=0)["x"]
    if isinstance(batches, dict):
        raise NotMeasuredError("this backend gets its arrays as they are: nothing is prepared")
    count = 2 if options.quick else _EPOCHS
    train_epoch(network, batches)
    epochs = pd.DataFrame([train_epoch(network, batches) for _ in range(count)])
    seconds = epochs["waiting"] + epochs["steps"]
    shares = epochs["waiting"] / seconds
    facts = {
        "share waiting for input": round(shares.median(), 4),
        "largest share": round(shares.max(), 4),
        "of it the first batch": round((epochs["first"] / epochs["waiting"]).median(), 2),
        "input alone s": round(statistics.median(timed(lambda: list(batches), count)), 4),
    }
    work = f"an epoch of {name}, {clip_count} clips by {batch}"
    measurements = [
        Measurement(work, "training_input", tuple(seconds.tolist()), clip_count, facts=facts)
    ]
    if multiply_accumulates(network) <= SMALL:
        count = 20 if options.quick else 200
        measurements.append(_without_fit(name, work, clips, labels, batch, count))
    return measurements


class Epoch(NamedTuple):
    """Seconds of an epoch: of waiting for its first batch, for all batches, and of its steps."""

    first: float
    waiting: float
    steps: float


def train_epoch(network: "keras.Model", batches: Iterable[tuple[object, object]]) -> Epoch:
    """Train an epoch step by step, and tell waiting from stepping."""
    first = waiting = steps = 0.0
    started = time.perf_counter()
    for clips, labels in batches:
        arrived = time.perf_counter()
        waiting += arrived - started
        first = first or waiting
        network.train_on_batch(clips, labels)
        started = time.perf_counter()
        steps += started - arrived
    # Waiting for the end of the input counts, too.
    return Epoch(first, waiting + time.perf_counter() - started, steps)


def _without_fit(
    name: str, work: str, clips: Array, labels: NDArray[np.int32], batch: int, epochs: int
) -> Measurement:
    """Train one fold as a run does; time steps, and epochs but the first, which compiles."""
    from mer_keras.config.training import Optimizer, Train
    from mer_keras.training.fold import FoldRows
    from mer_keras.training.trainer import Trainer
    from mer_keras.training.vectorised.all_folds import AllFolds
    from mer_keras.training.vectorised.stacked import Stack

    recipe = Train(optimizer=Optimizer(learning_rate=1e-4), epochs=epochs, batch_size=batch)
    engine = AllFolds(Trainer(partial(registry.build, name), recipe), clips, labels)
    rows = np.arange(len(clips))
    steps, ends = [0.0], []
    train = Stack.train

    def timed_train(stack: "Stack", *arguments: "Tensor") -> "Tensor":
        started = time.perf_counter()
        sums = np.asarray(train(stack, *arguments))
        steps[-1] += time.perf_counter() - started
        return sums

    def end_epoch(_epoch: int, _epochs: int) -> None:
        ends.append(time.perf_counter())
        steps.append(0.0)

    with patch.object(Stack, "train", timed_train):
        engine.fit_predict([FoldRows(rows, rows[:0], rows[:1])], [0], end_epoch)
    seconds = np.diff(ends)  # (epochs - 1,)
    outside_steps = float(np.median(1 - np.array(steps[1:-1]) / seconds))
    picking = _seconds_to_pick(clips, batch) * -(-len(clips) // batch) / float(np.median(seconds))
    facts = {
        "share waiting for input": round(outside_steps + picking, 4),
        "of it picking clips": round(picking, 4),
    }
    return Measurement(work, "AllFolds", tuple(seconds.tolist()), len(clips), facts=facts)


def _seconds_to_pick(clips: Array, batch: int) -> float:
    """Seconds in which a batch is picked out of clips that are on the device."""
    from keras import ops

    from mer_keras.training.vectorised.mapping import compiled

    on_device = ops.convert_to_tensor(clips)
    pick = compiled(
        lambda batches: [ops.take(on_device, rows, axis=0)[0] for rows in ops.unstack(batches)]
    )
    rng = np.random.default_rng(0)
    batches = np.stack([rng.permutation(len(clips))[:batch] for _ in range(_PICKED)])
    pick(batches)
    return float(np.median(timed(lambda: pick(batches), 20))) / _PICKED
