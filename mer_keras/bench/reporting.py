"""Duration of writing a report, by the number of folds: random predictions of STSTNet's table."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import JsonValue

from mer_keras.bench import flow_like
from mer_keras.bench.case import Case, CaseOptions
from mer_keras.bench.measure import Facts, Measurement, exponent, timed
from mer_keras.config.experiment import Experiment
from mer_keras.config.files import find_config, load_config
from mer_keras.protocols.folds import Fold, FoldSet
from mer_keras.report.document import write_report
from mer_keras.report.view import read_view
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.units import Unit, units_of
from mer_keras.terms import PREDICTION_COLUMNS, DataKind, Selection

FOLDS, QUICK_FOLDS = (17, 34, 68, 136), (4, 8)
#: Length of the stored learning curves, as in the paper.
_EPOCHS = 800
#: Share of the clips whose class is predicted correctly.
_ACCURACY = 0.7


def cases() -> list[Case]:
    """One: reading and writing, over several numbers of folds."""
    return [Case("report", "reading a stored run and writing its report", _report)]


def _report(options: CaseOptions) -> list[Measurement]:
    folds = QUICK_FOLDS if options.quick else FOLDS
    repeats = 1 if options.quick else 5
    config = load_config(find_config("ststnet/megc2019")[0])
    measurements: list[Measurement] = []
    for count in folds:
        folder = store(config, options.folder / "results" / f"made-up-{count}", count)
        write = partial(_write, config, folder, options.folder / "report")
        if not measurements:
            write()  # The first report imports modules and fonts, which isn't timed.
        seconds = timed(write, repeats)
        measurements.append(Measurement(f"report, {count} folds", "mer_keras", seconds, count))
    medians = [float(m.median or 0) for m in measurements]
    facts: Facts = {
        "exponent": round(exponent(folds, medians), 2),
        "sizes": f"{folds[0]} to {folds[-1]}",
    }
    return [*measurements, Measurement("report, seconds by folds", "mer_keras", facts=facts)]


def _write(config: Experiment, run: Path, folder: Path) -> None:
    write_report([(config, [read_view(run)])], folder)


def store(config: Experiment, path: Path, folds: int) -> Path:
    """Store a run with random predictions of an experiment's rows and baselines.

    Args:
        config: the experiment.
        path: of the run's folder.
        folds: one subject each, with some six clips.

    Returns:
        The run's folder.
    """
    rng = np.random.default_rng(0)
    counts = flow_like.uneven_counts(6 * folds, folds, seed=0)
    fold_set = FoldSet(
        tuple(
            Fold(
                name=f"s{subject:03}",
                train=("x",),
                val=(),
                test=tuple(f"smic/s{subject:03}/c{clip}" for clip in range(count)),
                selection=Selection.LAST_EPOCH,
            )
            for subject, count in enumerate(counts)
        )
    )
    manifest = _manifest(config, path.name, sum(counts), folds)
    folder = RunFolder(path)
    folder.open(manifest, fold_set)
    tested = {fold.name: fold.test for fold in fold_set.folds}
    networks = {plan.key for plan in config.plans if plan.config.network is not None}
    curve = np.geomspace(1.1, 0.2, _EPOCHS).round(5).tolist()
    for key, units in units_of(manifest, fold_set).items():
        record = {
            "seconds": 1.0,
            "parameters": 1715,
            "multiply_accumulates": 480_000,
            "history": {"loss": curve, "accuracy": curve[::-1]} if key in networks else {},
        }
        for unit in units:
            table = _predictions(rng, unit, tested[unit.fold]).assign(run_id=path.name)
            folder.store(unit, table, record)
    return path


def _predictions(rng: np.random.Generator, unit: Unit, ids: tuple[str, ...]) -> pd.DataFrame:
    table = pd.DataFrame(dict.fromkeys(PREDICTION_COLUMNS, ""), index=range(len(ids)))
    table["row"], table["fold"], table["seed"] = unit.row, unit.fold, unit.seed
    table["epoch"] = _EPOCHS
    table["sample_id"] = list(ids)
    table["subject_id"] = [sample_id.rsplit("/", 1)[0] for sample_id in ids]
    table["database"], table["data_kind"] = "smic", str(DataKind.SYNTHETIC)
    table["label"] = rng.choice(flow_like.CLASSES, len(ids))
    correct = rng.random(len(ids)) < _ACCURACY
    table["predicted"] = np.where(correct, table["label"], flow_like.CLASSES[0])
    table["is_copy"] = False
    return table


def _manifest(config: Experiment, run_id: str, samples: int, subjects: int) -> dict[str, JsonValue]:
    """What ``runs.manifest`` would say, without versions and device, which need a backend."""
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
        "subject_exclusive": True,
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
