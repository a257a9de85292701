"""Pretraining: networks trained on other data first, whose weights every fold starts from.

A backbone is trained once, kept in the cache by the digest of all it depends on, and shared by the
folds of a row and by rows whose backbone is the same. None of its subjects is ever tested.

Source: Micro-attention, section 3.3; Dense Connections and Mixed Attention, section 3.2.
"""

import hashlib
import json
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
from mer_keras.arrays import Array, shape_of
from mer_keras.clips.assemble import ClipArrays
from mer_keras.config.experiment import Stage
from mer_keras.config.method import Network
from mer_keras.databases.samples import Samples
from mer_keras.errors import ConfigError, ProtocolError, UserError
from mer_keras.flow_channels import FlowForm
from mer_keras.methods.registry import inputs_of
from mer_keras.models import registry
from mer_keras.models.counting import build_without_values
from mer_keras.models.weights import carry_file, fits, weights_digest
from mer_keras.progress import Progress, under_title
from mer_keras.protocols.build import hold_back
from mer_keras.runs.backbone import Backbone, StartFile
from mer_keras.runs.context import RunContext, load_inputs
from mer_keras.runs.json_files import read_json, write_json
from mer_keras.runs.samples import classes_of, load_samples
from mer_keras.terms import DataKind
from mer_keras.training.trainer import Trainer
from mer_keras.whole_files import whole_file

if TYPE_CHECKING:
    import keras

#: Frame rates of pretraining clips and of target clips may differ by this factor.
FPS_FACTOR = 1.5
RECORD = "record.json"
WEIGHTS = "backbone.weights.h5"


@dataclass(frozen=True)
class _Source:
    """What a stage trains on.

    Attributes:
        samples: a row of their table for each image, or for each clip.
        images: (images, height, width, channels) or (clips, time, height, width, channels).
        classes: names of the classes, in order.
        digest: digest of the samples and clips of all databases of the stage.
        kind: kind of the experiment's data; the stage's are of the same kind.
        flow: what the channels of the images are, where they are optical flow.
    """

    samples: Samples
    images: Array
    classes: tuple[str, ...]
    digest: str
    kind: DataKind
    flow: FlowForm | None = None


def pretrain(
    context: RunContext, initial: Path | None = None, progress: Progress | None = None
) -> dict[str, Backbone | StartFile]:
    """Train the backbones of rows of networks, or find them in the cache.

    The stages are the paper's own: rows whose numbers it quotes from others are left out. They, and
    all networks of an experiment without stages, start from ``initial`` where it fits them.

    Args:
        context: the run; its networks are later fine-tuned and tested on its own clips.
        initial: weights that the first stage starts from (see ``weights.carry_file``), in rows
            whose network they fit.
        progress: a callback that reports loading and epochs.

    Returns:
        The last stage's backbone, or the file, by the row's key.

    Raises:
        DatabaseNotFoundError: a database of a stage is absent.
        ProtocolError: a subject of a stage is one that will be tested.
        ConfigError: a stage's input differs from the target's in shape, range or frame rate, or a
            row's network reads several inputs.
        UserError: the initial weights fit no network.
    """
    started = _that_fit(context, initial) if initial else {}
    previous: dict[str, Backbone] = {}
    for stage in context.config.stages:
        sources: dict[str, _Source] = {}
        backbones: dict[str, Backbone] = {}
        for plan in context.config.plans:
            network = plan.config.network
            if network is None or plan.key in context.config.quoted_keys:
                continue
            name, *further_inputs = inputs_of(plan)
            if further_inputs:
                raise ConfigError(
                    f"stage {stage.name!r}: row {plan.name!r} reads the inputs "
                    f"{', '.join([name, *further_inputs])}; only networks with one input can be "
                    "pretrained"
                )
            if name not in sources:
                sources[name] = _load(context, stage, name, progress)
            file = initial if plan.key in started else None
            start = previous[plan.key] if previous else file
            backbones[plan.key] = _backbone(stage, network, sources[name], start, progress)
        previous = backbones
    return started | previous


