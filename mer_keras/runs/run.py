"""Every row over every fold; an interrupted run goes on where it stopped."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, Required, TypedDict, Unpack

from mer_keras import settings
from mer_keras.config.experiment import Experiment
from mer_keras.progress import Progress
from mer_keras.runs.context import compose
from mer_keras.runs.executors import Executor, OpenRun, SerialExecutor
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.manifest import make_manifest


class Watcher(Protocol):
    """Is told of runs while they are made."""

    def begin(self, config: Experiment) -> Progress | None:
        """Data of a run are about to be read; return what is told of its progress."""

    def opened(self, run: OpenRun) -> None:
        """All that a run reads is known, and its folder is open."""


class RunOptions(TypedDict, total=False):
    """How experiments are run.

    ``profile``: its name, for the record. ``data``: see ``samples.load_samples``. ``weights``:
    weights to evaluate instead of training: a file, or a folder with one file a fold (see
    ``models.weights``). ``initial``: weights that pretraining starts from, such as ImageNet's (see
    ``pretrain``). ``try_networks``: whether every network is built before clips are read, so that
    one that can't read them is refused; by default not. ``keep_learned``: whether what each fold
    learned is stored, also of folds that are done without. ``progress``: told what is being done.
    ``watcher``: told of runs as they begin; its progress then stands for ``progress``.
    """

    profile: Required[str]
    data: str
    weights: Path | None
    initial: Path | None
    try_networks: bool
    keep_learned: bool
    progress: Progress | None
    watcher: Watcher | None


def run_experiment(
    config: Experiment, *, executor: Executor | None = None, **options: Unpack[RunOptions]
) -> RunFolder:
    """Run every row and baseline over every fold; go on where an earlier call stopped.

    A fold that fails is recorded and the others go on.

    Args:
        config: the experiment, its profile applied.
        executor: what computes the tasks; by default this process.
        options: see ``RunOptions``.

    Raises:
        UserError: data, weights or the run folder can't be used.
    """
    (folder,) = run_experiments([config], executor=executor, **options)
    return folder


def run_experiments(
    configs: Sequence[Experiment],
    *,
    executor: Executor | None = None,
    **options: Unpack[RunOptions],
) -> list[RunFolder]:
    """Run several experiments at the same time (see ``run_experiment``); return their folders.

    All are composed first. Where the executor computes one run after the other, call
    ``run_experiment`` for each instead, which holds one experiment's clips in memory at a time.
    """
    executor = executor or SerialExecutor()
    watcher, progress = options.get("watcher"), options.get("progress")
    runs: dict[str, OpenRun] = {}
    with contextlib.ExitStack() as stack:
        for config in configs:
            if watcher:
                progress = watcher.begin(config)
            context = compose(
                config,
                options["profile"],
                options.get("data", "auto"),
                weights=options.get("weights"),
                initial=options.get("initial"),
                try_networks=options.get("try_networks", False),
                progress=progress,
            )
            context = replace(context, keep_learned=options.get("keep_learned", False))
            if context.run_id in runs:
                continue
            folder = RunFolder(settings.results_root() / context.run_id)
            stack.enter_context(folder.writer())
            folder.open(make_manifest(context), context.folds)
            runs[context.run_id] = OpenRun(context, folder, progress)
            if watcher:
                watcher.opened(runs[context.run_id])
        executor.execute(list(runs.values()))
    return [run.folder for run in runs.values()]
