"""The file of predictions that one unit stores: how it is read, and what it must hold.

A run folder may come from somebody else, so that nothing in a file is believed before it is
compared with the manifest and the folds.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mer_keras.errors import ResultsError
from mer_keras.parquet_files import DAMAGE, read_columns
from mer_keras.terms import PREDICTION_COLUMNS

#: Most copies of a tested clip: a file that declares more rows is not read.
MOST_COPIES = 10_000
#: Columns that hold numbers; the others of ``PREDICTION_COLUMNS`` hold text.
_NUMBERS = ("seed", "epoch")


def read_table(content: bytes, clips: int, name: str) -> pa.Table:
    """Read a file of predictions.

    Args:
        content: its bytes.
        clips: number of clips that the unit tests.
        name: names the file in messages.

    Raises:
        ResultsError: it is no table, or declares more than a unit can have.
    """
    try:
        return read_columns(content, clips * (1 + MOST_COPIES))
    except DAMAGE as error:
        raise ResultsError(
            f"{name}: no table of predictions of {clips} tested clips: {error}"
        ) from error


def mismatch(
    table: pa.Table,
    expected: Mapping[str, object],
    tested: Sequence[str],
    classes: Sequence[str] | None,
) -> str:
    """Return why a table of predictions is not that of a unit, or nothing.

    Args:
        table: the table.
        expected: column -> the value that each of its rows must hold.
        tested: ids of the clips that the unit's fold tests, in their order.
        classes: the classes of the run; ``None`` where the manifest names none.
    """
    probabilities = [f"prob_{name}" for name in classes or ()]
    needed = (*PREDICTION_COLUMNS, "is_copy", *probabilities)
    absent = [column for column in needed if column not in table.column_names]
    if absent:
        return f"the column(s) {', '.join(absent)} are missing"
    if len(set(table.column_names)) < len(table.column_names):
        return "a column stands twice"
    for column, value in expected.items():
        for entry in pc.unique(table[column]).to_pylist():
            if entry != value or type(entry) is not type(value):
                return f"column {column} holds {entry!r}, expected {value!r}"
    reason = _wrong_types(table)
    if reason:
        return reason
    is_copy = table["is_copy"].to_numpy().astype(bool)
    ids = table["sample_id"].to_numpy()
    if tuple(ids[~is_copy]) != tuple(tested) or not set(ids[is_copy]) <= set(tested):
        return "the samples are not those that the fold tests"
    return _wrong_classes(table, classes, probabilities) if classes else ""


def _wrong_types(table: pa.Table) -> str:
    """Say which column is of another type than it should be."""
    texts = [name for name in PREDICTION_COLUMNS if name not in _NUMBERS]
    for column in texts:
        kind = table.schema.field(column).type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            return f"column {column} holds {kind}, expected text"
        if table[column].null_count:
            return f"column {column} has empty cells"
    epoch = table["epoch"]
    if not pa.types.is_integer(epoch.type) or epoch.null_count:
        return f"column epoch holds {epoch.type}, expected a whole number in each row"
    is_copy = table["is_copy"]
    if not pa.types.is_boolean(is_copy.type) or is_copy.null_count:
        return f"column is_copy holds {is_copy.type}, expected true or false"
    return ""


def _wrong_classes(table: pa.Table, classes: Sequence[str], probabilities: Sequence[str]) -> str:
    """Say which class or probability can't be."""
    labels = set(pc.unique(table["label"]).to_pylist())
    if not labels <= set(classes):
        return f"column label holds {min(labels - set(classes))!r}, which is no class of the run"
    if any(not pa.types.is_floating(table.schema.field(name).type) for name in probabilities):
        return "a column of probabilities holds no numbers"
    # (rows, classes)
    values = np.column_stack([table[name].to_numpy() for name in probabilities])
    if not np.isfinite(values).all():
        return "a probability is not finite"
    if list(np.array(classes)[values.argmax(axis=1)]) != table["predicted"].to_pylist():
        return "a predicted class is not the one with the highest probability"
    return ""
