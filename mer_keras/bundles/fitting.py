"""Fitting the method of a row to all clips, or gathering what the folds of a run learned."""

from collections.abc import Sequence
from pathlib import Path
from typing import Required, TypedDict, Unpack

from mer_keras import provenance, settings
from mer_keras.bundles import packing
from mer_keras.bundles.bundle import Bundle
from mer_keras.bundles.card import (
    CARD_TEXT,
    FORMAT,
    PROBE,
    BundledInput,
    Card,
    FileFacts,
    FittedMethod,
    FlowFacts,
    Member,
    Training,
)
from mer_keras.bundles.choices import Choice, choose, with_epochs
from mer_keras.bundles.estimate import estimate_of
from mer_keras.bundles.facts import footage_of, terms_of
from mer_keras.bundles.probe import new_probe, value_ranges
from mer_keras.bundles.serving import serving_of
from mer_keras.bundles.text import card_text
from mer_keras.config.experiment import Experiment, RowPlan
from mer_keras.errors import UserError
from mer_keras.methods.registry import inputs_of, sees_tested_clips
from mer_keras.methods.stored_classifiers import holds_clips
from mer_keras.progress import Progress
from mer_keras.report.view import read_view
from mer_keras.runs.context import RunContext, compose
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.naming import row_key
from mer_keras.runs.stored_manifest import MANIFEST
from mer_keras.runs.units import units_of
from mer_keras.training.learned import Learned, from_bytes, to_bytes
from mer_keras.training.quiet_start import import_keras

#: Digest of a member before the file is packed.
_UNKNOWN = FileFacts(sha256="0" * 64, bytes=0)


class TrainOptions(TypedDict, total=False):
    """How a bundle is made.

    ``profile``: its name, for the record. ``data``: see ``runs.samples.load_samples``. ``row``: a
    row's key or name; not needed where one row runs. ``seeds``: so many members, of seeds 0, 1 and
    so on; by default those of the experiment. ``weights``: a network's weights, which are stored
    instead of a training. ``initial``: weights that pretraining starts from. ``from_run``: a run
    whose folds are gathered. ``progress``: told what is being done.
    """

    profile: Required[str]
    data: str
    row: str | None
    seeds: int | None
    weights: Path | None
    initial: Path | None
    from_run: RunFolder | None
    progress: Progress | None


def train(config: Experiment, **options: Unpack[TrainOptions]) -> Bundle:
    """Fit the method of a row to all clips; nothing is written.

    Args:
        config: the experiment, its profile applied.
        options: see ``TrainOptions``.

    Raises:
        UserError: there is no such row, data can't be used, a choice can't be made, or the run
            stored no weights.
        FoldFailedError: the training failed.
    """
    plan = _plan_of(config, options.get("row"))
    from_run, progress = options.get("from_run"), options.get("progress")
    import_keras()
    context = compose(
        config,
        options["profile"],
        options.get("data", "auto"),
        weights=options.get("weights"),
        initial=options.get("initial"),
        progress=progress,
    )
    run = from_run or _stored_run(context)
    choice = Choice(plan, why="as in each fold") if from_run else choose(context, plan, run)
    if from_run is None:
        members, learned = _fit(context, choice, options.get("seeds"), progress)
    else:
        members, learned = _gather(context, plan, from_run)
    card = _card(context, choice, members, learned, run, of_folds=from_run is not None)
    return Bundle(card, learned)


def write_bundle(bundle: Bundle, path: Path) -> str:
    """Write a bundle with its probe and its card's text; return the SHA-256 of the file.

    Raises:
        UserError: the file can't be written.
    """
    members = {
        member.file: to_bytes(learned)
        for member, learned in zip(bundle.card.members, bundle.learned, strict=True)
    }
    members[PROBE] = new_probe(bundle)
    members[CARD_TEXT] = card_text(bundle.card).encode()
    card = bundle.card.model_copy(update={"files": packing.facts_of(members)})
    bundle.card, bundle.digest = card, packing.write(path, card, members)
    return bundle.digest


def _plan_of(config: Experiment, row: str | None) -> RowPlan:
    """The row that is meant.

    Raises:
        UserError: there is none of that name, or several and none is named.
    """
    plans = config.plans
    if row is not None:
        key = row_key(config.name, row, [(plan.key, plan.name) for plan in plans])
        return next(plan for plan in plans if plan.key == key)
    rows = [plan for plan in plans if plan.role == "row"] or list(plans)
    if len(rows) != 1:
        names = ", ".join(f"{config.name}:{plan.key}" for plan in plans) or "none runs"
        raise UserError(f"{config.name} has several rows: give one of {names}")
    return rows[0]


def _stored_run(context: RunContext) -> RunFolder | None:
    """The stored run of the very same settings, clips and code's meaning of them."""
    path = settings.results_root() / context.run_id
    return RunFolder(path) if (path / MANIFEST).is_file() else None


