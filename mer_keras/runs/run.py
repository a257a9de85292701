"""Every own row and baseline over every fold; an interrupted run goes on where it stopped."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mer_keras import settings
from mer_keras.config.experiment import Experiment
from mer_keras.errors import ConfigError
from mer_keras.progress import EpochProgress, Progress
from mer_keras.runs.folder import RunFolder, Unit, units_of
from mer_keras.runs.manifest import make_manifest
from mer_keras.runs.prepare import Prepared, prepare
from mer_keras.runs.pretrain import Trunk, pretrain
from mer_keras.runs.processes import one_each, share_out, take_gpu
from mer_keras.runs.tasks import rows_of


def run_experiment(
    config: Experiment,
    *,
    profile: str,
    data: str = "auto",
    weights: Path | None = None,
    initial: Path | None = None,
    workers: int = 1,
    isolate: bool = False,
    progress: Progress | None = None,
) -> RunFolder:
    """Run every own row and baseline over every fold; go on where an earlier call stopped.

    A fold that fails is recorded and the others go on.

    Args:
        config: the experiment, its profile applied.
        profile: the profile's name, for the record.
        data: see ``load_samples``.
        weights: weights to evaluate instead of training: a file, or a folder with one file a
            fold (see ``models.weights``).
        initial: weights that pretraining starts from, such as ImageNet's (see ``pretrain``).
        workers: processes that share the folds and the cores. Small networks gain from one
            process a core. Results differ from those of one process by rounding only.
        isolate: give each fold a process of its own, so that one that dies ends alone; that costs
            some seconds a fold.
        progress: told what is being done.

    Raises:
        UserError: data, weights or the run folder can't be used.
    """
    ready = make_ready(config, profile, data, weights, initial, progress)
    folder, prepared, trunks = ready.folder, ready.prepared, ready.trunks
    with folder.writer():
        folder.open(ready.manifest, prepared.folds)
        job = (config, data, weights, trunks, folder.path, isolate)
        rows = list(units_of(ready.manifest, prepared.folds).values())
        count = partial(_count_done, folder, [unit for of_row in rows for unit in of_row])
        if isolate:
            shares = len(rows[0])
            buried = partial(_bury, folder, rows)
            one_each(workers, _run_in_worker, job, shares, buried, count, progress)
        elif workers > 1:
            share_out(workers, _run_in_worker, job, count, progress)
        else:
            run_share(folder, config, prepared, weights, trunks, progress=progress)
    return folder


@dataclass(frozen=True)
class Ready:
    """What a run needs before its first fold: data, trunks, what identifies it."""

    config: Experiment
    prepared: Prepared
    weights: Path | None
    trunks: dict[str, Trunk]
    manifest: dict[str, Any]

    @property
    def folder(self) -> RunFolder:
        """The run's folder, not yet opened."""
        return RunFolder(settings.results_root() / self.manifest["run_id"])


def make_ready(
    config: Experiment,
    profile: str,
    data: str = "auto",
    weights: Path | None = None,
    initial: Path | None = None,
    progress: Progress | None = None,
) -> Ready:
    """Load the data of a run, pretrain where it has stages, and say what identifies it.

    Args:
        config: the experiment, its profile applied.
        profile: see ``run_experiment``.
        data: see ``load_samples``.
        weights: see ``run_experiment``.
        initial: see ``run_experiment``.
        progress: told what is being done.

    Raises:
        UserError: data or weights can't be used.
    """
    if initial and not config.stages:
        raise ConfigError(
            f"{config.name} has no stage of pretraining that could start from weights"
        )
    prepared = prepare(config, data, progress)
    trunks = {} if weights else pretrain(config, prepared, initial, progress)
    manifest = make_manifest(config, profile, prepared, weights, stage_records(trunks))
    return Ready(config, prepared, weights, trunks, manifest)


def stage_records(trunks: dict[str, Trunk]) -> tuple[dict[str, Any], ...]:
    """What the rows start from, a record a trunk, for the manifest."""
    return tuple({trunk.record["digest"]: trunk.record for trunk in trunks.values()}.values())


def run_share(
    folder: RunFolder,
    config: Experiment,
    prepared: Prepared,
    weights: Path | None = None,
    trunks: dict[str, Trunk] | None = None,
    *,
    alone: bool = False,
    share: tuple[int, int] = (0, 1),
    progress: Progress | None = None,
) -> None:
    """Run the pending pieces of an open run folder, or every ``n``-th of them from ``i``.

    A piece of which a fold is missing is computed whole, and what is missing is stored.

    Args:
        folder: opened for writing.
        config: the experiment.
        prepared: its data and folds.
        weights: see ``run_experiment``.
        trunks: what rows start from (see ``pretrain``).
        alone: each fold by itself (see ``pieces.RowWork``).
        share: ``(i, n)``.
        progress: told what is being done.
    """
    index, count = share
    rows = rows_of(folder.manifest(), config, prepared, weights, trunks, alone=alone)
    unfinished = [row for row in rows if not all(map(folder.is_done, row.units))]
    work = [(row, piece) for row in unfinished for piece in row.pieces()[index::count]]
    total, done = sum(len(piece) for _, piece in work), 0
    for row, piece in work:
        pending = [unit for unit in piece if not folder.is_done(unit)]
        if pending:
            tell = _epoch_progress(progress, row.name, done, len(piece), total)
            for computed in row.compute(piece, tell):
                if computed.unit in pending:
                    computed.store(folder)
        done += len(piece)
    if progress:
        progress("done", total, total)


def _run_in_worker(
    config: Experiment,
    data: str,
    weights: Path | None,
    trunks: dict[str, Trunk],
    path: Path,
    alone: bool,
    share: tuple[int, int],
) -> None:
    take_gpu(share[0])
    prepared = prepare(config, data)
    run_share(RunFolder(path), config, prepared, weights, trunks, alone=alone, share=share)


def _bury(folder: RunFolder, rows: list[list[Unit]], share: int, how: str) -> None:
    """Record what a dead process left undone: that fold of every row."""
    for of_row in rows:
        if not folder.is_done(of_row[share]):
            folder.fail(
                of_row[share], f"{how}; signal 9 is what the system sends when memory runs out"
            )


def _count_done(folder: RunFolder, units: list[Unit]) -> tuple[int, int]:
    return folder.count_done(units), len(units)


def _epoch_progress(
    progress: Progress | None, row: str, done: int, folds: int, total: int
) -> EpochProgress:
    def tell(epoch: int, epochs: int) -> None:
        if progress:
            progress(row, done + folds * epoch / epochs, total)

    tell(0, 1)
    return tell