def _that_fit(context: RunContext, initial: Path) -> dict[str, Backbone | StartFile]:
    """The rows whose network, or whose backbone's network, a weight file fits.

    Raises:
        UserError: it fits none.
    """
    config, starts = context.config, dict[str, Backbone | StartFile]()
    quoted = config.quoted_keys
    for plan in config.plans:
        network = plan.config.network
        if network is None:
            continue
        stage = config.stages[0] if config.stages and plan.key not in quoted else None
        if stage is not None and stage.model is not None:
            network = Network(model=stage.model, arguments=stage.arguments)
        shape = shape_of(context.inputs(plan))
        built = build_without_values(
            network.model, shape, len(context.classes), **network.arguments
        )
        if fits(initial, built):
            starts[plan.key] = StartFile.of(initial)
    if not starts:
        raise UserError(
            f"{initial}: holds nothing that fits a network of {config.name}: mer-keras models show "
            "NETWORK --variables lists the names and shapes"
        )
    return starts


def check_subjects(stage: Stage, source: pd.DataFrame, target: pd.DataFrame) -> None:
    """Check that no subject is both in pretraining and tested.

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
            f"{target.shape[1:]}: make size, channels and frames of both alike (inputs.{name})"
        )
    if (float(arrays.max()) > 1.001) != (float(target.max()) > 1.001):
        raise ConfigError(
            f"stage {stage.name!r}: values up to {arrays.max():.3g}, the experiment's up to "
            f"{target.max():.3g}: make inputs.{name}.normalise alike for both"
        )
    if arrays.ndim == 5:  # A motion's speed in frames depends on the clips' frame rate.
        rates = [float(clips["fps"].median()) for clips in (table, context.samples.table)]
        if np.isfinite(rates).all() and max(rates) > FPS_FACTOR * min(rates):
            raise ConfigError(
                f"stage {stage.name!r}: {rates[0]:g} frames a second, the experiment's clips have "
                f"{rates[1]:g}: sample both at like intervals, or pretrain on images"
            )


def _load(context: RunContext, stage: Stage, input_name: str, progress: Progress | None) -> _Source:
    """Choose the clips of a stage, then read those alone."""
    datas = [stage.data_of(source, context.config.data) for source in stage.sources]
    classes, *other_classes = map(classes_of, datas)
    if any(other != classes for other in other_classes):
        raise ConfigError(f"stage {stage.name!r}: its sources have different classes")
    kind = context.samples.data_kind
    real_or_synthetic = "synthetic" if kind is DataKind.SYNTHETIC else "real"
    try:
        samples_of_sources = [load_samples(data, real_or_synthetic, progress) for data in datas]
    except UserError as error:
        raise type(error)(
            f"stage {stage.name!r}: {error}\nWithout pretraining: --set stages=[]"
        ) from error
    table = pd.concat([samples.table for samples in samples_of_sources], ignore_index=True)
    rows = balanced(table, stage.balance, stage.images_per_class)
    chosen = set(table["sample_id"].iloc[rows])
    tables, images, digests = [], [], []
    for origin, data, samples in zip(stage.sources, datas, samples_of_sources, strict=True):
        used = samples.table[samples.table["sample_id"].isin(chosen)].reset_index(drop=True)
        if used.empty:
            continue
        recipes = {input_name: stage.input_of(origin, context.config.inputs[input_name])}
        samples, clips = load_inputs(
            replace(samples, table=used), recipes, data.policies, progress, f"{stage.name}: "
        )
        table_of_images, images_of_source = _images(samples, clips[input_name], stage)
        tables.append(table_of_images)
        images.append(images_of_source)
        digests += [samples.digest(), clips[input_name].digest()]
    shapes = {array.shape[1:] for array in images}
    if len(shapes) > 1:
        raise ConfigError(
            f"stage {stage.name!r}: its sources have inputs of different shapes, "
            f"{' and '.join(map(str, sorted(shapes)))}"
        )
    pooled = replace(samples_of_sources[0], table=pd.concat(tables, ignore_index=True))
    flow = context.clips[input_name].flow
    source = _Source(pooled, np.concatenate(images), classes, _digest("".join(digests)), kind, flow)
    check_subjects(stage, pooled.table, context.samples.table)
    check_domain(stage, pooled.table, source.images, context, input_name)
    return source


def _array(clips: ClipArrays, stage: Stage) -> Array:
    if isinstance(clips.arrays, list):
        raise ConfigError(
            f"stage {stage.name!r}: clips of different lengths can't be pretrained on"
        )
    return clips.arrays


def _images(samples: Samples, clips: ClipArrays, stage: Stage) -> tuple[pd.DataFrame, Array]:
    """The arrays, and a table of their samples; by ``each_frame`` every frame is an image."""
    arrays, table = _array(clips, stage), samples.table
    if not stage.each_frame or arrays.ndim == 4:
        return table, arrays
    frames = arrays.shape[1]
    repeated = table.loc[table.index.repeat(frames)].reset_index(drop=True)
    frame_number = np.tile(np.arange(frames), len(table)).astype(str)
    repeated["sample_id"] = repeated["sample_id"] + "#" + frame_number
    return repeated, arrays.reshape(-1, *arrays.shape[2:])  # (clips * frames, height, width, c)


def balanced(table: pd.DataFrame, how: str, per_class: int | None) -> NDArray[np.int64]:
    """Positions of the rows that are used; by ``subsample`` as many a class as the smallest has.

    Args:
        table: with ``sample_id`` and ``label``.
        how: ``none`` or ``subsample``.
        per_class: largest number of rows of each class; ``None``: no limit.
    """
    counts = table["label"].value_counts()
    limit = int(counts.min() if how == "subsample" else counts.max())
    limit = min(limit, per_class or limit)
    rng = np.random.default_rng(0)
    rows: list[int] = []
    for _, group in sorted(table.groupby("label").groups.items()):
        by_name = sorted(group, key=lambda row: str(table.at[row, "sample_id"]))
        rows += list(rng.permutation(by_name)[:limit])
    return np.sort(np.array(rows, dtype="int64"))


def _backbone(
    stage: Stage,
    network: Network,
    source: _Source,
    previous: Backbone | Path | None,
    progress: Progress | None,
) -> Backbone:
    """Train a backbone that starts from the previous one or a file, or find it in the cache."""
    model = stage.model or network.model
    arguments = registry.reading_of(model, stage.arguments if stage.model else network.arguments)
    shape = tuple(int(side) for side in source.images.shape[1:])
    start: Callable[[keras.Model], None] | None = None
    start_digest = ""
    if isinstance(previous, Backbone):
        start, start_digest = previous.starter(source.classes), str(previous.record["digest"])
    elif previous is not None:
        start, start_digest = _file_starter(previous), weights_digest(previous)
    identity = {
        "stage": stage.model_dump(mode="json", exclude={"model", "arguments"}),
        "model": model,
        "arguments": arguments,
        "shape": shape,
        "source": source.digest,
        "before": start_digest,
    }
    digest = _digest(json.dumps(identity, sort_keys=True))
    folder = settings.cache_root() / "backbones" / digest
    if not ((folder / RECORD).is_file() and (folder / WEIGHTS).is_file()):
        build = partial(registry.build, model, shape, len(source.classes), **arguments)
        record = {
            "digest": digest,
            "stage": stage.name,
            "model": model,
            "start_from": isinstance(previous, Path),
            "data_kind": str(source.kind),
            "counts": source.samples.class_counts(),
            **_train(
                Trainer(build, stage.train, start, flow=[source.flow]),
                stage,
                source,
                folder,
                progress,
            ),
        }
        write_json(folder / RECORD, record)
    return Backbone(
        model, arguments, shape, source.classes, folder / WEIGHTS, read_json(folder / RECORD)
    )


def _train(
    trainer: Trainer, stage: Stage, source: _Source, folder: Path, progress: Progress | None
) -> dict[str, JsonValue]:
    """Train a backbone, keep the epoch that is best on validation images, and store it."""
    table, images = source.samples.table, source.images
    row_of = pd.Series(np.arange(len(table)), index=table["sample_id"])
    ids = hold_back(table, stage.validation_split, stage.validation_split_by)
    train, val = (row_of[list(part)].to_numpy() for part in ids)
    number = {name: index for index, name in enumerate(source.classes)}
    labels = table["label"].map(number).to_numpy("int32")
    fit = trainer.fit(
        images[train],
        labels[train],
        validation=(images[val], labels[val]),
        seed=0,
        on_epoch=under_title(progress, f"{stage.name}: training"),
    )
    predicted = trainer.predict(images[val]).argmax(axis=1)
    with whole_file(folder / WEIGHTS, suffix=WEIGHTS) as file:
        trainer.network.save_weights(file)
    return {
        "images": len(train),
        "validation_images": len(val),
        "validation_split_by": stage.validation_split_by,
        "accuracy": float((predicted == labels[val]).mean()),
        "epoch": fit.epoch,
        "seconds": fit.seconds,
    }


def _file_starter(file: Path) -> "Callable[[keras.Model], None]":
    """Give a network what a weight file has for its layers."""

    def start(network: "keras.Model") -> None:
        carry_file(file, network)

    return start


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