def _fit(
    context: RunContext, choice: Choice, seeds: int | None, progress: Progress | None
) -> tuple[list[Member], list[Learned]]:
    """Fit the row to all clips, once a seed."""
    plan = with_epochs(choice.plan, choice.epochs)
    numbers = context.config.seeds if seeds is None else tuple(range(seeds))
    subjects = context.samples.table["subject_id"].astype("category").cat.codes.to_numpy("int64")
    method = context.method(plan, alone=True)
    members, learned = [], []
    for number, seed in enumerate(numbers):

        def on_epoch(epoch: int, epochs: int, done: int = number) -> None:
            if progress:
                share = min(1.0, epoch / (choice.epochs or epochs))
                progress(f"training, seed {done + 1}", done + share, len(numbers))

        method.use_fold("all")
        record = method.fit(
            context.inputs(plan),
            context.labels,
            subjects=subjects,
            seed=seed,
            on_epoch=on_epoch,
            epochs=choice.epochs,
        )
        learned.append(method.learned())
        members.append(Member(seed=seed, epoch=record.epoch, file=f"members/{number}.npz"))
        if record.chosen and not choice.chosen:
            choice.chosen.update(record.chosen)
    return members, learned


def _gather(
    context: RunContext, plan: RowPlan, run: RunFolder
) -> tuple[list[Member], list[Learned]]:
    """What the folds of a run learned.

    Raises:
        UserError: the run is another's, or stored no weights.
    """
    if run.manifest().get("run_id") != context.run_id:
        raise UserError(
            f"{run.path}: the run's clips, settings or code are no longer those of "
            f"{context.config.name}: run it anew with --keep-weights"
        )
    if sees_tested_clips(plan):
        raise UserError(
            f"row {plan.name!r} was adapted to the tested clips of each fold, and can't be to "
            "others: choose another row"
        )
    members, learned = [], []
    for number, unit in enumerate(units_of(run.manifest(), run.folds())[plan.key]):
        content = run.learned(unit)
        if content is None:
            raise UserError(
                f"{run.path}: {unit.row}, fold {unit.fold!r} has no weights: mer-keras run "
                f"{context.config.name} --keep-weights computes and keeps them"
            )
        file = f"members/{number}.npz"
        learned.append(from_bytes(content, f"{run.path}: weights of fold {unit.fold!r}"))
        epoch = int(run.record(unit).get("epoch") or 0)
        members.append(Member(seed=unit.seed, fold=unit.fold, epoch=epoch, file=file))
    return members, learned


def _card(
    context: RunContext,
    choice: Choice,
    members: Sequence[Member],
    learned: Sequence[Learned],
    run: RunFolder | None,
    *,
    of_folds: bool,
) -> Card:
    config, plan, samples = context.config, choice.plan, context.samples
    view = read_view(run.path) if run is not None else None
    estimate = estimate_of(view, plan.key, of_folds=of_folds) if view is not None else None
    missing = ""
    if estimate is None:
        missing = "the run of these settings isn't finished" if view else "no run of these settings"
        missing += f" is stored (mer-keras run {config.name} --profile {context.profile})"
    kind = samples.data_kind
    parameters = None
    if plan.config.network is not None:
        parameters = _parameters(learned[0])
    keeps_clips = any(map(holds_clips, learned))
    return Card(
        format=FORMAT,
        title=f"{config.name}: {plan.name}",
        method=FittedMethod(
            name=plan.method,
            config=plan.config.model_copy(
                update={"claims": (), "facts": (), "about": "", "inputs": {}, "train": {}}
            ),
            given_weights=context.weights is not None and plan.config.network is not None,
            parameters=parameters,
            recipe=plan.recipe,
            chosen=choice.chosen,
            holds_clips=keeps_clips,
        ),
        reads=inputs_of(plan),
        inputs=_inputs(context, plan),
        classes=context.classes,
        members=tuple(members),
        footage=footage_of(samples.table),
        training=Training(
            experiment=config.name,
            row=plan.key,
            profile=context.profile,
            run_id=view.run_id if view else None,
            data_kind=kind,
            databases=config.data.databases,
            labels={name: config.data.scheme_of(name) for name in config.data.databases},
            clips=len(samples.table),
            subjects=int(samples.table["subject_id"].nunique()),
            class_counts=samples.class_counts(),
            left_out=len(samples.excluded),
            epochs=choice.why,
            seeds=tuple(dict.fromkeys(member.seed for member in members)),
            config_digest=str(context.identity["config"]),
            samples_digest=str(context.identity["samples"]),
            clips_digest=str(context.identity["clips"]),
            versions=provenance.versions(),
            backend=str(provenance.describe()["backend"]),
            git=provenance.git_state(),
        ),
        estimate=estimate,
        estimate_missing=missing,
        terms=terms_of(config.data.databases, kind, holds_clips=keeps_clips),
        files=dict.fromkeys([*(member.file for member in members), PROBE, CARD_TEXT], _UNKNOWN),
    )


def _inputs(context: RunContext, plan: RowPlan) -> dict[str, BundledInput]:
    """What the method is given, input by input."""
    names = inputs_of(plan)
    ranges = value_ranges({name: context.clips[name].arrays for name in names})
    described = {}
    for name in names:
        clip, flow = context.config.inputs[name], context.clips[name].flow
        serving = serving_of(clip, None if flow is None else flow.channels)
        arrays = context.clips[name].arrays
        shape: tuple[int | None, ...] = tuple(arrays[0].shape)
        if isinstance(arrays, list):
            shape = (None, *shape[1:])
        described[name] = BundledInput(
            clip=clip,
            shape=shape,
            flow=None if flow is None else FlowFacts(**vars(flow)),
            low=ranges[name][0],
            high=ranges[name][1],
            serving=serving.clip,
            matched=serving.matched,
            remarks=serving.remarks,
        )
    return described


def _parameters(learned: Learned) -> int:
    """Number of a network's weights; statistics of clips are none."""
    return sum(
        array.size for name, array in learned.arrays.items() if not name.startswith("standardise")
    )
