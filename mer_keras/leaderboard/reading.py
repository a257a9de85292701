"""Contributions as somebody sent them: read within bounds, and nothing believed unchecked.

Numbers of a page are computed from what is read here. A folder is refused by name whose files
contradict one another or the set that it names, or that holds anything else. That a training was
what the config says can't be seen from it.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError

from mer_keras.bounded_files import TooLargeError, read_bounded
from mer_keras.config.experiment import Experiment, RowPlan
from mer_keras.config.validation import explain
from mer_keras.errors import ResultsError, UserError
from mer_keras.evaluation.epoch_curves import CURVES
from mer_keras.evaluation.metrics import subject_matrices, uf1
from mer_keras.json_text import parse_json
from mer_keras.leaderboard import schema
from mer_keras.leaderboard.boards import (
    CLIP_COLUMNS,
    Board,
    boards,
    clips_digest,
    division_digest,
)
from mer_keras.leaderboard.digests import content_digest
from mer_keras.leaderboard.schema import ContributedRow, Contribution
from mer_keras.leaderboard.writing import (
    DECIMALS,
    SHOWN_SELECTIONS,
    claimed_rows,
    claims_of,
    stores_trajectories,
)
from mer_keras.methods.registry import inputs_of

#: Most bytes of one file of a contribution.
MOST_BYTES = 8 * 2**20
#: Most lines of a table.
MOST_LINES = 100_000
#: What to do about a contribution that an earlier version may have written.
_ANEW = "expected what this version writes of the run: mer-keras contribute RUN"
#: Most files of a contribution: one of predictions and one of curves for each row, and two more.
MOST_FILES = 2 * schema.MOST_ROWS + 2


@dataclass(frozen=True)
class Entry:
    """One contribution, checked.

    Attributes:
        source: name of its folder or run.
        head: what it says of itself.
        clips: a table with ``boards.CLIP_COLUMNS``, sorted by clip.
        predicted: row key -> (seed, rule) -> number of the predicted class of each clip, (clips,).
        curves: row key -> table of ``epochs`` and UF1 under the rules of ``epoch_curves.CURVES``.
        config: its experiment.
        plans: row key -> how a row was run, as its config has it.
    """

    source: str
    head: Contribution
    clips: pd.DataFrame
    predicted: Mapping[str, Mapping[tuple[int, str], NDArray[np.int64]]]
    curves: Mapping[str, pd.DataFrame]
    config: Experiment
    plans: Mapping[str, RowPlan]


def read_contribution(folder: Path, known: Mapping[str, Board] | None = None) -> Entry:
    """Read the folder of a contribution.

    Args:
        folder: the folder.
        known: boards by name; those of this version if ``None``.

    Raises:
        ResultsError: naming the file, what was found and what was expected.
    """
    names = _file_names(folder)
    if schema.HEAD not in names:
        raise ResultsError(f"{folder}: holds no {schema.HEAD}: expected a contribution")
    return checked_entry(folder.name, {name: _text(folder / name) for name in names}, known)


def checked_entry(
    source: str, files: Mapping[str, str], known: Mapping[str, Board] | None = None
) -> Entry:
    """Check the files of a contribution against one another and against the set that it names.

    Args:
        source: names the contribution in messages.
        files: name within the folder -> text.
        known: boards by name; those of this version if ``None``.

    Raises:
        ResultsError: see ``read_contribution``.
    """
    head = _head(files[schema.HEAD], f"{source}/{schema.HEAD}")
    _check_files(head, files, source)
    clips = _clips(files[schema.CLIPS], f"{source}/{schema.CLIPS}")
    known = boards() if known is None else known
    _check_board(head, clips, known, source)
    config = _config(head, f"{source}/{schema.HEAD}")
    _check_config(head, config, known[head.board], f"{source}/{schema.HEAD}")
    predicted, curves = {}, {}
    for row in head.rows:
        if row.ran:
            where = f"{source}/{schema.PREDICTIONS}/{row.key}.csv"
            text = files[f"{schema.PREDICTIONS}/{row.key}.csv"]
            predicted[row.key] = _predictions(text, head, row, list(clips["clip"]), where)
        if schema.AS_RUN not in row.rules and row.ran:
            where = f"{source}/{schema.CURVES}/{row.key}.csv"
            curves[row.key] = _curves(files[f"{schema.CURVES}/{row.key}.csv"], row, where)
    plans = {plan.key: plan for plan in config.plans}
    entry = Entry(source, head, clips, predicted, curves, config, plans)
    _check_curves(entry)
    return entry


def _config(head: Contribution, where: str) -> Experiment:
    try:
        return Experiment.model_validate(head.config)
    except ValidationError as error:
        raise ResultsError(f"{where}: config: {explain(error, Experiment)}") from error


def _check_config(head: Contribution, config: Experiment, board: Board, where: str) -> None:
    """Refuse a head that says other things of its run or rows than its config.

    The digest of the config isn't compared: a default that was added since gives it another.

    Raises:
        ResultsError: naming the field.
    """
    plans = {plan.key: plan for plan in config.plans}
    _check_same(
        where,
        ("experiment", head.experiment, config.name),
        ("protocol", head.protocol, config.protocol.title),
        ("selection", head.selection, config.selection),
        ("seeds", head.seeds, config.seeds),
    )
    for plan in config.plans:
        try:
            inputs_of(plan)
        except UserError as error:
            raise ResultsError(f"{where}: row {plan.name!r}: {error}") from error
    claimed = _claimed(config, board, where)
    for row in head.rows:
        if row.ran:
            _check_row(config, row, plans.get(row.key), where)
            described = claims_of(config, row.key, row.method, board)
            if any(claim.model_dump() not in described for claim in row.claims):
                raise ResultsError(
                    f"{where}: row {row.name!r} has a claim that the config doesn't have of it: "
                    f"{_ANEW}"
                )
        elif row not in claimed:
            raise ResultsError(
                f"{where}: row {row.name!r} was not run and is not what the config says of "
                f"{row.method}: {_ANEW}"
            )


def _claimed(config: Experiment, board: Board, where: str) -> list[ContributedRow]:
    """Rows that the config only claims.

    Raises:
        ResultsError: what it claims can't be.
    """
    try:
        return [ContributedRow.model_validate(row) for row in claimed_rows(config, board)]
    except ValidationError as error:
        raise ResultsError(f"{where}: config: {explain(error, ContributedRow)}") from error


def _check_row(config: Experiment, row: ContributedRow, plan: RowPlan | None, where: str) -> None:
    """Refuse a row that was run by another plan than its config has.

    Raises:
        ResultsError: naming the row and the field.
    """
    if plan is None or plan.method != row.method:
        raise ResultsError(f"{where}: the config has no row {row.key!r} of method {row.method}")
    has_epochs = plan.config.network is not None
    paper = plan.config.paper
    _check_same(
        f"{where}: rows.{row.key}",
        ("name", row.name, plan.name),
        ("role", row.role, plan.role),
        ("learns", row.learns, plan.config.can_find_motion),
        ("epochs", row.epochs, plan.recipe.epochs if has_epochs else None),
        ("about", row.about, plan.config.about),
        ("paper", row.paper, paper.short if paper else ""),
    )
    has_trajectory = row.rules != (schema.AS_RUN,)
    if has_trajectory != stores_trajectories(config, plan):
        reason = (
            "no epochs are stored of it"
            if has_trajectory
            else "its trajectory is incomplete, since record_epochs stores all epochs"
        )
        raise ResultsError(
            f"{where}: row {row.name!r} has predictions under {', '.join(row.rules)}, but by its "
            f"config {reason}"
        )


def _check_same(where: str, *fields: tuple[str, object, object]) -> None:
    """Compare fields, each a name, what the head says and what the config says."""
    for name, of_head, of_config in fields:
        if of_head != of_config:
            raise ResultsError(
                f"{where}: {name} {of_head!s}: its config has {of_config!s}: expected the same"
            )


def _file_names(folder: Path) -> list[str]:
    """Names of all files below a folder, as ``contribution.json`` would name them."""
    names = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise ResultsError(f"{folder}: {name} is a link: expected plain files")
        if path.is_file():
            names.append(name)
        if len(names) > MOST_FILES:
            raise ResultsError(f"{folder}: holds more than {MOST_FILES} files: no contribution")
    return names


def _text(path: Path) -> str:
    try:
        return read_bounded(path, MOST_BYTES).decode("utf-8")
    except TooLargeError as error:
        raise ResultsError(f"{path}: {error.strerror}: no file of a contribution") from error
    except OSError as error:
        raise ResultsError(f"{path}: can't be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ResultsError(f"{path}: no UTF-8 text: {error.reason}") from error


def _head(text: str, where: str) -> Contribution:
    try:
        return Contribution.model_validate(parse_json(text))
    except ValidationError as error:
        raise ResultsError(f"{where}: {explain(error, Contribution)}") from error
    except ValueError as error:
        raise ResultsError(f"{where}: not a JSON file: {error}") from error


def _check_files(head: Contribution, files: Mapping[str, str], source: str) -> None:
    """Refuse files that are absent, changed, or none of a contribution."""
    expected = [schema.CLIPS]
    for row in head.rows:
        expected += [f"{schema.PREDICTIONS}/{row.key}.csv"] if row.ran else []
        if row.ran and row.rules != (schema.AS_RUN,):
            expected.append(f"{schema.CURVES}/{row.key}.csv")
    for name in expected:
        if name not in files or name not in head.files:
            raise ResultsError(f"{source}: {name} is missing")
        if content_digest(files[name]) != head.files[name]:
            raise ResultsError(
                f"{source}: {name} was changed: its digest is {content_digest(files[name])}, and "
                f"{schema.HEAD} has {head.files[name]}"
            )
    others = sorted({*files, *head.files} - {schema.HEAD, *expected})
    if others:
        raise ResultsError(
            f"{source}: {others[0]} is no file of a contribution: expected {schema.HEAD}, "
            f"{', '.join(expected[:3])}, ..."
        )


def _lines(text: str, where: str) -> tuple[list[str], list[list[str]]]:
    """Header and lines of a CSV file, each line with as many cells as the header."""
    reader = csv.reader(io.StringIO(text))
    try:
        rows = [row for row, _ in zip(reader, range(MOST_LINES + 2), strict=False)]
    except csv.Error as error:
        raise ResultsError(f"{where}: not a CSV file: {error}") from error
    if not 2 <= len(rows) <= MOST_LINES + 1:
        raise ResultsError(f"{where}: {len(rows)} lines: expected 2 to {MOST_LINES:,}")
    header, *lines = rows
    if not header:
        raise ResultsError(f"{where}: row 1 is empty: expected names of columns")
    if len(set(header)) < len(header):
        raise ResultsError(f"{where}: a column stands twice: {', '.join(header)[:200]}")
    for number, line in enumerate(lines, start=2):
        if len(line) != len(header):
            raise ResultsError(
                f"{where}: row {number} has {len(line)} cells: expected {len(header)}"
            )
    return header, lines


def _clips(text: str, where: str) -> pd.DataFrame:
    header, lines = _lines(text, where)
    if tuple(header) != CLIP_COLUMNS:
        raise ResultsError(
            f"{where}: columns {', '.join(header)[:200]}: expected {', '.join(CLIP_COLUMNS)}"
        )
    clips = pd.DataFrame(lines, columns=header, dtype=str)
    for column in ("clip", "person"):
        wrong = ~clips[column].str.fullmatch(r"[0-9a-f]{12}")
        if wrong.any():
            number = int(wrong.to_numpy().argmax())
            raise ResultsError(
                f"{where}: row {number + 2}: {column} {clips[column][number]!r}: expected 12 "
                "hexadecimal digits, the digest of an id"
            )
    if not clips["clip"].is_monotonic_increasing or clips["clip"].duplicated().any():
        raise ResultsError(f"{where}: expected each clip once, sorted by its name")
    return clips


def _check_board(
    head: Contribution, clips: pd.DataFrame, known: Mapping[str, Board], source: str
) -> None:
    """Refuse clips, labels or folds that aren't those of the set that a contribution names."""
    if head.selection not in SHOWN_SELECTIONS:
        raise ResultsError(
            f"{source}: selection {head.selection}: expected one of {', '.join(SHOWN_SELECTIONS)}"
        )
    board = known.get(head.board)
    if board is None:
        raise ResultsError(f"{source}: board {head.board!r}: expected one of {', '.join(known)}")
    if head.classes != board.classes:
        raise ResultsError(
            f"{source}: classes {', '.join(head.classes)}: expected {', '.join(board.classes)}"
        )
    data = head.config.get("data")
    databases = data.get("database") if isinstance(data, dict) else None
    if databases != (board.databases[0] if len(board.databases) == 1 else list(board.databases)):
        raise ResultsError(
            f"{source}: other images: its config reads {databases}, and {head.board} is "
            f"{', '.join(board.databases)}"
        )
    digest = clips_digest(clips)
    if not digest == head.clips_digest == board.clips_digest:
        raise ResultsError(
            f"{source}: other clips or labels: their digest is {digest}, declared as "
            f"{head.clips_digest}, and that of {head.board} is {board.clips_digest}"
        )
    if head.protocol not in board.divisions:
        raise ResultsError(
            f"{source}: protocol {head.protocol!r}: {head.board} has tables of "
            f"{', '.join(board.divisions)}"
        )
    digest, expected = division_digest(clips), board.divisions[head.protocol]
    if not digest == head.division_digest == expected:
        raise ResultsError(
            f"{source}: other folds: their digest is {digest}, declared as "
            f"{head.division_digest}, and that of {head.protocol} on {head.board} is {expected}"
        )


