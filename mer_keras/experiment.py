"""Config -> run: the composition root. Loads, divides, trains and stores; computes no metric."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mer_keras import provenance, settings
from mer_keras.annotations import databases
from mer_keras.annotations.label_schemes import get_scheme
from mer_keras.annotations.labels import LabelScheme, apply_scheme
from mer_keras.annotations.samples import Samples
from mer_keras.annotations.synthetic import stand_ins
from mer_keras.clips.assemble import ClipArrays, load_clips
from mer_keras.config import Experiment
from mer_keras.errors import ConfigError, InvariantError
from mer_keras.models import baselines, registry
from mer_keras.models.weights import fold_weights, load_weights, weights_digest
from mer_keras.pipeline.balance import oversample
from mer_keras.processes import Progress, share_out
from mer_keras.protocols.build import build_folds
from mer_keras.protocols.folds import Fold, FoldSet
from mer_keras.results import RunFolder, Unit, slug, units_of
from mer_keras.terms import DataKind, Selection
from mer_keras.training import FoldData, FoldFailedError, FoldOutcome, Trainer

#: computes one fold: (fold, its arrays, its seed, told about epochs) -> outcome
Predict = Callable[[Fold, FoldData, int, Callable[[int, int], None]], FoldOutcome]


@dataclass(frozen=True)
class Prepared:
    """Everything a run reads, loaded and divided."""

    samples: Samples
    scheme: LabelScheme
    clips: ClipArrays
    folds: FoldSet

    def class_numbers(self) -> dict[str, int]:
        """Class number by sample id."""
        number = {name: i for i, name in enumerate(self.scheme.classes)}
        table = self.samples.table
        return {
            i: number[label] for i, label in zip(table["sample_id"], table["label"], strict=True)
        }


def load_samples(config: Experiment, data: str, progress: Progress | None = None) -> Samples:
    """Find the config's database and return its labelled samples.

    Args:
        config: the experiment.
        data: ``real``, ``synthetic``, or ``auto``: real where the database is present, else
            synthetic where this package can write one.
        progress: told while synthetic clips are written.

    Raises:
        DatabaseNotFoundError: the database is absent and nothing stands in for it.
        ConfigError: ``data`` and the config contradict each other.
    """
    name = config.data.database
    writable = name in stand_ins.LAYOUTS
    if data == "auto":
        data = "real" if databases.find(name) is not None or not writable else "synthetic"
    if data == "synthetic":
        if not writable:
            raise ConfigError(f"there is no synthetic {name}: it is public, use real data")
        report = partial(progress, f"synthetic {name}: writing clips") if progress else None
        film = stand_ins.Film(signal=config.data.signal)
        samples = _read(config, stand_ins.ensure(name, film, report))
    else:
        samples = _read(config)
        if not config.data.signal and samples.data_kind is not DataKind.SYNTHETIC:
            raise ConfigError("data.signal=off is for synthetic data: add --data synthetic")
    return apply_scheme(samples, get_scheme(config.data.labels))


def _read(config: Experiment, root: Path | None = None) -> Samples:
    data = config.data
    return databases.load(
        data.database,
        root,
        tree=data.tree,
        corrections=data.corrections,
        policies=data.policies,
    )


def prepare(config: Experiment, data: str, progress: Progress | None = None) -> Prepared:
    """Load samples, cut their clips and divide them."""
    samples = load_samples(config, data, progress)
    report = partial(progress, "clips") if progress else None
    clips = load_clips(samples, config.data.clip, config.data.policies, progress=report)
    kept = samples.table[samples.table["sample_id"].isin(clips.sample_ids)].reset_index(drop=True)
    samples = replace(
        samples,
        table=kept,
        excluded=samples.excluded + clips.excluded,
        warnings=samples.warnings + clips.warnings,
    )
    folds = build_folds(
        samples.table,
        config.protocol,
        config.selection,
        inner_fraction=config.train.inner_fraction,
    )
    return Prepared(samples, get_scheme(config.data.labels), clips, folds)


def run_experiment(
    config: Experiment,
    *,
    profile: str,
    data: str = "auto",
    weights: Path | None = None,
    workers: int = 1,
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
        workers: processes that share the folds and the cores. Small networks gain from one
            process a core. Results differ from those of one process by rounding only.
        progress: told what is being done.

    Raises:
        UserError: data, weights or the run folder can't be used.
    """
    prepared = prepare(config, data, progress)
    manifest = make_manifest(config, profile, prepared, weights)
    folder = RunFolder(settings.results_root() / manifest["run_id"])
    with folder.writer():
        folder.open(manifest, prepared.folds)
        if workers > 1:
            job = (config, data, weights, folder.path)
            units = [u for row in units_of(manifest, prepared.folds).values() for u in row]
            share_out(workers, _run_in_worker, job, lambda: _count_done(folder, units), progress)
        else:
            run_share(folder, config, prepared, weights, progress=progress)
    return folder


