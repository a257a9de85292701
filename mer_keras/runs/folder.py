"""The run folder: a manifest, the folds, and one file of predictions a finished unit.

A unit is a transaction. Its predictions are written beside their place, flushed and renamed; then
a record follows the same way. The record binds them: it holds their checksum, the run, row, seed
and fold, and a digest of the tested samples. A unit whose files don't match does not count as
done, so that a run can be stopped at any instant and goes on where it was.
"""

import contextlib
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from mer_keras.array_files import DAMAGE, read_array
from mer_keras.bounded_files import read_bounded
from mer_keras.errors import ProtocolError, ResultsError
from mer_keras.protocols.folds import FoldSet
from mer_keras.runs import writer_lock
from mer_keras.runs.json_files import Json, read_json, write_json
from mer_keras.runs.naming import PREDICTIONS
from mer_keras.runs.stored_manifest import MANIFEST
from mer_keras.runs.unit_files import mismatch, read_table
from mer_keras.runs.units import Manifest, Unit
from mer_keras.terms import PREDICTION_COLUMNS
from mer_keras.whole_files import HeldError, Lock, write_whole

FOLDS = "folds.json"
#: The folder of what the folds learned, where that is kept.
LEARNED = "learned"

#: What a manifest says of the computation that the run's name doesn't, and who chooses it.
_COMPUTED_BY = {"backend": "KERAS_BACKEND", "layers": "MER_LAYERS"}

#: Most bytes of the files of a unit, by their endings, and of what a unit has learned.
MOST_BYTES = {".parquet": 2**27, ".npy": 2**28}
MOST_LEARNED = 2**31


