"""A training step of each network at the paper's input: seconds, peak memory, share of the machine.

The share is that of the rate at which the same backend multiplies two large matrices here. A step
counts three forward passes (one forward, two products backward), each multiply-accumulate as two
operations.

``python -m mer_keras.bench.networks`` measures the networks one by one, each in a process of its
own, so that each peak is its own; with ``KERAS_BACKEND=jax`` or ``torch`` on another backend.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mer_keras.bench.measure import best_of
from mer_keras.models import cost, registry

#: clips a step: the paper's batch; where it has none, that of its sibling here
BATCH = {
    "shallow_convlstm": 16,
    "shallow_attention_conv3d": 32,
    "shallow_attention_conv2d": 32,
    "shallow_attention_convlstm": 32,
    "resnet10": 10,
    "micro_attention": 10,
    "complex_attention": 10,
    "resnet3d_18": 8,
    "meranet": 8,
    "dense_mixed_attention": 32,
    "ststnet": 256,
}
_MATRIX = 4096
_STEPS = 3


@dataclass(frozen=True)
class Step:
    """A measured training step.

    Attributes:
        network: its name.
        batch: clips.
        policy: Keras' dtype policy.
        seconds: of a step.
        gigaflops: operations of the step a second, in thousand million.
        share: of the rate of matrix products.
        peak_mib: memory that the process gained from before the network was built to its peak; on
            a GPU that of the device.
    """

    network: str
    batch: int
    policy: str
    seconds: float
    gigaflops: float
    share: float
    peak_mib: int


def measure(name: str, batch: int, policy: str = "float32") -> Step:
    """Measure one network in this process, at the input and the classes of its paper."""
    import keras

    keras.config.set_dtype_policy(policy)
    before = _memory()
    spec = registry.get_spec(name)
    network = registry.build(name)
    network.compile(
        keras.optimizers.Adam(1e-4),
        "sparse_categorical_crossentropy",
        jit_compile=keras.backend.backend() == "jax",
    )
    rng = np.random.default_rng(0)
    clips = rng.random((batch, *spec.input_shape), dtype=np.float32)
    labels = rng.integers(0, spec.classes, batch)

    def step() -> Any:
        # gives the loss as a number, so that a device has finished
        return network.train_on_batch(clips, labels)

    step()
    seconds = best_of(_STEPS, step)
    gained = _memory() - before
    # after the peak was read, since the matrices take memory too
    rate = _matrix_rate(policy)
    operations = 6 * batch * cost.multiply_accumulates(network)
    return Step(
        network=name,
        batch=batch,
        policy=policy,
        seconds=round(seconds, 4),
        gigaflops=round(operations / seconds / 1e9, 1),
        share=round(operations / seconds / rate, 3),
        peak_mib=round(gained / 2**20),
    )


def networks(names: Sequence[str] = tuple(BATCH), policy: str = "float32") -> list[Step]:
    """Measure networks, each in a process of its own."""
    found = []
    for name in names:
        command = [sys.executable, "-m", "mer_keras.bench.networks", "--one", name]
        done = subprocess.run(  # noqa: S603 - this module
            [*command, "--policy", policy],
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "1"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            print(f"{name}: not measured: {done.stderr.strip()[-300:]}", file=sys.stderr)
            continue
        found.append(Step(**json.loads(done.stdout.splitlines()[-1])))
        print(_line(found[-1]), flush=True)
    return found


def header() -> str:
    """Return the line above the measurements."""
    return (
        f"{'training step':28}{'batch':>6}{'policy':>16}{'seconds':>10}{'GFLOP/s':>10}"
        f"{'share':>8}{'peak MiB':>10}"
    )


def _line(step: Step) -> str:
    return (
        f"{step.network:28}{step.batch:6}{step.policy:>16}{step.seconds:10.3f}"
        f"{step.gigaflops:10.1f}{step.share:8.2f}{step.peak_mib:10}"
    )


def _matrix_rate(policy: str) -> float:
    """Operations a second of a product of two square matrices."""
    import keras

    dtype = policy.removeprefix("mixed_")
    rng = np.random.default_rng(0)
    left, right = (
        keras.ops.cast(rng.random((_MATRIX, _MATRIX), dtype=np.float32), dtype) for _ in range(2)
    )

    def product() -> Any:
        # one number is fetched, so that a device has finished
        return keras.ops.convert_to_numpy(keras.ops.matmul(left, right)[0, 0])

    product()
    return 2 * _MATRIX**3 / best_of(_STEPS, product)


def _memory() -> int:
    """Peak bytes so far: of the device where the backend tells, else of the process."""
    import keras

    backend = keras.backend.backend()
    if backend == "torch":
        import torch

        if torch.cuda.is_available():
            return int(torch.cuda.max_memory_allocated())
    if backend == "jax":
        import jax

        stats = jax.local_devices()[0].memory_stats()
        if stats:
            return int(stats["peak_bytes_in_use"])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Measure one network or all, and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", choices=tuple(BATCH), help="measure in this process, print JSON")
    parser.add_argument("--policy", default="float32", help="such as mixed_bfloat16")
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(asdict(measure(chosen.one, BATCH[chosen.one], chosen.policy))))
        return
    print(header())
    started = time.perf_counter()
    networks(policy=chosen.policy)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
