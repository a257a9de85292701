"""What ``mer-keras status`` prints: a table for each kind of data, then what is wrong."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mer_keras.cli.show import print_table, printable
from mer_keras.terms import DAGGER, DOUBLE_DAGGER, WATERMARK, DataKind, Selection

if TYPE_CHECKING:
    from mer_keras.report.status import RunStatus


def print_statuses(statuses: "Sequence[RunStatus]", *, baselines: bool) -> None:
    """Print a table for each kind of data, then what is wrong with runs that are not complete."""
    for kind in DataKind:
        of_kind = [run for run in statuses if run.data_kind == kind]
        if of_kind:
            print(_heading(kind))
            header = ["run", "profile", "folds done", "state", "row", "UF1 %", "UAR %", "clips"]
            rows = [row for run in of_kind for row in _status_rows(run, baselines=baselines)]
            print_table(header, rows)
            print()
    for run in statuses:
        if run.reason:
            print(f"{run.run_id}: {run.state}: {printable(run.reason)}")
    if not statuses:
        print("no runs: mer-keras run EXPERIMENT makes one; MER_RESULTS names where others lie")


def _heading(kind: str) -> str:
    return WATERMARK if kind == DataKind.SYNTHETIC else f"{kind} data"


def _status_rows(run: "RunStatus", *, baselines: bool) -> list[list[object]]:
    """Lines of one run: a line for each row, of which the first says what the run is."""
    lines: list[list[object]] = []
    of_run: list[object] = [run.run_id, run.profile, f"{run.done}/{run.expected}", run.state]
    for row in run.rows:
        if row.role == "baseline" and not baselines and len(run.rows) > 1:
            continue
        marks = DAGGER if row.selection in (Selection.TEST_FOLD, Selection.EXTERNAL) else ""
        marks += "" if run.subject_exclusive else DOUBLE_DAGGER
        scores = [
            "-" if value is None else f"{100 * value:.1f}{marks}" for value in (row.uf1, row.uar)
        ]
        first = of_run if not lines else [""] * len(of_run)
        lines.append([*first, printable(row.name), *scores, "-" if row.n is None else row.n])
    return lines or [[*of_run, "-", "-", "-", "-"]]
