"""Everything that a run reads, composed once: samples, clips, folds, weights to start from."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from mer_keras.arrays import Inputs, shape_of
from mer_keras.clips.assemble import ClipArrays, load_clips
from mer_keras.config.data import Policies
from mer_keras.config.experiment import Experiment, RowPlan
from mer_keras.config.inputs import Clip
from mer_keras.databases.samples import Excluded, Samples
from mer_keras.errors import ConfigError, FrameError
from mer_keras.methods.contract import Method
from mer_keras.methods.registry import (
    all_arguments,
    check_methods,
    check_networks,
    chooses,
    inputs_of,
    make_method,
    sees_tested_clips,
)
from mer_keras.models.weights import weights_digest
from mer_keras.progress import Progress, under_title
from mer_keras.protocols.build import build_folds
from mer_keras.protocols.folds import Fold, FoldSet
from mer_keras.runs.backbone import Backbone, StartFile
from mer_keras.runs.identity import run_id_of
from mer_keras.runs.samples import classes_of, load_samples
from mer_keras.terms import Selection
from mer_keras.training.balance import oversample
from mer_keras.training.fold import FoldRows

#: Loads the clips of some inputs as ``load_inputs`` does.
InputLoader = Callable[
    [Samples, Mapping[str, Clip], Policies, Progress | None],
    tuple[Samples, dict[str, ClipArrays]],
]


@dataclass(frozen=True)
class RunContext:
    """What a run reads, and what identifies it.

    Attributes:
        config: the experiment, its profile applied.
        profile: the profile's name.
        samples: the samples that every input could load; the others are listed with their reasons.
        clips: arrays by the name of their input, all in the order of the samples table.
        folds: the division of the samples.
        weights: weights that are tested instead of training.
        backbones: pretrained networks, or files, that rows start from, by the row's key.
        keep_learned: whether what each fold learned is stored.
    """

    config: Experiment
    profile: str
    samples: Samples
    clips: Mapping[str, ClipArrays]
    folds: FoldSet
    weights: Path | None = None
    backbones: Mapping[str, Backbone | StartFile] | None = None
    keep_learned: bool = False

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the paper's order."""
        return classes_of(self.config.data)

    @cached_property
    def identity(self) -> dict[str, JsonValue]:
        """Digests of everything that decides results; two runs with equal ones are one run."""
        clips = [f"{name}={clips.digest()}" for name, clips in sorted(self.clips.items())]
        return {
            "config": self.config.digest(),
            "methods": _digest(
                json.dumps(
                    {plan.key: all_arguments(plan) for plan in self.config.plans}, default=str
                )
            ),
            "profile": self.profile,
            "samples": self.samples.digest(),
            "clips": _digest("\n".join(clips)),
            "folds": self.folds.digest(),
            "weights": weights_digest(self.weights) if self.weights else "",
            "stages": list(self.stages),
        }

    @property
    def run_id(self) -> str:
        """Name of the run's folder."""
        kind = str(self.samples.data_kind)
        return run_id_of(self.config.name, self.profile, kind, self.identity)

    @property
    def stages(self) -> dict[str, Mapping[str, JsonValue]]:
        """Records of the backbones by digest; rows may share one."""
        backbones = (self.backbones or {}).values()
        return {str(backbone.record["digest"]): backbone.record for backbone in backbones}

    @property
    def selection(self) -> Selection:
        """Which data choose the epoch of a network."""
        return Selection.EXTERNAL if self.weights else self.config.selection

    def selection_of(self, plan: RowPlan) -> Selection:
        """Which data choose the epoch or hyper-parameters of a row.

        Weights that are tested instead of training are a network's: the other methods still choose
        as the config says; training subjects choose for them where no clips are held back. The last
        epoch stands for a method that has nothing to choose. One that looks at the tested clips is
        marked like one that chooses by them.
        """
        if sees_tested_clips(plan):
            return Selection.TEST_FOLD
        if not chooses(plan):
            return Selection.LAST_EPOCH
        if plan.config.network is not None:
            return self.selection
        nothing_held_back = self.config.selection is Selection.LAST_EPOCH
        return Selection.INNER_SUBJECTS if nothing_held_back else self.config.selection

    @cached_property
    def sample_ids(self) -> tuple[str, ...]:
        """Ids of the clips, in the order of all arrays."""
        return tuple(self.samples.table["sample_id"])

    @cached_property
    def labels(self) -> NDArray[np.int32]:
        """Class numbers, (clips,), in the order of ``sample_ids``."""
        number = {name: index for index, name in enumerate(self.classes)}
        return np.array([number[label] for label in self.samples.table["label"]], "int32")

    def fold(self, name: str) -> Fold:
        """The fold of a name."""
        return next(fold for fold in self.folds.folds if fold.name == name)

    def inputs(self, plan: RowPlan) -> Inputs:
        """The clips as a row's method reads them."""
        inputs = tuple(self.clips[name].arrays for name in inputs_of(plan))
        return inputs[0] if len(inputs) == 1 else inputs

    def method(self, plan: RowPlan, *, alone: bool = False) -> Method:
        """The method of a row, not yet fitted; ``alone``: each fold is trained by itself."""
        backbone = (self.backbones or {}).get(plan.key)
        return make_method(
            plan,
            lambda: shape_of(self.inputs(plan)),
            len(self.classes),
            start=backbone.starter(self.classes) if backbone else None,
            weights=self.weights,
            alone=alone,
            flow=[self.clips[name].flow for name in inputs_of(plan)],
        )

    def fold_rows(self, name: str, *, copies_seed: int | None = None) -> FoldRows:
        """The rows of one fold in all arrays.

        Args:
            name: the fold's name.
            copies_seed: the run's seed, where copies of tested clips are tested too.
        """
        fold = self.fold(name)
        copies = None if copies_seed is None else self.copies_to_test(fold, copies_seed)
        return FoldRows(
            train=self._rows(fold.train),
            val=self._rows(fold.val),
            test=self._rows(fold.test),
            copies=None if copies is None else self._rows(copies),
            name=name,
            subjects=self._subject_numbers[self._rows(fold.train)],
        )

    def copies_to_test(self, fold: Fold, seed: int) -> list[str]:
        """Ids of a fold's tested clips, once for each copy that a balanced data set would hold.

        Papers that augment before they divide test such copies. They are drawn over all samples at
        once, so that ``seed`` must be the run's, not the fold's.
        """
        copies = oversample(self.labels, np.random.default_rng(seed))
        tested = set(fold.test)
        return [self.sample_ids[row] for row in copies if self.sample_ids[row] in tested]

    @cached_property
    def _subject_numbers(self) -> NDArray[np.int64]:
        """A number for each clip's subject, (clips,)."""
        subjects = self.samples.table["subject_id"]
        return np.unique(subjects.to_numpy(dtype=str), return_inverse=True)[1].astype("int64")

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {sample_id: row for row, sample_id in enumerate(self.sample_ids)}

    def _rows(self, ids: tuple[str, ...] | list[str]) -> NDArray[np.int64]:
        return np.array([self._row_of[sample_id] for sample_id in ids], "int64")


