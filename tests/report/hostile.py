"""A run folder in which every text that nothing decides is hostile, and all fits together."""

import hashlib

import numpy as np
import pandas as pd

from mer_keras.config.experiment import Experiment
from mer_keras.names import slug
from mer_keras.protocols.folds import Fold, FoldSet
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.identity import run_id_of
from mer_keras.runs.units import units_of
from mer_keras.terms import PREDICTION_COLUMNS, Selection
from tests.report.stored import CONFIG

#: What each target of a text may take for more than text: a browser, markdown, a spreadsheet,
#: LaTeX, a terminal, rich, mathematics of a drawing, a path, a template, the end of a line or cell.
NASTY = (
    "=cmd|'/C calc'!A0 <script>alert(1)</script> ![x](http://evil/x.png) [y](javascript:z)"
    " | \\input{/etc/passwd} [bold red] $\\frac{$ ../../evil /etc/passwd {{7*7}} %s {0}"
    " \u202e\u200b \x1b]0;title\x07\x1b[2J \r\n,=1+1\t\"quote' # & ~ ^ _"
)
#: A text that spreadsheets, after a rule of LaTeX, take for more: by its first sign.
BEGINNINGS = ("\t=1+1", "\uff1d1+1", "[2pt]", "*", "@SUM(1)", "\x00=1", "\ufeff=1", "-1+cmd")


def nasty(number):
    """A hostile text that differs from the others."""
    return f"{BEGINNINGS[number % len(BEGINNINGS)]} {number} {NASTY}"


def hostile_config(**changes):
    """An experiment that nobody knows, whose texts are hostile."""
    tree = CONFIG.model_dump(mode="json")
    method = "shallow_convlstm"
    tree |= {
        "name": "evil/table1",
        "caption": nasty(0),
        "table": nasty(1),
        "paper": dict.fromkeys(("title", "authors", "venue"), nasty(2)) | {"year": 10**9},
        "rows": [{"name": nasty(3), "method": method, "published": []}],
        "also_reproduces": [nasty(4)],
        "not_reproduced": [nasty(5)],
        "not_inherited": [nasty(6)],
        "seeds": [0],
        "baselines": ["majority"],
        "selection": "last_epoch",
    } | changes
    return Experiment.model_validate(tree)


def make_hostile_run(root, kind="licensed"):
    """Write the run; return its folder. ``kind`` is the kind of its data."""
    config = hostile_config()
    classes = [nasty(10 + number)[:200] for number in range(3)]
    subjects = [f"samm/{nasty(20 + number // 3)}" for number in range(12)]
    ids = [f"{subject}/{nasty(30 + number)}" for number, subject in enumerate(subjects)]
    folds = FoldSet(
        tuple(
            Fold(nasty(50 + k), ("x",), (), tuple(ids[6 * k : 6 * k + 6]), Selection.LAST_EPOCH)
            for k in range(2)
        ),
        (nasty(8),),
    )
    name = config.rows[0].name
    rows = [
        ("row", slug(name), name, nasty(60)),
        ("baseline", "baseline-majority", nasty(61), nasty(62)),
    ]
    digests = {"config": config.digest(), "samples": nasty(63), "folds": folds.digest()}
    identity = {**digests, "profile": "full", "weights": "", nasty(64): nasty(65)}
    counts = dict.fromkeys(classes, 4)
    manifest = {
        "run_id": run_id_of(config.name, "full", kind, identity),
        "identity": identity,
        "experiment": config.name,
        "config": config.model_dump(mode="json"),
        **{f"{name}_digest": digest for name, digest in digests.items()},
        "profile": "full",
        "data_kind": kind,
        "protocol": nasty(66),
        "subject_exclusive": False,
        "selection": "last_epoch",
        "n_samples": 12,
        "n_subjects": 4,
        "classes": classes,
        "class_counts": counts,
        "excluded": [{"clip": nasty(67), "reason": nasty(68)}],
        "warnings": [nasty(69)],
        "editions": [nasty(70)],
        "rows": [
            {"role": role, "key": key, "name": name, "method": method, "selection": "last_epoch"}
            for role, key, name, method in rows
        ],
        "created": "2026-01-01T00:00:00+00:00",
        "versions": {nasty(71): nasty(72)},
        "backend": nasty(73),
        "device": nasty(74),
        "git": nasty(75),
        nasty(76): nasty(77),
    }
    folder = RunFolder(root / manifest["run_id"])
    folder.open(manifest, folds)
    method_of = {key: method for _, key, _, method in rows}
    for key, units in units_of(manifest, folds).items():
        for unit, fold in zip(units, folds.folds, strict=True):
            table = pd.DataFrame(dict.fromkeys(PREDICTION_COLUMNS, nasty(80)), index=range(6))
            labels = [classes[ids.index(sample) % 3] for sample in fold.test]
            for column in ("experiment", "protocol", "data_kind", "selection", "run_id"):
                table[column] = manifest[column]
            table = table.assign(
                row=key,
                method=method_of[key],
                fold=unit.fold,
                seed=unit.seed,
                epoch=3,
                sample_id=list(fold.test),
                subject_id=[subjects[ids.index(sample)] for sample in fold.test],
                database=nasty(81),
                label=labels,
                predicted=np.roll(labels, unit.seed + (key == rows[1][1])),
                is_copy=False,
            )
            for name in classes:
                table[f"prob_{name}"] = (table["predicted"] == name).astype("float32")
            history = {"loss": [1e308, -1.0, float("nan")], nasty(82): [float("inf")], "x": []}
            record = {
                "seconds": 1e300,
                "parameters": 2**53 - 1,
                "multiply_accumulates": 2**53 - 1,
                "history": history,
                nasty(83): nasty(84),
            }
            folder.store(unit, table, record)
    failed = folder.path / "predictions" / "stray.failed.json"
    failed.write_text('{"reason": "x"}')
    return folder


def digest_of(root):
    """Names, kinds and contents of everything below a folder, links not followed."""
    digest = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            digest[name] = f"-> {path.readlink()}"
        elif path.is_file():
            digest[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            digest[name] = "folder"
    return digest
