"""Every row over every fold; an interrupted run goes on where it stopped."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from mer_keras import settings
from mer_keras.config.experiment import Experiment
from mer_keras.progress import Progress
from mer_keras.runs.context import compose
from mer_keras.runs.executors import Executor, OpenRun, SerialExecutor
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.manifest import make_manifest


def run_experiment(
    config: Experiment,
    *,
    profile: str,
    data: str = "auto",
    weights: Path | None = None,
    initial: Path | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> RunFolder:
    """Run every row and baseline over every fold; go on where an earlier call stopped.

    A fold that fails is recorded and the others go on.

    Args:
        config: the experiment, its profile applied.
        profile: the profile's name, for the record.
        data: see ``samples.load_samples``.
        weights: weights to evaluate instead of training: a file, or a folder with one file a
            fold (see ``models.weights``).
        initial: weights that pretraining starts from, such as ImageNet's (see ``pretrain``).
        executor: who computes; this process if left out.
        progress: told what is being done.

    Raises:
        UserError: data, weights or the run folder can't be used.
    """
    (folder,) = run_experiments(
        [config],
        profile=profile,
        data=data,
        weights=weights,
        initial=initial,
        executor=executor,
        progress=progress,
    )
    return folder


def run_experiments(
    configs: Sequence[Experiment],
    *,
    profile: str,
    data: str = "auto",
    weights: Path | None = None,
    initial: Path | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> list[RunFolder]:
    """Run several experiments at the same time (see ``run_experiment``); return their folders.

    All are composed first. Where the executor computes one run after the other, call
    ``run_experiment`` for each instead, which holds one experiment's clips in memory at a time.
    """
    executor = executor or SerialExecutor()
    runs: dict[str, OpenRun] = {}
    with contextlib.ExitStack() as stack:
        for config in configs:
            context = compose(
                config, profile, data, weights=weights, initial=initial, progress=progress
            )
            if context.run_id in runs:
                continue
            folder = RunFolder(settings.results_root() / context.run_id)
            stack.enter_context(folder.writer())
            folder.open(make_manifest(context), context.folds)
            runs[context.run_id] = context, folder
        executor.execute(list(runs.values()), progress)
    return [folder for _, folder in runs.values()]
