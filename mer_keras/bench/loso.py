"""STSTNet, leave-one-subject-out over 68 drawn people: this suite beside plain scripts.

All ways have the same data, epochs, batches of 256 and Adam. Every run has a process of its own, as
a user's has, so that nothing that a backend compiles or keeps is there before; starting it and
importing the backend are not timed, but of the processes that a run itself starts they are.

The time of an epoch over all folds is the slope between two numbers of epochs, what is left is the
set-up: building, tracing, reading, storing. Whether the predictions are as good is told by UF1 over
several seeds, on the same data, after more and larger steps (a learning rate changes no time).
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

RATE, QUALITY_RATE = 5e-5, 1e-3
QUALITY = "LOSO, UF1"
_SCRIPTS = Path(__file__).parents[2] / "benchmarks"
#: numbers of epochs that totals are reckoned for
_TOTALS = (30, 800)


@dataclass(frozen=True)
class Extent:
    """How much of it is measured.

    Attributes:
        people: subjects, each of which is left out once; None: all.
        epochs: numbers of epochs that are timed.
        repeats: of each.
        quality_epochs: of the runs whose predictions are compared.
        seeds: how many of these runs.
    """

    people: int | None = None
    epochs: tuple[int, ...] = (2, 10)
    repeats: int = 3
    quality_epochs: int = 30
    seeds: int = 3


QUICK = Extent(people=2, epochs=(2,), repeats=1, seeds=0)


@dataclass(frozen=True)
class Run:
    """One run over all folds: its seconds, UF1 and peak of memory."""

    seconds: float
    uf1: float
    peak_mib: int


#: trains all folds in this process: (epochs, learning rate, seed) -> run
Way = Callable[[int, float, int], Run]


def cases(backend: str) -> list[Case]:
    """All ways; ratios are to the first that can be measured."""
    plain = [
        Case(
            "loso/plain-torch",
            "68 folds of STSTNet, a plain PyTorch loop",
            partial(_plain, "plain_torch", "plain PyTorch"),
            limit=5400,
            needs=("torch",),
        ),
        Case(
            "loso/plain-keras",
            "the same, plain Keras: built, compiled and fitted anew in each fold",
            partial(_plain, "plain_keras", "plain Keras"),
            limit=7200,
            backend=backend,
            needs=(backend,),
        ),
    ]
    return plain + [
        Case(
            f"loso/{engine.replace('_', '-')}-{workers}",
            f"the same by mer_keras, train.engine={engine}, workers={workers}",
            partial(_suite, engine, workers),
            limit=5400,
            backend=backend,
            needs=(backend,),
            quick=workers == 1,
        )
        for engine in ("sequential", "all_folds")
        for workers in sorted({1, os.cpu_count() or 1})
    ]


def _plain(script: str, title: str, asked: Asked) -> list[Measured]:
    find_script(script)
    extent = QUICK if asked.quick else Extent(repeats=asked.repeats, seeds=asked.repeats)
    if script == "plain_keras":  # half an hour for what PyTorch's network tells as well
        extent = replace(extent, seeds=0)
    return _measure(title, partial(run_plain, script, extent.people), extent)


def run_plain(script: str, people: int | None, epochs: int, rate: float, seed: int) -> Run:
    """Run a plain script in this process; see ``run_suite``."""
    module = load_script(script)
    flow = flow_like.draw(people=people)
    seconds, predicted = module.leave_one_out(
        flow, epochs=epochs, folds=len(flow.people()), learning_rate=rate, seed=seed
    )
    return Run(seconds, flow_like.uf1(flow.labels, predicted), peak_memory())


def _suite(engine: str, workers: int, asked: Asked) -> list[Measured]:
    from mer_keras.config import Train

    if "engine" not in Train.model_fields and engine != "sequential":
        raise NotMeasuredError(f"this version has no train.engine={engine}")
    extent = QUICK if asked.quick else Extent(repeats=asked.repeats, seeds=asked.repeats)
    flow_like.write(flow_like.draw(people=extent.people), asked.folder / "data")
    title = f"mer_keras, {engine}, {workers} process{'es' if workers > 1 else ''}"
    return _measure(title, partial(run_suite, asked.folder, engine, workers), extent)


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

    from mer_keras.config import Train
    from mer_keras.config_files import find_config, load_config
    from mer_keras.experiment.run import run_experiment
    from mer_keras.report.view import read_view

    overrides = [
        f"train.epochs={epochs}",
        f"train.optimizer.learning_rate={rate}",
        f"seeds=[{seed}]",
        "baselines=[]",
        *more,
    ]
    if "engine" in Train.model_fields:
        overrides.append(f"train.engine={engine}")
    config = load_config(find_config("ststnet/megc2019")[0], overrides=overrides)
    # a stored run would be gone on with, not made
    os.environ["MER_RESULTS"] = str(folder / "results" / str(time.monotonic_ns()))
    with FamilyMemory() as family:
        started = time.perf_counter()
        run = run_experiment(config, profile="full", data="real", workers=workers)
        seconds = time.perf_counter() - started
        peak = family.peak(workers if workers > 1 else 0)
    table = read_view(run.path).predictions
    place = {name: i for i, name in enumerate(flow_like.CLASSES)}
    truth, told = (table[c].map(place).to_numpy(np.int32) for c in ("label", "predicted"))
    return Run(seconds, flow_like.uf1(truth, told), peak)


def _measure(title: str, way: Way, extent: Extent) -> list[Measured]:
    folds = extent.people or sum(flow_like.SUBJECTS.values())
    work = f"LOSO, {folds} folds"
    timed = {
        epochs: [alone(way, epochs, RATE, seed) for seed in range(extent.repeats)]
        for epochs in extent.epochs
    }
    rows = [_row(f"{work}, {epochs} epochs", title, runs, folds) for epochs, runs in timed.items()]
    told = [alone(way, extent.quality_epochs, QUALITY_RATE, seed) for seed in range(extent.seeds)]
    if told:
        uf1 = [run.uf1 for run in told]
        name = f"{QUALITY} after {extent.quality_epochs} epochs, learning rate {QUALITY_RATE:g}"
        facts = {"UF1 median": statistics.median(uf1), "least": min(uf1), "largest": max(uf1)}
        rows.append(replace(_row(name, title, told, folds), facts=facts))
        timed[extent.quality_epochs] = told
    if len(timed) > 1:
        medians = {n: statistics.median(r.seconds for r in runs) for n, runs in timed.items()}
        rows += _reckoned(rows[0], work, medians)
    return rows


def _row(work: str, title: str, runs: Sequence[Run], folds: int) -> Measured:
    peak = max(run.peak_mib for run in runs)
    return Measured(work, title, tuple(run.seconds for run in runs), folds, peak)


def _reckoned(like: Measured, work: str, medians: dict[int, float]) -> list[Measured]:
    setup, epoch = setup_and_epoch(medians)
    facts = {"from epochs": f"{min(medians)} and {max(medians)}"}
    found = {f"{work}, set-up": setup, f"{work}, an epoch": epoch}
    for epochs in _TOTALS:
        found[f"{work}, {epochs} epochs, extrapolated"] = setup + epochs * epoch
    return [replace(like, work=name, seconds=(s,), facts=facts) for name, s in found.items()]


def setup_and_epoch(medians: dict[int, float]) -> tuple[float, float]:
    """Return seconds that don't depend on the epochs, and seconds an epoch.

    Args:
        medians: seconds by number of epochs; the smallest and the largest number are used.
    """
    few, many = min(medians), max(medians)
    epoch = (medians[many] - medians[few]) / (many - few)
    return medians[few] - few * epoch, epoch


def judged(rows: Sequence[Measured]) -> list[Measured]:
    """Say of this suite's ways how much faster than plain Keras, and where UF1 lies.

    Ratios are to plain PyTorch where that is measured.
    """
    keras = {row.work: row.median for row in rows if row.way == "plain Keras"}
    told = [row for row in rows if row.work.startswith(QUALITY) and row.way.startswith("plain")]
    low = min((float(row.facts["least"]) for row in told), default=0.0)
    high = max((float(row.facts["largest"]) for row in told), default=0.0)

    def more(row: Measured) -> dict[str, float | str]:
        facts = dict(row.facts)
        plain, own = keras.get(row.work), row.median
        if plain and own and plain > 0 and own > 0:
            facts["times as fast as plain Keras"] = plain / own
        if row.work.startswith(QUALITY) and told:
            uf1 = float(row.facts["UF1 median"])
            place = "below" if uf1 < low else "above" if uf1 > high else "within"
            facts["beside plain ways' spread"] = f"{place} {low:.3f} to {high:.3f}"
        return facts

    return [replace(r, facts=more(r)) if r.way.startswith("mer_keras, ") else r for r in rows]


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
