"""What a run folder says of its run."""

from pydantic import JsonValue

from mer_keras import provenance
from mer_keras.layers.choice import chosen_form
from mer_keras.runs.context import RunContext


def make_manifest(context: RunContext) -> dict[str, JsonValue]:
    """Return what a run folder says of its run, JSON-ready."""
    return {**describe_run(context), **provenance.describe(), "layers": str(chosen_form())}


def describe_run(context: RunContext) -> dict[str, JsonValue]:
    """Return what identifies, marks and describes a run: the same whenever and wherever it is."""
    config, samples, identity = context.config, context.samples, context.identity
    return {
        "run_id": context.run_id,
        "identity": identity,
        "experiment": config.name,
        "config": config.model_dump(mode="json"),
        "config_digest": identity["config"],
        "samples_digest": identity["samples"],
        "folds_digest": identity["folds"],
        "profile": context.profile,
        "data_kind": str(samples.data_kind),
        "protocol": config.protocol.title,
        "subject_exclusive": config.protocol.subject_exclusive,
        "selection": str(context.selection),
        "n_samples": len(samples.table),
        "n_subjects": int(samples.table["subject_id"].nunique()),
        "classes": list(context.classes),
        "class_counts": dict(samples.class_counts()),
        "excluded": [{"clip": clip.clip, "reason": clip.reason} for clip in samples.excluded],
        "warnings": [*samples.warnings, *context.folds.notes],
        "editions": list(samples.editions),
        "stages": [dict(record) for record in context.stages.values()],
        "rows": [
            {
                "key": plan.key,
                "name": plan.name,
                "role": plan.role,
                "method": plan.method,
                "selection": str(context.selection_of(plan)),
            }
            for plan in config.plans
        ],
    }
