"""What a report reads of a run: its manifest, completeness and predictions."""

import contextlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mer_keras.config.differences import differences
from mer_keras.config.experiment import Experiment
from mer_keras.config.files import load_experiments
from mer_keras.config.validation import explain
from mer_keras.errors import ConfigError, ResultsError
from mer_keras.runs.folder import RunFolder, as_frame
from mer_keras.runs.json_files import Json
from mer_keras.runs.stored_manifest import read_manifest, stored_config
from mer_keras.runs.units import Manifest, Unit, units_of
from mer_keras.terms import DataKind

if TYPE_CHECKING:
    from mer_keras.report.scoring import RowScores

#: Stands among a run's changes where nobody can say what was changed.
UNKNOWN_CONFIG = "unknown: the config is not one of this version"


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
    def config(self) -> Experiment:
        """The experiment: as it is known here, else as the run has it.

        Raises:
            ResultsError: it is known nowhere, and the run's config is not one of this version.
        """
        name = self.manifest["experiment"]
        with contextlib.suppress(ConfigError):
            return next(known for known in load_experiments(name) if known.name == name)
        config = stored_config(self.manifest)
        if config is None:
            raise ResultsError(
                f"{self.path}: no experiment {name!r}, and the run's own config is not one of this "
                "version"
            )
        return config

    @cached_property
    def changes(self) -> tuple[str, ...]:
        """What ``--set`` changed, as ``key=value``; empty if the experiment is not a known one.

        ``record_epochs`` is left out: no prediction depends on it. ``UNKNOWN_CONFIG`` alone stands
        for a config that this version can't read, or that the run didn't begin with.
        """
        config = stored_config(self.manifest)
        if config is None:
            return (UNKNOWN_CONFIG,)
        try:
            experiments = load_experiments(config.name, profile=self.profile)
        except ConfigError:
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

    @property
    def done(self) -> int:
        """How many folds of all rows and seeds are stored."""
        return sum(row.done for row in self.rows)

    @property
    def expected(self) -> int:
        """How many folds of all rows and seeds there are."""
        return sum(row.expected for row in self.rows)

    @property
    def failures(self) -> list[str]:
        """Why folds failed, those of the first row first."""
        return [reason for row in self.rows for reason in row.failures]

    def of_row(self, key: str) -> pd.DataFrame:
        """Predictions of one row."""
        return self.predictions[self.predictions["row"] == key]


class _Record(BaseModel):
    """What a report reads of a unit's record."""

    model_config = ConfigDict(strict=True)

    seconds: float = Field(ge=0, allow_inf_nan=False)
    parameters: int | None = Field(ge=0, lt=2**53)
    multiply_accumulates: int | None = Field(default=None, ge=0, lt=2**63)
    history: dict[str, list[float]] | None = None


def read_view(path: Path) -> RunView:
    """Read a run folder; nothing in it is believed that something else in it contradicts.

    Raises:
        UserError: the folder holds no run, or its files are damaged or don't match.
    """
    folder = RunFolder(path)
    manifest, folds = read_manifest(path), folder.folds()
    if folds.digest() != manifest["folds_digest"]:
        raise ResultsError(f"{path}: the folds were changed after the run")
    units = units_of(manifest, folds)
    states, tables = [], []
    for entry in manifest["rows"]:
        row_units = units[entry["key"]]
        records: dict[Unit, _Record] = {}
        for unit, record, table in folder.finished(row_units):
            records[unit] = _checked(record, f"{path}: the record of {unit}")
            tables.append(table)
        failures = [folder.recorded_failure(unit) for unit in row_units if unit not in records]
        first = next(iter(records.values()), None)
        states.append(
            RowState(
                key=entry["key"],
                name=entry["name"],
                role=entry["role"],
                method=entry["method"],
                selection=entry["selection"],
                expected=len(row_units),
                done=len(records),
                failures=tuple(reason for reason in failures if reason is not None),
                parameters=first.parameters if first else None,
                multiply_accumulates=first.multiply_accumulates if first else None,
                seconds=sum(record.seconds for record in records.values()),
                histories=tuple(r.history for r in records.values() if r.history),
            )
        )
    predictions = as_frame(tables)
    is_copy = predictions["is_copy"].astype(bool)
    tested = predictions[~is_copy]
    problem = _contradiction(manifest, tested)
    if problem:
        raise ResultsError(f"{path}: {problem}: files were changed after the run")
    return RunView(
        run_id=manifest["run_id"],
        path=path,
        profile=manifest["profile"],
        data_kind=DataKind(manifest["data_kind"]),
        manifest=manifest,
        rows=tuple(states),
        predictions=tested,
        copies=predictions[is_copy],
    )


def _checked(record: Json, name: str) -> _Record:
    try:
        return _Record.model_validate(record)
    except ValidationError as error:
        raise ResultsError(f"{name} is damaged: {explain(error, _Record)}") from error


def _contradiction(manifest: Manifest, predictions: pd.DataFrame) -> str:
    """Say what predictions of all rows contradict, or nothing."""
    columns = ["sample_id", "subject_id", "label", "database"]
    clips = predictions[columns].drop_duplicates()
    if clips["sample_id"].duplicated().any():
        return "rows, seeds or folds differ in the label, subject or database of a clip"
    subjects = clips["subject_id"].nunique()
    if len(clips) > manifest["n_samples"] or subjects > manifest["n_subjects"]:
        return (
            f"{len(clips)} clips of {subjects} subjects are tested, and the manifest has "
            f"{manifest['n_samples']} of {manifest['n_subjects']}"
        )
    counts = clips["label"].value_counts().to_dict()
    if any(count > manifest["class_counts"].get(label, 0) for label, count in counts.items()):
        return f"the tested clips are {counts}, and the manifest has {manifest['class_counts']}"
    return ""
