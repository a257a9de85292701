"""Time of writing a report, by folds: made-up predictions of STSTNet's experiment."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mer_keras.bench import flow_like
from mer_keras.bench.case import Asked, Case
from mer_keras.bench.measure import Measured, exponent, timed
from mer_keras.config.experiment import Experiment
from mer_keras.config.files import find_config, load_config
from mer_keras.protocols.folds import Fold, FoldSet
from mer_keras.report.document import write_report
from mer_keras.report.view import read_view
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.units import units_of
from mer_keras.terms import PREDICTION_COLUMNS, DataKind, Selection

FOLDS, QUICK_FOLDS = (17, 34, 68, 136), (4, 8)
#: of the stored learning curves, as many as the paper has
_EPOCHS = 800


def cases() -> list[Case]:
    """One: reading and writing, over several numbers of folds."""
    return [Case("report", "reading a stored run and writing its report", _report)]


def _report(asked: Asked) -> list[Measured]:
    folds = QUICK_FOLDS if asked.quick else FOLDS
    repeats = 1 if asked.quick else 5
    config = load_config(find_config("ststnet/megc2019")[0])
    rows: list[Measured] = []
    for count in folds:
        folder = store(config, asked.folder / "results" / f"made-up-{count}", count)
        write = partial(_write, config, folder, asked.folder / "report")
        if not rows:
            write()  # imports, and what figures need once
        seconds = timed(write, repeats)
        rows.append(Measured(f"report, {count} folds", "mer_keras", seconds, count))
    medians = [float(row.median or 0) for row in rows]
    slope: dict[str, float | str] = {
        "exponent": round(exponent(folds, medians), 2),
        "sizes": _range(folds),
    }
    return [*rows, Measured("report, seconds by folds", "mer_keras", facts=slope)]


def _write(config: Experiment, run: Path, folder: Path) -> None:
    write_report([(config, [read_view(run)])], folder)


def _range(sizes: tuple[int, ...]) -> str:
    return f"{min(sizes)} to {max(sizes)}"


def store(config: Experiment, path: Path, folds: int) -> Path:
    """Store a made-up run of an experiment's networks and baselines; return its folder.

    Args:
        config: the experiment.
        path: of the run's folder.
        folds: one subject each, with some six clips.
    """
    rng = np.random.default_rng(0)
    counts = flow_like.uneven_counts(6 * folds, folds, seed=0)
    ids = [[f"smic/s{s:03}/c{c}" for c in range(count)] for s, count in enumerate(counts)]
    chosen = Selection.LAST_EPOCH
    divided = FoldSet(
        tuple(Fold(f"s{s:03}", ("x",), (), tuple(own), chosen) for s, own in enumerate(ids))
    )
    manifest = _manifest(config, path.name, sum(counts), folds)
    folder = RunFolder(path)
    folder.open(manifest, divided)
    tested = {fold.name: fold.test for fold in divided.folds}
    roles = {entry["key"]: entry["role"] for entry in manifest["rows"]}
    for key, units in units_of(manifest, divided).items():
        for unit in units:
            own = tested[unit.fold]
            curve = np.geomspace(1.1, 0.2, _EPOCHS).round(5).tolist()
            history = {"loss": curve, "accuracy": curve[::-1]} if roles[key] == "row" else {}
            record = {"seconds": 1.0, "parameters": 1715, "history": history}
            record["multiply_accumulates"] = 480_000
            table = _predictions(rng, key, unit.fold, own).assign(run_id=path.name)
            folder.store(unit, table, record)
    return path


def _predictions(
    rng: np.random.Generator, key: str, fold: str, own: tuple[str, ...]
) -> pd.DataFrame:
    table = pd.DataFrame(dict.fromkeys(PREDICTION_COLUMNS, ""), index=range(len(own)))
    table["row"], table["fold"], table["seed"], table["epoch"] = key, fold, 0, _EPOCHS
    table["sample_id"] = list(own)
    table["subject_id"] = [one.rsplit("/", 1)[0] for one in own]
    table["database"], table["data_kind"] = "smic", str(DataKind.SYNTHETIC)
    table["label"] = rng.choice(flow_like.CLASSES, len(own))
    right = rng.random(len(own)) < 0.7
    table["predicted"] = np.where(right, table["label"], flow_like.CLASSES[0])
    table["is_copy"] = False
    return table


def _manifest(config: Experiment, run_id: str, samples: int, subjects: int) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "identity": {"config": "made up", "weights": ""},
        "experiment": config.name,
        "config": config.model_dump(mode="json"),
        "config_digest": "c",
        "samples_digest": "s",
        "folds_digest": "f",
        "profile": "full",
        "data_kind": str(DataKind.SYNTHETIC),
        "protocol": config.protocol.title,
        "selection": str(Selection.LAST_EPOCH),
        "n_samples": samples,
        "n_subjects": subjects,
        "classes": list(flow_like.CLASSES),
        "class_counts": dict.fromkeys(flow_like.CLASSES, samples // 3),
        "excluded": [],
        "warnings": [],
        "rows": [
            {
                "key": plan.key,
                "name": plan.name,
                "method": plan.method,
                "role": plan.role,
                "selection": str(Selection.LAST_EPOCH),
            }
            for plan in config.plans
        ],
        "created": "2026-01-01T00:00:00+00:00",
        "versions": {},
        "backend": "tensorflow",
        "device": "made up",
        "git": "unknown",
    }
