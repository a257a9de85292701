"""Pretraining: networks trained on other data first, whose weights every fold starts from.

A backbone is trained once, kept in the cache by the digest of all it depends on, and shared by the
folds of a row and by rows whose backbone is the same. None of its subjects is ever tested.

Source: Micro-attention, section 3.3; Dense Connections and Mixed Attention, section 3.2.
"""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import JsonValue

from mer_keras import settings
from mer_keras.clips.assemble import ClipArrays, load_clips
from mer_keras.config.experiment import RowPlan, Stage
from mer_keras.config.method import Network
from mer_keras.errors import ConfigError, ProtocolError, UserError
from mer_keras.methods.registry import inputs_of
from mer_keras.models import registry
from mer_keras.models.weights import carry_file, weights_digest
from mer_keras.progress import Progress
from mer_keras.protocols.build import hold_back
from mer_keras.runs.backbone import Backbone
from mer_keras.runs.context import RunContext, keep_common
from mer_keras.runs.json_files import read_json, write_json
from mer_keras.runs.samples import classes_of, load_samples
from mer_keras.terms import DataKind
from mer_keras.training.trainer import Trainer

if TYPE_CHECKING:
    import keras

#: Frame rates of pretraining clips and of target clips may differ by this factor.
FPS_FACTOR = 1.5
RECORD = "record.json"
WEIGHTS = "backbone.weights.h5"


@dataclass(frozen=True)
class _Source:
    """Images or clips of a stage, a row of ``table`` each."""

    table: pd.DataFrame
    arrays: NDArray[np.float32]
    classes: tuple[str, ...]
    digest: str
    counts: dict[str, int]
    kind: DataKind


def pretrain(
    context: RunContext, initial: Path | None = None, progress: Progress | None = None
) -> dict[str, Backbone]:
    """Train the backbones of all rows of networks, or find them in the cache.

    Args:
        context: of the run, whose clips will be fine-tuned and tested on.
        initial: weights that the first stage starts from (see ``weights.carry_file``).
        progress: told about loading and epochs.

    Returns:
        The last stage's backbone by the row's key.

    Raises:
        DatabaseNotFoundError: a database of a stage is absent.
        ProtocolError: a subject of a stage is one that will be tested.
        ConfigError: a stage's input differs from the target's in shape, range or frame rate, or a
            row's network reads several inputs.
    """
    networks = [(plan, plan.config.network) for plan in context.config.plans]
    before: dict[str, Backbone] = {}
    for stage in context.config.stages:
        sources: dict[str, _Source] = {}
        backbones: dict[str, Backbone] = {}
        for plan, network in networks:
            if network is None:
                continue
            name = _single_input(plan, stage)
            if name not in sources:
                sources[name] = _load(context, stage, name, progress)
            start = before.get(plan.key) if before else initial
            backbones[plan.key] = _backbone(stage, network, sources[name], start, progress)
        before = backbones
    return before


def _single_input(plan: RowPlan, stage: Stage) -> str:
    names = inputs_of(plan)
    if len(names) > 1:
        raise ConfigError(
            f"stage {stage.name!r}: row {plan.name!r} reads the inputs {', '.join(names)}; only "
            "networks with one input can be pretrained"
        )
    return names[0]


def check_subjects(stage: Stage, source: pd.DataFrame, target: pd.DataFrame) -> None:
    """Check that nobody is both in pretraining and tested.

    Raises:
        ProtocolError: naming the first who is.
    """
    shared = sorted(set(source["subject_id"]) & set(target["subject_id"]))
    if shared:
        raise ProtocolError(
            f"stage {stage.name!r}: subject {shared[0]!r} ({len(shared)} in all) is tested later: "
            "take its database out of the stage"
        )


