"""Share of a training epoch that is spent waiting for input, with clips that are loaded.

The input is what ``fit`` gets. An epoch is walked through by hand: the time for which the next
batch lets itself be waited for, beside that of the step it is for.
"""

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from mer_keras.bench.case import Asked, Case
from mer_keras.bench.measure import Measured, NotMeasuredError, timed

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
    from mer_keras.pipeline.dataset import epoch_orders, training_input
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
    if name == "ststnet":
        # all that folds which are trained together wait for, besides picking numbers out of it
        many = 100
        orders = timed(lambda: epoch_orders(clips, many, seed=0), 1 if asked.quick else 5)
        work = f"order of {clips} clips in {many} epochs of one fold"
        rows.append(Measured(work, "epoch_orders", orders, many))
    return rows


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