def run_share(
    folder: RunFolder,
    config: Experiment,
    prepared: Prepared,
    weights: Path | None = None,
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
        predict = _predictor(entry, config, prepared, weights) if pending else None
        for unit in pending:
            assert predict is not None  # noqa: S101 - made just above
            tell = _epoch_progress(progress, entry["name"], done, total)
            _run_unit(folder, manifest, unit, fold_of[unit.fold], predict, entry, prepared, tell)
            done += 1
    if progress:
        progress("done", total, total)


def _run_in_worker(
    config: Experiment, data: str, weights: Path | None, path: Path, share: tuple[int, int]
) -> None:
    run_share(RunFolder(path), config, prepare(config, data), weights, share=share)


def _count_done(folder: RunFolder, units: list[Unit]) -> tuple[int, int]:
    return sum(folder.is_done(unit) for unit in units), len(units)


def fold_seed(seed: int, fold: str) -> int:
    """Seed of one fold, from the run's seed and the fold's name alone: any fold can be rerun."""
    digest = hashlib.blake2b(f"{seed}/{fold}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


def make_manifest(
    config: Experiment, profile: str, prepared: Prepared, weights: Path | None = None
) -> dict[str, Any]:
    """Return what identifies and describes a run; ``run_id`` derives from ``identity``."""
    samples, clips = prepared.samples, prepared.clips
    selection = Selection.EXTERNAL if weights else config.selection
    identity = {
        "config": config.digest(),
        "profile": profile,
        "samples": samples.digest(),
        "clips": hashlib.blake2b(clips.arrays.tobytes(), digest_size=16).hexdigest(),
        "folds": prepared.folds.digest(),
        "weights": weights_digest(weights) if weights else "",
    }
    text = json.dumps(identity, sort_keys=True)
    short = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
    kind = samples.data_kind
    excluded = [{"clip": item.clip, "reason": item.reason} for item in samples.excluded]
    return {
        "run_id": f"{slug(config.name)}-{profile}-{kind}-{short}",
        "identity": identity,
        "experiment": config.name,
        "config": config.model_dump(mode="json"),
        "config_digest": identity["config"],
        "samples_digest": identity["samples"],
        "folds_digest": identity["folds"],
        "profile": profile,
        "data_kind": str(kind),
        "protocol": protocol_name(config),
        "selection": str(selection),
        "n_samples": len(samples.table),
        "n_subjects": int(samples.table["subject_id"].nunique()),
        "classes": list(prepared.scheme.classes),
        "class_counts": samples.class_counts(),
        "excluded": excluded,
        "warnings": [*samples.warnings, *prepared.folds.notes],
        "editions": list(samples.editions),
        "rows": _row_entries(config, str(selection)),
        **provenance.describe(),
    }


def protocol_name(config: Experiment) -> str:
    """The protocol in words, such as ``subject-exclusive stratified 5-fold``."""
    if config.protocol.name == "loso":
        return "leave-one-subject-out"
    return f"subject-exclusive stratified {config.protocol.k}-fold"


def describe_plan(config: Experiment, data: str) -> dict[str, Any]:
    """Return what a run would do, JSON-ready: folds with class counts, and training steps."""
    prepared = prepare(config, data)
    table = prepared.samples.table
    label_of = dict(zip(table["sample_id"], table["label"], strict=True))

    def counts(ids: Sequence[str]) -> dict[str, int]:
        labels = [label_of[i] for i in ids]
        return {name: labels.count(name) for name in prepared.scheme.classes}

    folds, steps = [], 0
    own = sum(not row.quoted for row in config.rows)
    for fold in prepared.folds.folds:
        classes = counts(fold.train)
        size = len(fold.train)
        if config.train.balance == "oversample":
            size = max(classes.values()) * sum(count > 0 for count in classes.values())
        steps += -(-size // config.train.batch_size) * config.train.epochs
        folds.append(
            {
                "train": len(fold.train),
                "val": len(fold.val),
                "test": len(fold.test),
                "fitted": size,
                "train_classes": classes,
                "test_classes": counts(fold.test),
            }
        )
    return {
        "experiment": config.name,
        "data_kind": str(prepared.samples.data_kind),
        "protocol": protocol_name(config),
        "selection": str(config.selection),
        "n_samples": len(table),
        "n_subjects": int(table["subject_id"].nunique()),
        "folds_digest": prepared.folds.digest(),
        "folds": folds,
        "steps": steps * own * len(config.seeds),
        "notes": list(prepared.folds.notes),
    }


def _row_entries(config: Experiment, selection: str) -> list[dict[str, Any]]:
    own = [
        {
            "key": slug(row.name),
            "name": row.name,
            "model": row.model,
            "kind": "network",
            "selection": selection,
        }
        for row in config.rows
        if not row.quoted
    ]
    beside = [
        {
            "key": slug(f"baseline {name}"),
            "name": baselines.TITLES[name],
            "model": name,
            "kind": "baseline",
            # a baseline chooses nothing: it has no epochs
            "selection": str(Selection.LAST_EPOCH),
        }
        for name in config.baselines
    ]
    return own + beside


def _predictor(
    entry: dict[str, Any], config: Experiment, prepared: Prepared, weights: Path | None
) -> Predict:
    if entry["kind"] == "baseline":
        return partial(_predict_baseline, entry["model"], len(prepared.scheme.classes))
    trainer = make_trainer(config, entry["name"], prepared)
    if weights:
        return partial(_predict_given, trainer, weights)
    return partial(_predict_trained, trainer, config.selection)


def make_trainer(config: Experiment, name: str, prepared: Prepared) -> Trainer:
    """Return what trains the network of the row ``name``."""
    row = next(row for row in config.rows if row.name == name)
    shape, classes = prepared.clips.arrays.shape[1:], len(prepared.scheme.classes)
    build = partial(registry.build, str(row.model), shape, classes, **row.arguments)
    return Trainer(build, config.train)


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
    balance = manifest["config"]["train"]["balance"]
    data = fold_data(prepared, fold, balance, seed)
    try:
        outcome = predict(fold, data, seed, tell)
    except FoldFailedError as error:
        folder.fail(unit, str(error))
        return
    table = _prediction_table(manifest, entry, unit, fold, prepared, outcome)
    folder.store(
        unit,
        table,
        {
            "seconds": outcome.seconds,
            "epoch": outcome.epoch,
            "parameters": outcome.parameters,
            "history": outcome.history,
        },
    )


def fold_data(prepared: Prepared, fold: Fold, balance: str, seed: int) -> FoldData:
    """Gather one fold's arrays by ``sample_id``; only training ids are copied.

    Raises:
        InvariantError: a copy of a sample outside train.
    """
    number = prepared.class_numbers()
    train, is_copy = list(fold.train), np.zeros(len(fold.train), bool)
    if balance == "oversample":
        labels = [number[i] for i in fold.train]
        train, is_copy = oversample(fold.train, labels, np.random.default_rng(seed))
    strangers = set(train) - set(fold.train)
    if strangers:
        raise InvariantError(f"fold {fold.name!r}: {sorted(strangers)[0]!r} is not a training id")

    def classes_of(ids: list[str] | tuple[str, ...]) -> np.ndarray:
        return np.array([number[i] for i in ids], "int32")

    select = prepared.clips.select
    return FoldData(
        x_train=select(train),
        y_train=classes_of(train),
        is_copy=is_copy,
        x_val=select(fold.val),
        y_val=classes_of(fold.val),
        x_test=select(fold.test),
    )


def _prediction_table(
    manifest: dict[str, Any],
    entry: dict[str, Any],
    unit: Unit,
    fold: Fold,
    prepared: Prepared,
    outcome: FoldOutcome,
) -> pd.DataFrame:
    classes = prepared.scheme.classes
    samples = prepared.samples.table.set_index("sample_id").loc[list(fold.test)]
    chosen = outcome.probabilities.argmax(axis=1)
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
            "sample_id": list(fold.test),
            "subject_id": samples["subject_id"].to_numpy(),
            "label": samples["label"].to_numpy(),
            "predicted": [classes[i] for i in chosen],
            "epoch": outcome.epoch,
        }
    )
    for i, name in enumerate(classes):
        table[f"prob_{name}"] = outcome.probabilities[:, i]
    return table


def _epoch_progress(
    progress: Progress | None, row: str, done: int, total: int
) -> Callable[[int, int], None]:
    def tell(epoch: int, epochs: int) -> None:
        if progress:
            progress(row, done + epoch / epochs, total)

    tell(0, 1)
    return tell
