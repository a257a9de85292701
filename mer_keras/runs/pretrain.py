"""Transfer: networks trained on other data first, whose weights every fold starts from.

A trunk is trained once, kept in the cache by the digest of all it depends on, and shared by the
folds of a row and by rows whose trunk is the same. None of its subjects is ever tested.

Source: Micro-attention, section 3.3; Dense Connections and Mixed Attention, section 3.2.
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mer_keras import settings
from mer_keras.clips.assemble import ClipArrays, load_clips
from mer_keras.config.experiment import Experiment, Row, Stage
from mer_keras.errors import ConfigError, ProtocolError, UserError
from mer_keras.models import registry
from mer_keras.models.weights import carry, carry_file, load_weights, weights_digest
from mer_keras.progress import Progress
from mer_keras.protocols.build import hold_back
from mer_keras.runs.folder import read_json, write_json
from mer_keras.runs.prepare import Prepared, classes_of, keep_loaded, load_samples
from mer_keras.terms import DataKind, Selection
from mer_keras.training.fold import FoldData
from mer_keras.training.trainer import Trainer

#: frame rates of pretraining clips and of target clips may differ by this factor
FPS_FACTOR = 1.5
RECORD = "record.json"
WEIGHTS = "trunk.weights.h5"


@dataclass(frozen=True)
class Trunk:
    """A trained trunk on disk; can be sent to other processes.

    Attributes:
        model: name of its network.
        arguments: of its builder.
        shape: of its input, without the batch.
        classes: that it was trained on, in order.
        file: its weights.
        record: what it was trained on and how well it did on held-back data, JSON-ready.
    """

    model: str
    arguments: dict[str, Any]
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    file: Path
    record: dict[str, Any]

    def build(self) -> Any:
        """Return its network with its weights."""
        network = registry.build(self.model, self.shape, len(self.classes), **self.arguments)
        load_weights(network, self.file)
        return network

    def starter(self, classes: Sequence[str]) -> "Starter":
        """Return what gives a network its start; the head is carried if the classes are equal."""
        return Starter(self, head=tuple(classes) == self.classes)


class Starter:
    """Gives networks the weights of a trunk; the trunk is read once."""

    def __init__(self, trunk: Trunk, *, head: bool) -> None:
        """See ``Trunk.starter``."""
        self._trunk, self._head, self._network = trunk, head, None

    def __call__(self, network: Any) -> None:
        """Copy the layers that the network shares with the trunk."""
        if self._network is None:
            self._network = self._trunk.build()
        carry(self._network, network, head=self._head)


@dataclass(frozen=True)
class _Source:
    """Images or clips of a stage, a row of ``table`` each."""

    table: pd.DataFrame
    arrays: np.ndarray
    classes: tuple[str, ...]
    digest: str
    counts: dict[str, int]
    kind: DataKind


def pretrain(
    config: Experiment,
    prepared: Prepared,
    initial: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Trunk]:
    """Train the trunks of all own rows, or find them in the cache.

    Args:
        config: the experiment; without stages nothing is done.
        prepared: the data that will be fine-tuned and tested on.
        initial: weights that the first stage starts from (see ``weights.carry_file``).
        progress: told about loading and epochs.

    Returns:
        The last stage's trunk by row name.

    Raises:
        DatabaseNotFoundError: a database of a stage is absent.
        ProtocolError: a subject of a stage is one that will be tested.
        ConfigError: a stage's input differs from the target's in shape, range or frame rate.
    """
    before: dict[str, Trunk] = {}
    for stage in config.stages:
        source = _load(config, stage, prepared.samples.data_kind, progress)
        check_subjects(stage, source.table, prepared.samples.table)
        check_domain(stage, source.table, source.arrays, prepared)
        found: dict[str, Trunk] = {}
        for row in config.rows:
            if not row.quoted:
                start = before.get(row.name) if before else initial
                found[row.name] = _trunk(stage, row, source, start, progress)
        before = found
    return before


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


def check_domain(stage: Stage, table: pd.DataFrame, arrays: np.ndarray, prepared: Prepared) -> None:
    """Check that a stage's input can stand for the target's.

    Raises:
        ConfigError: another shape, another range of values, or, for clips, another frame rate.
    """
    target = prepared.clips.arrays
    if arrays.shape[1:] != target.shape[1:]:
        raise ConfigError(
            f"stage {stage.name!r}: input of shape {arrays.shape[1:]}, the experiment's is "
            f"{target.shape[1:]}: make data.clip of both alike (size, channels, frames)"
        )
    if (float(arrays.max()) > 1.001) != (float(target.max()) > 1.001):
        raise ConfigError(
            f"stage {stage.name!r}: values up to {arrays.max():.3g}, the experiment's up to "
            f"{target.max():.3g}: make data.clip.normalise of both alike"
        )
    if arrays.ndim == 5:  # clips: a motion's speed in frames depends on the frame rate
        own = float(table["fps"].median())
        other = float(prepared.samples.table["fps"].median())
        if not (np.isfinite(own) and np.isfinite(other)):
            return
        if not 1 / FPS_FACTOR <= own / other <= FPS_FACTOR:
            raise ConfigError(
                f"stage {stage.name!r}: {own:g} frames a second, the experiment's clips have "
                f"{other:g}: sample both at like intervals, or pretrain on images"
            )


def _load(config: Experiment, stage: Stage, kind: DataKind, progress: Progress | None) -> _Source:
    """Choose the clips of a stage, then read those alone."""
    wanted = "synthetic" if kind is DataKind.SYNTHETIC else "real"
    asked = [stage.data_of(source, config.data) for source in stage.sources]
    classes = [classes_of(data) for data in asked]
    if any(other != classes[0] for other in classes):
        raise ConfigError(f"stage {stage.name!r}: its sources have different classes")
    try:
        found = [load_samples(data, wanted, progress) for data in asked]
    except UserError as error:
        raise type(error)(
            f"stage {stage.name!r}: {error}\nWithout pretraining: --set stages=[]"
        ) from error
    everything = pd.concat([samples.table for samples in found], ignore_index=True)
    places = balanced(everything, stage.balance, stage.images_per_class)
    chosen = set(everything["sample_id"].iloc[places])
    tables, arrays, digests = [], [], []
    for data, samples in zip(asked, found, strict=True):
        used = samples.table[samples.table["sample_id"].isin(chosen)].reset_index(drop=True)
        if used.empty:
            continue
        samples = replace(samples, table=used)
        report = partial(progress, f"{stage.name}: images") if progress else None
        clips = load_clips(samples, data.clip, data.policies, progress=report)
        kept = keep_loaded(samples, clips)
        table, images = _single_images(kept.table, clips, each=stage.each_frame)
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
    return _Source(table, np.concatenate(arrays), classes[0], digest, counts, kind)


def _single_images(
    table: pd.DataFrame, clips: ClipArrays, *, each: bool
) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows of the arrays in their order; with ``each``, every frame of a clip is an image."""
    ordered = table.set_index("sample_id").loc[list(clips.sample_ids)].reset_index()
    if not each or clips.arrays.ndim == 4:
        return ordered, clips.arrays
    frames = clips.arrays.shape[1]
    repeated = ordered.loc[ordered.index.repeat(frames)].reset_index(drop=True)
    place = np.tile(np.arange(frames), len(ordered)).astype(str)
    repeated["sample_id"] = repeated["sample_id"] + "#" + place
    return repeated, clips.arrays.reshape(-1, *clips.arrays.shape[2:])


