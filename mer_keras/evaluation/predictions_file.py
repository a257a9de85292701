"""Anybody's predictions: a table with one line a tested clip, read and checked.

Columns of the CSV or parquet file, in any order:

========== ========= ==============================================================================
column     needed    what it holds
========== ========= ==============================================================================
subject    yes       the person whom the clip shows
label      yes       true class
predicted  yes       predicted class; not needed where there are probabilities
sample     no        name of the clip, by which copies are found
database   no        database of the clip; people of two databases are never one
fold       no        fold in which the clip was tested
clips      no        how many clips the line stands for, where lines are counts; 1 if absent
prob_NAME  no        probability of the class NAME, 0 to 1, for every class or for none; each line
                     adds up to 1
========== ========= ==============================================================================

Other columns are left alone and named in a warning. In a CSV file the first line names the columns;
rows are counted from there, so that row 2 is the first clip.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mer_keras.bounded_files import NoPlainFileError, read_bounded
from mer_keras.errors import UserError, did_you_mean
from mer_keras.parquet_files import DAMAGE, read_columns

NEEDED = ("subject", "label", "predicted")
OPTIONAL = ("sample", "database", "fold", "clips")
PROBABILITY = "prob_"
#: Probabilities of a line may differ from 1 by so much, as printed ones do.
TOLERANCE = 0.01
#: Most rows that a message names.
MOST_SHOWN = 3
#: Most bytes of a file, rows of a table, columns of it and cells in all.
MOST_BYTES = 2**27
MOST_ROWS = 2_000_000
MOST_COLUMNS = 1000
MOST_CELLS = 20_000_000
#: Most clips that the rows may stand for together; each is counted by itself.
MOST_CLIPS = 5_000_000
#: Most classes, and most people, of whom intervals draw thousands of times.
MOST_CLASSES = 100
MOST_PEOPLE = 50_000
#: Most cells of the confusion matrices of all people.
MOST_COUNTS = 20_000_000


@dataclass(frozen=True)
class PredictionsFile:
    """Predictions of a file, one row a line of it.

    Attributes:
        table: columns ``subject``, ``label``, ``predicted`` and ``clips``, and those of
            ``OPTIONAL`` that the file has; all but ``clips`` are texts.
        classes: all classes, in the order that was given or else by name.
        warnings: what a reader of the scores must know of the file.
    """

    table: pd.DataFrame
    classes: tuple[str, ...]
    warnings: tuple[str, ...]


def read_predictions(path: Path, classes: Sequence[str] = ()) -> PredictionsFile:
    """Read and check a table of predictions.

    Args:
        path: a ``.csv`` or ``.parquet`` file in the form of this module.
        classes: the full label set, in the order in which it is shown; that of the file if empty.

    Raises:
        UserError: the file can't be read, lacks a column, or a row holds what it must not; the
            message names file, row and value.
    """
    table = _read(path)
    unused = [column for column in table if not _is_used(column)]
    warnings = [f"columns that are not used: {', '.join(unused)}"] if unused else []
    probabilities = _probabilities(table, path)
    if "predicted" not in table and probabilities is not None:
        table["predicted"] = probabilities.idxmax(axis=1)
    _check_columns(table, path)
    for column in (*NEEDED, "sample", "database", "fold"):
        if column in table:
            _check_filled(table, column, path)
    table["clips"] = _clips(table, path)
    known = _classes(table, probabilities, classes, path)
    people = len(set(people_of(table)))
    if people > MOST_PEOPLE or people * len(known) ** 2 > MOST_COUNTS:
        raise UserError(
            f"{path}: {people:,} people and {len(known)} classes, expected {MOST_PEOPLE:,} people "
            f"at most, and {MOST_COUNTS:,} cells in the confusion matrices of all"
        )
    if probabilities is not None:
        warnings += _unlike_probabilities(table, probabilities)
    warnings += [*_copies(table, path), *_people_in_folds(table)]
    columns = [name for name in (*NEEDED, *OPTIONAL) if name in table]
    return PredictionsFile(table[columns], known, tuple(warnings))


def people_of(table: pd.DataFrame) -> list[str]:
    """The person of each row, with the database where there is one."""
    if "database" not in table:
        return list(table["subject"])
    return list(table["database"] + "/" + table["subject"])


def _read(path: Path) -> pd.DataFrame:
    """Read a file; texts are stripped, empty cells are empty texts."""
    readers = {".csv": _read_csv, ".parquet": _read_parquet}
    if path.suffix.lower() not in readers:
        raise UserError(f"{path}: expected a file named .csv or .parquet")
    try:
        table = readers[path.suffix.lower()](read_bounded(path, MOST_BYTES))
    except (FileNotFoundError, NoPlainFileError) as error:
        raise UserError(
            f"{path}: no such file: expected a CSV or parquet file of predictions"
        ) from error
    except DAMAGE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path}: can't be read as a table: {reason}") from error
    table.columns = [str(column).strip() for column in table.columns]
    double = [name for name in dict.fromkeys(table.columns) if list(table.columns).count(name) > 1]
    if double:
        raise UserError(f"{path}: column {double[0]!r} stands twice: expected each name once")
    if table.empty:
        raise UserError(f"{path}: holds no row: expected one for each tested clip")
    return table.apply(lambda column: column.str.strip()).reset_index(drop=True)


def _read_csv(content: bytes) -> pd.DataFrame:
    """Read a CSV file; a column that stands twice keeps its name.

    Raises:
        ValueError: it is no CSV file, or a larger one than is allowed.
    """
    rows = max(content.count(end) for end in (b"\n", b"\r"))
    columns = re.split(b"[\r\n]", content, maxsplit=1)[0].count(b",") + 1
    cells = max(rows * columns, content.count(b",") + rows)
    if rows > MOST_ROWS or columns > MOST_COLUMNS or cells > MOST_CELLS:
        raise ValueError(
            f"{rows:,} rows of {columns:,} columns, expected {MOST_ROWS:,} rows, {MOST_COLUMNS:,} "
            f"columns and {MOST_CELLS:,} cells at most"
        )
    lines = pd.read_csv(
        io.BytesIO(content), dtype=str, header=None, keep_default_na=False, encoding="utf-8-sig"
    ).fillna("")
    return lines.iloc[1:].set_axis(lines.iloc[0].tolist(), axis=1)


def _read_parquet(content: bytes) -> pd.DataFrame:
    """Read a parquet file; columns that aren't used are empty, whatever they hold.

    Raises:
        Exception: of ``parquet_files.DAMAGE``.
    """
    unused: list[str] = []

    def is_used(column: str) -> bool:
        name = column.strip()
        if not _is_used(name):
            unused.append(name)
        return _is_used(name)

    table = read_columns(content, MOST_ROWS, is_used).to_pandas()
    texts = table.astype(object).where(table.notna(), "").astype(str)
    return texts.assign(**dict.fromkeys(unused, ""))


def _is_used(column: str) -> bool:
    """Whether a column of this name is read; others are named in a warning."""
    return column in (*NEEDED, *OPTIONAL) or column.startswith(PROBABILITY)


def _check_columns(table: pd.DataFrame, path: Path) -> None:
    missing = [name for name in NEEDED if name not in table]
    if missing:
        name = missing[0]
        raise UserError(
            f"{path}: lacks the column {name!r}{did_you_mean(name, table.columns)}; it has "
            f"{', '.join(table.columns)}; expected {', '.join(NEEDED)}, see mer-keras score --help"
        )


def _check_filled(table: pd.DataFrame, column: str, path: Path) -> None:
    empty = np.flatnonzero(table[column] == "")
    if len(empty):
        raise UserError(f"{path}, row {_row(empty[0])}: {column!r} is empty: expected a text")


def _row(index: int) -> int:
    """Number of a row as a spreadsheet shows it: the columns' names are row 1."""
    return int(index) + 2


