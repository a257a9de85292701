"""What identifies and describes a run."""

import hashlib
import json
from pathlib import Path
from typing import Any

from mer_keras import provenance
from mer_keras.config.experiment import Experiment
from mer_keras.models import baselines
from mer_keras.models.weights import weights_digest
from mer_keras.runs.folder import slug
from mer_keras.runs.prepare import Prepared
from mer_keras.terms import Selection


def fold_seed(seed: int, fold: str) -> int:
    """Seed of one fold, from the run's seed and the fold's name alone: any fold can be rerun."""
    digest = hashlib.blake2b(f"{seed}/{fold}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


def make_manifest(
    config: Experiment,
    profile: str,
    prepared: Prepared,
    weights: Path | None = None,
    stages: tuple[dict[str, Any], ...] = (),
) -> dict[str, Any]:
    """Return what identifies and describes a run; ``run_id`` derives from ``identity``.

    Args:
        config: the experiment.
        profile: the profile's name.
        prepared: its data and folds.
        weights: weights that are tested instead of training.
        stages: what each stage of pretraining read (see ``pretrain``).
    """
    samples, clips = prepared.samples, prepared.clips
    selection = Selection.EXTERNAL if weights else config.selection
    identity: dict[str, Any] = {
        "config": config.digest(),
        "profile": profile,
        "samples": samples.digest(),
        "clips": clips.digest(),
        "folds": prepared.folds.digest(),
        "weights": weights_digest(weights) if weights else "",
    }
    if stages:
        identity["stages"] = [stage["digest"] for stage in stages]
    text = json.dumps(identity, sort_keys=True)
    short = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
    kind = samples.data_kind
    excluded = [{"clip": item.clip, "reason": item.reason} for item in samples.excluded]
    return {
        "run_id": f"{slug(config.name)}-{profile}-{kind}-{short}",
        "identity": identity,
        "experiment": config.name,
        "config": config.model_dump(mode="json"),
        "config_digest": identity["config"],
        "samples_digest": identity["samples"],
        "folds_digest": identity["folds"],
        "profile": profile,
        "data_kind": str(kind),
        "protocol": config.protocol.title,
        "subject_exclusive": config.protocol.subject_exclusive,
        "selection": str(selection),
        "n_samples": len(samples.table),
        "n_subjects": int(samples.table["subject_id"].nunique()),
        "classes": list(prepared.classes),
        "class_counts": samples.class_counts(),
        "excluded": excluded,
        "warnings": [*samples.warnings, *prepared.folds.notes],
        "editions": list(samples.editions),
        "stages": list(stages),
        "rows": _row_entries(config, str(selection)),
        **provenance.describe(),
    }


def _row_entries(config: Experiment, selection: str) -> list[dict[str, Any]]:
    own = [
        {
            "key": slug(row.name),
            "name": row.name,
            "model": row.model,
            "kind": "network",
            "selection": selection,
        }
        for row in config.rows
        if not row.quoted
    ]
    beside = [
        {
            "key": slug(f"baseline {name}"),
            "name": baselines.TITLES[name],
            "model": name,
            "kind": "baseline",
            # a baseline chooses nothing: it has no epochs
            "selection": str(Selection.LAST_EPOCH),
        }
        for name in config.baselines
    ]
    return own + beside
