"""What a run reads: labelled samples, their clips, the folds; and the arrays of one fold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from mer_keras.clips.assemble import ClipArrays, load_clips
from mer_keras.clips.flow import magnitude_of_images
from mer_keras.config.data import Data
from mer_keras.config.experiment import Experiment
from mer_keras.config.inputs import Clip, Flow
from mer_keras.databases import registry
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.databases.labels import apply_scheme
from mer_keras.databases.samples import Samples, pool
from mer_keras.errors import ConfigError, InvariantError
from mer_keras.progress import Progress
from mer_keras.protocols.build import build_folds
from mer_keras.protocols.folds import Fold, FoldSet
from mer_keras.synthetic import stand_ins
from mer_keras.terms import DataKind
from mer_keras.training.balance import oversample
from mer_keras.training.fold import FoldData, FoldRows


@dataclass(frozen=True)
class Prepared:
    """Everything a run reads, loaded and divided.

    ``motion`` holds optical-flow magnitudes of the same clips, where a baseline asks for them.
    """

    samples: Samples
    classes: tuple[str, ...]
    clips: ClipArrays
    folds: FoldSet
    motion: ClipArrays | None = None

    @cached_property
    def labels(self) -> np.ndarray:
        """Class numbers, (clips,) int32, in the order of ``clips``."""
        number = self.class_numbers()
        return np.array([number[i] for i in self.clips.sample_ids], "int32")

    def class_numbers(self) -> dict[str, int]:
        """Class number by sample id."""
        number = {name: i for i, name in enumerate(self.classes)}
        table = self.samples.table
        return {
            i: number[label] for i, label in zip(table["sample_id"], table["label"], strict=True)
        }


def load_samples(data: Data, wanted: str, progress: Progress | None = None) -> Samples:
    """Find the config's databases and return their labelled samples, pooled.

    Args:
        data: which databases, and how emotions become classes.
        wanted: ``real``, ``synthetic``, or ``auto``: real where all databases are present, else
            synthetic where this package can write them all.
        progress: told while synthetic clips are written.

    Raises:
        DatabaseNotFoundError: a database is absent and nothing stands in for it.
        ConfigError: ``wanted`` and the config contradict each other.
    """
    unwritable = [name for name in data.databases if name not in stand_ins.LAYOUTS]
    if wanted == "auto":
        present = all(registry.find(name) is not None for name in data.databases)
        wanted = "real" if present or unwritable else "synthetic"
    if wanted == "synthetic" and unwritable:
        raise ConfigError(f"there is no synthetic {unwritable[0]}: use real data")
    parts = []
    for name in data.databases:
        if wanted == "synthetic":
            report = partial(progress, f"synthetic {name}: writing clips") if progress else None
            film = stand_ins.Film(signal=data.synthetic_motion, clips=data.synthetic_clips)
            samples = _read(data, name, stand_ins.ensure(name, film, report))
        else:
            samples = _read(data, name)
            if not data.synthetic_motion and samples.data_kind is not DataKind.SYNTHETIC:
                raise ConfigError(
                    "data.synthetic_motion=off is for synthetic data: add --data synthetic"
                )
        parts.append(apply_scheme(samples, get_scheme(data.scheme_of(name))))
    return pool(parts)


def classes_of(data: Data) -> tuple[str, ...]:
    """The classes of a config, in the paper's order.

    Raises:
        ConfigError: label schemes of pooled databases have other classes.
    """
    schemes = [get_scheme(data.scheme_of(name)) for name in data.databases]
    for scheme in schemes[1:]:
        if scheme.classes != schemes[0].classes:
            raise ConfigError(
                f"data.labels: {schemes[0].name} and {scheme.name} have different classes, "
                f"{', '.join(schemes[0].classes)} and {', '.join(scheme.classes)}: pooled "
                "databases need the same classes in the same order"
            )
    return schemes[0].classes


def _read(data: Data, name: str, root: Path | None = None) -> Samples:
    return registry.load(
        name,
        root,
        tree=data.frame_source,
        corrections=data.corrections,
        policies=data.policies,
    )


def prepare(config: Experiment, data: str, progress: Progress | None = None) -> Prepared:
    """Load samples, cut their clips and divide them."""
    classes = classes_of(config.data)
    samples = load_samples(config.data, data, progress)
    report = partial(progress, "clips") if progress else None
    clips = load_clips(samples, config.data.clip, config.data.policies, progress=report)
    samples = keep_loaded(samples, clips)
    folds = build_folds(
        samples.table,
        config.protocol,
        config.selection,
        inner_fraction=config.train.inner_fraction,
    )
    motion = None
    if "flow_svm" in config.baselines:
        report = partial(progress, "optical flow") if progress else None
        motion = _motion(samples, clips, config, report)
    return Prepared(samples, classes, clips, folds, motion)


def keep_loaded(samples: Samples, clips: ClipArrays) -> Samples:
    """Return the samples that have an array, the others with their reasons."""
    kept = samples.table[samples.table["sample_id"].isin(clips.sample_ids)].reset_index(drop=True)
    return replace(
        samples,
        table=kept,
        excluded=samples.excluded + clips.excluded,
        warnings=samples.warnings + clips.warnings,
    )


def _motion(
    samples: Samples,
    clips: ClipArrays,
    config: Experiment,
    progress: Callable[[int, int], None] | None,
) -> ClipArrays:
    """Flow magnitudes, from the onset to the apex frame; of flow images, from themselves."""
    clip = config.data.clip
    if clip.kind == "flow_image":
        return ClipArrays(clips.sample_ids, magnitude_of_images(clips.arrays))
    flow = Flow(method="farneback", output="magnitude")
    asked = Clip(kind="flow", size=28, crop=clip.crop, align=clip.align, flow=flow)
    found = load_clips(samples, asked, config.data.policies, progress=progress)
    # a clip whose onset can't be read is tested all the same: it is said not to move
    arrays = np.zeros((len(clips.sample_ids), *found.arrays.shape[1:]), np.float32)
    there = np.isin(clips.sample_ids, found.sample_ids)
    arrays[there] = found.select(np.array(clips.sample_ids)[there])
    return ClipArrays(clips.sample_ids, arrays)


def fold_rows(
    prepared: Prepared,
    fold: Fold,
    balance: str,
    seed: int,
    *,
    copies: Sequence[str] | None = None,
) -> FoldRows:
    """Find one fold's rows of the clips by ``sample_id``; only training ids are copied.

    Args:
        prepared: the run's data.
        fold: which division.
        balance: ``none`` or ``oversample``.
        seed: of the copies that are drawn.
        copies: tested ids that are to be tested once more, changed (see ``copies_to_test``).

    Raises:
        InvariantError: a copy of a sample outside train.
    """
    train, is_copy = list(fold.train), np.zeros(len(fold.train), bool)
    if balance == "oversample":
        number = prepared.class_numbers()
        labels = [number[i] for i in fold.train]
        train, is_copy = oversample(fold.train, labels, np.random.default_rng(seed))
    strangers = set(train) - set(fold.train)
    if strangers:
        raise InvariantError(f"fold {fold.name!r}: {sorted(strangers)[0]!r} is not a training id")
    rows = prepared.clips.rows
    return FoldRows(
        train=rows(train),
        is_copy=is_copy,
        val=rows(fold.val),
        test=rows(fold.test),
        copies=None if copies is None else rows(copies),
    )


def fold_data(prepared: Prepared, fold: Fold, balance: str, seed: int) -> FoldData:
    """Gather the arrays of one fold (see ``fold_rows``)."""
    rows = fold_rows(prepared, fold, balance, seed)
    return rows.gather(prepared.clips.arrays, prepared.labels)


def copies_to_test(prepared: Prepared, fold: Fold, seed: int) -> list[str]:
    """Ids of a fold's tested clips, once for each copy that a balanced whole data set would hold.

    Papers that augment before they divide test such copies. They are drawn over all samples at
    once, so that ``seed`` must be the run's, not the fold's.
    """
    ids = list(prepared.samples.table["sample_id"])
    number = prepared.class_numbers()
    everything, is_copy = oversample(ids, [number[i] for i in ids], np.random.default_rng(seed))
    tested = set(fold.test)
    return [i for i, copy in zip(everything, is_copy, strict=True) if copy and i in tested]