def _clips(table: pd.DataFrame, path: Path) -> list[int]:
    """How many clips each row stands for."""
    if "clips" not in table:
        return [1] * len(table)
    for index, text in enumerate(table["clips"]):
        is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MOST_CLIPS))
        if not (is_number and 0 < int(text) <= MOST_CLIPS):
            raise UserError(
                f"{path}, row {_row(index)}: 'clips' is {text[:40]!r}: expected a whole number "
                f"from 1 to {MOST_CLIPS:,}"
            )
    counts = [int(text) for text in table["clips"]]
    if sum(counts) > MOST_CLIPS:
        raise UserError(
            f"{path}: its rows stand for {sum(counts):,} clips, expected {MOST_CLIPS:,} at most"
        )
    return counts


def _probabilities(table: pd.DataFrame, path: Path) -> pd.DataFrame | None:
    """Probabilities by class name, (rows, classes) float64; ``None`` where there are none."""
    columns = [name for name in table if name.startswith(PROBABILITY)]
    if not columns:
        return None
    values = table[columns].apply(pd.to_numeric, errors="coerce")
    wrong = ~((values >= 0) & (values <= 1))  # Also where a value is no number.
    for index, column in np.argwhere(wrong.to_numpy())[:1]:
        name = columns[column]
        raise UserError(
            f"{path}, row {_row(index)}: {name!r} is {table[name][index]!r}: expected a number "
            "from 0 to 1"
        )
    sums = values.sum(axis=1)
    for index in np.flatnonzero((sums - 1).abs() > TOLERANCE)[:1]:
        raise UserError(
            f"{path}, row {_row(index)}: the probabilities add up to {sums[index]:.3f}: expected 1"
        )
    return values.rename(columns=lambda name: name.removeprefix(PROBABILITY))


