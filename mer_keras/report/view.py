"""What a report reads of a run: its manifest, completeness and predictions."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from pydantic import JsonValue, ValidationError

from mer_keras import settings
from mer_keras.config.differences import differences
from mer_keras.config.experiment import Experiment
from mer_keras.config.files import load_experiments
from mer_keras.errors import ConfigError, ResultsError
from mer_keras.runs.folder import MANIFEST, RunFolder, find_folder
from mer_keras.runs.units import Manifest, units_of
from mer_keras.terms import DataKind

if TYPE_CHECKING:
    from mer_keras.report.scoring import RowScores


@dataclass(frozen=True)
class RowState:
    """How far one row of a run is.

    Attributes:
        key: names the row in files.
        name: names the row for readers.
        role: ``row`` of the published table, or a ``baseline`` beside it.
        method: name of the method.
        selection: value of ``terms.Selection``, what chose the epoch.
        expected: number of folds times number of seeds.
        done: how many of these are stored.
        failures: reasons why others could not be finished.
        parameters: number of parameters of the network as it was built for this run; ``None`` for
            a method without any.
        multiply_accumulates: operations of that network for one clip, where they were counted.
        seconds: computing time of all that is stored.
        histories: learning curves of the trainings: name of a curve -> one value an epoch.
    """

    key: str
    name: str
    role: str
    method: str
    selection: str
    expected: int
    done: int
    failures: tuple[str, ...]
    parameters: int | None
    multiply_accumulates: int | None
    seconds: float
    histories: tuple[dict[str, list[float]], ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every fold of every seed is stored."""
        return self.done == self.expected


@dataclass(frozen=True)
class RunView:
    """One run as a report sees it.

    Attributes:
        run_id: names the run.
        path: its folder.
        profile: name of the config's profile.
        data_kind: where the clips come from.
        manifest: the stored manifest.
        rows: how far each row is.
        predictions: all rows, seeds and folds together; each tested clip once a row and seed.
        copies: predictions of augmented copies of tested clips; mostly empty.
    """

    run_id: str
    path: Path
    profile: str
    data_kind: DataKind
    manifest: Manifest
    rows: tuple[RowState, ...]
    predictions: pd.DataFrame
    copies: pd.DataFrame

    @property
    def classes(self) -> list[str]:
        """The full label set, in the paper's order."""
        return list(self.manifest["classes"])

    @cached_property
    def changes(self) -> tuple[str, ...]:
        """What ``--set`` changed, as ``key=value``; empty if the config is not a known one.

        ``record_epochs`` is left out: no prediction depends on it.
        """
        try:
            config = Experiment.model_validate(self.manifest["config"])
            experiments = load_experiments(config.name, profile=self.profile)
        except (ConfigError, ValidationError):
            return ()
        shipped = next((known for known in experiments if known.name == config.name), None)
        changes = differences(shipped, config) if shipped else ()
        return tuple(change for change in changes if not change.startswith("record_epochs="))

    @cached_property
    def scores(self) -> dict[str, "RowScores"]:
        """Scores of rows by their key, as far as they were computed (see ``scoring.score_row``)."""
        return {}

    @property
    def records_epochs(self) -> bool:
        """Whether trainings stored the tested clips' probabilities after every epoch."""
        return bool(self.manifest["config"].get("record_epochs"))

    @property
    def moves(self) -> bool:
        """Whether anything moves in the clips: false for synthetic data without a signal."""
        return bool(self.manifest["config"]["data"]["synthetic_motion"])

    def of_row(self, key: str) -> pd.DataFrame:
        """Predictions of one row."""
        return self.predictions[self.predictions["row"] == key]


def read_view(path: Path) -> RunView:
    """Read a run folder.

    Raises:
        ResultsError: the folder holds no run, or its files don't match.
    """
    folder = RunFolder(path)
    manifest = folder.manifest()
    units = units_of(manifest, folder.folds())
    states = []
    for entry in manifest["rows"]:
        row_units = units[entry["key"]]
        records = [folder.record(unit) for unit in row_units if folder.is_done(unit)]
        failures = [reason for unit in row_units if (reason := folder.failure(unit))]
        states.append(
            RowState(
                key=entry["key"],
                name=entry["name"],
                role=entry["role"],
                method=entry["method"],
                selection=entry["selection"],
                expected=len(row_units),
                done=len(records),
                failures=tuple(failures),
                parameters=records[0]["parameters"] if records else None,
                multiply_accumulates=records[0].get("multiply_accumulates") if records else None,
                seconds=sum(record["seconds"] for record in records),
                histories=tuple(r["history"] for r in records if r.get("history")),
            )
        )
    predictions = folder.predictions([unit for row_units in units.values() for unit in row_units])
    is_copy = predictions["is_copy"].astype(bool)
    return RunView(
        run_id=manifest["run_id"],
        path=path,
        profile=manifest["profile"],
        data_kind=DataKind(manifest["data_kind"]),
        manifest=manifest,
        rows=tuple(states),
        predictions=predictions[~is_copy],
        copies=predictions[is_copy],
    )


def find_run(run: str) -> RunView:
    """Read a run by its id or its folder.

    Raises:
        UserError: there is none.
        ResultsError: see ``read_view``.
    """
    return read_view(find_folder(run).path)


def views_of(experiment: str) -> list[RunView]:
    """All runs of an experiment, newest first."""
    views = [read_view(path) for path in _run_folders() if _experiment(path) == experiment]
    return sorted(views, key=lambda view: str(view.manifest["created"]), reverse=True)


def run_states() -> list[dict[str, JsonValue]]:
    """One JSON-ready entry a run: its name, kind of data, folds done, expected and failed."""
    return [
        {
            "run_id": view.run_id,
            "data_kind": str(view.data_kind),
            "done": sum(row.done for row in view.rows),
            "expected": sum(row.expected for row in view.rows),
            "failed": sum(len(row.failures) for row in view.rows),
        }
        for view in map(read_view, _run_folders())
    ]


def _run_folders() -> list[Path]:
    return sorted(manifest.parent for manifest in settings.results_root().glob(f"*/{MANIFEST}"))


def _experiment(path: Path) -> str:
    """Name of a run's experiment; empty if its manifest can't be read."""
    try:
        return str(RunFolder(path).manifest()["experiment"])
    except (ResultsError, KeyError):
        return ""
