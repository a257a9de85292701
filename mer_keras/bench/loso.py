"""STSTNet, leave-one-subject-out over 68 drawn people: this suite beside plain scripts.

All ways have the same data, epochs, batches of 256 and Adam. Every run has a process of its own, as
a user's has, so that nothing that a backend compiles or keeps is there before; starting it and
importing the backend are not timed, but of the processes that a run itself starts they are.

Ways that are compared take turns, run by run: a machine that others use too can be twice as fast an
hour later. The time of an epoch over all folds is the slope between two numbers of epochs, within
each round; what is left is the set-up: building, tracing, reading, storing. Whether predictions are
as good is told by UF1 over the rounds, each with a seed of its own.
"""

import importlib.util
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np

from mer_keras.bench import flow_like
from mer_keras.bench.apart import alone
from mer_keras.bench.case import Asked, Case
from mer_keras.bench.measure import Measured, NotMeasuredError
from mer_keras.bench.memory import FamilyMemory, peak_memory

#: larger than the published 5e-5, so that few epochs tell how good predictions get
RATE = 1e-3
_SCRIPTS = Path(__file__).parents[2] / "benchmarks"
#: numbers of epochs that totals are reckoned for
_TOTALS = (30, 800)


@dataclass(frozen=True)
class Run:
    """One run over all folds: its seconds, UF1 and peak of memory."""

    seconds: float
    uf1: float
    peak_mib: int


#: trains all folds in this process: (epochs, learning rate, seed) -> run
Way = Callable[[int, float, int], Run]


def cases(backend: str) -> list[Case]:
    """Comparisons; ratios are to the first way of each."""
    most = os.cpu_count() or 1
    engines = [(engine, n) for engine in ("sequential", "vectorised") for n in sorted({1, most})]
    return [
        Case(
            "loso/torch",
            "68 folds of STSTNet: a plain PyTorch loop and this suite, in turns",
            partial(_turns, "plain_torch", [("vectorised", most)], (2, 30)),
            limit=5400,
            backend=backend,
            needs=("torch", backend),
            quick=False,
        ),
        Case(
            "loso/keras",
            "the same beside plain Keras: built, compiled and fitted anew in each fold",
            partial(_turns, "plain_keras", [("vectorised", most)], (2, 6)),
            limit=7200,
            backend=backend,
            needs=(backend,),
            quick=False,
        ),
        Case(
            "loso/engines",
            "the same by train.engine and number of processes",
            partial(_turns, None, engines, (2, 10)),
            limit=5400,
            backend=backend,
            needs=(backend,),
        ),
    ]


def _turns(
    script: str | None, engines: Sequence[tuple[str, int]], epochs: Sequence[int], asked: Asked
) -> list[Measured]:
    """Let a plain script and engines, each with a number of processes, take turns."""
    people, rounds = None, asked.repeats
    if asked.quick:
        people, rounds, epochs, engines = 2, 1, (2,), engines[:1]
    flow_like.write(flow_like.draw(people=people), asked.folder / "data")
    ways: dict[str, Way] = {}
    if script is not None:
        find_script(script)
        title = {"plain_torch": "plain PyTorch", "plain_keras": "plain Keras"}[script]
        ways[title] = partial(run_plain, script, people)
    for engine, workers in engines:
        title = f"mer_keras, {engine}, {workers} process{'es' if workers > 1 else ''}"
        ways[title] = partial(run_suite, asked.folder, engine, workers)
    runs: dict[str, list[dict[int, Run]]] = {title: [] for title in ways}
    for seed in range(rounds):
        for title, way in ways.items():
            runs[title].append({count: alone(way, count, RATE, seed) for count in epochs})
    folds = people or sum(flow_like.SUBJECTS.values())
    work = f"LOSO, {folds} folds"
    if script is not None:
        work += f" beside {next(iter(ways))}"
    return rows_of(work, runs, folds)


def run_plain(script: str, people: int | None, epochs: int, rate: float, seed: int) -> Run:
    """Run a plain script in this process; see ``run_suite``."""
    module = load_script(script)
    flow = flow_like.draw(people=people)
    seconds, predicted = module.leave_one_out(
        flow, epochs=epochs, folds=len(flow.people()), learning_rate=rate, seed=seed
    )
    return Run(seconds, flow_like.uf1(flow.labels, predicted), peak_memory())


