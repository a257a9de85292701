"""Made-up runs on disk, for tests of what is shown of them."""

from pathlib import Path

import numpy as np
import pandas as pd

from mer_keras.config.experiment import Experiment
from mer_keras.config.files import load_config
from mer_keras.protocols.folds import Fold, FoldSet
from mer_keras.report.view import read_view
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.identity import run_id_of
from mer_keras.runs.units import units_of
from mer_keras.terms import PREDICTION_COLUMNS, Selection

ROOT = Path(__file__).parents[2]
CONFIG = load_config(ROOT / "experiments/shallow_convlstm/table1.yaml")
CLASSES = ["positive", "negative", "surprise"]
SECRET = "subject-zero-zero-seven"
IDS = [f"{['samm', 'smic'][i % 2]}/{SECRET}{i // 3}/c{i}" for i in range(24)]
FOLDS = FoldSet(
    tuple(
        Fold(f"fold-{k + 1}", ("x",), (), tuple(IDS[6 * k : 6 * k + 6]), Selection.LAST_EPOCH)
        for k in range(4)
    )
)


def make_run(root, *, kind="licensed", profile="full", selection="last_epoch", skip=(), **extra):
    """A stored run of one network and one baseline over four folds of six clips."""
    config = CONFIG.model_dump(mode="json") | {"seeds": extra.get("seeds", [0])}
    config["data"]["synthetic_motion"] = extra.get("signal", True)
    config["record_epochs"] = extra.get("record_epochs", False)
    for name in ("epochs", "plateau"):
        config["train"][name] = extra.get(name, config["train"][name])
    if selection != "external":
        config["selection"] = selection
    rows = [
        {
            "key": "proposed-convlstm",
            "name": "Proposed ConvLSTM",
            "method": "shallow_convlstm",
            "role": "row",
            "selection": selection,
        },
        {
            "key": "baseline-majority",
            "name": "majority class",
            "method": "majority",
            "role": "baseline",
            "selection": "last_epoch",
        },
    ]
    digests = {
        "config": Experiment.model_validate(config).digest(),
        "samples": "s0",
        "folds": FOLDS.digest(),
    }
    identity = {
        **digests,
        "profile": profile,
        "weights": "w0" if selection == "external" else "",
        "folder": extra.get("folder", ""),
    }
    run_id = run_id_of(CONFIG.name, profile, kind, identity)
    protocol = "subject-exclusive stratified 4-fold"
    manifest = {
        "run_id": run_id,
        "identity": identity,
        "experiment": CONFIG.name,
        "config": config,
        **{f"{name}_digest": digest for name, digest in digests.items()},
        "profile": profile,
        "data_kind": kind,
        "protocol": protocol,
        "selection": selection,
        "n_samples": 24,
        "n_subjects": 16,
        "classes": CLASSES,
        "class_counts": {"negative": 8, "positive": 8, "surprise": 8},
        "excluded": [{"clip": SECRET, "reason": f"{SECRET}_1.jpg: zero bytes"}] * 2,
        "warnings": extra.get("warnings", []),
        "rows": rows,
        "created": extra.get("created", "2026-01-01T00:00:00+00:00"),
        "versions": {"keras": "3.15.1"},
        "backend": "tensorflow",
        "device": "2 CPU cores",
        "git": "abc1234",
    }
    folder = RunFolder(root / extra.get("folder", run_id))
    folder.open(manifest, FOLDS)
    rng = np.random.default_rng(0)
    for key, units in units_of(manifest, FOLDS).items():
        for unit in units:
            if (key, unit.fold) in skip:
                continue
            fold = next(f for f in FOLDS.folds if f.name == unit.fold)
            labels = [CLASSES[IDS.index(i) % 3] for i in fold.test]
            skill = extra.get("skill", 0.8) if key == "proposed-convlstm" else 0
            right = rng.random(6) < skill
            table = pd.DataFrame(dict.fromkeys(PREDICTION_COLUMNS, ""), index=range(6))
            table["run_id"], table["row"] = run_id, key
            table["fold"], table["seed"], table["epoch"] = unit.fold, unit.seed, 3
            table["experiment"], table["protocol"] = CONFIG.name, protocol
            table["data_kind"] = kind
            of_row = next(row for row in rows if row["key"] == key)
            table["method"], table["selection"] = of_row["method"], of_row["selection"]
            table["sample_id"] = list(fold.test)
            table["subject_id"] = [i.rsplit("/", 1)[0] for i in fold.test]
            table["database"] = [i.split("/")[0] for i in fold.test]
            table["label"] = labels
            table["predicted"] = np.where(right, labels, "negative")
            table["is_copy"] = False
            for name in CLASSES:
                table[f"prob_{name}"] = (table["predicted"] == name).astype("float32")
            if extra.get("copies") and key == "proposed-convlstm":
                # Each clip has a copy, and all copies are right.
                twice = table.assign(
                    is_copy=True,
                    predicted=labels,
                    **{f"prob_{c}": np.equal(labels, c).astype("float32") for c in CLASSES},
                )
                table = pd.concat([table, twice], ignore_index=True)
            record = {
                "seconds": 1.0,
                "parameters": 11_664_323,
                "multiply_accumulates": 2_661_000_000,
            }
            if key == "proposed-convlstm":
                loss = [1.0, 0.5, 0.25 + 0.01 * unit.seed]
                record["history"] = {"loss": loss, "accuracy": [0.3, 0.5, 0.9]}
                if selection != "last_epoch":
                    record["history"] |= {"val_loss": loss, "val_accuracy": [0.3, 0.4, 0.5]}
            trajectory = None
            if extra.get("record_epochs") and key == "proposed-convlstm":
                trajectory = drawn_trajectory(table.loc[~table["is_copy"], "predicted"], unit.seed)
            folder.store(unit, table, record, trajectory)
    return read_view(folder.path)


def drawn_trajectory(predicted, seed, epochs=5):
    """Random probabilities of some clips after each epoch; the last one predicts ``predicted``."""
    rng = np.random.default_rng([seed, *predicted.map(CLASSES.index)])
    trajectory = rng.dirichlet(np.ones(len(CLASSES)), (epochs, len(predicted)))
    trajectory[-1] = np.eye(len(CLASSES))[predicted.map(CLASSES.index)]
    return trajectory.astype(np.float32)


def cell(table, row, column):
    """The cell of the row and column that begin so."""
    position = next(i for i, name in enumerate(table.header) if name.startswith(column))
    return next(r for r in table.rows if r[0].startswith(row))[position]
