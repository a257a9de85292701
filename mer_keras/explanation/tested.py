"""Explanations of tested clips, each by a network that was not trained on it.

The network of a fold is trained again, from the fold's own seed, unless its weights lie in the run
folder already; then they are kept there. Its answer is compared with the stored prediction.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from mer_keras import settings
from mer_keras.arrays import Array, take
from mer_keras.config.experiment import Experiment, RowPlan
from mer_keras.errors import UserError, did_you_mean
from mer_keras.explanation.attention import attention_of
from mer_keras.explanation.findings import Attention, Explained, Explanation
from mer_keras.explanation.grad_cam import grad_cam
from mer_keras.explanation.key_frames import key_frames_of
from mer_keras.methods.network import NetworkMethod
from mer_keras.models import registry
from mer_keras.models.weights import load_weights
from mer_keras.progress import Progress, under_title
from mer_keras.runs.context import RunContext, compose
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.tasks import fold_seed
from mer_keras.runs.units import Unit
from mer_keras.training.learned import from_bytes
from mer_keras.whole_files import whole_file

#: Predictions of a fold that is trained again on another machine differ by rounding.
TOLERANCE = 0.01


def explain(
    config: Experiment,
    *,
    profile: str,
    data: str = "auto",
    rows: Sequence[str] = (),
    samples: Sequence[str] = (),
    progress: Progress | None = None,
) -> Explanation:
    """Explain clips by every network of a table.

    Args:
        config: the experiment, its profile applied.
        profile: the profile's name.
        data: ``real``, ``synthetic`` or ``auto``.
        rows: names of rows; if none is given all rows with a network that reads one input, whose
            clips have one shape.
        samples: sample ids; if none is given the first clip of each class, in the table's order.
        progress: a callback that reports which fold is being trained.

    Raises:
        UserError: no such row, or a sample that no fold tests.
    """
    context = compose(config, profile, data, progress=progress)
    folder = RunFolder(settings.results_root() / context.run_id)
    ids = list(samples) or _first_of_each_class(context)
    fold_of = {sample: fold.name for fold in context.folds.folds for sample in fold.test}
    for sample in ids:
        if sample not in fold_of:
            raise UserError(
                f"{config.name} tests no clip {sample!r}{did_you_mean(sample, fold_of)}: sample "
                "ids are database/subject/clip"
            )
    explained: list[Explained] = []
    for plan in _chosen_rows(context, rows):
        network = _Network(context, plan, folder, progress)
        for fold in dict.fromkeys(fold_of[sample] for sample in ids):
            explained += network.explain(fold, [i for i in ids if fold_of[i] == fold])
    frames = key_frames_of(context, ids)
    explained = [replace(clip, frames=frames.get(clip.sample_id)) for clip in explained]
    explained.sort(key=lambda clip: ids.index(clip.sample_id))
    kind = str(context.samples.data_kind)
    caption = f"{config.name}, {kind} data, {config.protocol.title}"
    return Explanation(context.run_id, caption, kind, tuple(explained))


def _chosen_rows(context: RunContext, names: Sequence[str]) -> list[RowPlan]:
    plans = {
        plan.name: plan
        for plan in context.config.plans
        if plan.config.network is not None
        and not plan.config.shuffled_labels
        and isinstance(context.inputs(plan), np.ndarray)
    }
    for name in names:
        if name not in plans:
            raise UserError(
                f"{context.config.name} has no row {name!r} with a network of one input"
                f"{did_you_mean(name, plans)}; known: {', '.join(plans)}"
            )
    return [plans[name] for name in names] if names else list(plans.values())


def _first_of_each_class(context: RunContext) -> list[str]:
    table = context.samples.table
    firsts = table.drop_duplicates("label").set_index("label")["sample_id"]
    return [firsts[name] for name in context.classes if name in firsts.index]


class _Network:
    """The network of one row, which explains the clips of one fold after the other."""

    def __init__(
        self, context: RunContext, plan: RowPlan, folder: RunFolder, progress: Progress | None
    ) -> None:
        method = context.method(plan)
        if plan.config.network is None or not isinstance(method, NetworkMethod):
            raise UserError(f"{plan.name}: only networks can be explained")
        self._context, self._plan, self._folder = context, plan, folder
        self._method, self._progress = method, progress
        self._focus = registry.get_spec(plan.config.network.model).focus

    def explain(self, fold: str, ids: Sequence[str]) -> list[Explained]:
        """Explain some of the clips that a fold tests."""
        context = self._context
        unit = Unit(self._plan.key, context.config.seeds[0], fold)
        self._take_weights(unit)
        rows = [context.sample_ids.index(sample) for sample in ids]
        # The row has one input, whose clips have one shape.
        clips = cast(Array, take(context.inputs(self._plan), rows))
        trainer, classes = self._method.trainer, context.classes
        probabilities = trainer.predict(clips)
        predicted = probabilities.argmax(axis=1)
        network_input = cast(Array, trainer.network_input(clips))
        heat = grad_cam(trainer.network, network_input, self._focus, predicted)
        attention = attention_of(trainer.network, network_input)
        stored = self._folder.predictions([unit])
        stored = stored[~stored["is_copy"].astype(bool)].set_index("sample_id")
        table = context.samples.table.set_index("sample_id")
        columns = [f"prob_{name}" for name in classes]
        before = stored.reindex(index=ids, columns=columns).to_numpy("float32")
        difference = np.abs(before - probabilities).max(axis=1)  # NaN: the clip is not stored.
        return [
            Explained(
                sample_id=sample,
                subject_id=str(table.loc[sample, "subject_id"]),
                label=str(table.loc[sample, "label"]),
                row=self._plan.name,
                predicted=classes[predicted[i]],
                as_stored=None if np.isnan(difference[i]) else bool(difference[i] <= TOLERANCE),
                clip=clips[i],
                heat=heat[i],
                attention=tuple(Attention(a.layer, a.kind, a.weights[i]) for a in attention),
            )
            for i, sample in enumerate(ids)
        ]

    def _take_weights(self, unit: Unit) -> None:
        """Give the network the weights of a fold: stored ones, or trained now and stored."""
        context, trainer = self._context, self._method.trainer
        if self._folder.has_learned(unit):
            content = self._folder.learned(unit) or b""
            name = f"weights of fold {unit.fold!r}"
            self._method.restore(from_bytes(content, name), name)
            return
        rows = context.fold_rows(unit.fold)
        x, y = context.inputs(self._plan), context.labels
        file = self._folder.path / "weights" / f"{unit.stem()}.weights.h5"
        self._folder.check_no_link(file)
        if file.is_file():
            load_weights(trainer.network, file)
            trainer.standardise_by(take(x, rows.train))
            return
        self._method.fit(
            take(x, rows.train),
            y[rows.train],
            validation=(take(x, rows.val), y[rows.val]) if len(rows.val) else None,
            seed=fold_seed(unit.seed, unit.fold),
            on_epoch=under_title(self._progress, f"training {self._plan.name}"),
        )
        with whole_file(file, suffix=".weights.h5") as temporary:
            trainer.network.save_weights(temporary)
