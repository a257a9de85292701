"""What a run would do, without training: folds, steps, disk and time."""

import time
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from mer_keras.config.experiment import Experiment
from mer_keras.models.registry import get_spec
from mer_keras.runs.prepare import Prepared, prepare

#: share of the matrix-product rate that a training step reaches, about (``make bench`` measures it)
SHARE = 0.4
#: of a stored fold: predictions and their record
RESULT_BYTES = 20_000
#: a training step costs about three forward passes
PASSES = 3


def describe_plan(config: Experiment, data: str) -> dict[str, Any]:
    """Return what a run would do, JSON-ready.

    Folds with class counts, training steps, memory of the clips, disk for cached clips and results,
    and the estimated time of training on this machine's processor, at ``SHARE`` of the rate of its
    matrix products, early stopping not counted.
    """
    prepared = prepare(config, data)
    table = prepared.samples.table
    label_of = dict(zip(table["sample_id"], table["label"], strict=True))

    def counts(ids: Sequence[str]) -> dict[str, int]:
        labels = [label_of[i] for i in ids]
        return {name: labels.count(name) for name in prepared.classes}

    folds, steps, fitted = [], 0, 0
    for number, fold in enumerate(prepared.folds.folds, start=1):
        classes = counts(fold.train)
        size = len(fold.train)
        if config.train.balance == "oversample":
            size = max(classes.values()) * sum(count > 0 for count in classes.values())
        steps += -(-size // config.train.batch_size) * config.train.epochs
        fitted += size * config.train.epochs
        folds.append(
            {
                # the name of a subject's fold is the subject
                "name": str(number) if "/" in fold.name else fold.name,
                "train": len(fold.train),
                "val": len(fold.val),
                "test": len(fold.test),
                "fitted": size,
                "train_classes": classes,
                "test_classes": counts(fold.test),
            }
        )
    own = sum(not row.quoted for row in config.rows)
    macs = _multiply_accumulates(config, prepared)
    seconds = len(config.seeds) * fitted * 2 * PASSES * macs / (SHARE * matrix_rate())
    return {
        "experiment": config.name,
        "data_kind": str(prepared.samples.data_kind),
        "protocol": config.protocol.title,
        "subject_exclusive": config.protocol.subject_exclusive,
        "selection": str(config.selection),
        "n_samples": len(table),
        "n_subjects": int(table["subject_id"].nunique()),
        "folds_digest": prepared.folds.digest(),
        "folds": folds,
        "steps": steps * own * len(config.seeds),
        "clips_mib": round(prepared.clips.arrays.nbytes / 2**20, 1),
        "disk_mib": round(_disk_bytes(config, prepared) / 2**20, 1),
        "estimated_seconds": round(seconds),
        "stages": [stage.name for stage in config.stages],
        "notes": list(prepared.folds.notes),
    }


def _disk_bytes(config: Experiment, prepared: Prepared) -> int:
    """Clips are cached with 8 bits a value, predictions stored in a small file a fold."""
    rows = sum(not row.quoted for row in config.rows) + len(config.baselines)
    files = rows * len(config.seeds) * len(prepared.folds.folds)
    return prepared.clips.arrays.nbytes // 4 + files * RESULT_BYTES


def _multiply_accumulates(config: Experiment, prepared: Prepared) -> float:
    """Those of one forward pass of all own rows, scaled from the paper's input to this one."""
    shape = prepared.clips.arrays.shape[1:]
    total = 0.0
    for row in config.rows:
        if not row.quoted:
            spec = get_spec(str(row.model))
            total += spec.multiply_accumulates * prod(shape) / prod(spec.input_shape)
    return total


def matrix_rate(size: int = 1024, repeats: int = 5) -> float:
    """Floating-point operations a second of this machine's float32 matrix products."""
    a = np.ones((size, size), np.float32)
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        a @ a
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best


def find_batches(config: Experiment, data: str, most: int = 4096) -> list[dict[str, Any]]:
    """Try ever larger batches of every own row on this machine's device; JSON-ready.

    Args:
        config: the experiment, for its networks, their input and the recipe.
        data: see ``load_samples``.
        most: clips in the largest batch that is tried.

    Returns:
        one entry a row and batch that fits, with clips a second and whether it is the row's best.
    """
    from mer_keras.runs.tasks import make_trainer
    from mer_keras.training.device import trials

    prepared = prepare(config, data)
    found = []
    for row in config.rows:
        if row.quoted:
            continue
        fitting = list(trials(make_trainer(config, row.name, prepared).model, most))
        best = max(fitting, key=lambda trial: trial.rate, default=None)
        found += [
            {
                "experiment": config.name,
                "row": row.name,
                "batch": trial.batch,
                "clips a second": round(trial.rate, 1),
                "fastest": trial is best,
            }
            for trial in fitting
        ]
    return found