def _predictions(
    text: str, head: Contribution, row: ContributedRow, clips: Sequence[str], where: str
) -> dict[tuple[int, str], NDArray[np.int64]]:
    header, lines = _lines(text, where)
    expected = {f"{seed}:{rule}": (seed, rule) for seed in head.seeds for rule in row.rules}
    if header[0] != "clip" or set(header[1:]) != expected.keys():
        absent = sorted(expected.keys() - header[1:]) or sorted(header[1:] - expected.keys())
        raise ResultsError(
            f"{where}: row {row.name!r} has an incomplete trajectory or a column too many: "
            f"{', '.join(absent[:5])}; expected clip and a column for each seed and rule"
        )
    if [line[0] for line in lines] != list(clips):
        raise ResultsError(f"{where}: other clips than {schema.CLIPS}, or in another order")
    numbers = {str(number): number for number in range(len(head.classes))}
    columns: dict[tuple[int, str], list[int]] = {expected[name]: [] for name in header[1:]}
    for line_number, line in enumerate(lines, start=2):
        for name, cell, of_column in zip(header[1:], line[1:], columns.values(), strict=True):
            if cell not in numbers:
                raise ResultsError(
                    f"{where}: row {line_number}, column {name}: {cell!r}: expected the number of "
                    f"a class, 0 to {len(head.classes) - 1}"
                )
            of_column.append(numbers[cell])
    return {column: np.array(values, np.int64) for column, values in columns.items()}


