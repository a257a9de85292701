"""By how much results differ with the number of threads: ``python -m mer_keras.bench.threads``.

A sum that several threads share is added up in another order, and its last digits may differ. Each
network is trained here on the same drawn clips, as a fold is, in processes that may start one, two
or four threads; twice in each, since a kernel that is not deterministic differs from itself. The
table says by how much predictions differ from those of one thread. With ``--out`` it is stored, as
the documentation quotes it.
"""

import argparse
import datetime
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mer_keras import provenance, settings
from mer_keras.arrays import each_shape
from mer_keras.bench.isolation import call_in_process
from mer_keras.bench.machine import machine
from mer_keras.whole_files import write_whole

#: One network of each kind of operation: small 2-D, attention, ConvLSTM, 3-D, deep 2-D.
NETWORKS = ("ststnet", "htnet", "shallow_convlstm", "shallow_attention_conv3d", "resnet10")
#: Numbers of threads; the first is what the others are compared to.
THREADS = (1, 2, 4)
#: Clips, epochs and clips of a batch of a training: a processor has it done in a minute.
CLIPS, EPOCHS, BATCH = 8, 2, 4


@dataclass(frozen=True)
class Difference:
    """How far the predictions by some threads are from those of one.

    Attributes:
        threads: how many a process may start.
        largest: largest difference of a probability.
        classes: clips whose predicted class differs.
        repeatable: whether a second training gave the same bits.
    """

    threads: int
    largest: float
    classes: int
    repeatable: bool

    def describe(self) -> str:
        """A cell of the table."""
        text = "same bits" if self.largest == 0 else f"{self.largest:.1g}"
        if self.classes:
            text += f", {self.classes} of {CLIPS} classes differ"
        return text if self.repeatable else f"{text} (not repeatable)"


def predictions(network: str) -> NDArray[np.float32]:
    """Train a network as a fold is trained, in this process.

    Args:
        network: its name; input and classes are its paper's.

    Returns:
        Class probabilities of the training clips, float32 (clips, classes).
    """
    from mer_keras.config.training import Optimizer, Train
    from mer_keras.models import registry
    from mer_keras.training.trainer import Trainer

    spec = registry.get_spec(network)
    rng = np.random.default_rng(0)
    clips = [
        rng.random((CLIPS, *shape), dtype=np.float32) for shape in each_shape(spec.input_shape)
    ]  # each (clips, time, height, width, channels), or without time
    labels = rng.integers(0, spec.classes, CLIPS).astype("int32")
    recipe = Train(epochs=EPOCHS, batch_size=BATCH, optimizer=Optimizer(learning_rate=1e-3))
    trainer = Trainer(
        partial(registry.build, network, spec.input_shape, spec.classes), recipe, flow=[None]
    )
    inputs = clips[0] if len(clips) == 1 else tuple(clips)
    trainer.fit(inputs, labels, seed=0)
    return trainer.predict(inputs)


def all_predictions(networks: Sequence[str]) -> dict[str, list[NDArray[np.float32]]]:
    """Train each network twice, in this process; return its predictions (see ``predictions``)."""
    return {network: [predictions(network) for _ in range(2)] for network in networks}


def differences(
    networks: Sequence[str], threads: Sequence[int] = THREADS
) -> dict[str, list[Difference]]:
    """Train networks with each number of threads, and compare.

    Args:
        networks: their names.
        threads: numbers of threads; the first is what the others are compared to.

    Returns:
        A difference for each number of threads, by network.
    """
    by_threads = {}
    for number in threads:
        environment = dict.fromkeys(settings.THREADS, str(number))
        by_threads[number] = call_in_process(all_predictions, networks, environment=environment)
    return {
        network: [
            _difference(number, by_threads[threads[0]][network][0], *by_threads[number][network])
            for number in threads
        ]
        for network in networks
    }


def _difference(
    threads: int,
    first: NDArray[np.float32],
    once: NDArray[np.float32],
    again: NDArray[np.float32],
) -> Difference:
    """Compare predictions, each (clips, classes), of one thread and of some, twice."""
    return Difference(
        threads=threads,
        largest=float(np.abs(once - first).max()),
        classes=int((once.argmax(axis=1) != first.argmax(axis=1)).sum()),
        repeatable=once.tobytes() == again.tobytes(),
    )


def as_table(of_networks: Mapping[str, Sequence[Difference]]) -> str:
    """Return the table as markdown: a row for each network, a column for each number of threads."""
    threads = [difference.threads for difference in next(iter(of_networks.values()))]
    headings = ["network", *(f"{number} thread{'s' * (number > 1)}" for number in threads)]
    lines = [f"| {' | '.join(headings)} |", f"|{' --- |' * len(headings)}"]
    for network, by_threads in of_networks.items():
        cells = [network, *(difference.describe() for difference in by_threads)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def as_page(table: str) -> str:
    """Return the stored page: what was trained, on which machine, and the table at the end."""
    versions = ", ".join(f"{name} {number}" for name, number in provenance.versions().items())
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return f"""# By how much results differ with the number of threads

Largest difference of a probability from those by one thread, over {CLIPS} drawn clips that a
network was trained on for {EPOCHS} epochs in batches of {BATCH}. Written by `python -m
mer_keras.bench.threads --out FILE`.

- created: {now}
- versions: {versions}
- backend: {provenance.backend()}
- device: {call_in_process(provenance.device)}
- processor: {machine()["processor"]}
- git: {provenance.git_state()}
- data_kind: synthetic

{table}"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table as markdown, and store it if a file is named."""
    parser = argparse.ArgumentParser(
        prog="python -m mer_keras.bench.threads", description=(__doc__ or "").strip()
    )
    parser.add_argument("networks", nargs="*", default=NETWORKS, metavar="NETWORK")
    parser.add_argument("--out", type=Path, metavar="FILE", help="a page to store the table in")
    options = parser.parse_args(arguments)
    table = as_table(differences(options.networks))
    print(table, end="")
    if options.out:
        write_whole(options.out, as_page(table).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
