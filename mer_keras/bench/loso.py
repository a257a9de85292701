"""Leave-one-subject-out over 68 synthetic subjects: this suite beside plain scripts.

All ways have the same data, epochs, batches of 256 and Adam; their formats of numbers may differ.
Every run has a process of its own, as
a user's run has, so that nothing is there that a backend compiled or kept before. Starting this
process and importing the backend are not timed; processes that the run itself starts are.

Ways take turns, run by run, since a machine that others use too can be twice as fast an hour later.
The time of an epoch over all folds is the slope between two numbers of epochs, within each round;
what is left is the set-up: building, tracing, reading, storing. UF1 over the rounds, each with a
seed of its own, says whether predictions are as good.
"""

import importlib.util
import itertools
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import ModuleType

import pandas as pd

from mer_keras.bench import flow_like
from mer_keras.bench.case import CaseOptions
from mer_keras.bench.isolation import call_in_process
from mer_keras.bench.measure import Measurement, NotMeasuredError
from mer_keras.bench.memory import family_memory, peak_memory
from mer_keras.config.training import EXACT, Precision, with_precision
from mer_keras.evaluation import metrics

#: Learning rate: larger than the published 5e-5, so that few epochs show how good predictions get.
LEARNING_RATE = 1e-3
#: Clips of a step.
BATCH = 256
_SCRIPTS = Path(__file__).parents[2] / "benchmarks"
#: Numbers of epochs for which the duration is extrapolated.
_EXTRAPOLATED = (30, 800)


@dataclass(frozen=True)
class Run:
    """One run over all folds: its seconds, UF1 (0..1) and peak memory in MiB."""

    seconds: float
    uf1: float
    peak_mib: int


def take_turns(
    options: CaseOptions,
    *,
    script: str | None,
    engines: Sequence[str],
    epochs: Sequence[int],
    network: str = "ststnet",
    precisions: Sequence[Precision] = (EXACT,),
) -> list[Measurement]:
    """Let a plain script and this suite take turns; ratios are to the first way.

    Args:
        options: how to measure.
        script: of ``benchmarks/``; None: only this suite is measured, with one process too.
        engines: see ``config.training.Train``; each has as many processes as there are cores.
        epochs: numbers of epochs.
        network: which one, of those that the script has.
        precisions: formats of numbers in which this suite computes; a script has float32.
    """
    cores = os.cpu_count() or 1
    workers = [cores] if script else sorted({1, cores})
    suites = list(itertools.product(engines, workers, precisions))
    subjects, rounds = None, options.repeats
    if options.quick:
        subjects, rounds, epochs, suites = 2, 1, (2,), suites[:1]
    flow_like.write(flow_like.draw(people=subjects), options.folder / "data")
    folds = subjects or sum(flow_like.SUBJECTS.values())
    work = f"LOSO, {folds} folds"
    ways: dict[str, Callable[[int, float, int], Run]] = {}
    if script is not None:
        title = {"plain_torch": "plain PyTorch", "plain_keras": "plain Keras"}[script]
        ways[title] = partial(run_plain, script, network, subjects)
        work += f" beside {title}, {network}"
    for engine, number, precision in suites:
        title = f"mer_keras, {engine}, {number} process{'es' if number > 1 else ''}"
        ways[with_precision(title, precision)] = partial(
            run_suite, options.folder, engine, number, network=network, precision=precision
        )
    runs = [
        {
            "way": title,
            "seed": seed,
            "epochs": count,
            **asdict(call_in_process(way, count, LEARNING_RATE, seed)),
        }
        for seed in range(rounds)
        for title, way in ways.items()
        for count in epochs
    ]
    return measurements_of(work, pd.DataFrame(runs), folds)


def run_plain(
    script: str, network: str, subjects: int | None, epochs: int, learning_rate: float, seed: int
) -> Run:
    """Run a plain script in this process; see ``run_suite``."""
    module = load_script(script)
    flow = flow_like.draw(people=subjects)
    # A script of one network knows no names.
    named = {} if network == "ststnet" else {"name": network}
    seconds, predicted = module.leave_one_out(
        flow,
        epochs=epochs,
        folds=len(flow.people()),
        learning_rate=learning_rate,
        seed=seed,
        **named,
    )
    return Run(seconds, flow_like.uf1(flow.labels, predicted), peak_memory())