class RunFolder:
    """One run on disk."""

    def __init__(self, path: Path) -> None:
        """Wrap a folder; nothing is read or written."""
        self.path = path
        self._lock: Lock | None = None

    @property
    def run_id(self) -> str:
        """The folder's name."""
        return self.path.name

    def open(self, manifest: Manifest, folds: FoldSet) -> None:
        """Start the run, or go on with it if the stored one is the same.

        Args:
            manifest: JSON-ready; ``identity`` in it must equal the stored one on going on.
            folds: must equal the stored ones.

        Raises:
            ResultsError: naming what differs, or the folder can't be written.
        """
        if (self.path / MANIFEST).exists():
            stored = self.manifest()
            identity = stored.get("identity")
            for key, value in manifest["identity"].items():
                if not isinstance(identity, dict) or identity.get(key) != value:
                    raise ResultsError(
                        f"{self.path}: this run began with another {key}: move the folder away, "
                        "or run with the former input"
                    )
            for key, variable in _COMPUTED_BY.items():
                if (
                    None not in (stored.get(key), manifest.get(key))
                    and stored[key] != manifest[key]
                ):
                    raise ResultsError(
                        f"{self.path}: this run began with {key} {stored[key]!r}, and now it is "
                        f"{manifest[key]!r}: folds of the two differ by rounding and are not "
                        f"mixed: {variable}={stored[key]}, or move the folder away"
                    )
            if self.folds().digest() != folds.digest():
                raise ResultsError(
                    f"{self.path / FOLDS}: the folds changed since the run began: move the "
                    "folder away and run again"
                )
            return
        try:
            write_json(self.path / FOLDS, folds.to_json())
            write_json(self.path / MANIFEST, manifest)
        except OSError as error:
            raise self._unwritable(error) from error

    @contextlib.contextmanager
    def writer(self) -> Iterator[None]:
        """Hold the run for writing; the hold ends with the process, however it ends.

        Raises:
            ResultsError: another process holds it, or it can't be written.
        """
        with contextlib.ExitStack() as stack:
            try:
                self._lock = stack.enter_context(writer_lock.hold(self.path))
                stack.callback(setattr, self, "_lock", None)
                for part in self.path.rglob("*.part"):  # A killed process may have left some.
                    part.unlink(missing_ok=True)
            except HeldError as holder:
                raise ResultsError(
                    f"{self.path}: process {holder} is writing this run: wait for it, or stop it "
                    "and run again"
                ) from holder
            except OSError as error:
                raise self._unwritable(error) from error
            yield

    def manifest(self) -> Json:
        """The stored manifest.

        Raises:
            ResultsError: absent or not JSON.
        """
        return read_json(self.path / MANIFEST)

    def folds(self) -> FoldSet:
        """The stored folds, their digest checked.

        Raises:
            ResultsError: the file is absent or no JSON.
            ProtocolError: it holds no folds, or was changed after it was written.
        """
        tree = read_json(self.path / FOLDS)
        try:
            return FoldSet.from_json(tree)
        except ProtocolError as error:
            raise ProtocolError(f"{self.path / FOLDS}: {error}") from error

    def is_done(self, unit: Unit) -> bool:
        """Whether the unit's predictions are stored whole, and are this unit's."""
        return self._record(unit) is not None

    def store(
        self,
        unit: Unit,
        predictions: pd.DataFrame,
        record: Mapping[str, object],
        trajectory: NDArray[np.float32] | None = None,
        learned: bytes | None = None,
    ) -> None:
        """Store a finished unit.

        Args:
            unit: what was run.
            predictions: one row a tested sample: ``terms.PREDICTION_COLUMNS``, ``is_copy``, then
                ``prob_*``.
            record: JSON-ready extras (history, seconds); what binds the files is added.
            trajectory: (epochs, tested clips, classes) float32, their probabilities after each
                epoch.
            learned: the file of what the unit has learned (see ``training.learned``).

        Raises:
            ResultsError: predictions or trajectory are of another unit or lack a column, or the
                disk is full.
        """
        self.check_there()
        buffers = {".parquet": io.BytesIO()}
        reason = self._mismatch(unit, pa.Table.from_pandas(predictions, preserve_index=False))
        predictions.to_parquet(buffers[".parquet"], index=False)
        if trajectory is not None:
            reason = reason or self._mismatch_of_trajectory(unit, trajectory)
            np.save(buffers.setdefault(".npy", io.BytesIO()), trajectory, allow_pickle=False)
        if reason:
            raise ResultsError(f"predictions of {unit}: {reason}")
        contents = {suffix: buffer.getvalue() for suffix, buffer in buffers.items()}
        for suffix, content in contents.items():
            if len(content) > MOST_BYTES[suffix]:
                raise ResultsError(
                    f"{self._file(unit, suffix)}: {len(content):,} bytes, expected at most "
                    f"{MOST_BYTES[suffix]:,}, which is what a report reads: test fewer clips in a "
                    "fold, or record no epochs"
                )
        binding = {
            **self._binding(unit),
            "samples": _ids_digest(predictions["sample_id"]),
            "checksums": {suffix: _checksum(content) for suffix, content in contents.items()},
        }
        if learned is not None:
            binding["learned"] = _checksum(learned)
        try:
            self._check_no_link_leads_away(unit)
            if learned is not None:
                write_whole(self._learned_file(unit), learned)
            for suffix, content in contents.items():
                write_whole(self._file(unit, suffix), content)
            write_json(self._file(unit, ".json"), {**record, **binding})
            self._file(unit, ".failed.json").unlink(missing_ok=True)
        except OSError as error:
            raise ResultsError(
                f"{self.path}: a fold can't be stored: {error.strerror or error}: make room, then "
                "run the same command; finished folds are kept"
            ) from error

    def fail(self, unit: Unit, reason: str) -> None:
        """Record that a unit could not be finished; the next run tries it again.

        Raises:
            ResultsError: the run folder is gone, or the disk is full.
        """
        self.check_there()
        try:
            self._check_no_link_leads_away(unit)
            write_json(self._file(unit, ".failed.json"), {"reason": reason})
        except OSError as error:
            raise ResultsError(
                f"{self.path}: a fold failed ({reason}), and that can't be stored: "
                f"{error.strerror or error}: make room, then run the same command"
            ) from error

    def failure(self, unit: Unit) -> str | None:
        """Why the unit failed, or ``None``."""
        return None if self.is_done(unit) else self.recorded_failure(unit)

    def recorded_failure(self, unit: Unit) -> str | None:
        """Why a unit that is not done failed; ``None`` where it was not tried."""
        file = self._file(unit, ".failed.json")
        if not file.exists():
            return None
        try:
            return str(read_json(file).get("reason"))
        except ResultsError:
            return "the record of the failure is damaged"

    def record(self, unit: Unit) -> Json:
        """The stored extras of a finished unit.

        Raises:
            ResultsError: the unit is not finished.
        """
        record = self._record(unit)
        if record is None:
            raise ResultsError(f"{self.path}: {unit} is not finished")
        return record

    def finished(self, units: Sequence[Unit]) -> Iterator[tuple[Unit, Json, pa.Table]]:
        """Read the units that are done: each with its record and its table of predictions.

        Raises:
            ResultsError: a file is no table of predictions, or holds those of another run, row,
                seed, fold or sample, or contradicts the manifest.
        """
        for unit in units:
            contents = self._contents(unit)
            if contents is None:
                continue
            record, content = contents
            file = self._file(unit, ".parquet")
            table = read_table(content, len(self._tested.get(unit.fold, ())), str(file))
            reason = self._mismatch(unit, table)
            if not reason and record.get("samples") != _ids_digest(table["sample_id"].to_pylist()):
                reason = "other samples than its record names"
            if reason:
                raise ResultsError(f"{file}: {reason}")
            yield unit, record, table

    def predictions(self, units: Sequence[Unit]) -> pd.DataFrame:
        """Predictions of those of ``units`` that are done, one below the other.

        ``is_copy`` is true for augmented copies of tested clips (see ``Experiment``).

        Raises:
            ResultsError: see ``finished``.
        """
        return as_frame([table for _, _, table in self.finished(units)])

    def trajectory(self, unit: Unit) -> NDArray[np.float32] | None:
        """Probabilities of a finished unit's tested clips after every epoch, if they are stored.

        Returns:
            (epochs, tested clips, classes) float32, clips in the order of the predictions.

        Raises:
            ResultsError: the unit is not finished, or its file is no trajectory of it.
        """
        if ".npy" not in self.record(unit)["checksums"]:
            return None
        file = self._file(unit, ".npy")
        try:
            trajectory = read_array(read_bounded(file, MOST_BYTES[".npy"]), "f")
        except DAMAGE as error:
            raise ResultsError(f"{file}: no array of probabilities: {error}") from error
        reason = self._mismatch_of_trajectory(unit, trajectory)
        if reason:
            raise ResultsError(f"{file}: {reason}")
        return np.asarray(trajectory, "float32")

    def has_learned(self, unit: Unit) -> bool:
        """Whether what a finished unit has learned is stored; its content isn't looked at."""
        record = self._record(unit)
        return record is not None and "learned" in record and self._learned_file(unit).is_file()

    def learned(self, unit: Unit) -> bytes | None:
        """Content of the file of what a finished unit has learned, if it is stored.

        Raises:
            ResultsError: the unit is not finished, or the file is damaged or gone.
        """
        checksum = self.record(unit).get("learned")
        if checksum is None:
            return None
        file = self._learned_file(unit)
        try:
            content = read_bounded(file, MOST_LEARNED)
        except OSError as error:
            raise ResultsError(f"{file}: can't be read: {error.strerror or error}") from error
        if _checksum(content) != checksum:
            raise ResultsError(f"{file}: not what the unit learned: the file was changed")
        return content

    def _learned_file(self, unit: Unit) -> Path:
        return self.path / LEARNED / f"{unit.stem()}.npz"

    def _file(self, unit: Unit, suffix: str) -> Path:
        return self.path / PREDICTIONS / (unit.stem() + suffix)

    def check_there(self) -> None:
        """Refuse to write into a folder that somebody took away while the run goes on.

        Raises:
            ResultsError: the run folder is gone, or this process' hold on it is.
        """
        if not (self.path / MANIFEST).exists():
            raise ResultsError(
                f"{self.path}: the run folder was moved or deleted while the run goes on: put it "
                "back, then run the same command; without it the run starts anew"
            )
        if self._lock is not None and not self._lock.is_in_place():
            raise ResultsError(
                f"{self._lock.path}: this file was removed or replaced while the run goes on, so "
                "that another process may write the same run: end that one, then run the same "
                "command; finished folds are kept"
            )

    def _check_no_link_leads_away(self, unit: Unit) -> None:
        """Refuse a link in the run folder, by which a unit's files would be written elsewhere."""
        for file in (self._file(unit, ".json"), self._learned_file(unit)):
            self.check_no_link(file)

    def check_no_link(self, file: Path) -> None:
        """Refuse a link in the run folder, by which a file would be written elsewhere.

        Args:
            file: of the run, which need not be there.

        Raises:
            ResultsError: a folder between it and the run folder is a link.
        """
        for folder in file.parents[: len(file.relative_to(self.path).parts) - 1]:
            if folder.is_symlink():
                raise ResultsError(
                    f"{folder}: is a link: files of a run are written into its own folder "
                    "alone: put a folder in the link's place"
                )

    def _unwritable(self, error: OSError) -> ResultsError:
        return ResultsError(
            f"{self.path}: can't be written: {error.strerror or error}: make room or name another "
            "folder of results by MER_RESULTS"
        )

    @cached_property
    def _manifest(self) -> Json:
        """The manifest as it is when it is first asked for; the folder may have been renamed."""
        return self.manifest()

    @cached_property
    def _tested(self) -> dict[str, tuple[str, ...]]:
        """Ids that a fold tests, by the fold's name."""
        return {fold.name: fold.test for fold in self.folds().folds}

    @cached_property
    def _rows(self) -> dict[str, Json]:
        """What the manifest says of each row, by the row's key."""
        return {row["key"]: row for row in self._manifest["rows"]}

    def _binding(self, unit: Unit) -> dict[str, object]:
        """What a record and every row of predictions say of the unit that they belong to."""
        run_id = str(self._manifest.get("run_id"))
        return {"run_id": run_id, "row": unit.row, "seed": unit.seed, "fold": unit.fold}

    def _mismatch(self, unit: Unit, table: pa.Table) -> str:
        """Why a table of predictions is not this unit's, or nothing.

        What marks or describes a result must be what the manifest says of it.
        """
        of_run = {key: self._manifest.get(key) for key in ("experiment", "protocol", "data_kind")}
        of_row = {key: self._rows.get(unit.row, {}).get(key) for key in ("method", "selection")}
        described = {key: value for key, value in (of_run | of_row).items() if value is not None}
        tested = self._tested.get(unit.fold, ())
        expected = self._binding(unit) | described
        return mismatch(table, expected, tested, self._manifest.get("classes"))

    def _mismatch_of_trajectory(self, unit: Unit, trajectory: NDArray[np.float32]) -> str:
        """Why an array is no trajectory of this unit, or nothing."""
        clips = len(self._tested.get(unit.fold, ()))
        names = self._manifest.get("classes")
        classes = len(names) if names else "some"
        expected = (clips, len(names)) if names else (clips, *trajectory.shape[2:])
        axes_fit = trajectory.ndim == 3 and trajectory.shape[1:] == expected
        if not axes_fit or trajectory.dtype != np.float32:
            return (
                f"{trajectory.dtype} of shape {trajectory.shape}, expected float32 of shape "
                f"(epochs, {clips} tested clips, {classes} classes)"
            )
        if not np.isfinite(trajectory).all():
            return "probabilities of some epochs are not finite"
        return ""

    def _record(self, unit: Unit) -> Json | None:
        """The record of a unit whose files are whole and are this unit's, else nothing."""
        contents = self._contents(unit)
        return contents[0] if contents is not None else None

    def _contents(self, unit: Unit) -> tuple[Json, bytes] | None:
        """Record and bytes of the predictions of a unit, if its files are whole and are its own."""
        try:
            record = read_json(self._file(unit, ".json"))
        except ResultsError:
            return None
        checksums = record.get("checksums")
        if not isinstance(checksums, dict) or ".parquet" not in checksums:
            return None
        if any(record.get(key) != value for key, value in self._binding(unit).items()):
            return None
        contents = {}
        for suffix, checksum in checksums.items():
            if suffix not in MOST_BYTES:
                return None
            try:
                contents[suffix] = read_bounded(self._file(unit, suffix), MOST_BYTES[suffix])
            except OSError:
                return None
            if _checksum(contents[suffix]) != checksum:
                return None
        return record, contents[".parquet"]


def as_frame(tables: Sequence[pa.Table]) -> pd.DataFrame:
    """Return tables of predictions one below the other; without any, the columns alone.

    Raises:
        ResultsError: their columns are of different types.
    """
    if not tables:
        return pd.DataFrame(columns=[*PREDICTION_COLUMNS, "is_copy"])
    try:
        return pa.concat_tables(tables, promote_options="permissive").to_pandas()
    except pa.ArrowException as error:
        raise ResultsError(f"files of predictions have different columns: {error}") from error


def _checksum(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _ids_digest(sample_ids: Iterable[str]) -> str:
    """Digest of the sample ids of a table of predictions, in their order."""
    return _checksum("\n".join(sample_ids).encode())
