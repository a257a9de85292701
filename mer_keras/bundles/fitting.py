"""Fitting the method of a row to all clips, or gathering what the folds of a run learned."""

from dataclasses import replace
from pathlib import Path
from typing import Required, TypedDict, Unpack

from mer_keras import settings
from mer_keras.bundles import packing
from mer_keras.bundles.bundle import Bundle
from mer_keras.bundles.card import CARD_TEXT, MOST_MEMBERS, PROBE, Member
from mer_keras.bundles.choices import Choice, choose, with_epochs
from mer_keras.bundles.describing import card_of
from mer_keras.bundles.loading import MOST_PARAMETERS
from mer_keras.bundles.probe import new_probe
from mer_keras.bundles.text import card_text
from mer_keras.config.experiment import Experiment, RowPlan
from mer_keras.errors import UserError
from mer_keras.methods.registry import sees_tested_clips
from mer_keras.progress import Progress
from mer_keras.runs.context import RunContext, compose
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.naming import row_key
from mer_keras.runs.stored_manifest import MANIFEST
from mer_keras.runs.units import units_of
from mer_keras.training.learned import Learned, from_bytes, to_bytes
from mer_keras.training.quiet_start import import_keras


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
    plan = find_plan(config, options.get("row"))
    from_run, progress = options.get("from_run"), options.get("progress")
    if plan.config.network is not None or config.stages:
        import_keras()
    context = compose(
        config,
        options["profile"],
        options.get("data", "auto"),
        weights=options.get("weights"),
        initial=options.get("initial"),
        progress=progress,
    )
    if from_run is not None:
        return gather(context, plan, from_run)
    run = _stored_run(context)
    return fit(context, choose(context, plan, run), run, options.get("seeds"), progress)


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


def find_plan(config: Experiment, row: str | None) -> RowPlan:
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


def fit(
    context: RunContext,
    choice: Choice,
    run: RunFolder | None = None,
    seeds: int | None = None,
    progress: Progress | None = None,
) -> Bundle:
    """Fit a row to all clips of an experiment, once a seed.

    Args:
        context: the experiment and its clips.
        choice: the row, and what is fixed.
        run: the stored run of the same settings, if there is one.
        seeds: so many fits, of seeds 0, 1 and so on; None: the experiment's seeds.
        progress: told how many fits are done.

    Raises:
        UserError: the method can't be fitted to these clips.
        FoldFailedError: the training failed.
    """
    plan = with_epochs(choice.plan, choice.epochs)
    numbers = context.config.seeds if seeds is None else tuple(range(seeds))
    subjects = context.samples.table["subject_id"].astype("category").cat.codes.to_numpy("int64")
    method = context.method(plan, alone=True)
    members: list[Member] = []
    learned: list[Learned] = []

    def report(epoch: int, epochs: int) -> None:
        if not members:  # The first epoch says it, not the last: the network is built by now.
            _require_readable(plan, method.parameters or 0, len(numbers))
        if progress:
            share = min(1.0, epoch / (choice.epochs or epochs))
            progress("fits to all clips", len(members) + share, len(numbers))

    for number, seed in enumerate(numbers):
        method.use_fold("all")
        record = method.fit(
            context.inputs(plan),
            context.labels,
            subjects=subjects,
            seed=seed,
            on_epoch=report,
            epochs=choice.epochs,
        )
        learned.append(method.learned())
        members.append(Member(seed=seed, epoch=record.epoch, file=f"members/{number}.npz"))
        choice = replace(choice, chosen={**choice.chosen, **record.chosen})
    return Bundle(card_of(context, choice, members, learned, run, of_folds=False), learned)


def _require_readable(plan: RowPlan, parameters: int, members: int) -> None:
    """Refuse what would be too large to be read again.

    Raises:
        UserError: saying how large it would be.
    """
    size = 4 * parameters * members  # Weights are float32.
    if parameters > MOST_PARAMETERS or size > packing.MOST_BYTES:
        raise UserError(
            f"row {plan.name!r}: {members} network(s) of {parameters:,} weights: a bundle holds "
            f"networks of {MOST_PARAMETERS:,} at most, and {packing.MOST_BYTES:,} bytes in all; "
            "take fewer seeds (--seeds 1), or a smaller network"
        )


def gather(context: RunContext, plan: RowPlan, run: RunFolder) -> Bundle:
    """Put together what the folds of a run learned.

    Args:
        context: the run's experiment and clips.
        plan: the row.
        run: stored with ``keep_learned``.

    Raises:
        UserError: the run is another's, or stored no weights.
    """
    if run.manifest().get("run_id") != context.run_id:
        raise UserError(
            f"{run.path}: this run is not of the settings and clips that {context.config.name} "
            f"has now with profile {context.profile}: run it anew with --keep-weights"
        )
    if sees_tested_clips(plan):
        raise UserError(
            f"row {plan.name!r} was adapted to the tested clips of each fold, and can't be to "
            "others: choose another row"
        )
    units = units_of(run.manifest(), run.folds())[plan.key]
    if len(units) > MOST_MEMBERS:
        raise UserError(
            f"{run.path}: {len(units):,} fits of row {plan.name!r}, and a bundle holds "
            f"{MOST_MEMBERS:,} at most: leave out --from-run"
        )
    members, learned = [], []
    for number, unit in enumerate(units):
        content = run.learned(unit)
        if content is None:
            raise UserError(
                f"{run.path}: row {plan.name!r}, fold {unit.fold!r} has no weights: mer-keras run "
                f"{context.config.name} --keep-weights computes and keeps them"
            )
        learned.append(from_bytes(content, f"{run.path}: weights of fold {unit.fold!r}"))
        epoch = int(run.record(unit).get("epoch") or 0)
        file = f"members/{number}.npz"
        members.append(Member(seed=unit.seed, fold=unit.fold, epoch=epoch, file=file))
    choice = Choice(plan, why="each fold of the run as it chose")
    return Bundle(card_of(context, choice, members, learned, run, of_folds=True), learned)
