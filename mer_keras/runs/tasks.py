"""The tasks of a run: folds of one row that are computed together.

A task is a value, and is computed without the run folder, wherever that is done; storing is the
caller's.
"""

import hashlib
from typing import TypeAlias

from mer_keras.methods.contract import Method
from mer_keras.methods.registry import changes_clips
from mer_keras.progress import EpochProgress
from mer_keras.runs.context import RunContext
from mer_keras.runs.units import Task, Unit
from mer_keras.training.fold import FoldFailedError, FoldOutcome, FoldRows

#: What a unit gives.
Outcome: TypeAlias = FoldOutcome | FoldFailedError


def fold_seed(seed: int, fold: str) -> int:
    """Seed of one fold, from the run's seed and the fold's name alone: any fold can be rerun."""
    digest = hashlib.blake2b(f"{seed}/{fold}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


class TaskRunner:
    """Computes tasks of a run, one after the other; the latest row's method stays built."""

    def __init__(self, context: RunContext, *, alone: bool = False) -> None:
        """Prepare; nothing is built before the first task.

        Args:
            context: the run.
            alone: train each fold by itself, also where folds could be trained together.
        """
        self._context = context
        self._alone = alone
        self._plans = {plan.key: plan for plan in context.config.plans}
        self._latest: tuple[str, Method] | None = None

    def tasks(self, row: str) -> list[Task]:
        """All tasks of a row. They depend on the folds and the config alone."""
        tasks: list[Task] = []
        method = self._method(row)
        for seed in self._context.config.seeds:
            units = [Unit(row, seed, fold.name) for fold in self._context.folds.folds]
            rows = [self._fold_rows(unit) for unit in units]
            divided = method.divide(self._context.labels, rows)
            tasks += [tuple(units[i] for i in positions) for positions in divided]
        return tasks

    def compute(self, task: Task, on_epoch: EpochProgress | None = None) -> list[Outcome]:
        """Compute the units of a task, in their order; ``on_epoch`` is called after each epoch."""
        row = task[0].row
        try:
            return self._method(row).fit_predict_folds(
                self._context.inputs(self._plans[row]),
                self._context.labels,
                [self._fold_rows(unit) for unit in task],
                [fold_seed(unit.seed, unit.fold) for unit in task],
                record_epochs=self._context.config.record_epochs,
                on_epoch=on_epoch,
                keep_learned=self._context.keep_learned,
            )
        except FoldFailedError as error:  # A method of somebody's own may leave it to its caller.
            return [error for _ in task]

    def compute_again(self, unit: Unit) -> Outcome:
        """Compute one unit as the run does, within its task."""
        task = next(task for task in self.tasks(unit.row) if unit in task)
        return self.compute(task)[task.index(unit)]

    def _method(self, row: str) -> Method:
        if self._latest is None or self._latest[0] != row:
            self._latest = (row, self._context.method(self._plans[row], alone=self._alone))
        return self._latest[1]

    def _fold_rows(self, unit: Unit) -> FoldRows:
        # Changed copies of tested clips are tested too, where training changes copies.
        copied = self._context.config.evaluate_augmented and changes_clips(self._plans[unit.row])
        return self._context.fold_rows(unit.fold, copies_seed=unit.seed if copied else None)


def all_units(context: RunContext) -> list[Unit]:
    """The units of all rows, in the order of the table."""
    return [
        Unit(plan.key, seed, fold.name)
        for plan in context.config.plans
        for seed in context.config.seeds
        for fold in context.folds.folds
    ]
