"""A stored run -> a contribution: its files as texts."""

import csv
import io
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import JsonValue

from mer_keras import __version__
from mer_keras.config.experiment import Experiment, Row, RowPlan
from mer_keras.config.method import MethodConfig
from mer_keras.config.validation import validated
from mer_keras.errors import ResultsError
from mer_keras.evaluation.epoch_curves import CURVES, uf1_by_length
from mer_keras.evaluation.epoch_rules import RULES
from mer_keras.leaderboard import schema
from mer_keras.leaderboard.boards import (
    CLIP_COLUMNS,
    Board,
    anonymous,
    board_of,
    boards,
    clips_digest,
    division_digest,
)
from mer_keras.leaderboard.digests import content_digest
from mer_keras.methods.registry import inputs_of
from mer_keras.names import slug
from mer_keras.report.epochs import RecordedSeed, predicted_by_rule, recorded_seeds
from mer_keras.report.formats import write_texts
from mer_keras.report.view import RowState, RunView
from mer_keras.terms import Selection

#: Selections of epochs that a table has a column for.
SHOWN_SELECTIONS = (Selection.LAST_EPOCH, Selection.INNER_SUBJECTS)
#: Most lines of a file of curves; of longer trainings, lengths evenly apart are kept.
MOST_LENGTHS = 200
#: Decimals of a curve.
DECIMALS = 5

#: Matches a path where a word of a text begins, such as /home, ~/x, ../x, C:\x, \\host or file:/.
_PATH = re.compile(
    r"(?:^|-I|[^\w./:-])(?:/\w+/|~[A-Za-z]*/|\.{1,2}/|\\{1,2}\w+\\|[A-Za-z]:[\\/])"
    r"|(?:^|=)/\w|file:/|\$\w+/|%\w+%"
)


def contribution_files(
    view: RunView, *, keys: Collection[str] | None = None, known: Mapping[str, Board] | None = None
) -> dict[str, str]:
    """Return the files of a run's contribution: name within the folder -> text.

    Args:
        view: the run.
        keys: keys of the rows to take; all rows of the run if ``None``.
        known: boards by name; those of this version if ``None``.

    Raises:
        ResultsError: the run can't be compared with others, a fold is missing, or a trajectory is
            incomplete; run and row are named.
    """
    known = boards() if known is None else known
    config = _checked_config(view)
    board = board_of(config.data.databases, known, view.run_id)
    states = [state for state in view.rows if keys is None or state.key in keys]
    for state in states:
        _check_complete(view, state)
    plans = {plan.key: plan for plan in config.plans}
    clips = _clips(view, states[0])
    files = {schema.CLIPS: clips.to_csv(index=False, lineterminator="\n")}
    rows = []
    for state in states:
        plan = plans[state.key]
        columns, curves = _predicted(view, config, state, plan)
        table = pd.DataFrame({"clip": clips["clip"], **columns})
        files[f"{schema.PREDICTIONS}/{state.key}.csv"] = table.to_csv(
            index=False, lineterminator="\n"
        )
        if curves:
            files[f"{schema.CURVES}/{state.key}.csv"] = _curves_csv(curves)
        rules = tuple(RULES) if curves else (schema.AS_RUN,)
        rows.append(_contributed(config, state, plan, rules, known[board]))
    rows += claimed_rows(config, known[board])
    head = _head(view, config, board, clips, rows)
    # A run that somebody sent may say more than a contribution may.
    whole = {**head, "files": {name: content_digest(text) for name, text in files.items()}}
    tree = validated(schema.Contribution, whole, view.run_id).model_dump(mode="json")
    files[schema.HEAD] = json.dumps(tree, indent=1, sort_keys=True) + "\n"
    return files


