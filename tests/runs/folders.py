"""A small run folder, and files to put into it."""

import hashlib
import io

import numpy as np
import pandas as pd

from mer_keras.protocols.folds import Fold, FoldSet
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.json_files import read_json, write_json
from mer_keras.runs.units import Unit
from mer_keras.terms import PREDICTION_COLUMNS, Selection

FOLD_SET = FoldSet(
    (
        Fold("d/1", ("d/2/a",), (), ("d/1/a", "d/1/b"), Selection.LAST_EPOCH),
        Fold("d/2", ("d/1/a",), (), ("d/2/a", "d/2/b"), Selection.LAST_EPOCH),
    )
)
MANIFEST_TREE = {
    "run_id": "run-1",
    "identity": {"config": "c", "samples": "s"},
    "config": {"seeds": [0, 1]},
    "rows": [{"key": "net"}, {"key": "other"}],
}
UNIT = Unit("net", 0, "d/1")
TRAJECTORY = np.arange(12, dtype="float32").reshape(3, 2, 2) / 12


def predictions(unit=UNIT, **changes):
    """What a unit may store, with some columns changed."""
    fold = next(fold for fold in FOLD_SET.folds if fold.name == unit.fold)
    own = {"run_id": "run-1", "row": unit.row, "seed": unit.seed, "fold": unit.fold, "epoch": 1}
    table = pd.DataFrame(dict.fromkeys(PREDICTION_COLUMNS, "x"), index=range(2))
    return table.assign(**own, sample_id=list(fold.test), is_copy=False).assign(**changes)


def opened(path, **changes):
    folder = RunFolder(path)
    folder.open(MANIFEST_TREE | changes, FOLD_SET)
    return folder


def file_of(run, suffix, unit=UNIT):
    return run.path / "predictions" / (unit.stem() + suffix)


def rewrite(run, suffix, content, unit=UNIT):
    """Put another file in place of a stored one, and its checksum into the record."""
    file_of(run, suffix, unit).write_bytes(content)
    record = read_json(file_of(run, ".json", unit))
    record["checksums"][suffix] = hashlib.blake2b(content, digest_size=16).hexdigest()
    write_json(file_of(run, ".json", unit), record)


def as_parquet(table):
    content = io.BytesIO()
    table.to_parquet(content, index=False)
    return content.getvalue()


def as_npy(array, **options):
    content = io.BytesIO()
    np.save(content, array, **options)
    return content.getvalue()
