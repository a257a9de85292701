"""Made-up runs of a small set of clips that has a board of its own."""

from unittest.mock import patch

import numpy as np
import pandas as pd

from mer_keras.config.experiment import Experiment
from mer_keras.leaderboard.boards import Board, anonymous, clips_digest, division_digest
from mer_keras.protocols.folds import Fold, FoldSet
from mer_keras.report.view import read_view
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.identity import run_id_of
from mer_keras.runs.units import units_of
from mer_keras.terms import PREDICTION_COLUMNS, Selection

CLASSES = ["negative", "positive", "surprise"]
EPOCHS = 5
SECRET = "zero-zero-seven"
PEOPLE, CLIPS = 5, 4
IDS = [f"samm/{SECRET}-{p}/c{c}" for p in range(PEOPLE) for c in range(CLIPS)]
LABELS = {sample_id: CLASSES[i % 3] for i, sample_id in enumerate(IDS)}
CLAIM = {
    "where": "Table 1, UF1 on the small set",
    "value": 0.9,
    "unit": "fraction",
    "metric": "uf1",
    "chosen_epoch": "tested_best",
}
TREE = {
    "name": "leaderboard/small",
    "data": {"database": "small", "labels": "megc3"},
    "inputs": {"clips": {"kind": "flow_image", "size": 28}},
    "protocol": {"name": "loso"},
    "selection": "last_epoch",
    "record_epochs": True,
    "train": {"optimizer": {"learning_rate": 0.1}, "epochs": EPOCHS, "batch_size": 4},
    "rows": [
        {"name": "Net", "method": "net"},
        {"name": "SVM", "method": "svm"},
        {"name": "Claimed", "method": "claimed"},
    ],
    "baselines": ["majority"],
    "methods": {
        "net": {"title": "Net", "network": {"model": "ststnet"}, "claims": [CLAIM]},
        "svm": {"title": "SVM", "classical": {"classifier": "linear_svm"}},
        "claimed": {
            "title": "Claimed",
            "missing": "the faces",
            "train": {"epochs": 40},
            "claims": [CLAIM | {"value": 95.0, "unit": "percent"}],
        },
        "majority": {"title": "majority class", "chance": {"strategy": "most_frequent"}},
    },
}
#: How often a method is right.
SKILLS = {"net": 0.6, "svm": 0.8, "baseline-majority": 0.0}


def folds_of(ids, selection, people=1):
    """A fold for each person, or for each few of them."""
    owners = list(dict.fromkeys(i.rsplit("/", 1)[0] for i in ids))
    groups = [owners[first : first + people] for first in range(0, len(owners), people)]
    tests = [tuple(i for i in ids if i.rsplit("/", 1)[0] in group) for group in groups]
    held_back = ("y",) if selection == "inner_subjects" else ()
    return FoldSet(
        tuple(
            Fold(group[0], ("x",), held_back, test, Selection(selection))
            for group, test in zip(groups, tests, strict=True)
        )
    )


def board_of(ids=IDS, labels=LABELS):
    """The board of some clips, a fold a person."""
    people = [i.rsplit("/", 1)[0] for i in ids]
    clips = pd.DataFrame(
        {
            "clip": map(anonymous, ids),
            "database": "samm",
            "person": map(anonymous, people),
            "fold": people,
            "label": [labels[i] for i in ids],
        }
    )
    return Board(
        title="a small set",
        databases=("small",),
        classes=CLASSES,
        claims_on="the small set",
        clips_digest=clips_digest(clips),
        divisions={"leave-one-subject-out": division_digest(clips)},
    )


BOARDS = {"small": board_of()}