def write_contribution(files: Mapping[str, str], folder: Path) -> None:
    """Write the files of a contribution into a folder that is empty or isn't there.

    Raises:
        ResultsError: something is there already, or the folder can't be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ResultsError(f"{folder}: is there already: expected a new name, or an empty folder")
    write_texts(files, folder)


def _checked_config(view: RunView) -> Experiment:
    # A default that was added since gives the config another digest; it is read all the same.
    config = validated(Experiment, view.manifest["config"], f"{view.run_id}: config")
    selection = Selection(view.manifest["selection"])
    if selection not in SHOWN_SELECTIONS:
        raise ResultsError(
            f"{view.run_id}: the epoch was chosen by {selection}: expected "
            f"{' or '.join(SHOWN_SELECTIONS)}; with record_epochs=true a run to the last epoch "
            "shows what every other rule makes of it"
        )
    _refuse_paths(view.manifest["config"], f"{view.run_id}: config")
    return config


def _refuse_paths(tree: JsonValue, where: str) -> None:
    """Refuse a config that names a folder of somebody's machine, as a key or within a text.

    Raises:
        ResultsError: naming the key.
    """
    if isinstance(tree, dict):
        for key, value in tree.items():
            _refuse_paths(key, where)
            _refuse_paths(value, f"{where}.{key}")
    elif isinstance(tree, list):
        for number, value in enumerate(tree):
            _refuse_paths(value, f"{where}.{number}")
    elif isinstance(tree, str) and _PATH.search(tree):
        raise ResultsError(f"{where} names a path, which others can't have: run without it")


def _check_complete(view: RunView, state: RowState) -> None:
    if not state.complete:
        raise ResultsError(
            f"{view.run_id}: row {state.name!r} is INCOMPLETE {state.done}/{state.expected}: "
            f"mer-keras resume {view.run_id} goes on; or contribute the finished rows with "
            f"--finished, or one row as {view.run_id}:KEY"
        )


def _clips(view: RunView, state: RowState) -> pd.DataFrame:
    """The table of clips, sorted by the clip's name; see ``boards.CLIP_COLUMNS``."""
    tested = view.of_row(state.key)
    first = tested[tested["seed"] == tested["seed"].iloc[0]]
    clips = pd.DataFrame(
        {
            "clip": [anonymous(sample_id) for sample_id in first["sample_id"]],
            "database": first["database"].to_numpy(),
            "person": [anonymous(subject_id) for subject_id in first["subject_id"]],
            "fold": _numbered(first["fold"]),
            "label": first["label"].to_numpy(),
        }
    )
    return clips[list(CLIP_COLUMNS)].sort_values("clip", ignore_index=True)


def _numbered(folds: pd.Series) -> list[str]:
    """Folds by number: the name of a fold may be that of a person."""
    numbers = {fold: f"fold-{number}" for number, fold in enumerate(dict.fromkeys(folds), start=1)}
    return [numbers[fold] for fold in folds]


def _predicted(
    view: RunView, config: Experiment, state: RowState, plan: RowPlan
) -> tuple[dict[str, NDArray[np.int64]], dict[str, NDArray[np.float64]]]:
    """Columns of a row's predictions, and its curves averaged over seeds, if it has any."""
    number_of = {name: number for number, name in enumerate(view.classes)}
    columns: dict[str, NDArray[np.int64]] = {}
    curves: dict[str, list[NDArray[np.float64]]] = {}
    if not stores_trajectories(config, plan):
        for seed, clips in view.of_row(state.key).groupby("seed"):
            columns[f"{seed}:{schema.AS_RUN}"] = _in_order(clips, clips["predicted"], number_of)
        return columns, {}
    for recorded in recorded_seeds(view, state.key):
        seed = int(recorded.clips["seed"].iloc[0])
        _check_trajectories(view, state, plan, recorded)
        for rule, predicted in predicted_by_rule(recorded, view.classes).items():
            columns[f"{seed}:{rule}"] = _in_order(recorded.clips, predicted, number_of)
        of_seed = uf1_by_length(recorded.whole, recorded.labels, recorded.subjects)
        for rule, values in of_seed.items():
            curves.setdefault(rule, []).append(values)
    return columns, {rule: np.mean(of_seeds, axis=0) for rule, of_seeds in curves.items()}


def stores_trajectories(config: Experiment, plan: RowPlan) -> bool:
    """Whether the row's epochs must have been stored."""
    to_last_epoch = config.selection is Selection.LAST_EPOCH
    return config.record_epochs and to_last_epoch and plan.config.network is not None


def _check_trajectories(
    view: RunView, state: RowState, plan: RowPlan, recorded: RecordedSeed
) -> None:
    """Refuse a seed of which epochs are missing, or whose last epoch is not what it predicted.

    Raises:
        ResultsError: naming run, row, seed and fold.
    """
    seed, expected = int(recorded.clips["seed"].iloc[0]), plan.recipe.epochs
    where = f"{view.run_id}: row {state.name!r}, seed {seed}"
    for number, trajectory in enumerate(recorded.trajectories, start=1):
        epochs = 0 if trajectory is None else len(trajectory)
        if epochs != expected:
            raise ResultsError(
                f"{where}: the trajectory of fold {number} is incomplete: {epochs} of {expected} "
                "epochs are stored: delete the fold's files, then resume the run"
            )
    last = predicted_by_rule(recorded, view.classes)["last_epoch"]
    if last != list(recorded.clips["predicted"]):
        raise ResultsError(
            f"{where}: the last epoch of its trajectory is not what the run predicted: the files "
            "are not of one training"
        )