def run_suite(
    folder: Path,
    engine: str,
    workers: int,
    epochs: int,
    rate: float,
    seed: int,
    more: Sequence[str] = (),
) -> Run:
    """Run the published experiment as ``mer-keras run`` does, in a results folder of its own.

    Args:
        folder: the results folders are made in it.
        engine: see ``config.Train``.
        workers: processes.
        epochs: of each fold.
        rate: learning rate.
        seed: of the run.
        more: further overrides.
    """
    import keras  # noqa: F401 - not a part of what is timed

    from mer_keras.config.files import find_config, load_config
    from mer_keras.report.view import read_view
    from mer_keras.runs.executors import SerialExecutor
    from mer_keras.runs.processes import ProcessExecutor
    from mer_keras.runs.run import run_experiment

    overrides = [
        f"train.epochs={epochs}",
        f"train.optimizer.learning_rate={rate}",
        f"seeds=[{seed}]",
        f"train.engine={engine}",
        "baselines=[]",
        *more,
    ]
    config = load_config(find_config("ststnet/megc2019")[0], overrides=overrides)
    # a stored run would be gone on with, not made
    os.environ["MER_RESULTS"] = str(folder / "results" / str(time.monotonic_ns()))
    with FamilyMemory() as family:
        started = time.perf_counter()
        executor = ProcessExecutor(workers) if workers > 1 else SerialExecutor()
        run = run_experiment(config, profile="full", data="real", executor=executor)
        seconds = time.perf_counter() - started
        peak = family.peak(workers if workers > 1 else 0)
    table = read_view(run.path).predictions
    place = {name: i for i, name in enumerate(flow_like.CLASSES)}
    truth, told = (table[c].map(place).to_numpy(np.int32) for c in ("label", "predicted"))
    return Run(seconds, flow_like.uf1(truth, told), peak)


def rows_of(work: str, runs: dict[str, list[dict[int, Run]]], folds: int) -> list[Measured]:
    """Say what was measured.

    Args:
        work: that all did.
        runs: by way, a round each: the runs by their numbers of epochs. UF1 is that of the longest,
            beside that of the first way.
        folds: of each run.
    """
    found = []
    first: list[float] = []
    for title, rounds in runs.items():
        peak = max(run.peak_mib for one in rounds for run in one.values())
        row = Measured(work, title, pieces=folds, peak_mib=peak)
        few, many = min(rounds[0]), max(rounds[0])
        for count in sorted({few, many}):
            seconds = tuple(one[count].seconds for one in rounds)
            found.append(replace(row, work=f"{work}, {count} epochs", seconds=seconds))
        uf1 = [one[many].uf1 for one in rounds]
        median = statistics.median(uf1)
        facts: dict[str, float | str] = {
            "UF1 median": median,
            "least": min(uf1),
            "largest": max(uf1),
        }
        if not first:
            first = uf1
        else:
            low, high = min(first), max(first)
            place = "below" if median < low else "above" if median > high else "within"
            facts["beside the first way's"] = f"{place} {low:.3f} to {high:.3f}"
        found[-1] = replace(found[-1], facts=facts)
        if many > few:
            seconds_of = [{n: run.seconds for n, run in one.items()} for one in rounds]
            found += _reckoned(row, [setup_and_epoch(one) for one in seconds_of])
    return found


def _reckoned(row: Measured, rounds: Sequence[tuple[float, float]]) -> list[Measured]:
    found = {
        "set-up": [setup for setup, _ in rounds],
        "an epoch": [epoch for _, epoch in rounds],
    }
    for count in _TOTALS:
        found[f"{count} epochs, extrapolated"] = [s + count * e for s, e in rounds]
    return [
        replace(row, work=f"{row.work}, {name}", seconds=tuple(seconds))
        for name, seconds in found.items()
    ]


def setup_and_epoch(seconds: dict[int, float]) -> tuple[float, float]:
    """Return seconds that don't depend on the epochs, and seconds an epoch.

    Args:
        seconds: by number of epochs; the smallest and the largest number are used.
    """
    few, many = min(seconds), max(seconds)
    epoch = (seconds[many] - seconds[few]) / (many - few)
    return seconds[few] - few * epoch, epoch


def find_script(name: str) -> Path:
    """Return a script of ``benchmarks/``.

    Raises:
        NotMeasuredError: it is not there: only a checkout has it.
    """
    file = _SCRIPTS / f"{name}.py"
    if not file.is_file():
        raise NotMeasuredError(f"benchmarks/{file.name} is not there: it comes with a checkout")
    return file


def load_script(name: str) -> ModuleType:
    """Load a script of ``benchmarks/``; see ``find_script``."""
    spec = importlib.util.spec_from_file_location(name, find_script(name))
    assert spec is not None and spec.loader is not None  # noqa: S101 - it is a file
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
