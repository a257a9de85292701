"""STSTNet, leave-one-subject-out over 68 drawn people: this suite beside plain scripts.

All ways have the same data, epochs, batches of 256 and Adam. The time of an epoch over all folds
is the slope between two numbers of epochs, what is left is the set-up: building, tracing, reading,
storing. Whether the predictions are as good is told by UF1 over several seeds, on the same data,
after more and larger steps than the timed runs take (a learning rate changes no time).
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
from mer_keras.bench.case import Asked, Case
from mer_keras.bench.measure import Measured, NotMeasuredError
from mer_keras.bench.memory import FamilyMemory, peak_memory

#: trains all folds: (epochs, learning rate, seed) -> seconds, UF1
Way = Callable[[int, float, int], tuple[float, float]]

RATE, QUALITY_RATE = 5e-5, 1e-3
QUALITY = "LOSO, UF1"
_SCRIPTS = Path(__file__).parents[2] / "benchmarks"
#: numbers of epochs that totals are reckoned for
_TOTALS = (30, 800)


@dataclass(frozen=True)
class Extent:
    """How much of it is measured.

    Attributes:
        people: subjects, each of which is left out once.
        epochs: numbers of epochs that are timed; an epoch's time is by the first and the last.
        repeats: of each.
        quality_epochs: of the runs whose predictions are compared.
        seeds: of these.
    """

    people: int | None = None
    epochs: tuple[int, ...] = (2, 10)
    repeats: int = 3
    quality_epochs: int = 30
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)


QUICK = Extent(people=2, epochs=(1, 2), repeats=1, quality_epochs=1, seeds=(0,))


def cases(backend: str) -> list[Case]:
    """All ways; ratios are to the first that can be measured."""
    processes = os.cpu_count() or 1
    suite = {
        f"suite-{engine.replace('_', '-')}-{workers}": (engine, workers)
        for engine in ("sequential", "all_folds")
        for workers in sorted({1, processes})
    }
    plain = [
        Case(
            "loso/plain-torch",
            "68 folds of STSTNet, a plain PyTorch loop",
            partial(_plain, "plain_torch", "plain PyTorch"),
            limit=3600,
            needs=("torch",),
        ),
        Case(
            "loso/plain-keras",
            "the same, plain Keras: built, compiled and fitted anew in each fold",
            partial(_plain, "plain_keras", "plain Keras"),
            limit=5400,
            backend=backend,
        ),
    ]
    return plain + [
        Case(
            f"loso/{name}",
            f"the same by mer_keras, train.engine={engine}, {workers} process(es)",
            partial(_suite, engine, workers),
            limit=3600,
            backend=backend,
            quick=workers == 1,
        )
        for name, (engine, workers) in suite.items()
    ]


def _plain(script: str, title: str, asked: Asked) -> list[Measured]:
    module = load_script(script)
    extent = QUICK if asked.quick else Extent()
    flow = flow_like.draw(people=extent.people)

    def way(epochs: int, rate: float, seed: int) -> tuple[float, float]:
        folds = len(flow.people())
        seconds, predicted = module.leave_one_out(
            flow, epochs=epochs, folds=folds, learning_rate=rate, seed=seed
        )
        return seconds, flow_like.uf1(flow.labels, predicted)

    return _measure(title, way, extent, peak_memory)


def _suite(engine: str, workers: int, asked: Asked) -> list[Measured]:
    from mer_keras.config import Train

    if "engine" not in Train.model_fields and engine != "sequential":
        raise NotMeasuredError(f"this version has no train.engine={engine}")
    extent = QUICK if asked.quick else Extent(epochs=(2, 10, 50))
    flow_like.write(flow_like.draw(people=extent.people), asked.folder / "data")
    title = f"mer_keras, {engine}, {workers} process{'es' if workers > 1 else ''}"
    way = partial(run_suite, asked.folder, engine, workers)
    if workers == 1:
        return _measure(title, way, extent, peak_memory)
    with FamilyMemory() as family:
        return _measure(title, way, extent, partial(family.peak, workers))


def run_suite(
    folder: Path,
    engine: str,
    workers: int,
    epochs: int,
    rate: float,
    seed: int,
    *,
    more: Sequence[str] = (),
) -> tuple[float, float]:
    """Run the published experiment as ``mer-keras run`` does, in a results folder of its own.

    Args:
        folder: the results folders are made in it.
        engine: see ``config.Train``.
        workers: processes.
        epochs: of each fold.
        rate: learning rate.
        seed: of the run.
        more: further overrides.

    Returns:
        Seconds, and UF1.
    """
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
    path, _ = find_config("ststnet/megc2019")
    config = load_config(path, overrides=overrides)
    # a stored run would be gone on with, not made
    os.environ["MER_RESULTS"] = str(folder / "results" / str(time.monotonic_ns()))
    started = time.perf_counter()
    run = run_experiment(config, profile="full", data="real", workers=workers)
    seconds = time.perf_counter() - started
    table = read_view(run.path).predictions
    place = {name: i for i, name in enumerate(flow_like.CLASSES)}
    truth, told = (table[c].map(place).to_numpy(np.int32) for c in ("label", "predicted"))
    return seconds, flow_like.uf1(truth, told)


def _measure(title: str, way: Way, extent: Extent, peak: Callable[[], int]) -> list[Measured]:
    folds = extent.people or sum(flow_like.SUBJECTS.values())
    taken = {
        epochs: tuple(way(epochs, RATE, seed)[0] for seed in range(extent.repeats))
        for epochs in extent.epochs
    }
    memory = peak()
    work = f"LOSO, {folds} folds"
    rows = [
        Measured(f"{work}, {epochs} epochs", title, seconds, folds, memory)
        for epochs, seconds in taken.items()
    ]
    rows += _reckoned(work, title, taken, folds, memory)
    scores = [way(extent.quality_epochs, QUALITY_RATE, seed) for seed in extent.seeds]
    uf1 = [score for _, score in scores]
    return [
        *rows,
        Measured(
            f"{QUALITY} after {extent.quality_epochs} epochs, learning rate {QUALITY_RATE:g}",
            title,
            tuple(seconds for seconds, _ in scores),
            folds,
            memory,
            {"UF1 median": statistics.median(uf1), "least": min(uf1), "largest": max(uf1)},
        ),
    ]


def _reckoned(
    work: str, title: str, taken: dict[int, tuple[float, ...]], folds: int, memory: int
) -> list[Measured]:
    medians = {epochs: statistics.median(seconds) for epochs, seconds in taken.items()}
    setup, epoch = setup_and_epoch(medians)
    source = {"from epochs": f"{min(medians)} and {max(medians)}"}
    found = [
        Measured(f"{work}, set-up", title, (setup,), folds, memory, source),
        Measured(f"{work}, an epoch", title, (epoch,), folds, memory, source),
    ]
    return found + [
        Measured(
            f"{work}, {epochs} epochs, extrapolated",
            title,
            (setup + epochs * epoch,),
            folds,
            memory,
            source,
        )
        for epochs in _TOTALS
    ]


def setup_and_epoch(medians: dict[int, float]) -> tuple[float, float]:
    """Return seconds that don't depend on the epochs, and seconds an epoch.

    Args:
        medians: seconds by number of epochs; the smallest and the largest number are used.
    """
    few, many = min(medians), max(medians)
    epoch = (medians[many] - medians[few]) / (many - few)
    return medians[few] - few * epoch, epoch


def judged(rows: Sequence[Measured]) -> list[Measured]:
    """Say of each way of this suite where its UF1 lies beside the plain ways' spread."""
    told = [row for row in rows if row.work.startswith(QUALITY)]
    plain = [row for row in told if row.way.startswith("plain")]
    if not plain:
        return list(rows)
    low = min(float(row.facts["least"]) for row in plain)
    high = max(float(row.facts["largest"]) for row in plain)

    def verdict(row: Measured) -> Measured:
        own = float(row.facts["UF1 median"])
        place = "below" if own < low else "above" if own > high else "within"
        said = f"{place} {low:.3f} to {high:.3f}"
        return replace(row, facts={**row.facts, "beside plain ways' spread": said})

    return [verdict(row) if row in told and row not in plain else row for row in rows]


def load_script(name: str) -> ModuleType:
    """Load a script of ``benchmarks/``.

    Raises:
        NotMeasuredError: it is not there: only a checkout has it.
    """
    file = _SCRIPTS / f"{name}.py"
    if not file.is_file():
        raise NotMeasuredError(f"benchmarks/{file.name} is not there: it comes with a checkout")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None  # noqa: S101 - it is a file
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