def compose(
    config: Experiment,
    profile: str,
    data: str = "auto",
    *,
    weights: Path | None = None,
    initial: Path | None = None,
    pretraining: bool = True,
    try_networks: bool = False,
    progress: Progress | None = None,
    load: InputLoader | None = None,
) -> RunContext:
    """Load and divide the data of a run, and pretrain where it has stages.

    Args:
        config: the experiment, its profile applied.
        profile: the profile's name, for the record.
        data: ``real``, ``synthetic`` or ``auto`` (see ``samples.load_samples``).
        weights: weights to test instead of training: a file, or a folder with one file a fold.
        initial: weights that pretraining, or a network without it, starts from, as ImageNet's.
        pretraining: whether stages are trained; without, rows start from random weights.
        try_networks: whether every network is built beforehand (see ``check_networks``).
        progress: a callback that reports what is being done.
        load: loads the clips in the place of ``load_inputs``.

    Raises:
        UserError: data, methods or weights can't be used.
    """
    if initial and not any(plan.config.network for plan in config.plans):
        raise ConfigError(f"{config.name} has no network to start from weights")
    check_methods(config)
    classes = classes_of(config.data)  # Databases of different classes are refused unread.
    if try_networks:
        check_networks(config, len(classes))
    samples = load_samples(config.data, data, progress)
    names = dict.fromkeys(name for plan in config.plans for name in inputs_of(plan))
    recipes = {name: config.inputs[name] for name in names}
    samples, clips = (load or load_inputs)(samples, recipes, config.data.policies, progress)
    folds = build_folds(samples.table, config.protocol, config.selection)
    context = RunContext(config, profile, samples, clips, folds, weights)
    if weights or not pretraining or not (config.stages or initial):
        return context
    from mer_keras.runs.pretrain import pretrain

    return replace(context, backbones=pretrain(context, initial, progress))


def load_inputs(
    samples: Samples,
    recipes: Mapping[str, Clip],
    policies: Policies,
    progress: Progress | None,
    title: str = "",
) -> tuple[Samples, dict[str, ClipArrays]]:
    """Load the clips of some inputs, of which those are kept that every input could load.

    Args:
        samples: the table of the clips.
        recipes: how a clip is loaded, by name of the input.
        policies: what to do about faults that leave a choice.
        progress: a callback that reports how many clips are loaded.
        title: words that stand before the input's name in these reports.

    Raises:
        FrameError: see ``clips.assemble.load_clips``.
        ConfigError: likewise.
    """
    clips = {}
    for name, recipe in recipes.items():
        report = under_title(progress, f"{title}input {name}")
        clips[name] = load_clips(samples, recipe, policies, progress=report)
    return keep_common(samples, clips)


def keep_common(
    samples: Samples, clips: Mapping[str, ClipArrays]
) -> tuple[Samples, dict[str, ClipArrays]]:
    """Keep the clips that every input could load, so that all rows are tested on the same.

    The others are listed with their reasons; inputs come back in the order of the samples table.

    Raises:
        FrameError: no clip is left.
    """
    loaded = set.intersection(*(set(arrays.sample_ids) for arrays in clips.values()))
    table = samples.table[samples.table["sample_id"].isin(loaded)].reset_index(drop=True)
    if table.empty:
        raise FrameError(f"no clip can be loaded by all of the inputs {', '.join(clips)}")
    excluded: dict[tuple[str, str], Excluded] = {}
    warnings: dict[str, None] = {}
    for name, arrays in clips.items():
        prefix = f"input {name}: " if len(clips) > 1 else ""
        for clip in arrays.excluded:
            key = clip.database, clip.clip
            excluded.setdefault(key, replace(clip, reason=prefix + clip.reason))
        warnings |= dict.fromkeys(arrays.warnings)
    common_samples = replace(
        samples,
        table=table,
        excluded=(*samples.excluded, *excluded.values()),
        warnings=(*samples.warnings, *warnings),
    )
    ids = tuple(table["sample_id"])
    return common_samples, {
        name: arrays
        if arrays.sample_ids == ids
        else replace(arrays, sample_ids=ids, arrays=arrays.select(ids))
        for name, arrays in clips.items()
    }


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
