"""Who computes the tasks of runs: this process, or others through the same interface."""

from collections.abc import Sequence
from typing import Protocol

from mer_keras.errors import MerKerasError
from mer_keras.progress import EpochProgress, Progress
from mer_keras.runs.context import RunContext
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.predictions import predictions_table, unit_record
from mer_keras.runs.tasks import Outcome, TaskRunner, all_units
from mer_keras.runs.units import Task, Unit

#: A run and its folder, which is open for writing.
OpenRun = tuple[RunContext, RunFolder]


class Executor(Protocol):
    """Computes what is missing of runs, and stores it."""

    def execute(self, runs: Sequence[OpenRun], progress: Progress | None = None) -> None:
        """Compute and store every pending unit of every run.

        A unit that fails is recorded and the others go on. A task of which a unit is missing is
        computed whole, and what is missing is stored.

        Raises:
            UserError: nothing can be computed, with the remedy.
        """


class SerialExecutor:
    """Computes one task after the other, in this process."""

    def execute(self, runs: Sequence[OpenRun], progress: Progress | None = None) -> None:
        """See ``Executor.execute``."""
        for context, folder in runs:
            runner = TaskRunner(context)
            units = all_units(context)
            names = {plan.key: plan.name for plan in context.config.plans}
            done = sum(map(folder.is_done, units))
            for row in rows_with_pending_units(context, folder):
                for task, pending in pending_tasks(folder, runner.tasks(row)):
                    report = _report_epochs(progress, names[row], done, len(pending), len(units))
                    store(folder, context, task, pending, runner.compute(task, report))
                    done += len(pending)
            if progress:
                progress("done", len(units), len(units))


def rows_with_pending_units(context: RunContext, folder: RunFolder) -> list[str]:
    """Keys of the rows of which a unit is not stored, in the order of the table."""
    rows = [unit.row for unit in all_units(context) if not folder.is_done(unit)]
    return list(dict.fromkeys(rows))


def pending_tasks(folder: RunFolder, tasks: Sequence[Task]) -> list[tuple[Task, list[Unit]]]:
    """The tasks that are not whole, each with its units that are not stored."""
    pairs = [(task, [unit for unit in task if not folder.is_done(unit)]) for task in tasks]
    return [(task, pending) for task, pending in pairs if pending]


def store(
    folder: RunFolder,
    context: RunContext,
    task: Task,
    pending: Sequence[Unit],
    outcomes: Sequence[Outcome],
) -> None:
    """Store what a task gave of its pending units: predictions, or why there are none."""
    for unit, outcome in zip(task, outcomes, strict=True):
        if unit not in pending:
            continue
        if isinstance(outcome, MerKerasError):
            folder.fail(unit, str(outcome))
            continue
        table = predictions_table(context, unit, outcome)
        folder.store(unit, table, unit_record(outcome), outcome.trajectory)


def _report_epochs(
    progress: Progress | None, title: str, done: int, units: int, total: int
) -> EpochProgress:
    """Return what reports the epochs of a task of some units, of which ``done`` came before."""

    def report(epoch: int, epochs: int) -> None:
        if progress:
            progress(title, done + units * epoch / epochs, total)

    report(0, 1)
    return report
