"""Manifests of made-up runs, for tests that need no predictions."""

from mer_keras.runs.identity import run_id_of
from mer_keras.runs.json_files import write_json
from mer_keras.runs.stored_manifest import MANIFEST

DIGESTS = {"config": "c0", "samples": "s0", "folds": "f0"}
ROWS = [
    {"key": key, "name": name, "role": role, "method": "majority", "selection": "last_epoch"}
    for key, name, role in (("net", "A: net", "row"), ("baseline-majority", "majority", "baseline"))
]


def manifest_of(experiment="paper/table1", profile="quick", data_kind="synthetic", **changes):
    """What a manifest must hold, its run_id by the other fields; and other fields."""
    identity = {**DIGESTS, "profile": profile, "weights": "", "salt": changes.pop("salt", 0)}
    return {
        "run_id": run_id_of(experiment, profile, data_kind, identity),
        "identity": identity,
        "experiment": experiment,
        "config": {
            "seeds": [0],
            "selection": "last_epoch",
            "data": {"synthetic_motion": True},
            "protocol": {"name": "loso"},
            "train": {"epochs": 1},
        },
        **{f"{name}_digest": digest for name, digest in DIGESTS.items()},
        "profile": profile,
        "data_kind": data_kind,
        "protocol": "leave-one-subject-out",
        "subject_exclusive": True,
        "selection": "last_epoch",
        "n_samples": 4,
        "n_subjects": 2,
        "classes": ["positive", "negative"],
        "class_counts": {"positive": 2, "negative": 2},
        "excluded": [{"clip": "d/1/c", "reason": "zero bytes"}],
        "warnings": [],
        "rows": ROWS,
        "created": "2026-01-01T00:00:00+00:00",
        "versions": {"keras": "3.15.1"},
        "backend": "tensorflow",
        "device": "2 CPU cores",
        "git": "abc1234",
        **changes,
    }


def write_manifest(root, folder=None, **changes):
    """Write a run folder with a manifest alone; return its path."""
    manifest = manifest_of(**changes)
    path = root / (folder or manifest["run_id"])
    write_json(path / MANIFEST, manifest)
    return path
