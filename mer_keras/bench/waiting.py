"""Share of a training epoch that is spent waiting for input, with clips that are loaded.

What ``fit`` gets is walked through by hand: the time for which the next batch lets itself be waited
for, beside that of the step it is for. Small networks are trained without ``fit`` (see
``training.vectorised``): there all is waiting that isn't a step, and what a step needs to pick its
clips out of those that lie on the device.
"""

import time
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np

from mer_keras.bench.case import Asked, Case
from mer_keras.bench.measure import Measured, NotMeasuredError, timed
from mer_keras.models import registry
from mer_keras.models.cost import multiply_accumulates
from mer_keras.training.vectorised.engine import SMALL

#: network -> clips, clips a batch; the smallest network waits the longest for its size
NETWORKS = {
    "ststnet": (442, 256),
    "shallow_attention_conv2d": (160, 32),
    "micro_attention": (80, 10),
}
_EPOCHS = 9


def cases(backend: str) -> list[Case]:
    """One a network."""
    return [
        Case(
            f"input/{name}",
            f"share of an epoch of {name} that is spent waiting for input",
            partial(_waiting, name, clips, batch),
            backend=backend,
            quick=name == "ststnet",
        )
        for name, (clips, batch) in NETWORKS.items()
    ]


def _waiting(name: str, clips: int, batch: int, asked: Asked) -> list[Measured]:
    import keras

    from mer_keras.training.dataset import training_input
    from mer_keras.training.recipe import compile_model

    spec = registry.get_spec(name)
    network = registry.build(name)
    compile_model(network, keras.optimizers.Adam(1e-4))
    rng = np.random.default_rng(0)
    arrays = {"clip": rng.random((clips, *spec.input_shape), dtype=np.float32)}
    labels = rng.integers(0, spec.classes, clips).astype("int32")
    given = training_input(arrays, labels, batch_size=batch, seed=0)["x"]
    if isinstance(given, dict):
        raise NotMeasuredError("this backend gets its arrays as they are: nothing is prepared")
    epochs = 2 if asked.quick else _EPOCHS
    walk(network, given)
    taken = [walk(network, given) for _ in range(epochs)]
    shares = [one.waited / (one.waited + one.stepped) for one in taken]
    alone = timed(lambda: list(given), epochs)
    facts: dict[str, float | str] = {
        "share waiting for input": round(float(np.median(shares)), 4),
        "largest share": round(max(shares), 4),
        "of it the first batch": round(
            float(np.median([one.first / one.waited for one in taken])), 2
        ),
        "input alone s": round(float(np.median(alone)), 4),
    }
    whole = tuple(one.waited + one.stepped for one in taken)
    work = f"an epoch of {name}, {clips} clips by {batch}"
    rows = [Measured(work, "training_input", whole, clips, facts=facts)]
    if multiply_accumulates(network) <= SMALL:
        rows.append(
            _without_fit(name, work, arrays["clip"], labels, batch, 20 if asked.quick else 200)
        )
    return rows


def _without_fit(
    name: str, work: str, clips: np.ndarray, labels: np.ndarray, batch: int, epochs: int
) -> Measured:
    """Train one fold as a run does, and listen to its steps."""
    from keras import ops

    from mer_keras.config.training import Train
    from mer_keras.training.fold import FoldRows
    from mer_keras.training.trainer import Trainer
    from mer_keras.training.vectorised.all_folds import AllFolds
    from mer_keras.training.vectorised.mapping import compiled
    from mer_keras.training.vectorised.stacked import Stack

    recipe = Train.model_validate(
        {"optimizer": {"learning_rate": 1e-4}, "epochs": epochs, "batch_size": batch}
    )
    engine = AllFolds(Trainer(partial(registry.build, name), recipe), clips, labels)
    rows = np.arange(len(clips))
    fold = FoldRows(rows, rows[:0], rows[:1])
    stepped, ended = [0.0], []
    train = Stack.train

    def listened(stack: Stack, *given: Any) -> Any:
        started = time.perf_counter()
        sums = np.asarray(train(stack, *given))
        stepped[-1] += time.perf_counter() - started
        return sums

    def end(_epoch: int, _of: int) -> None:
        ended.append(time.perf_counter())
        stepped.append(0.0)

    with patch.object(Stack, "train", listened):
        engine.fit_predict([fold], [0], end)
    # the first epoch compiles
    seconds = np.diff(ended)
    between = 1 - np.array(stepped[1:-1]) / seconds
    # several times within one function, since a step picks within one, too
    times = 20
    lying = ops.convert_to_tensor(clips)
    pick = compiled(lambda lists: [ops.take(lying, one, axis=0)[0] for one in ops.unstack(lists)])
    rng = np.random.default_rng(0)
    lists = np.stack([rng.permutation(len(clips))[:batch] for _ in range(times)])
    pick(lists)
    picking = float(np.median(timed(lambda: pick(lists), 20))) / times
    share = picking * -(-len(clips) // batch) / float(np.median(seconds))
    facts: dict[str, float | str] = {
        "share waiting for input": round(float(np.median(between)) + share, 4),
        "of it picking clips": round(share, 4),
    }
    return Measured(work, "AllFolds", tuple(seconds.tolist()), len(clips), facts=facts)


@dataclass(frozen=True)
class Walked:
    """Seconds of an epoch: of waiting for its first batch, for all, and of its steps."""

    first: float
    waited: float
    stepped: float


def walk(network: Any, given: Any) -> Walked:
    """Train an epoch step by step."""
    first = waited = stepped = 0.0
    started = time.perf_counter()
    for clips, labels in given:
        came = time.perf_counter()
        waited += came - started
        first = first or waited
        network.train_on_batch(clips, labels)
        started = time.perf_counter()
        stepped += started - came
    # the end of the input is waited for, too
    return Walked(first, waited + time.perf_counter() - started, stepped)
