"""How far stored runs are, and what came out: what ``mer-keras status`` shows.

Metrics are computed of the stored predictions, as in a report. As that takes a second for a run of
hundreds of folds, the result is kept in the user's cache until a file of the run changes.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import BaseModel, ValidationError

from mer_keras import __version__, settings
from mer_keras.errors import ResultsError
from mer_keras.runs.json_files import read_json, write_json
from mer_keras.runs.naming import StoredRun
from mer_keras.runs.writer_lock import writer_of

if TYPE_CHECKING:
    from mer_keras.report.view import RowState, RunView

State: TypeAlias = Literal["complete", "running", "unfinished", "failed folds", "broken"]

#: Changes whenever other files or predictions would be read, or other numbers computed of them.
_FORM = 1


class RowStatus(BaseModel):
    """How far one row of a run is.

    Attributes:
        key: names the row in files.
        name: names it for readers.
        role: ``row`` of the published table, or a ``baseline`` beside it.
        selection: value of ``terms.Selection``.
        done: folds that are stored.
        expected: folds times seeds.
        uf1: pooled over all tested clips, 0..1, averaged over seeds; ``None`` while a fold is
            missing.
        uar: likewise.
        n: number of tested clips.
    """

    key: str
    name: str
    role: str
    selection: str
    done: int
    expected: int
    uf1: float | None
    uar: float | None
    n: int | None


class RunStatus(BaseModel):
    """How far a run is.

    Attributes:
        run_id: the folder's name.
        state: ``broken`` is a run that can't be read or contradicts itself, ``running`` one that a
            process is writing now.
        reason: why it is not complete, and what to do; empty for a complete run.
        experiment: name of its experiment; ``None``, as what follows, for a broken run.
        profile: name of the config's profile.
        data_kind: value of ``terms.DataKind``.
        subject_exclusive: whether no tested subject was trained on.
        created: when it began.
        done: folds of all rows and seeds that are stored.
        expected: folds of all rows and seeds.
        failed: folds that failed.
        rows: its rows.
    """

    run_id: str
    state: State
    reason: str = ""
    experiment: str | None = None
    profile: str | None = None
    data_kind: str | None = None
    subject_exclusive: bool | None = None
    created: str | None = None
    done: int = 0
    expected: int = 0
    failed: int = 0
    rows: list[RowStatus] = []


def status_of(run: StoredRun) -> RunStatus:
    """Return how far a run is, from the cache where nothing of the run has changed."""
    status = _stored_status(run)
    writer = writer_of(run.path)
    if writer is None or status.state == "complete":
        return status
    reason = f"process {writer} is writing it, {status.done} of {status.expected} folds are done"
    return status.model_copy(update={"state": "running", "reason": reason})


def _stored_status(run: StoredRun) -> RunStatus:
    """Return how far the stored files say that a run is."""
    if run.problem:
        return RunStatus(run_id=run.name, state="broken", reason=run.problem)
    file = settings.cache_root() / "status" / f"{_digest(str(run.path.resolve()))}.json"
    try:
        fingerprint = _fingerprint(run.path)
    except OSError as error:
        return RunStatus(run_id=run.name, state="broken", reason=f"it can't be read: {error}")
    # Nothing may be kept yet, or what is kept is of another version.
    with contextlib.suppress(ResultsError, ValidationError):
        cached = read_json(file)
        if cached.get("fingerprint") == fingerprint:
            return RunStatus.model_validate(cached.get("status"))
    status = _status(run)
    with contextlib.suppress(OSError):  # Without a cache it takes longer the next time.
        write_json(file, {"fingerprint": fingerprint, "status": status.model_dump()})
    return status


def _status(run: StoredRun) -> RunStatus:
    """Read a run; what is needed for that is imported only where the cache has no answer."""
    from mer_keras.report.shown_runs import read_stored

    view, remark = read_stored(run)
    reason = remark.reason if remark else ""
    if view is None:
        return RunStatus(run_id=run.name, state="broken", reason=reason)
    state: State = "complete" if view.done == view.expected else "unfinished"
    return RunStatus(
        run_id=run.name,
        state="failed folds" if view.failures else state,
        reason=reason,
        experiment=view.manifest["experiment"],
        profile=view.profile,
        data_kind=str(view.data_kind),
        subject_exclusive=view.manifest.get("subject_exclusive", True),
        created=view.manifest["created"],
        done=view.done,
        expected=view.expected,
        failed=len(view.failures),
        rows=[_row_status(view, row) for row in view.rows],
    )


def _row_status(view: "RunView", row: "RowState") -> RowStatus:
    from mer_keras.report.scoring import pooled_over

    values: dict[str, float | None] = {"uf1": None, "uar": None}
    clips = None
    if row.complete:
        predictions = view.of_row(row.key)
        clips = int(predictions["sample_id"].nunique())
        for metric in values:
            values[metric] = fmean(pooled_over(predictions, view.classes, metric, ["seed"]))
    return RowStatus(
        key=row.key,
        name=row.name,
        role=row.role,
        selection=row.selection,
        done=row.done,
        expected=row.expected,
        uf1=values["uf1"],
        uar=values["uar"],
        n=clips,
    )


def _fingerprint(path: Path) -> str:
    """Digest of the names, sizes and times of all files of a run, and of the version."""
    return _digest("\n".join([f"{__version__} {_FORM}", *sorted(_files(str(path)))]))


def _files(path: str) -> Iterator[str]:
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            elif not entry.name.startswith("."):
                with contextlib.suppress(FileNotFoundError):  # A running run renames its files.
                    facts = entry.stat()
                    yield f"{entry.path} {facts.st_size} {facts.st_mtime_ns}"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=16).hexdigest()
