"""Who computes the tasks of runs: this process, or others through the same interface."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from mer_keras.errors import MerKerasError
from mer_keras.progress import EpochProgress, Progress
from mer_keras.runs.context import RunContext
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.predictions import predictions_table, unit_record
from mer_keras.runs.tasks import Outcome, TaskRunner, all_units
from mer_keras.runs.units import Task, Unit


class OpenRun(NamedTuple):
    """A run and its folder, which is open for writing."""

    context: RunContext
    folder: RunFolder

    def pending(self, units: Sequence[Unit]) -> list[Unit]:
        """Return the units that are not stored, of those given."""
        return [unit for unit in units if not self.folder.is_done(unit)]

    def pending_rows(self) -> list[str]:
        """Return the keys of rows of which a unit is not stored, in the order of the table."""
        return list(dict.fromkeys(unit.row for unit in self.pending(all_units(self.context))))

    def store(self, pending: Sequence[Unit], task: Task, outcomes: Sequence[Outcome]) -> None:
        """Store what a task gave of its pending units: predictions, or why there are none."""
        for unit, outcome in zip(task, outcomes, strict=True):
            if unit not in pending:
                continue
            if isinstance(outcome, MerKerasError):
                self.folder.fail(unit, str(outcome))
                continue
            table = predictions_table(self.context, unit, outcome)
            self.folder.store(unit, table, unit_record(outcome), outcome.trajectory)


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
        for run in runs:
            runner = TaskRunner(run.context)
            units = all_units(run.context)
            names = {plan.key: plan.name for plan in run.context.config.plans}
            done = len(units) - len(run.pending(units))
            for row in run.pending_rows():
                for task in runner.tasks(row):
                    pending = run.pending(task)
                    if not pending:
                        continue
                    report = _report_epochs(progress, names[row], done, len(pending), len(units))
                    run.store(pending, task, runner.compute(task, report))
                    done += len(pending)
            if progress:
                progress("done", len(units), len(units))


def _report_epochs(
    progress: Progress | None, title: str, done: int, units: int, total: int
) -> EpochProgress:
    """Return what reports the epochs of a task of some units, of which ``done`` came before."""

    def report(epoch: int, epochs: int) -> None:
        if progress:
            progress(title, done + units * epoch / epochs, total)

    report(0, 1)
    return report