def _in_order(
    clips: pd.DataFrame, predicted: Sequence[str], number_of: Mapping[str, int]
) -> NDArray[np.int64]:
    """Numbers of the predicted classes, in the order of the table of clips."""
    names = [anonymous(sample_id) for sample_id in clips["sample_id"]]
    numbers = np.array([number_of[name] for name in predicted], np.int64)
    return numbers[np.argsort(names)]


def _curves_csv(curves: Mapping[str, NDArray[np.float64]]) -> str:
    """Curves as CSV, at most ``MOST_LENGTHS`` lines; the last length is among them."""
    epochs = len(next(iter(curves.values())))
    shown = np.unique(np.linspace(1, epochs, min(epochs, MOST_LENGTHS)).round().astype(int))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    rules = [curve.rule for curve in CURVES]
    writer.writerow(["epochs", *rules])
    for length in shown:
        writer.writerow([length, *(f"{curves[rule][length - 1]:.{DECIMALS}f}" for rule in rules)])
    return buffer.getvalue()


def _contributed(
    config: Experiment, state: RowState, plan: RowPlan, rules: tuple[str, ...], board: Board
) -> dict[str, object]:
    """Fields of a row that was run."""
    described = plan.config
    return {
        "key": state.key,
        "name": state.name,
        "role": state.role,
        "method": state.method,
        "about": described.about,
        "paper": described.paper.short if described.paper else "",
        "learns": described.can_find_motion,
        "selection": state.selection,
        "epochs": plan.recipe.epochs if described.network is not None else None,
        "rules": rules,
        "parameters": state.parameters,
        "multiply_accumulates": state.multiply_accumulates,
        "seconds": round(state.seconds, 1),
        "claims": claims_of(config, state.key, plan.method, board),
    }


def claimed_rows(config: Experiment, board: Board) -> Iterator[dict[str, object]]:
    """Rows that don't run here, as a contribution has them, with what is claimed on this set."""
    for row in config.rows:
        described = _described(config, row)
        if described is None or config.plan_of(row) is not None:
            continue
        key = slug(row.name)
        claims = claims_of(config, key, str(row.method), board)
        if claims:
            yield {
                "key": key,
                "name": row.name,
                "role": "row",
                "method": row.method,
                "about": described.about,
                "paper": described.paper.short if described.paper else "",
                "epochs": described.train.get("epochs"),
                "missing": described.missing or "it was not run",
                "claims": claims,
            }


def _described(config: Experiment, row: Row) -> MethodConfig | None:
    return config.methods.get(row.method) if row.method is not None else None


def claims_of(config: Experiment, key: str, method: str, board: Board) -> list[dict[str, object]]:
    """What is printed of a row's method on the board's set, in a known metric.

    A claim is of the method as it is described, not of a row with a variant or other images.
    """
    if key in {slug(row.name) for row in config.rows if _is_variant(config, row)}:
        return []
    claims = config.describe(method).claims
    return [
        {
            "metric": claim.metric,
            "value": claim.fraction,
            "where": claim.where,
            "chosen_by": claim.chosen_by,
        }
        for claim in claims
        if claim.metric != "unknown" and board.claims_on in claim.where
    ]


def _is_variant(config: Experiment, row: Row) -> bool:
    """Whether a row has arguments of its own, or reads other inputs than its method does."""
    if row.arguments or row.input is None:
        return bool(row.arguments)
    own = config.plan_of(row.model_copy(update={"input": None, "runs": True}))
    names = (row.input,) if isinstance(row.input, str) else row.input
    return own is None or names != inputs_of(own)


def _head(
    view: RunView, config: Experiment, board: str, clips: pd.DataFrame, rows: Sequence[object]
) -> dict[str, object]:
    """The fields of ``schema.Contribution`` but for the files."""
    manifest = view.manifest
    same = ("experiment", "profile", "run_id", "protocol", "selection", "classes", "config")
    return {
        **{key: manifest[key] for key in (*same, "backend", "device", "versions", "git")},
        "schema_version": schema.SCHEMA_VERSION,
        "package": __version__,
        "board": board,
        "seeds": config.seeds,
        "config_digest": manifest["config_digest"],
        "samples_digest": manifest["samples_digest"],
        "folds_digest": manifest["folds_digest"],
        "images_digest": manifest["identity"].get("clips"),
        "started_from": _started_from(manifest.get("stages", [])),
        "clips_digest": clips_digest(clips),
        "division_digest": division_digest(clips),
        "created": str(manifest["created"]),
        "rows": tuple(rows),
    }


def _started_from(stages: Sequence[Mapping[str, JsonValue]]) -> tuple[JsonValue, ...]:
    """Digests of the stages that began with weights from elsewhere, sorted."""
    given = (stage.get("digest") for stage in stages if stage.get("start_from"))
    return tuple(sorted(given, key=str))
