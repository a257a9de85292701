"""A training step of each network at the paper's input: seconds, memory, share of the machine.

The share is that of the rate at which the same backend multiplies two large matrices here. Steps
and products take turns, since a machine that others use too changes its speed within a minute. A
step counts as three forward passes (one forward, two products backward), each multiply-accumulate
as two operations.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mer_keras.arrays import Array, Shape, each_shape
from mer_keras.bench.case import Case, CaseOptions, case_file
from mer_keras.bench.measure import Measurement, NotMeasuredError, timed
from mer_keras.bench.memory import peak_memory

if TYPE_CHECKING:
    import keras

#: Clips of a training step, by network.
BATCH: dict[str, int] = case_file()["batches"]
#: Seconds a network: some take minutes to compile, or for a step, on a processor.
LIMIT = 300
#: Sides of the matrices.
_MATRIX, _QUICK_MATRIX = 4096, 1024
#: Rounds of a product and steps; seconds after which no further round begins, and no further step.
_ROUNDS, _BUDGET, _TURN = 7, 45.0, 0.5
#: Steps of a round, at most.
_STEPS = 100
_MIXED = "mixed_bfloat16"


def cases(backends: Sequence[str]) -> list[Case]:
    """Every network on every backend; on a GPU in mixed precision too."""
    return [
        Case(
            f"{group}/{name}/{backend}",
            f"a training step of {name} with {backend}{precision}",
            partial(measure, name, backend, policy),
            limit=LIMIT,
            backend=backend,
            gpu=policy == _MIXED,
            quick=(group, name, backend) == ("step", "ststnet", "tensorflow"),
        )
        for group, policy, precision in (
            ("step", "float32", ""),
            ("step-mixed", _MIXED, f" in {_MIXED}, on a GPU"),
        )
        for name in BATCH
        for backend in backends
    ]


def compiled_network(
    name: str, batch: int, input_shape: Shape | None = None, classes: int | None = None
) -> tuple["keras.Model", list[Array], NDArray[np.int32]]:
    r"""Build and compile a network; draw clips and labels for it.

    Args:
        name: of the network.
        batch: number of clips.
        input_shape: of a clip, without the batch; that of the network's paper if left out.
        classes: their number; likewise.

    Returns:
        The network; for each input its clips, float32 (batch, \*input_shape) in 0..1; labels,
        int32 (batch,).
    """
    from mer_keras.models import registry
    from mer_keras.training.optimizers import make_adam
    from mer_keras.training.recipe import compile_model

    spec = registry.get_spec(name)
    shape, classes = input_shape or spec.input_shape, classes or spec.classes
    network = registry.build(name, shape, classes)
    compile_model(network, make_adam(1e-4))
    rng = np.random.default_rng(0)
    clips = [rng.random((batch, *sides), dtype=np.float32) for sides in each_shape(shape)]
    return network, clips, rng.integers(0, classes, batch).astype("int32")


def measure(name: str, backend: str, policy: str, options: CaseOptions) -> list[Measurement]:
    """Measure one network in this process, at the input and the classes of its paper.

    Args:
        name: of the network.
        backend: for the record: Keras has chosen its own when it was imported.
        policy: Keras' dtype policy.
        options: quick: few clips, few steps and small matrices.
    """
    import keras

    from mer_keras.models import cost

    if policy == _MIXED and not _has_gpu():
        raise NotMeasuredError("no GPU")
    keras.config.set_dtype_policy(policy)
    quick = options.quick
    batch = min(BATCH[name], 8) if quick else BATCH[name]
    memory_before = device_memory()
    network, clips, labels = compiled_network(name, batch)

    def step() -> object:
        # The loss comes back as a number, so that a device has finished.
        return network.train_on_batch(clips, labels)

    first_step = timed(step, 1)[0]
    step()
    peak = device_memory()
    # The matrices take memory too, so that they are made after the peak was read.
    product_rate = matrix_products(quick=quick, policy=policy)
    operations = 6 * batch * cost.multiply_accumulates(network)
    seconds: list[float] = []
    shares: list[float] = []
    while len(seconds) < (2 if quick else _ROUNDS) and sum(seconds) < _BUDGET:
        rate = product_rate()
        seconds.append(statistics.median(timed(step, _STEPS, budget=_TURN)))
        shares.append(operations / seconds[-1] / rate)
    speed = operations / statistics.median(seconds)
    facts = {
        "GFLOP/s": round(speed / 1e9, 1),
        "share of matrix products": round(statistics.median(shares), 3),
        "MiB for it": peak - memory_before,
        "first step s": round(first_step, 2),
    }
    work = f"training step, {name}, {batch} clips"
    way = backend if policy == "float32" else f"{backend}, {policy}"
    return [Measurement(work, way, tuple(seconds), batch, peak, facts)]


def device_memory() -> int:
    """Peak MiB so far: of the device where the backend reports it, else of the process."""
    import keras

    backend = keras.backend.backend()
    if backend == "torch":
        import torch

        if torch.cuda.is_available():
            return int(torch.cuda.max_memory_allocated()) >> 20
    if backend == "jax":
        import jax

        stats = jax.local_devices()[0].memory_stats()
        if stats:
            return int(stats["peak_bytes_in_use"]) >> 20
    return peak_memory()


def _has_gpu() -> bool:
    """Whether the backend computes on something else than a processor."""
    import keras

    return any("cpu" not in str(device).lower() for device in keras.distribution.list_devices())


def matrix_products(
    *,
    quick: bool,
    policy: str = "float32",
    clock: Callable[[], float] = time.perf_counter,
) -> Callable[[], float]:
    """Return a function that multiplies two square matrices and returns operations a second.

    Args:
        quick: small matrices.
        policy: Keras' dtype policy, whose computing type the matrices have.
        clock: what tells the seconds of a product (see ``measure.timed``).
    """
    import keras

    side = _QUICK_MATRIX if quick else _MATRIX
    dtype = policy.removeprefix("mixed_")
    rng = np.random.default_rng(0)
    left, right = (
        keras.ops.cast(rng.random((side, side), dtype=np.float32), dtype) for _ in range(2)
    )

    def product() -> object:
        # One number is fetched, so that a device has finished; NumPy has no bfloat16.
        first = keras.ops.cast(keras.ops.matmul(left, right)[0, 0], "float32")
        return keras.ops.convert_to_numpy(first)

    product()
    return lambda: 2 * side**3 / timed(product, 1, clock=clock)[0]
