"""Explanations of tested clips, each by a network that was not trained on it.

The network of a fold is trained again, from the fold's own seed, unless its weights lie in the run
folder already; then they are kept there. Its answer is compared with the stored prediction.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mer_keras import settings
from mer_keras.config.experiment import Experiment, Row
from mer_keras.errors import UserError, did_you_mean
from mer_keras.explanation.attention import attention_of
from mer_keras.explanation.findings import Attention, Explained, Explanation
from mer_keras.explanation.grad_cam import grad_cam
from mer_keras.models import registry
from mer_keras.models.weights import load_weights
from mer_keras.progress import Progress
from mer_keras.protocols.folds import Fold
from mer_keras.runs.folder import RunFolder, Unit, slug
from mer_keras.runs.manifest import fold_seed, make_manifest
from mer_keras.runs.prepare import Prepared, fold_data, prepare
from mer_keras.runs.pretrain import pretrain
from mer_keras.runs.run import stage_records
from mer_keras.runs.tasks import make_trainer
from mer_keras.training.trainer import Trainer

#: predictions of a fold that is trained again on another machine differ by rounding
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
        rows: names of rows; all own rows if none is given.
        samples: sample ids; if none is given the first clip of each class, in the table's order.
        progress: told which fold is being trained.

    Raises:
        UserError: no such row, or a sample that no fold tests.
    """
    prepared = prepare(config, data, progress)
    trunks = pretrain(config, prepared, progress=progress)
    manifest = make_manifest(config, profile, prepared, stages=stage_records(trunks))
    folder = RunFolder(settings.results_root() / manifest["run_id"])
    ids = list(samples) or _first_of_each_class(prepared)
    fold_of = {sample: fold for fold in prepared.folds.folds for sample in fold.test}
    for sample in ids:
        if sample not in fold_of:
            raise UserError(
                f"{config.name} tests no clip {sample!r}{did_you_mean(sample, fold_of)}: sample "
                "ids are database/subject/clip"
            )
    found = []
    for row in _chosen_rows(config, rows):
        trainer = make_trainer(config, row.name, prepared, trunks.get(row.name))
        for fold in prepared.folds.folds:
            here = [sample for sample in ids if fold_of[sample] is fold]
            if here:
                _take_weights(trainer, config, row, fold, prepared, folder, progress)
                found += _explain_fold(trainer, config, row, fold, prepared, folder, here)
    order = {sample: index for index, sample in enumerate(ids)}
    found.sort(key=lambda one: order[one.sample_id])
    caption = f"{config.name}, {manifest['data_kind']} data, {manifest['protocol']}"
    return Explanation(manifest["run_id"], caption, manifest["data_kind"], tuple(found))


def _chosen_rows(config: Experiment, names: Sequence[str]) -> list[Row]:
    own = {row.name: row for row in config.rows if not row.quoted}
    for name in names:
        if name not in own:
            raise UserError(
                f"{config.name} has no row {name!r} with a network{did_you_mean(name, own)}; "
                f"known: {', '.join(own)}"
            )
    return [own[name] for name in names] if names else list(own.values())


def _first_of_each_class(prepared: Prepared) -> list[str]:
    table = prepared.samples.table
    firsts = table.drop_duplicates("label").set_index("label")["sample_id"]
    return [firsts[name] for name in prepared.classes if name in firsts.index]


def _take_weights(
    trainer: Trainer,
    config: Experiment,
    row: Row,
    fold: Fold,
    prepared: Prepared,
    folder: RunFolder,
    progress: Progress | None,
) -> None:
    """Give the trainer's network the weights of a fold: stored ones, or trained now and stored."""
    file = _weights_file(folder, _unit(config, row, fold))
    seed = fold_seed(config.seeds[0], fold.name)
    data = fold_data(prepared, fold, config.train.balance, seed)
    if file.is_file():
        load_weights(trainer.network, file)
        trainer.standardise_by(data)
        return

    def tell(epoch: int, epochs: int) -> None:
        if progress:
            progress(f"training {row.name}", epoch, epochs)

    trainer.fit_predict(data, config.selection, seed, tell)
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name("part-" + file.name)
    trainer.network.save_weights(partial)
    partial.replace(file)


def _unit(config: Experiment, row: Row, fold: Fold) -> Unit:
    return Unit(slug(row.name), config.seeds[0], fold.name)


def _weights_file(folder: RunFolder, unit: Unit) -> Path:
    return folder.path / "weights" / f"{unit.stem()}.weights.h5"


def _explain_fold(
    trainer: Trainer,
    config: Experiment,
    row: Row,
    fold: Fold,
    prepared: Prepared,
    folder: RunFolder,
    ids: list[str],
) -> list[Explained]:
    clips = prepared.clips.select(ids)
    probabilities = trainer.predict(clips)
    seen = trainer.network_input(clips)
    chosen = probabilities.argmax(axis=1)
    heat = grad_cam(trainer.network, seen, registry.get_spec(str(row.model)).focus, chosen)
    attention = attention_of(trainer.network, seen)
    stored = folder.predictions([_unit(config, row, fold)])
    stored = stored[~stored["is_copy"].astype(bool)].set_index("sample_id")
    table = prepared.samples.table.set_index("sample_id")
    classes = prepared.classes
    found = []
    for i, sample in enumerate(ids):
        as_stored = None
        if sample in stored.index:
            before = stored.loc[sample, [f"prob_{name}" for name in classes]].to_numpy("float32")
            as_stored = bool(np.abs(before - probabilities[i]).max() <= TOLERANCE)
        found.append(
            Explained(
                sample_id=sample,
                subject_id=str(table.loc[sample, "subject_id"]),
                label=str(table.loc[sample, "label"]),
                row=row.name,
                predicted=classes[chosen[i]],
                as_stored=as_stored,
                clip=clips[i],
                heat=heat[i],
                attention=tuple(Attention(a.layer, a.kind, a.weights[i]) for a in attention),
            )
        )
    return found
