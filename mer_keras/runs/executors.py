"""Who computes the tasks of runs: this process, or others through the same interface."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from mer_keras.errors import MerKerasError
from mer_keras.progress import EpochProgress, Progress
from mer_keras.runs.context import RunContext
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.predictions import predictions_table, unit_record
from mer_keras.runs.tasks import Outcome, TaskRunner, all_units
from mer_keras.runs.units import Task, Unit
from mer_keras.training.learned import to_bytes


class OpenRun(NamedTuple):
    """A run and its folder, which is open for writing; ``progress`` is told what is being done."""

    context: RunContext
    folder: RunFolder
    progress: Progress | None = None

    def pending(self, units: Sequence[Unit]) -> list[Unit]:
        """Return the units that are not stored, of those given."""
        return [unit for unit in units if not self._is_done(unit)]

    def _is_done(self, unit: Unit) -> bool:
        has_all = not self.context.keep_learned or self.folder.has_learned(unit)
        return has_all and self.folder.is_done(unit)

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
            learned = None if outcome.learned is None else to_bytes(outcome.learned)
            self.folder.store(unit, table, unit_record(outcome), outcome.trajectory, learned)


class RowCounts:
    """Reports how many of each row's pending units are done, under the row's name.

    A report ends with ``ResultsError`` where the run folder is gone: what follows would be lost.
    """

    def __init__(self, run: OpenRun) -> None:
        """Count what is pending."""
        self._folder = run.folder
        self._progress = run.progress
        self._names = {plan.key: plan.name for plan in run.context.config.plans}
        self._pending = Counter(unit.row for unit in run.pending(all_units(run.context)))
        self._done = Counter[str]()

    def add(self, task: Sequence[Unit]) -> None:
        """Report that the pending units of a task, of one row, are done or have failed."""
        self._done[task[0].row] += len(task)
        self._report(task[0].row, 0.0)

    def during(self, task: Sequence[Unit]) -> EpochProgress:
        """Report that a task's pending units begin; return what reports their epochs."""
        row = task[0].row
        self._report(row, 0.0)

        def report(epoch: int, epochs: int) -> None:
            self._report(row, len(task) * epoch / epochs)

        return report

    def _report(self, row: str, part: float) -> None:
        self._folder.check_there()
        if self._progress:
            self._progress(self._names[row], self._done[row] + part, self._pending[row])


class Executor(Protocol):
    """Computes what is missing of runs, and stores it."""

    def execute(self, runs: Sequence[OpenRun]) -> None:
        """Compute and store every pending unit of every run.

        A unit that fails is recorded and the others go on. A task of which a unit is missing is
        computed whole, and what is missing is stored. Each run's ``progress`` is told, by the
        names of its rows, how many of their pending units are done.

        Raises:
            UserError: nothing can be computed, with the remedy.
        """


class SerialExecutor:
    """Computes one task after the other, in this process."""

    def execute(self, runs: Sequence[OpenRun]) -> None:
        """See ``Executor.execute``."""
        for run in runs:
            runner, counts = TaskRunner(run.context), RowCounts(run)
            for row in run.pending_rows():
                for task in runner.tasks(row):
                    if pending := run.pending(task):
                        outcomes = runner.compute(task, counts.during(pending))
                        run.store(pending, task, outcomes)
                        counts.add(pending)