def _curves(text: str, row: ContributedRow, where: str) -> pd.DataFrame:
    header, lines = _lines(text, where)
    if header != ["epochs", *(curve.rule for curve in CURVES)]:
        expected = ", ".join(["epochs", *(curve.rule for curve in CURVES)])
        raise ResultsError(f"{where}: columns {', '.join(header)[:200]}: expected {expected}")
    try:
        table = pd.DataFrame(lines, columns=header).astype(float)
    except ValueError as error:
        raise ResultsError(f"{where}: {error}: expected numbers") from error
    lengths, values = table["epochs"].to_numpy(), table.iloc[:, 1:].to_numpy()
    in_range = ((values >= 0) & (values <= 1)).all()  # It is false of what is no number, too.
    are_whole = (lengths == np.floor(lengths)).all()
    if not (in_range and are_whole) or lengths[0] != 1 or not (np.diff(lengths) > 0).all():
        raise ResultsError(f"{where}: expected whole lengths from 1 upwards, and UF1 in 0..1")
    if lengths[-1] != row.epochs:
        raise ResultsError(
            f"{where}: row {row.name!r} has an incomplete trajectory: it ends at epoch "
            f"{lengths[-1]:g} of {row.epochs}"
        )
    return table


def _check_curves(entry: Entry) -> None:
    """Refuse a curve that doesn't end where the stored predictions are."""
    for key, table in entry.curves.items():
        for curve in CURVES:
            values = [float(uf1(m)) for m in matrices_of(entry, key, curve.rule).sum(axis=1)]
            last = table[curve.rule].iloc[-1]
            if abs(np.mean(values) - last) > 10**-DECIMALS:
                raise ResultsError(
                    f"{entry.source}/{schema.CURVES}/{key}.csv: under {curve.rule} it ends at "
                    f"{last:g}, and the predictions have UF1 {np.mean(values):.5f}"
                )


def matrices_of(
    entry: Entry, key: str, rule: str, database: str | None = None
) -> NDArray[np.int64]:
    """Confusion matrices of a row: (seeds, people, classes, classes), people sorted by name.

    Args:
        entry: the contribution.
        key: the row's key.
        rule: an epoch rule, or ``schema.AS_RUN``.
        database: only the clips of this one.
    """
    shown = np.ones(len(entry.clips), bool)
    if database is not None:
        shown = (entry.clips["database"] == database).to_numpy()
    classes, clips = entry.head.classes, entry.clips[shown]
    return np.stack(
        [
            subject_matrices(
                list(clips["label"]),
                [classes[number] for number in entry.predicted[key][seed, rule][shown]],
                list(clips["person"]),
                classes,
            )
            for seed in entry.head.seeds
        ]
    )
