"""The one way to name a run, for every verb; which runs there are, and what is wrong with some.

A run is named by its id, by a beginning of it that no other id has, by the path of its folder, by
the name of its experiment (the newest run is meant) or by ``latest``. Where a verb takes a row, its
key or name follows after a colon.
"""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mer_keras import settings
from mer_keras.errors import MerKerasError, UserError, did_you_mean
from mer_keras.names import slug
from mer_keras.runs.json_files import Json
from mer_keras.runs.stored_manifest import MANIFEST, read_manifest

#: The folder of a run's predictions.
PREDICTIONS = "predictions"
#: Names the newest run.
LATEST = "latest"
#: Most runs that a message lists.
MOST_LISTED = 10


@dataclass(frozen=True)
class StoredRun:
    """A folder below the results that should hold a run.

    Attributes:
        path: the folder.
        manifest: what it says of the run; empty where that can't be read.
        problem: why it can't be read; empty where it can.
    """

    path: Path
    manifest: Json
    problem: str = ""

    @property
    def name(self) -> str:
        """The folder's name, by which the run is found: its id, unless somebody renamed it."""
        return self.path.name

    @property
    def experiment(self) -> str:
        """Name of the run's experiment; empty where the manifest can't be read."""
        return str(self.manifest.get("experiment", ""))

    @property
    def created(self) -> str:
        """When the run began, so that later texts sort behind earlier ones."""
        return str(self.manifest.get("created", ""))

    def describe(self) -> str:
        """One line for a list of runs."""
        if self.problem:
            return f"{self.name}  (can't be read)"
        facts = (self.manifest[key] for key in ("experiment", "profile", "data_kind", "created"))
        return f"{self.name}  ({', '.join(facts)})"


def stored_runs() -> list[StoredRun]:
    """All runs below the results, newest first; those that can't be read stand last.

    Folders without a manifest are no runs, such as those of reports, unless they hold predictions.
    """
    runs = [read_stored_run(path) for path in _run_folders(settings.results_root())]
    return sorted(runs, key=lambda run: (run.created, run.name), reverse=True)


def find_run(name: str) -> Path:
    """Return the folder of the run that a name means (see the module).

    Whether the run is whole is not looked at here: whoever reads it says what is wrong.

    Raises:
        UserError: no run is called so, or several are; they are listed, with what to do.
    """
    folder = _folder_called(name)
    if folder is not None:
        return folder
    name = name.rstrip("/")  # Shells complete the name of a folder with a slash.
    runs = stored_runs()
    readable = [run for run in runs if not run.problem]
    if name == LATEST and readable:
        return readable[0].path
    of_experiment = [run for run in readable if run.experiment == name]
    if of_experiment:
        return of_experiment[0].path
    candidates = [run for run in runs if name and run.name.startswith(name)]
    candidates = candidates or [run for run in runs if run.experiment.startswith(f"{name}/")]
    if len(candidates) == 1:
        return candidates[0].path
    if candidates:
        raise UserError(
            f"{name}: {len(candidates)} runs are called so:{_listed(candidates)}\n"
            "give more of the id, the name of an experiment for its newest run, or the path of a "
            "folder"
        )
    raise UserError(f"{name or repr(name)}: no such run{_remedy(name, runs)}")


def find_whole_run(name: str) -> Path:
    """Return the folder of a run, for verbs that take no row.

    Raises:
        UserError: see ``find_run``; or the name has a row.
    """
    path, row = find_run_and_row(name)
    if row is not None:
        raise UserError(f"{name}: whole runs are meant here: leave out :{row}")
    return path


def find_run_and_row(name: str) -> tuple[Path, str | None]:
    """Return the run that ``RUN`` or ``RUN:ROW`` means, and the row's text, if there is one.

    Raises:
        UserError: see ``find_run``.
    """
    if ":" not in name or _folder_called(name) is not None:
        return find_run(name), None
    # The path of a folder may hold a colon, and so may the name of a row.
    positions = [position for position, character in enumerate(name) if character == ":"]
    folders = ((_folder_called(name[:position]), position) for position in reversed(positions))
    folder, position = next(
        ((folder, position) for folder, position in folders if folder), (None, positions[0])
    )
    return folder or find_run(name[:position]), name[position + 1 :] or None


def row_key(run: str, row: str, names: Iterable[tuple[str, str]]) -> str:
    """Return the key of a run's row that is called by its key or its name.

    Args:
        run: names the run in messages.
        row: what the user wrote.
        names: key and name of each row.

    Raises:
        UserError: there is no such row, or several are called so; the rows are listed.
    """
    name_of = dict(names)
    for text in (row, slug(row)):
        if text in name_of:
            return text
    called = [key for key, name in name_of.items() if name == row]
    if len(called) == 1:
        return called[0]
    if called:
        raise UserError(f"{run} has several rows {row!r}: give the key of one: {', '.join(called)}")
    known = ", ".join(name_of)
    raise UserError(
        f"{run} has no row {row!r}{did_you_mean(row, [*name_of, *name_of.values()])}: {known}"
    )


def read_stored_run(path: Path) -> StoredRun:
    """Read the manifest of a folder; what is wrong with it becomes the run's ``problem``."""
    try:
        return StoredRun(path, read_manifest(path))
    except MerKerasError as error:
        return StoredRun(path, {}, str(error))


def _run_folders(root: Path) -> list[Path]:
    """Folders that hold a manifest, or predictions whose manifest was lost."""
    with contextlib.suppress(OSError):
        return [path for path in sorted(root.iterdir()) if _holds_run(path)]
    return []


def _holds_run(path: Path) -> bool:
    return (path / MANIFEST).exists() or (path / PREDICTIONS).is_dir()


def _folder_called(name: str) -> Path | None:
    """The run of an id below the results, or of a folder's path, if there is one."""
    for path in (settings.results_root() / name, Path(name)):
        with contextlib.suppress(OSError, ValueError):  # No folder's name is so long or has a NUL.
            if name and _holds_run(path):
                return path
    return None


def _remedy(name: str, runs: Sequence[StoredRun]) -> str:
    """Say what may have been meant, and what to do."""
    root = settings.results_root()
    with contextlib.suppress(OSError, ValueError):
        if name and Path(name).is_dir():
            return f": the folder holds no {MANIFEST}: give the path of a run folder"
    if not runs:
        return (
            f": there are no runs in {root}: mer-keras run EXPERIMENT makes one, and MER_RESULTS "
            "names the folder where others lie"
        )
    experiments = dict.fromkeys(run.experiment for run in runs if run.experiment)
    names = [*(run.name for run in runs), *experiments]
    return (
        f"{did_you_mean(name, names)}; runs in {root}:{_listed(runs)}\nmer-keras status says more"
    )


def _listed(runs: Sequence[StoredRun]) -> str:
    lines = [run.describe() for run in runs[:MOST_LISTED]]
    if len(runs) > MOST_LISTED:
        lines.append(f"and {len(runs) - MOST_LISTED} more")
    return "".join(f"\n  {line}" for line in lines)
