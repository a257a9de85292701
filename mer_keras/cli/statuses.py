"""What ``mer-keras status`` prints: runs and rows by kind of data, then what is wrong."""

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from mer_keras.cli.show import printable
from mer_keras.terms import DAGGER, DOUBLE_DAGGER, WATERMARK, DataKind, Selection

if TYPE_CHECKING:
    from mer_keras.report.status import RunStatus


def print_statuses(statuses: "Sequence[RunStatus]", *, baselines: bool) -> None:
    """Print the runs of each kind of data, then what is wrong with those that are not complete."""
    for kind in DataKind:
        of_kind = [run for run in statuses if run.data_kind == kind]
        if of_kind:
            print(_heading(kind))
            _print_runs(of_kind, baselines=baselines)
            print()
    for run in statuses:
        if run.reason:
            print(f"{run.run_id}: {run.state}: {printable(run.reason)}")
    if not statuses:
        print("no runs: mer-keras run EXPERIMENT makes one; MER_RESULTS names where others lie")


def _heading(kind: str) -> str:
    return WATERMARK if kind == DataKind.SYNTHETIC else f"{kind} data"


def _print_runs(runs: "Sequence[RunStatus]", *, baselines: bool) -> None:
    """Print a line for each run and one for each of its rows, which fit into 80 columns."""
    cells_of = [_cells(run, baselines=baselines) for run in runs]
    names = [cells[0] for cells in chain.from_iterable(cells_of)]
    width = max(map(len, names), default=0)
    print(f"  {'row':{width}}  {'UF1 %':>6}  {'UAR %':>6}  clips")
    for run, cells in zip(runs, cells_of, strict=True):
        print(f"{run.run_id}  {run.profile}, {run.done}/{run.expected} folds, {run.state}")
        for name, uf1, uar, clips in cells:
            print(f"  {name:{width}}  {uf1:>6}  {uar:>6}  {clips:>5}")


def _cells(run: "RunStatus", *, baselines: bool) -> list[tuple[str, str, str, str]]:
    """Return name, UF1, UAR and number of clips of each row that is shown."""
    cells = []
    for row in run.rows:
        if row.role == "baseline" and not baselines and len(run.rows) > 1:
            continue
        marks = DAGGER if row.selection in (Selection.TEST_FOLD, Selection.EXTERNAL) else ""
        marks += "" if run.subject_exclusive else DOUBLE_DAGGER
        uf1, uar = (
            "-" if value is None else f"{100 * value:.1f}{marks}" for value in (row.uf1, row.uar)
        )
        name = " ".join(printable(row.name).split())  # A row has one line.
        cells.append((name, uf1, uar, "-" if row.n is None else str(row.n)))
    return cells