def check_domain(
    stage: Stage,
    table: pd.DataFrame,
    arrays: NDArray[np.float32],
    context: RunContext,
    name: str,
) -> None:
    """Check that a stage's images can stand for the target's input ``name``.

    Raises:
        ConfigError: another shape, another range of values, or, for clips, another frame rate.
    """
    target = _array(context.clips[name], stage)
    if arrays.shape[1:] != target.shape[1:]:
        raise ConfigError(
            f"stage {stage.name!r}: input of shape {arrays.shape[1:]}, the experiment's is "
            f"{target.shape[1:]}: make size, channels and frames of both alike"
            f" (inputs.{name})"
        )
    if (float(arrays.max()) > 1.001) != (float(target.max()) > 1.001):
        raise ConfigError(
            f"stage {stage.name!r}: values up to {arrays.max():.3g}, the experiment's up to "
            f"{target.max():.3g}: make inputs.{name}.normalise alike for both"
        )
    if arrays.ndim == 5:  # clips: a motion's speed in frames depends on the frame rate
        own = float(table["fps"].median())
        other = float(context.samples.table["fps"].median())
        if not (np.isfinite(own) and np.isfinite(other)):
            return
        if not 1 / FPS_FACTOR <= own / other <= FPS_FACTOR:
            raise ConfigError(
                f"stage {stage.name!r}: {own:g} frames a second, the experiment's clips have "
                f"{other:g}: sample both at like intervals, or pretrain on images"
            )


def _load(context: RunContext, stage: Stage, input_name: str, progress: Progress | None) -> _Source:
    """Choose the clips of a stage, then read those alone."""
    target = context.config.data
    kind = context.samples.data_kind
    datas = [stage.data_of(source, target) for source in stage.sources]
    recipes = [
        stage.input_of(source, context.config.inputs[input_name]) for source in stage.sources
    ]
    classes = [classes_of(data) for data in datas]
    if any(other != classes[0] for other in classes):
        raise ConfigError(f"stage {stage.name!r}: its sources have different classes")
    asked = "synthetic" if kind is DataKind.SYNTHETIC else "real"
    try:
        samples_of_sources = [load_samples(data, asked, progress) for data in datas]
    except UserError as error:
        raise type(error)(
            f"stage {stage.name!r}: {error}\nWithout pretraining: --set stages=[]"
        ) from error
    everything = pd.concat([samples.table for samples in samples_of_sources], ignore_index=True)
    places = balanced(everything, stage.balance, stage.images_per_class)
    chosen = set(everything["sample_id"].iloc[places])
    tables, arrays, digests = [], [], []
    for data, recipe, samples in zip(datas, recipes, samples_of_sources, strict=True):
        used = samples.table[samples.table["sample_id"].isin(chosen)].reset_index(drop=True)
        if used.empty:
            continue
        samples = replace(samples, table=used)
        report = partial(progress, f"{stage.name}: images") if progress else None
        clips = load_clips(samples, recipe, data.policies, progress=report)
        kept, _ = keep_common(samples, {input_name: clips})
        table, images = _single_images(kept.table, clips, stage)
        tables.append(table)
        arrays.append(images)
        digests += [kept.digest(), clips.digest()]
    shapes = {images.shape[1:] for images in arrays}
    if len(shapes) > 1:
        raise ConfigError(
            f"stage {stage.name!r}: its sources have inputs of different shapes, "
            f"{' and '.join(map(str, sorted(shapes)))}"
        )
    table = pd.concat(tables, ignore_index=True)
    counts = {str(k): int(v) for k, v in table["label"].value_counts().sort_index().items()}
    digest = hashlib.blake2b("".join(digests).encode(), digest_size=16).hexdigest()
    images = np.concatenate(arrays)
    check_subjects(stage, table, context.samples.table)
    check_domain(stage, table, images, context, input_name)
    return _Source(table, images, classes[0], digest, counts, kind)


def _array(clips: ClipArrays, stage: Stage) -> NDArray[np.float32]:
    if isinstance(clips.arrays, list):
        raise ConfigError(
            f"stage {stage.name!r}: clips of different lengths can't be pretrained on"
        )
    return clips.arrays


def _single_images(
    table: pd.DataFrame, clips: ClipArrays, stage: Stage
) -> tuple[pd.DataFrame, NDArray[np.float32]]:
    """Rows of the arrays in their order; with ``each_frame``, every frame of a clip is an image."""
    arrays = _array(clips, stage)
    ordered = table.set_index("sample_id").loc[list(clips.sample_ids)].reset_index()
    if not stage.each_frame or arrays.ndim == 4:
        return ordered, arrays
    frames = arrays.shape[1]
    repeated = ordered.loc[ordered.index.repeat(frames)].reset_index(drop=True)
    frame_number = np.tile(np.arange(frames), len(ordered)).astype(str)
    repeated["sample_id"] = repeated["sample_id"] + "#" + frame_number
    return repeated, arrays.reshape(-1, *arrays.shape[2:])  # (clips * frames, height, width, c)


