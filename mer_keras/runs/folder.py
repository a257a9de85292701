"""The run folder: a manifest, the folds, and one file of predictions a finished fold.

A fold is a transaction. Its predictions are written beside their place, flushed and renamed; then
a record with their checksum follows the same way. A fold without a matching record does not count
as done, so that a run can be stopped at any instant and goes on where it was.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mer_keras.errors import ResultsError
from mer_keras.protocols.folds import FoldSet
from mer_keras.terms import PREDICTION_COLUMNS

MANIFEST = "manifest.json"
FOLDS = "folds.json"


@dataclass(frozen=True)
class Unit:
    """The smallest piece of work: one row of a table, one seed, one fold."""

    row: str
    seed: int
    fold: str

    def stem(self) -> str:
        """File stem; a digest keeps names apart that look alike after cleaning."""
        digest = hashlib.blake2b(self.fold.encode(), digest_size=3).hexdigest()
        return f"{slug(self.row)}/seed-{self.seed}/{slug(self.fold)}-{digest}"


def slug(text: str) -> str:
    """Lower-case letters, digits and single hyphens, at most 60 characters."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "x"


class RunFolder:
    """One run on disk."""

    def __init__(self, path: Path) -> None:
        """Wrap a folder; nothing is read or written."""
        self.path = path

    @property
    def run_id(self) -> str:
        """The folder's name."""
        return self.path.name

    def open(self, manifest: dict[str, Any], folds: FoldSet) -> None:
        """Start the run, or go on with it if the stored one is the same.

        Args:
            manifest: JSON-ready; ``identity`` in it must equal the stored one on going on.
            folds: must equal the stored ones.

        Raises:
            ResultsError: naming what differs.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        if (self.path / MANIFEST).exists():
            stored = self.manifest()
            for key, value in manifest["identity"].items():
                if stored.get("identity", {}).get(key) != value:
                    raise ResultsError(
                        f"{self.path}: this run began with another {key}: move the folder away, "
                        "or run with the former input"
                    )
            if self.folds().digest() != folds.digest():
                raise ResultsError(
                    f"{self.path / FOLDS}: the folds changed since the run began: move the "
                    "folder away and run again"
                )
            return
        write_json(self.path / FOLDS, folds.to_json())
        write_json(self.path / MANIFEST, manifest)

    @contextlib.contextmanager
    def writer(self) -> Iterator[None]:
        """Hold the run for writing; the hold ends with the process, however it ends.

        Raises:
            ResultsError: another process holds it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / ".lock").open("a+") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                handle.seek(0)
                raise ResultsError(
                    f"{self.path}: process {handle.read() or '?'} is writing this run: wait for "
                    "it, or stop it and run again"
                ) from error
            handle.truncate(0)
            handle.write(str(os.getpid()))
            handle.flush()
            yield

    def manifest(self) -> dict[str, Any]:
        """The stored manifest.

        Raises:
            ResultsError: absent or not JSON.
        """
        return read_json(self.path / MANIFEST)

    def folds(self) -> FoldSet:
        """The stored folds, their digest checked."""
        return FoldSet.from_json(read_json(self.path / FOLDS))

    def is_done(self, unit: Unit) -> bool:
        """Whether the unit's predictions are stored whole."""
        return self._record(unit) is not None

    def store(self, unit: Unit, predictions: pd.DataFrame, record: dict[str, Any]) -> None:
        """Store a finished unit.

        Args:
            unit: what was run.
            predictions: one row a tested sample: ``terms.PREDICTION_COLUMNS``, then ``prob_*``.
            record: JSON-ready extras (history, seconds); the checksum is added.

        Raises:
            ResultsError: the predictions lack a column, or the disk is full.
        """
        absent = [c for c in PREDICTION_COLUMNS if c not in predictions.columns]
        if absent:
            raise ResultsError(f"predictions of {unit} lack the column(s) {absent}")
        target = self._file(unit, ".parquet")
        temporary = target.with_suffix(".parquet.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            predictions.to_parquet(temporary, index=False)
            _flush(temporary)
            checksum = _checksum(temporary)
            temporary.replace(target)
            _flush(target.parent)
            write_json(self._file(unit, ".json"), {**record, "checksum": checksum})
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise ResultsError(
                f"{self.path}: a fold can't be stored: {error.strerror or error}: make room, then "
                "run the same command; finished folds are kept"
            ) from error

    def fail(self, unit: Unit, reason: str) -> None:
        """Record that a unit could not be finished; the next run tries it again."""
        write_json(self._file(unit, ".failed.json"), {"reason": reason})

    def failure(self, unit: Unit) -> str | None:
        """Why the unit failed, or ``None``."""
        file = self._file(unit, ".failed.json")
        if self.is_done(unit) or not file.exists():
            return None
        return str(read_json(file)["reason"])

    def count_done(self, units: list[Unit]) -> int:
        """How many units have a record, their checksums not looked at: for progress."""
        return sum(self._file(unit, ".json").exists() for unit in units)

    def record(self, unit: Unit) -> dict[str, Any]:
        """The stored extras of a finished unit.

        Raises:
            ResultsError: the unit is not finished.
        """
        found = self._record(unit)
        if found is None:
            raise ResultsError(f"{self.path}: {unit} is not finished")
        return found

    def predictions(self, units: list[Unit]) -> pd.DataFrame:
        """Predictions of those of ``units`` that are done, one below the other.

        ``is_copy`` is true for augmented copies of tested clips (see ``Experiment``).
        """
        done = [unit for unit in units if self.is_done(unit)]
        frames = [pd.read_parquet(self._file(unit, ".parquet")) for unit in done]
        if not frames:
            return pd.DataFrame(columns=[*PREDICTION_COLUMNS, "is_copy"])
        # runs that test no copies may lack the column
        whole = [frame if "is_copy" in frame else frame.assign(is_copy=False) for frame in frames]
        return pd.concat(whole, ignore_index=True)

    def _file(self, unit: Unit, suffix: str) -> Path:
        return self.path / "predictions" / (unit.stem() + suffix)

    def _record(self, unit: Unit) -> dict[str, Any] | None:
        file = self._file(unit, ".json")
        stored = self._file(unit, ".parquet")
        if not file.exists() or not stored.exists():
            return None
        try:
            record = read_json(file)
        except ResultsError:
            return None
        return record if record.get("checksum") == _checksum(stored) else None


def units_of(manifest: dict[str, Any], folds: FoldSet) -> dict[str, list[Unit]]:
    """All units of a run, by row key."""
    seeds = manifest["config"]["seeds"]
    return {
        entry["key"]: [
            Unit(entry["key"], seed, fold.name) for seed in seeds for fold in folds.folds
        ]
        for entry in manifest["rows"]
    }


def write_json(path: Path, tree: dict[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(json.dumps(tree, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    _flush(temporary)
    temporary.replace(path)
    _flush(path.parent)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON mapping.

    Raises:
        ResultsError: absent, not JSON, or not a mapping.
    """
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ResultsError(f"{path}: not there: expected a run folder with this file") from error
    except ValueError as error:
        raise ResultsError(f"{path}: not a JSON file: {error}") from error
    if not isinstance(tree, dict):
        raise ResultsError(f"{path}: expected a mapping")
    return tree


def _checksum(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
