"""Which contributions a page shows: runs that lie here, and folders that others sent."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mer_keras.errors import ResultsError, UserError
from mer_keras.leaderboard import schema
from mer_keras.leaderboard.reading import Entry, checked_entry, read_contribution
from mer_keras.leaderboard.writing import SHOWN_SELECTIONS, contribution_files
from mer_keras.report.view import RunView, read_view
from mer_keras.runs.naming import find_run_and_row, row_key, stored_runs
from mer_keras.runs.stored_manifest import MANIFEST

#: Experiments whose runs are shown unasked.
EXPERIMENTS = "leaderboard/"


@dataclass(frozen=True)
class Collected:
    """What a page is made of.

    Attributes:
        entries: contributions.
        remarks: what is not shown, and why.
    """

    entries: tuple[Entry, ...]
    remarks: tuple[str, ...] = ()


def collect(names: Sequence[str], contributions: Path) -> Collected:
    """Read the runs and contributions that are named, or all that there are.

    A run that lies here stands for its own contribution. Of runs that nobody named, rows that are
    not complete are left out with a remark, and so are contributions that are refused; what is
    named must be complete.

    Args:
        names: runs, ``RUN:ROW``, or folders of contributions; empty: all contributions of the
            folder and all runs of the leaderboard's experiments.
        contributions: a folder of contributions.

    Raises:
        UserError: something named can't be shown, or two runs have one name.
    """
    if names:
        return Collected(_each_once([_named(name) for name in dict.fromkeys(names)]))
    remarks: list[str] = []
    of_folders = list(_unnamed_contributions(contributions, remarks))
    of_runs = list(_unnamed(remarks))
    rows_here = {(entry.head.run_id, key) for entry in of_runs for key in entry.predicted}
    sent = [
        entry
        for entry in of_folders
        if any((entry.head.run_id, key) not in rows_here for key in entry.predicted)
    ]
    return Collected(_each_once([*sent, *of_runs]), tuple(remarks))


def _each_once(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Refuse two runs of one name: a page says by name where its numbers come from.

    Raises:
        UserError: naming it.
    """
    runs: dict[str, str] = {}
    for entry in entries:
        if runs.setdefault(entry.source, entry.head.run_id) != entry.head.run_id:
            raise UserError(
                f"two contributions are named {entry.source}: expected a name for each run: rename "
                "the folder of one"
            )
    return tuple(entries)


def contribution_folders(root: Path) -> list[Path]:
    """Folders below a folder that hold a contribution each."""
    return sorted(file.parent for file in root.glob(f"*/{schema.HEAD}"))


def entry_of_run(view: RunView, keys: Sequence[str] | None = None) -> Entry:
    """The contribution of a run, checked as one from elsewhere is.

    Args:
        view: the run.
        keys: keys of its rows; all if ``None``.

    Raises:
        ResultsError: see ``writing.contribution_files`` and ``reading.checked_entry``.
    """
    return checked_entry(view.run_id, contribution_files(view, keys=keys))


def run_and_keys(name: str) -> tuple[RunView, list[str] | None]:
    """The run that ``RUN`` or ``RUN:ROW`` means, and the key of the row, if one is meant.

    Raises:
        UserError: there is no such run or row.
    """
    path, row = find_run_and_row(name)
    view = read_view(path)
    if row is None:
        return view, None
    names = [(state.key, state.name) for state in view.rows]
    return view, [row_key(view.run_id, row, names)]


def finished_rows(view: RunView) -> tuple[list[str], list[str]]:
    """Keys of the rows that have all their folds, and a remark on each of the others."""
    keys = [state.key for state in view.rows if state.complete]
    remarks = [
        f"{view.run_id}: {state.name} is left out: {state.done} of {state.expected} folds"
        for state in view.rows
        if not state.complete
    ]
    return keys, remarks


def is_contribution(name: str) -> bool:
    """Whether a name is the path of a contribution's folder."""
    try:
        return (Path(name) / schema.HEAD).is_file()
    except (OSError, ValueError):  # No path is so long or has a NUL.
        return False


def _named(name: str) -> Entry:
    if is_contribution(name):
        return read_contribution(Path(name))
    with suppress(ValueError):  # A name with a NUL is that of no folder.
        if Path(name).is_dir() and not (Path(name) / MANIFEST).is_file():
            raise UserError(
                f"{name}: holds neither {schema.HEAD} nor {MANIFEST}: expected a contribution or "
                "a run"
            )
    view, keys = run_and_keys(name)
    return entry_of_run(view, keys)


def _unnamed_contributions(root: Path, remarks: list[str]) -> Iterator[Entry]:
    """Contributions below a folder; what is refused is remarked."""
    for folder in contribution_folders(root):
        try:
            yield read_contribution(folder)
        except ResultsError as error:
            remarks.append(f"{folder.name}: left out: {error}")


def _unnamed(remarks: list[str]) -> Iterator[Entry]:
    """Runs of the leaderboard's experiments; what is left out is remarked."""
    for run in reversed(stored_runs()):
        if run.problem or not run.experiment.startswith(EXPERIMENTS):
            continue
        if run.manifest["selection"] not in SHOWN_SELECTIONS:
            selection = run.manifest["selection"]
            remarks.append(f"{run.name}: left out: selection {selection} has no column")
            continue
        try:
            view = read_view(run.path)
            finished, unfinished = finished_rows(view)
            remarks += unfinished
            if finished:
                yield entry_of_run(view, finished)
        except (ResultsError, UserError) as error:
            remarks.append(f"{run.name}: left out: {error}")