def balanced(table: pd.DataFrame, how: str, per_class: int | None) -> NDArray[np.int64]:
    """Positions of the rows that are used; by ``subsample`` as many a class as the smallest has.

    Args:
        table: with ``sample_id`` and ``label``.
        how: ``none`` or ``subsample``.
        per_class: at most so many of each class.
    """
    counts = table["label"].value_counts()
    most = int(counts.min() if how == "subsample" else counts.max())
    most = min(most, per_class or most)
    rng = np.random.default_rng(0)
    places = []
    for _, group in sorted(table.groupby("label").groups.items()):
        by_name = sorted(group, key=lambda place: str(table.at[place, "sample_id"]))
        places += list(rng.permutation(by_name)[:most])
    return np.sort(np.array(places, dtype="int64"))


def _backbone(
    stage: Stage,
    network: Network,
    source: _Source,
    before: Backbone | Path | None,
    progress: Progress | None,
) -> Backbone:
    model = stage.model or network.model
    arguments = registry.reading_of(model, stage.arguments if stage.model else network.arguments)
    shape = tuple(int(side) for side in source.arrays.shape[1:])
    start: Callable[[keras.Model], None] | None = None
    came_from = ""
    if isinstance(before, Backbone):
        start, came_from = before.starter(source.classes), str(before.record["digest"])
    elif before is not None:
        start, came_from = _file_starter(before), weights_digest(before)
    identity = {
        "stage": stage.model_dump(mode="json", exclude={"model", "arguments"}),
        "model": model,
        "arguments": arguments,
        "shape": shape,
        "source": source.digest,
        "before": came_from,
    }
    text = json.dumps(identity, sort_keys=True)
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    folder = settings.cache_root() / "backbones" / digest
    if not ((folder / RECORD).is_file() and (folder / WEIGHTS).is_file()):
        build = partial(registry.build, model, shape, len(source.classes), **arguments)
        record = {
            "digest": digest,
            "stage": stage.name,
            "model": model,
            "start_from": isinstance(before, Path),
            "data_kind": str(source.kind),
            "counts": source.counts,
            **_train(Trainer(build, stage.train, start), stage, source, folder, progress),
        }
        write_json(folder / RECORD, record)
    return Backbone(
        model, arguments, shape, source.classes, folder / WEIGHTS, read_json(folder / RECORD)
    )


def _train(
    trainer: Trainer, stage: Stage, source: _Source, folder: Path, progress: Progress | None
) -> dict[str, JsonValue]:
    """Train a backbone, keep the epoch that is best on validation images, and store it."""
    train, held = hold_back(source.table, stage.validation_split, stage.validation_split_by)
    position = pd.Series(np.arange(len(source.table)), index=source.table["sample_id"])
    number = {name: index for index, name in enumerate(source.classes)}
    labels = source.table["label"].map(number).to_numpy("int32")
    fitted, watched = position[train].to_numpy(), position[held].to_numpy()

    def tell(epoch: int, epochs: int) -> None:
        if progress:
            progress(f"{stage.name}: training", epoch, epochs)

    fit = trainer.fit(
        source.arrays[fitted],
        labels[fitted],
        validation=(source.arrays[watched], labels[watched]),
        seed=0,
        on_epoch=tell,
    )
    probabilities = trainer.predict(source.arrays[watched])
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"part-{os.getpid()}-{WEIGHTS}"
    trainer.network.save_weights(part)
    part.replace(folder / WEIGHTS)
    right = probabilities.argmax(axis=1) == labels[watched]
    return {
        "images": len(fitted),
        "validation_images": len(watched),
        "validation_split_by": stage.validation_split_by,
        "accuracy": float(right.mean()),
        "epoch": fit.epoch,
        "seconds": fit.seconds,
    }


def _file_starter(file: Path) -> "Callable[[keras.Model], None]":
    """Give a network what a weight file has for its layers."""

    def start(network: "keras.Model") -> None:
        carry_file(file, network)

    return start
