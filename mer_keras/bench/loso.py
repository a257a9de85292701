"""STSTNet, leave-one-subject-out over 68 synthetic subjects: this suite beside plain scripts.

All ways have the same data, epochs, batches of 256 and Adam. Every run has a process of its own, as
a user's run has, so that nothing is there that a backend compiled or kept before. Starting this
process and importing the backend are not timed; processes that the run itself starts are.

Ways take turns, run by run, since a machine that others use too can be twice as fast an hour later.
The time of an epoch over all folds is the slope between two numbers of epochs, within each round;
what is left is the set-up: building, tracing, reading, storing. UF1 over the rounds, each with a
seed of its own, says whether predictions are as good.
"""

import importlib.util
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np

from mer_keras.bench import flow_like
from mer_keras.bench.case import Case, CaseOptions
from mer_keras.bench.isolation import call_in_process
from mer_keras.bench.measure import Measurement, NotMeasuredError
from mer_keras.bench.memory import FamilyMemory, peak_memory

#: Learning rate: larger than the published 5e-5, so that few epochs show how good predictions get.
LEARNING_RATE = 1e-3
_SCRIPTS = Path(__file__).parents[2] / "benchmarks"
#: Numbers of epochs for which the duration is extrapolated.
_EXTRAPOLATED = (30, 800)


@dataclass(frozen=True)
class Run:
    """One run over all folds: its seconds, UF1 (0..1) and peak memory in MiB."""

    seconds: float
    uf1: float
    peak_mib: int


#: Trains all folds in this process: (epochs, learning rate, seed) -> run.
Way = Callable[[int, float, int], Run]
#: Runs of one round, by number of epochs.
Round = Mapping[int, Run]


def cases(backend: str) -> list[Case]:
    """Comparisons; ratios are to the first way of each."""
    cores = os.cpu_count() or 1
    engines = [(engine, n) for engine in ("sequential", "vectorised") for n in sorted({1, cores})]
    return [
        Case(
            "loso/torch",
            "68 folds of STSTNet: a plain PyTorch loop and this suite, in turns",
            partial(_take_turns, "plain_torch", [("vectorised", cores)], (2, 30)),
            limit=5400,
            backend=backend,
            needs=("torch", backend),
            quick=False,
        ),
        Case(
            "loso/keras",
            "the same beside plain Keras: built, compiled and fitted anew in each fold",
            partial(_take_turns, "plain_keras", [("vectorised", cores)], (2, 6)),
            limit=7200,
            backend=backend,
            needs=(backend,),
            quick=False,
        ),
        Case(
            "loso/engines",
            "the same by train.engine and number of processes",
            partial(_take_turns, None, engines, (2, 10)),
            limit=5400,
            backend=backend,
            needs=(backend,),
        ),
    ]


def _take_turns(
    script: str | None,
    engines: Sequence[tuple[str, int]],
    epochs: Sequence[int],
    options: CaseOptions,
) -> list[Measurement]:
    """Let a plain script and engines, each with a number of processes, take turns."""
    subjects, rounds = None, options.repeats
    if options.quick:
        subjects, rounds, epochs, engines = 2, 1, (2,), engines[:1]
    flow_like.write(flow_like.draw(people=subjects), options.folder / "data")
    ways: dict[str, Way] = {}
    if script is not None:
        find_script(script)
        title = {"plain_torch": "plain PyTorch", "plain_keras": "plain Keras"}[script]
        ways[title] = partial(run_plain, script, subjects)
    for engine, workers in engines:
        title = f"mer_keras, {engine}, {workers} process{'es' if workers > 1 else ''}"
        ways[title] = partial(run_suite, options.folder, engine, workers)
    runs: dict[str, list[Round]] = {title: [] for title in ways}
    for seed in range(rounds):
        for title, way in ways.items():
            runs[title].append(
                {count: call_in_process(way, count, LEARNING_RATE, seed) for count in epochs}
            )
    folds = subjects or sum(flow_like.SUBJECTS.values())
    work = f"LOSO, {folds} folds"
    if script is not None:
        work += f" beside {next(iter(ways))}"
    return measurements_of(work, runs, folds)


def run_plain(
    script: str, subjects: int | None, epochs: int, learning_rate: float, seed: int
) -> Run:
    """Run a plain script in this process; see ``run_suite``."""
    module = load_script(script)
    flow = flow_like.draw(people=subjects)
    seconds, predicted = module.leave_one_out(
        flow, epochs=epochs, folds=len(flow.people()), learning_rate=learning_rate, seed=seed
    )
    return Run(seconds, flow_like.uf1(flow.labels, predicted), peak_memory())


