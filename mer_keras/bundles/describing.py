"""What a bundle's card says of a fitted method, its clips and its run."""

from collections.abc import Sequence

from pydantic import ValidationError

from mer_keras import provenance
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
from mer_keras.bundles.choices import Choice
from mer_keras.bundles.estimate import estimate_of
from mer_keras.bundles.facts import footage_of, terms_of
from mer_keras.bundles.probe import value_ranges
from mer_keras.bundles.serving import serving_of
from mer_keras.config.experiment import RowPlan
from mer_keras.config.validation import explain
from mer_keras.errors import UserError
from mer_keras.methods.registry import inputs_of
from mer_keras.methods.stored_classifiers import holds_clips
from mer_keras.report.view import RunView, read_view
from mer_keras.runs.context import RunContext
from mer_keras.runs.folder import RunFolder
from mer_keras.training.learned import Learned

#: Facts of a member before the file is packed.
_UNKNOWN = FileFacts(sha256="0" * 64, bytes=0)


def card_of(
    context: RunContext,
    choice: Choice,
    members: Sequence[Member],
    learned: Sequence[Learned],
    run: RunFolder | None,
    *,
    of_folds: bool,
) -> Card:
    """Return the card of a bundle, without the digests of its files.

    Args:
        context: the experiment and its clips.
        choice: the row, and what was fixed before it was fitted.
        members: what was fitted.
        learned: what each of them learned.
        run: the stored run of the same settings, if there is one.
        of_folds: whether the members are that run's folds.

    Raises:
        UserError: a card can't hold something, such as the long name of a class.
    """
    try:
        return _card_of(context, choice, members, learned, run, of_folds=of_folds)
    except ValidationError as error:
        raise UserError(
            f"{context.config.name}: row {choice.plan.name!r} doesn't fit into a bundle: "
            f"{explain(error, Card)}"
        ) from error


def _card_of(
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
    missing = _why_missing(view) if estimate is None else ""
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
            backend=provenance.backend(),
            git=provenance.git_state(),
        ),
        estimate=estimate,
        estimate_missing=missing,
        terms=terms_of(config.data.databases, kind, holds_clips=keeps_clips),
        files=dict.fromkeys([*(member.file for member in members), PROBE, CARD_TEXT], _UNKNOWN),
    )


def _why_missing(view: RunView | None) -> str:
    """Why there is no estimate, and how to get one."""
    way = "mer-keras run with the same experiment, profile, data and --set gives one"
    if view is None:
        return f"no run of these settings and clips is stored ({way})"
    return f"the run of these settings isn't finished (mer-keras resume {view.run_id})"


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
