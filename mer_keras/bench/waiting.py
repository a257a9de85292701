"""Share of a training epoch that is spent waiting for input, with clips that are loaded.

The input is what ``fit`` gets. An epoch is walked through by hand: the time for which the next
batch lets itself be waited for, beside that of the step it is for.
"""

import time
from functools import partial
from typing import Any

import numpy as np

from mer_keras.bench.case import Asked, Case
from mer_keras.bench.measure import Measured, NotMeasuredError

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

    from mer_keras.models import registry
    from mer_keras.pipeline.dataset import training_input

    spec = registry.get_spec(name)
    network = registry.build(name)
    network.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    arrays = {"clip": rng.random((clips, *spec.input_shape), dtype=np.float32)}
    labels = rng.integers(0, spec.classes, clips).astype("int32")
    given = training_input(arrays, labels, batch_size=batch, seed=0)["x"]
    if isinstance(given, dict):
        raise NotMeasuredError("this backend gets its arrays as they are: nothing is prepared")
    epochs = 2 if asked.quick else _EPOCHS
    walk(network, given)
    taken = [walk(network, given) for _ in range(epochs)]
    whole = tuple(waited + stepped for waited, stepped in taken)
    shares = [waited / (waited + stepped) for waited, stepped in taken]
    alone = float(np.median([_iterate(given) for _ in range(epochs)]))
    return [
        Measured(
            f"an epoch of {name}, {clips} clips by {batch}",
            "training_input",
            whole,
            clips,
            facts={
                "share waiting for input": round(float(np.median(shares)), 4),
                "largest share": round(max(shares), 4),
                "input alone s": round(alone, 4),
            },
        )
    ]


def walk(network: Any, given: Any) -> tuple[float, float]:
    """Train an epoch step by step; return seconds of waiting for batches, and of steps."""
    waited = stepped = 0.0
    started = time.perf_counter()
    for clips, labels in given:
        came = time.perf_counter()
        waited += came - started
        network.train_on_batch(clips, labels)
        started = time.perf_counter()
        stepped += started - came
    return waited + time.perf_counter() - started, stepped


def _iterate(given: Any) -> float:
    started = time.perf_counter()
    for _ in given:
        pass
    return time.perf_counter() - started