def balanced(table: pd.DataFrame, how: str, per_class: int | None) -> np.ndarray:
    """Places of the rows that are used: with ``subsample`` each class has as many as the smallest.

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
    return np.sort(np.array(places, dtype=int))


def _trunk(
    stage: Stage,
    row: Row,
    source: _Source,
    before: Trunk | Path | None,
    progress: Progress | None,
) -> Trunk:
    model = stage.model or str(row.model)
    arguments = registry.reading_of(model, stage.arguments if stage.model else row.arguments)
    shape = tuple(int(side) for side in source.arrays.shape[1:])
    start: Callable[[Any], Any] | None = None
    came_from = ""
    if isinstance(before, Trunk):
        start, came_from = before.starter(source.classes), before.record["digest"]
    elif before is not None:
        start, came_from = partial(carry_file, before), weights_digest(before)
    identity = {
        "stage": stage.model_dump(
            mode="json", exclude_defaults=True, exclude={"model", "arguments"}
        ),
        "model": model,
        "arguments": arguments,
        "shape": shape,
        "source": source.digest,
        "before": came_from,
    }
    text = json.dumps(identity, sort_keys=True)
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    folder = settings.cache_root() / "trunks" / digest
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
    return Trunk(
        model, arguments, shape, source.classes, folder / WEIGHTS, read_json(folder / RECORD)
    )


def _train(
    trainer: Trainer, stage: Stage, source: _Source, folder: Path, progress: Progress | None
) -> dict[str, Any]:
    """Train a trunk, keep the epoch that is best on held-back images, and store it."""
    train, held = hold_back(source.table, stage.validation_split, stage.validation_split_by)
    places = pd.Series(np.arange(len(source.table)), index=source.table["sample_id"])
    number = {name: i for i, name in enumerate(source.classes)}
    labels = source.table["label"].map(number).to_numpy("int32")
    fitted, watched = places[train].to_numpy(), places[held].to_numpy()
    data = FoldData(
        x_train=source.arrays[fitted],
        y_train=labels[fitted],
        is_copy=np.zeros(len(fitted), bool),
        x_val=source.arrays[watched],
        y_val=labels[watched],
        x_test=source.arrays[watched],
    )

    def tell(epoch: int, epochs: int) -> None:
        if progress:
            progress(f"{stage.name}: training", epoch, epochs)

    outcome = trainer.fit_predict(data, Selection.INNER_SUBJECTS, seed=0, on_epoch=tell)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"part-{os.getpid()}-{WEIGHTS}"
    trainer.network.save_weights(part)
    part.replace(folder / WEIGHTS)
    right = outcome.probabilities.argmax(axis=1) == labels[watched]
    return {
        "images": len(fitted),
        "held_back": len(watched),
        "held_back_by": stage.validation_split_by,
        "accuracy": float(right.mean()),
        "epoch": outcome.epoch,
        "seconds": outcome.seconds,
    }