def _classes(
    table: pd.DataFrame, probabilities: pd.DataFrame | None, classes: Sequence[str], path: Path
) -> tuple[str, ...]:
    """All classes; every label and prediction is one of them."""
    seen = sorted({*table["label"], *table["predicted"]})
    known = tuple(classes) or tuple(seen if probabilities is None else probabilities.columns)
    for column in ("label", "predicted"):
        for index in np.flatnonzero(~table[column].isin(known))[:1]:
            name = table[column][index]
            raise UserError(
                f"{path}, row {_row(index)}: {column!r} is {name!r}, which is no class"
                f"{did_you_mean(name, known)}: expected one of {', '.join(known)}"
            )
    if len(known) > MOST_CLASSES:
        raise UserError(
            f"{path}: {len(known):,} classes, expected {MOST_CLASSES} at most: is {known[0]!r} one?"
        )
    if len(known) < 2:
        raise UserError(
            f"{path}: only the class {known[0]!r} stands in it: expected two or more; name all "
            "with --classes"
        )
    return known


def _unlike_probabilities(table: pd.DataFrame, probabilities: pd.DataFrame) -> list[str]:
    """Say where the predicted class isn't the most probable one."""
    predicted = np.array(
        [
            values[list(probabilities.columns).index(name)] if name in probabilities else 0.0
            for name, values in zip(table["predicted"], probabilities.to_numpy(), strict=True)
        ]
    )
    rows = np.flatnonzero(predicted < probabilities.max(axis=1).to_numpy() - 1e-9)
    if not len(rows):
        return []
    return [f"the predicted class is not the most probable one in {_rows(rows)}"]


def _copies(table: pd.DataFrame, path: Path) -> list[str]:
    """Say which clips stand more than once; refuse those with two labels."""
    if "sample" not in table:
        return []
    keys = [key for key in ("database", "subject", "sample") if key in table]
    labels = table.groupby(keys)["label"].transform("nunique")
    for index in np.flatnonzero(labels > 1)[:1]:
        sample = table["sample"][index]
        raise UserError(
            f"{path}, row {_row(index)}: sample {sample!r} has two labels: expected one a clip"
        )
    repeated = np.flatnonzero(table.duplicated(keys))
    if not len(repeated):
        return []
    return [
        f"{len(repeated)} rows are copies of a clip that stands before ({_rows(repeated)}): each "
        "counts as a clip of its own here, and scores of copies are no scores of clips"
    ]


def _people_in_folds(table: pd.DataFrame) -> list[str]:
    """Say which people were tested in more than one fold."""
    if "fold" not in table:
        return []
    folds = table.assign(person=people_of(table)).groupby("person")["fold"].nunique()
    count = int((folds > 1).sum())
    if not count:
        return []
    return [
        f"{count} of {len(folds)} people were tested in more than one fold: other clips of theirs "
        "may have been trained on"
    ]


def _rows(indices: Sequence[int] | np.ndarray) -> str:
    """Numbers of the first few rows, in words."""
    shown = ", ".join(str(_row(index)) for index in indices[:MOST_SHOWN])
    more = f" and {len(indices) - MOST_SHOWN} more" if len(indices) > MOST_SHOWN else ""
    return f"row {shown}{more}"