def run_suite(
    folder: Path,
    engine: str,
    workers: int,
    epochs: int,
    learning_rate: float,
    seed: int,
    network: str = "ststnet",
    precision: Precision = EXACT,
    overrides: Sequence[str] = (),
) -> Run:
    """Run the clips and folds of STSTNet's experiment by the recipe of the plain scripts.

    The results folder is a new one.

    Args:
        folder: the results folder is made in it.
        engine: see ``config.training.Train``.
        workers: number of processes.
        epochs: of each fold.
        learning_rate: of Adam.
        seed: of the run.
        network: which one is trained.
        precision: format of numbers within it.
        overrides: further ones of the config.
    """
    # A row's own recipe goes before the one that the network's method brings.
    optimizer = {"name": "adam", "learning_rate": learning_rate, "momentum": 0.0}
    recipe = {
        "epochs": epochs,
        "batch_size": BATCH,
        "optimizer": optimizer,
        "engine": engine,
        "precision": precision,
    }
    row = {"name": "Network", "method": network, "train": recipe}
    return run_published(
        "ststnet/megc2019",
        folder,
        workers,
        [
            f"rows={json.dumps([row])}",
            f"seeds=[{seed}]",
            "baselines=[]",
            *overrides,
        ],
    )


def run_published(
    experiment: str, folder: Path, workers: int, overrides: Sequence[str] = ()
) -> Run:
    """Run an experiment of the package on the drawn images; see ``run_suite``."""
    import keras  # noqa: F401 - Its import is not timed.

    from mer_keras.config.files import find_config, load_config
    from mer_keras.report.view import read_view
    from mer_keras.runs.executors import Executor, SerialExecutor
    from mer_keras.runs.processes import ProcessExecutor
    from mer_keras.runs.run import run_experiment

    config = load_config(find_config(experiment)[0], overrides=overrides)
    # A run that is stored already would not be computed again.
    os.environ["MER_RESULTS"] = str(folder / "results" / str(time.monotonic_ns()))
    with family_memory() as peak_of:
        started = time.perf_counter()
        executor: Executor = ProcessExecutor(workers) if workers > 1 else SerialExecutor()
        run = run_experiment(config, profile="full", data="real", executor=executor)
        seconds = time.perf_counter() - started
        peak = peak_of(workers if workers > 1 else 0)
    tested = read_view(run.path).predictions
    scores = metrics.scores(list(tested["label"]), list(tested["predicted"]), flow_like.CLASSES)
    return Run(seconds, scores.uf1, peak)


def measurements_of(work: str, runs: pd.DataFrame, folds: int) -> list[Measurement]:
    """Summarise the runs of all ways.

    Seconds that don't depend on the epochs, and seconds an epoch, are those of the line through the
    smallest and the largest number of epochs, within each round.

    Args:
        work: what all ways did.
        runs: one row a run: ``way``, ``seed`` (one a round), ``epochs`` and the values of ``Run``.
            UF1 is that of the runs with most epochs, beside that of the first way.
        folds: of each run.
    """
    measurements: list[Measurement] = []
    few, many = runs["epochs"].min(), runs["epochs"].max()
    first_uf1: pd.Series | None = None
    for way, of_way in runs.groupby("way", sort=False):
        seconds = of_way.pivot(index="seed", columns="epochs", values="seconds")
        uf1 = of_way.loc[of_way["epochs"] == many, "uf1"]
        facts = _uf1_facts(uf1, first_uf1)
        first_uf1 = uf1 if first_uf1 is None else first_uf1
        series = {f"{count} epochs": seconds[count] for count in sorted({few, many})}
        if many > few:
            epoch = (seconds[many] - seconds[few]) / (many - few)
            setup = seconds[few] - few * epoch
            series |= {"set-up": setup, "an epoch": epoch}
            for count in _EXTRAPOLATED:
                series[f"{count} epochs, extrapolated"] = setup + count * epoch
        measurements += [
            Measurement(
                f"{work}, {name}",
                str(way),
                tuple(values.tolist()),
                folds,
                int(of_way["peak_mib"].max()),
                facts if name == f"{many} epochs" else {},
            )
            for name, values in series.items()
        ]
    return measurements


def _uf1_facts(uf1: pd.Series, first_uf1: pd.Series | None) -> dict[str, float | str]:
    """UF1 over the rounds, and where its median lies beside the range of the first way."""
    median = float(uf1.median())
    facts: dict[str, float | str] = {
        "UF1 median": median,
        "least": float(uf1.min()),
        "largest": float(uf1.max()),
    }
    if first_uf1 is not None:
        low, high = first_uf1.min(), first_uf1.max()
        side = "below" if median < low else "above" if median > high else "within"
        facts["beside the first way's"] = f"{side} {low:.3f} to {high:.3f}"
    return facts


def load_script(name: str) -> ModuleType:
    """Load a script of ``benchmarks/``.

    Raises:
        NotMeasuredError: it is not there, since only a checkout has it.
    """
    file = _SCRIPTS / f"{name}.py"
    if not file.is_file():
        raise NotMeasuredError(f"benchmarks/{file.name} is not there: it comes with a checkout")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None  # noqa: S101 - The script is a file.
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
