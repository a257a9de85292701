"""Duration of writing a report, by the number of folds: random predictions of STSTNet's table."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mer_keras.bench import flow_like
from mer_keras.bench.case import CaseOptions
from mer_keras.bench.isolation import call_in_process
from mer_keras.bench.measure import Measurement, Timing, time_sizes, timed
from mer_keras.bench.memory import peak_memory
from mer_keras.config.experiment import Experiment
from mer_keras.config.files import find_config, load_config
from mer_keras.report.document import write_report
from mer_keras.report.view import read_view
from mer_keras.runs.executors import OpenRun
from mer_keras.runs.tasks import all_units
from mer_keras.training.fold import FoldOutcome

#: Up to one fold for each subject of the synthetic flow set.
FOLDS, QUICK_FOLDS = (8, 17, 34, 68), (4, 8)
#: Beyond that set: several drawn ones side by side, whose people are others.
MANY_FOLDS, QUICK_MANY_FOLDS = (68, 250, 1000), (34, 100)
#: Length of the stored learning curves, as in the paper.
_EPOCHS = 800
#: Share of the clips whose class is predicted correctly.
_ACCURACY = 0.7


class RandomExecutor:
    """Stores random predictions of every unit in place of computing them."""

    def execute(self, runs: Sequence[OpenRun]) -> None:
        """See ``runs.executors.Executor.execute``."""
        rng = np.random.default_rng(0)
        curve = np.geomspace(1.1, 0.2, _EPOCHS).round(5).tolist()
        history = {"loss": curve, "accuracy": curve[::-1]}
        for run in runs:
            context = run.context
            for unit in all_units(context):
                labels = context.labels[context.fold_rows(unit.fold).test]
                predicted = np.where(rng.random(len(labels)) < _ACCURACY, labels, 0)
                outcome = FoldOutcome(
                    probabilities=np.eye(len(context.classes), dtype="float32")[predicted],
                    epoch=_EPOCHS,
                    history={} if unit.row.startswith("baseline") else history,
                    seconds=1.0,
                    parameters=1715,
                    multiply_accumulates=480_000,
                )
                run.store([unit], (unit,), [outcome])


def report(options: CaseOptions) -> list[Measurement]:
    """Read a stored run and write its report, over several numbers of folds."""

    def write_reports(folds: int) -> Timing:
        run = _store_run(options.folder / f"data-{folds}", folds)
        seconds, _ = _time_report(run, options.folder / "report", 1 if options.quick else 5)
        return seconds, None

    folds = QUICK_FOLDS if options.quick else FOLDS
    return time_sizes("report", "mer_keras", "folds", folds, write_reports)


def report_many(options: CaseOptions) -> list[Measurement]:
    """Write reports of runs of more and more people, each in a process without Keras."""

    def write_reports(folds: int) -> Timing:
        run = call_in_process(_store_run, options.folder / f"data-{folds}", folds)
        return call_in_process(_time_report, run, options.folder / "report", 1)

    folds = QUICK_MANY_FOLDS if options.quick else MANY_FOLDS
    return time_sizes("report of many people", "mer_keras", "folds", folds, write_reports)


def _config() -> Experiment:
    return load_config(find_config("ststnet/megc2019")[0])


def _store_run(data: Path, people: int) -> Path:
    """Draw a set of so many people, and store random predictions of every fold; return the run."""
    from mer_keras.runs.run import run_experiment  # It imports Keras.

    flow_like.write(flow_like.draw_crowd(people), data)
    os.environ["MER_DATA"] = str(data)
    executor = RandomExecutor()
    return run_experiment(_config(), profile="full", data="real", executor=executor).path


def _time_report(run: Path, folder: Path, repeats: int) -> Timing:
    """Read a stored run and write its report; return its seconds and the peak memory in MiB."""

    def write() -> None:
        write_report([(_config(), [read_view(run)])], folder)

    write()  # The first report imports modules and fonts, which isn't timed.
    return timed(write, repeats), peak_memory()