def run_suite(
    folder: Path,
    engine: str,
    workers: int,
    epochs: int,
    learning_rate: float,
    seed: int,
    overrides: Sequence[str] = (),
) -> Run:
    """Run the published experiment as ``mer-keras run`` does, in a results folder of its own.

    Args:
        folder: the results folder is made in it.
        engine: see ``config.training.Train``.
        workers: number of processes.
        epochs: of each fold.
        learning_rate: of Adam.
        seed: of the run.
        overrides: further ones of the config.
    """
    import keras  # noqa: F401 - Its import is not timed.

    from mer_keras.config.files import find_config, load_config
    from mer_keras.report.view import read_view
    from mer_keras.runs.executors import Executor, SerialExecutor
    from mer_keras.runs.processes import ProcessExecutor
    from mer_keras.runs.run import run_experiment

    config = load_config(
        find_config("ststnet/megc2019")[0],
        overrides=[
            f"train.epochs={epochs}",
            f"train.optimizer.learning_rate={learning_rate}",
            f"seeds=[{seed}]",
            f"train.engine={engine}",
            "baselines=[]",
            *overrides,
        ],
    )
    # A run that is stored already would not be computed again.
    os.environ["MER_RESULTS"] = str(folder / "results" / str(time.monotonic_ns()))
    with FamilyMemory() as memory:
        started = time.perf_counter()
        executor: Executor = ProcessExecutor(workers) if workers > 1 else SerialExecutor()
        run = run_experiment(config, profile="full", data="real", executor=executor)
        seconds = time.perf_counter() - started
        peak = memory.peak(workers if workers > 1 else 0)
    predictions = read_view(run.path).predictions
    numbers = {name: number for number, name in enumerate(flow_like.CLASSES)}
    labels, predicted = (
        predictions[column].map(numbers).to_numpy(np.int32) for column in ("label", "predicted")
    )
    return Run(seconds, flow_like.uf1(labels, predicted), peak)


def measurements_of(
    work: str, runs: Mapping[str, Sequence[Round]], folds: int
) -> list[Measurement]:
    """Summarise the runs of all ways.

    Args:
        work: what all ways did.
        runs: rounds by way. UF1 is that of the run with most epochs, beside that of the first way.
        folds: of each run.
    """
    measurements: list[Measurement] = []
    first_uf1: list[float] = []
    for title, rounds in runs.items():
        peak = max(run.peak_mib for round_ in rounds for run in round_.values())
        way = Measurement(work, title, pieces=folds, peak_mib=peak)
        few, many = min(rounds[0]), max(rounds[0])
        for count in sorted({few, many}):
            seconds = tuple(round_[count].seconds for round_ in rounds)
            measurements.append(replace(way, work=f"{work}, {count} epochs", seconds=seconds))
        uf1 = [round_[many].uf1 for round_ in rounds]
        facts = _uf1_facts(uf1, first_uf1)
        first_uf1 = first_uf1 or uf1
        measurements[-1] = replace(measurements[-1], facts=facts)
        if many > few:
            measurements += _extrapolated(way, rounds)
    return measurements


def _uf1_facts(uf1: Sequence[float], first_uf1: Sequence[float]) -> dict[str, float | str]:
    """UF1 over the rounds, and where its median lies beside the range of the first way."""
    median = statistics.median(uf1)
    facts: dict[str, float | str] = {
        "UF1 median": median,
        "least": min(uf1),
        "largest": max(uf1),
    }
    if first_uf1:
        low, high = min(first_uf1), max(first_uf1)
        side = "below" if median < low else "above" if median > high else "within"
        facts["beside the first way's"] = f"{side} {low:.3f} to {high:.3f}"
    return facts


def _extrapolated(way: Measurement, rounds: Sequence[Round]) -> list[Measurement]:
    parts = [
        setup_and_epoch({count: run.seconds for count, run in round_.items()}) for round_ in rounds
    ]
    seconds_of = {
        "set-up": [setup for setup, _ in parts],
        "an epoch": [epoch for _, epoch in parts],
    }
    for count in _EXTRAPOLATED:
        seconds_of[f"{count} epochs, extrapolated"] = [s + count * e for s, e in parts]
    return [
        replace(way, work=f"{way.work}, {name}", seconds=tuple(seconds))
        for name, seconds in seconds_of.items()
    ]


def setup_and_epoch(seconds: Mapping[int, float]) -> tuple[float, float]:
    """Return seconds that don't depend on the epochs, and seconds an epoch.

    Args:
        seconds: by number of epochs; the smallest and the largest number are used.
    """
    few, many = min(seconds), max(seconds)
    epoch = (seconds[many] - seconds[few]) / (many - few)
    return seconds[few] - few * epoch, epoch


def find_script(name: str) -> Path:
    """Return the path of a script of ``benchmarks/``.

    Raises:
        NotMeasuredError: it is not there, since only a checkout has it.
    """
    file = _SCRIPTS / f"{name}.py"
    if not file.is_file():
        raise NotMeasuredError(f"benchmarks/{file.name} is not there: it comes with a checkout")
    return file


def load_script(name: str) -> ModuleType:
    """Load a script of ``benchmarks/``; see ``find_script``."""
    spec = importlib.util.spec_from_file_location(name, find_script(name))
    assert spec is not None and spec.loader is not None  # noqa: S101 - The script is a file.
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
