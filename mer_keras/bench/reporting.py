"""Duration of writing a report, by the number of folds: random predictions of STSTNet's table."""

import os
from collections.abc import Sequence

import numpy as np

from mer_keras.bench import flow_like
from mer_keras.bench.case import CaseOptions
from mer_keras.bench.measure import Measurement, Timing, time_sizes, timed
from mer_keras.config.files import find_config, load_config
from mer_keras.report.document import write_report
from mer_keras.report.view import read_view
from mer_keras.runs.executors import OpenRun
from mer_keras.runs.tasks import all_units
from mer_keras.training.fold import FoldOutcome

#: Up to one fold for each subject of the synthetic flow set.
FOLDS, QUICK_FOLDS = (8, 17, 34, 68), (4, 8)
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
    from mer_keras.runs.run import run_experiment  # It imports Keras.

    config = load_config(find_config("ststnet/megc2019")[0])

    def write_reports(folds: int) -> Timing:
        data = options.folder / f"data-{folds}"
        flow_like.write(flow_like.draw(people=folds), data)
        os.environ["MER_DATA"] = str(data)
        run = run_experiment(config, profile="full", data="real", executor=RandomExecutor())

        def write() -> None:
            write_report([(config, [read_view(run.path)])], options.folder / "report")

        write()  # The first report imports modules and fonts, which isn't timed.
        return timed(write, 1 if options.quick else 5), None

    folds = QUICK_FOLDS if options.quick else FOLDS
    return time_sizes("report", "mer_keras", "folds", folds, write_reports)