def make_run(root, *, selection="last_epoch", ids=IDS, labels=LABELS, **extra):
    """A stored run; ``extra``: seeds, skip (row and fold), skip_seed, cut, other_last, ..."""
    tree = TREE | {"selection": selection, "seeds": extra.get("seeds", [0, 1])}
    config = Experiment.model_validate(tree | extra.get("tree", {}))
    folds = folds_of(ids, selection, extra.get("people", 1))
    identity = {
        "config": config.digest(),
        "samples": "0" * 32,
        "folds": folds.digest(),
        "clips": extra.get("images", "1" * 32),
        "profile": "full",
        "weights": "",
    }
    run_id = run_id_of(config.name, "full", "public", identity)
    rows = [
        {"key": plan.key, "name": plan.name, "method": plan.method, "role": plan.role}
        | {"selection": selection}
        for plan in config.plans
    ]
    manifest = {
        "run_id": run_id,
        "identity": identity,
        "experiment": config.name,
        "config": config.model_dump(mode="json"),
        **{f"{name}_digest": identity[name] for name in ("config", "samples", "folds")},
        "profile": "full",
        "data_kind": "public",
        "protocol": config.protocol.title,
        "selection": selection,
        "n_samples": len(ids),
        "n_subjects": PEOPLE,
        "classes": CLASSES,
        "class_counts": {name: list(labels.values()).count(name) for name in CLASSES},
        "excluded": [],
        "warnings": [],
        "stages": extra.get("stages", []),
        "rows": rows,
        "created": extra.get("created", "2026-01-01T00:00:00+00:00"),
        "versions": {"keras": "3.15.1"},
        "backend": "tensorflow",
        "device": "2 CPU cores",
        "git": "abc1234",
    }
    folder = RunFolder(root / run_id)
    with patch("mer_keras.whole_files._flush"):  # Nobody needs these files after a power cut.
        folder.open(manifest, folds)
        for key, units in units_of(manifest, folds).items():
            for unit in units:
                fold = next(fold for fold in folds.folds if fold.name == unit.fold)
                is_skipped = (key, folds.folds.index(fold)) in extra.get("skip", ())
                if not is_skipped or unit.seed != extra.get("skip_seed", unit.seed):
                    method = next(row["method"] for row in rows if row["key"] == key)
                    _store(folder, manifest, unit, fold, method, labels, extra)
    return read_view(folder.path)


def _store(folder, manifest, unit, fold, method, labels, extra):
    rng = np.random.default_rng([unit.seed, *unit.fold.encode(), len(unit.row)])
    truth = np.array([CLASSES.index(labels[i]) for i in fold.test])
    right = rng.random((EPOCHS, len(truth))) < extra.get("skill", SKILLS)[unit.row]
    numbers = np.where(right, truth, 0)  # (epochs, clips)
    trajectory = np.eye(3, dtype=np.float32)[numbers]
    if extra.get("other_last") == unit.row:
        numbers = (numbers + 1) % 3
    table = pd.DataFrame(dict.fromkeys(PREDICTION_COLUMNS, ""), index=range(len(truth)))
    same = {key: manifest[key] for key in ("run_id", "experiment", "protocol", "data_kind")}
    own = {"row": unit.row, "fold": unit.fold, "seed": unit.seed, "method": method}
    table = table.assign(**same, **own, selection=manifest["selection"], database="samm")
    table = table.assign(
        sample_id=list(fold.test),
        subject_id=[i.rsplit("/", 1)[0] for i in fold.test],
        label=[labels[i] for i in fold.test],
        predicted=[CLASSES[number] for number in numbers[-1]],
        is_copy=False,
        epoch=EPOCHS,
    )
    for number, name in enumerate(CLASSES):
        table[f"prob_{name}"] = (numbers[-1] == number).astype("float32")
    record = {
        "seconds": extra.get("seconds", 1.0),
        "parameters": 1715 if unit.row == "net" else None,
    }
    records_epochs = unit.row == "net" and manifest["selection"] == "last_epoch"
    if records_epochs and not (extra.get("no_epochs") and unit.seed == 1):
        stored = trajectory[: -extra["cut"]] if "cut" in extra else trajectory
        folder.store(unit, table, record, stored)
    else:
        folder.store(unit, table, record)
