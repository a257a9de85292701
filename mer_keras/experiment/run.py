"""Every own row and baseline over every fold; an interrupted run goes on where it stopped."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mer_keras import settings
from mer_keras.config import Experiment
from mer_keras.errors import ConfigError
from mer_keras.experiment.manifest import fold_seed, make_manifest
from mer_keras.experiment.prepare import Prepared, copies_to_test, fold_data, prepare
from mer_keras.experiment.pretrain import Trunk, pretrain
from mer_keras.models import baselines, registry
from mer_keras.models.weights import fold_weights, load_weights
from mer_keras.processes import Progress, one_each, share_out
from mer_keras.protocols.folds import Fold
from mer_keras.results import RunFolder, Unit, units_of
from mer_keras.terms import Selection
from mer_keras.training import FoldData, FoldFailedError, FoldOutcome, Trainer

#: computes one fold: (fold, its arrays, its seed, told about epochs) -> outcome
Predict = Callable[[Fold, FoldData, int, Callable[[int, int], None]], FoldOutcome]


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
    if initial and not config.stages:
        raise ConfigError(
            f"{config.name} has no stage of pretraining that could start from weights"
        )
    prepared = prepare(config, data, progress)
    trunks = {} if weights else pretrain(config, prepared, initial, progress)
    manifest = make_manifest(config, profile, prepared, weights, stage_records(trunks))
    folder = RunFolder(settings.results_root() / manifest["run_id"])
    with folder.writer():
        folder.open(manifest, prepared.folds)
        job = (config, data, weights, trunks, folder.path)
        rows = list(units_of(manifest, prepared.folds).values())
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
    share: tuple[int, int] = (0, 1),
    progress: Progress | None = None,
) -> None:
    """Run the pending units of an open run folder, or every ``n``-th of them from ``i``.

    Args:
        folder: opened for writing.
        config: the experiment.
        prepared: its data and folds.
        weights: see ``run_experiment``.
        trunks: what rows start from (see ``pretrain``).
        share: ``(i, n)``.
        progress: told what is being done.
    """
    manifest = folder.manifest()
    fold_of = {fold.name: fold for fold in prepared.folds.folds}
    units = units_of(manifest, prepared.folds)
    total, done = sum(len(of_row) for of_row in units.values()), 0
    index, count = share
    for entry in manifest["rows"]:
        mine = units[entry["key"]][index::count]
        pending = [unit for unit in mine if not folder.is_done(unit)]
        done += len(mine) - len(pending)
        predict = _predictor(entry, config, prepared, weights, trunks or {}) if pending else None
        for unit in pending:
            assert predict is not None  # noqa: S101 - made just above
            tell = _epoch_progress(progress, entry["name"], done, total)
            _run_unit(folder, manifest, unit, fold_of[unit.fold], predict, entry, prepared, tell)
            done += 1
    if progress:
        progress("done", total, total)


def _run_in_worker(
    config: Experiment,
    data: str,
    weights: Path | None,
    trunks: dict[str, Trunk],
    path: Path,
    share: tuple[int, int],
) -> None:
    run_share(RunFolder(path), config, prepare(config, data), weights, trunks, share=share)


def _bury(folder: RunFolder, rows: list[list[Unit]], share: int, how: str) -> None:
    """Record what a dead process left undone: that fold of every row."""
    for of_row in rows:
        if not folder.is_done(of_row[share]):
            folder.fail(
                of_row[share], f"{how}; signal 9 is what the system sends when memory runs out"
            )


def _count_done(folder: RunFolder, units: list[Unit]) -> tuple[int, int]:
    return folder.count_done(units), len(units)


def _predictor(
    entry: dict[str, Any],
    config: Experiment,
    prepared: Prepared,
    weights: Path | None,
    trunks: dict[str, Trunk],
) -> Predict:
    if entry["kind"] == "baseline":
        return partial(_predict_baseline, entry["model"], len(prepared.classes))
    trainer = make_trainer(config, entry["name"], prepared, trunks.get(entry["name"]))
    if weights:
        return partial(_predict_given, trainer, weights)
    return partial(_predict_trained, trainer, config.selection)


def make_trainer(
    config: Experiment, name: str, prepared: Prepared, trunk: Trunk | None = None
) -> Trainer:
    """Return what trains the network of the row ``name``, from a trunk if one is given."""
    row = next(row for row in config.rows if row.name == name)
    shape, classes = prepared.clips.arrays.shape[1:], len(prepared.classes)
    build = partial(registry.build, str(row.model), shape, classes, **row.arguments)
    start = trunk.starter(prepared.classes) if trunk else None
    return Trainer(build, config.train, start)


def _predict_baseline(
    name: str,
    classes: int,
    fold: Fold,
    data: FoldData,
    seed: int,
    on_epoch: Callable[[int, int], None],
) -> FoldOutcome:
    original = ~data.is_copy
    probabilities = baselines.predict(
        name, data.x_train[original], data.y_train[original], data.x_test, classes, seed
    )
    return FoldOutcome(probabilities, epoch=0)


def _predict_trained(
    trainer: Trainer,
    selection: Selection,
    fold: Fold,
    data: FoldData,
    seed: int,
    on_epoch: Callable[[int, int], None],
) -> FoldOutcome:
    return trainer.fit_predict(data, selection, seed, on_epoch)


def _predict_given(
    trainer: Trainer,
    weights: Path,
    fold: Fold,
    data: FoldData,
    seed: int,
    on_epoch: Callable[[int, int], None],
) -> FoldOutcome:
    load_weights(trainer.network, fold_weights(weights, fold.name))
    trainer.standardise_by(data)
    return FoldOutcome(
        trainer.predict(data.x_test), epoch=0, parameters=trainer.network.count_params()
    )


def _run_unit(
    folder: RunFolder,
    manifest: dict[str, Any],
    unit: Unit,
    fold: Fold,
    predict: Predict,
    entry: dict[str, Any],
    prepared: Prepared,
    tell: Callable[[int, int], None],
) -> None:
    seed = fold_seed(unit.seed, unit.fold)
    copies = None
    if manifest["config"].get("evaluate_augmented") and entry["kind"] == "network":
        copies = copies_to_test(prepared, fold, unit.seed)
    data = _arrays_of(manifest, entry, unit, fold, prepared, copies)
    try:
        outcome = predict(fold, data, seed, tell)
    except FoldFailedError as error:
        folder.fail(unit, str(error))
        return
    table = _prediction_table(manifest, entry, unit, fold, prepared, outcome, copies or [])
    folder.store(
        unit,
        table,
        {
            "seconds": outcome.seconds,
            "epoch": outcome.epoch,
            "parameters": outcome.parameters,
            "multiply_accumulates": outcome.multiply_accumulates,
            "history": outcome.history,
        },
    )


def predict_unit(
    manifest: dict[str, Any],
    unit: Unit,
    entry: dict[str, Any],
    config: Experiment,
    prepared: Prepared,
    trunks: dict[str, Trunk],
) -> FoldOutcome:
    """Compute one unit as a run does, and store nothing.

    Args:
        manifest: of the run.
        unit: which.
        entry: of its row in the manifest.
        config: the experiment.
        prepared: its data and folds.
        trunks: what rows start from.
    """
    fold = next(fold for fold in prepared.folds.folds if fold.name == unit.fold)
    predict = _predictor(entry, config, prepared, None, trunks)
    data = _arrays_of(manifest, entry, unit, fold, prepared, None)
    return predict(fold, data, fold_seed(unit.seed, unit.fold), lambda epoch, epochs: None)


def _arrays_of(
    manifest: dict[str, Any],
    entry: dict[str, Any],
    unit: Unit,
    fold: Fold,
    prepared: Prepared,
    copies: list[str] | None,
) -> FoldData:
    seed = fold_seed(unit.seed, unit.fold)
    balance = manifest["config"]["train"]["balance"]
    moved = prepared.motion if entry["model"] == "flow_svm" else None
    return fold_data(prepared, fold, balance, seed, clips=moved, copies=copies)


def _prediction_table(
    manifest: dict[str, Any],
    entry: dict[str, Any],
    unit: Unit,
    fold: Fold,
    prepared: Prepared,
    outcome: FoldOutcome,
    copies: list[str],
) -> pd.DataFrame:
    classes = prepared.classes
    tested = [*fold.test, *copies]
    samples = prepared.samples.table.set_index("sample_id").loc[tested]
    probabilities = outcome.probabilities
    if outcome.copies is not None:
        probabilities = np.concatenate([probabilities, outcome.copies])
    chosen = probabilities.argmax(axis=1)
    table = pd.DataFrame(
        {
            "run_id": manifest["run_id"],
            "experiment": manifest["experiment"],
            "table": manifest["config"]["table"],
            "row": entry["key"],
            "model": entry["model"],
            "protocol": manifest["protocol"],
            "selection": entry["selection"],
            "data_kind": manifest["data_kind"],
            "database": samples["database"].to_numpy(),
            "fold": fold.name,
            "seed": unit.seed,
            "sample_id": tested,
            "subject_id": samples["subject_id"].to_numpy(),
            "label": samples["label"].to_numpy(),
            "predicted": [classes[i] for i in chosen],
            "epoch": outcome.epoch,
            "is_copy": [False] * len(fold.test) + [True] * len(copies),
        }
    )
    for i, name in enumerate(classes):
        table[f"prob_{name}"] = probabilities[:, i]
    return table


def _epoch_progress(
    progress: Progress | None, row: str, done: int, total: int
) -> Callable[[int, int], None]:
    def tell(epoch: int, epochs: int) -> None:
        if progress:
            progress(row, done + epoch / epochs, total)

    tell(0, 1)
    return tell
