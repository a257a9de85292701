"""Many folds of a small network at once, without ``fit``.

What ``fit`` does around a step costs a small network several times the step. Here the clips lie on
the device once, a batch is a list of row numbers, and the folds' networks are stacked
(``stacked``). Seeds, initial weights, copies, order of the clips and random numbers are those that
``Trainer`` gives the same fold, so that on TensorFlow results are the same but for rounding.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mer_keras.arrays import Array, Inputs
from mer_keras.errors import InvariantError
from mer_keras.progress import EpochProgress
from mer_keras.training.best_epoch import BestEpoch
from mer_keras.training.fold import (
    FoldFailedError,
    FoldOutcome,
    FoldRows,
    check_finite,
    check_prediction,
    out_of_memory_told,
)
from mer_keras.training.learned import Learned
from mer_keras.training.recipe import learning_rate_at
from mer_keras.training.trainer import Trainer
from mer_keras.training.vectorised.batches import (
    EpochRows,
    Rows,
    batch_of,
    batches_of,
    epochs_of,
    steps_of,
)

if TYPE_CHECKING:
    from mer_keras.training.vectorised.stacked import Stack

#: One number a fold, (folds,).
Values = NDArray[np.floating]


class AllFolds:
    """Trains stacks of one network."""

    def __init__(self, trainer: Trainer, clips: Inputs, labels: NDArray[np.int32]) -> None:
        """Prepare; nothing is built before it is needed.

        Args:
            trainer: has the network, the recipe and what the weights start from.
            clips: (clips, ...) float32, those of all folds.
            labels: (clips,) class numbers.

        Raises:
            InvariantError: the clips are not one array (see ``engine``).
        """
        if not isinstance(clips, np.ndarray):
            raise InvariantError("folds are trained together on one array of clips of one shape")
        self._trainer = trainer
        self._clips = clips
        self._labels = labels
        self._stacks: dict[int, Stack] = {}

    def fit_predict(
        self,
        folds: Sequence[FoldRows],
        seeds: Sequence[int],
        on_epoch: EpochProgress | None = None,
        record_epochs: bool = False,
        keep_learned: bool = False,
    ) -> list[FoldOutcome | FoldFailedError]:
        """Train folds together, each as ``Trainer.fit`` does, and predict their tested clips.

        A fold whose loss, weights or predictions are no longer finite is returned as an error and
        leaves the others alone.

        Args:
            folds: if they have validation clips, these choose the epoch.
            seeds: one a fold.
            on_epoch: called after each epoch.
            record_epochs: whether to keep the tested clips' probabilities after every epoch.
            keep_learned: whether to keep what each fold has learned.

        Raises:
            OutOfMemoryError: they don't fit.
            InvariantError: they have unequally many batches (see ``chunks``), or only some of them
                have validation clips.
        """
        recipe = self._trainer.recipe
        if len({steps_of(self._labels[fold.train], recipe) for fold in folds}) > 1:
            raise InvariantError("folds of one stack need equally many batches an epoch")
        if len({len(fold.val) > 0 for fold in folds}) > 1:
            raise InvariantError("either all folds of one stack have validation clips, or none")
        started = time.perf_counter()
        remedy = "" if len(folds) == 1 else f"--set train.folds_at_once={len(folds) // 2}, "
        outcomes: list[FoldOutcome | FoldFailedError] = []
        with out_of_memory_told(recipe.batch_size, remedy):
            stack = self._stack(len(folds))
            record = self._train(stack, folds, seeds, on_epoch, record_epochs)
            tested = batch_of([fold.test for fold in folds], stack.fill)
            probabilities = stack.predict(tested)
            for index, fold in enumerate(folds):
                predicted = probabilities[index, : len(fold.test)]  # (tested clips, classes)
                try:
                    outcome = self._outcome(stack, record, index, fold, predicted, started)
                    if keep_learned:
                        outcome = replace(outcome, learned=self._learned(stack, index))
                    outcomes.append(outcome)
                except FoldFailedError as error:
                    outcomes.append(error)
        return outcomes

    def _train(
        self,
        stack: "Stack",
        folds: Sequence[FoldRows],
        seeds: Sequence[int],
        on_epoch: EpochProgress | None,
        record_epochs: bool,
    ) -> "_Record":
        """Train a stack from the beginning; afterwards it has the weights of the chosen epochs."""
        recipe = self._trainer.recipe
        states, orders = [], []
        for fold, seed in zip(folds, seeds, strict=True):
            states.append(self._trainer.start_state(seed, self._clips[fold.train]))
            orders.append(epochs_of(fold.train, self._labels, recipe, seed))
        stack.set(states)
        tested = batch_of([fold.test for fold in folds], stack.fill)
        watched = [fold.val for fold in folds]
        best_epoch = None
        if len(watched[0]):
            best_epoch = BestEpoch(recipe.early_stopping, np.array([len(rows) for rows in watched]))
        record = _Record(best_epoch)
        for epoch in range(recipe.epochs):
            if recipe.step_decay or recipe.cosine:
                rate = learning_rate_at(recipe, epoch)
                stack.set_learning_rate(rate)
                record.add(learning_rate=np.full(len(folds), rate))
            losses, accuracies = self._train_epoch(stack, [next(order) for order in orders])
            record.add(loss=losses, accuracy=accuracies)
            if best_epoch is not None:
                val_losses, val_accuracies = self._evaluate(stack, watched)
                record.add(val_loss=val_losses, val_accuracy=val_accuracies)
                stack.keep(best_epoch.improved(val_losses, val_accuracies))
            if record_epochs:
                record.predictions.append(stack.predict(tested))
            if on_epoch is not None:
                on_epoch(epoch + 1, recipe.epochs)
            if (best_epoch is not None and best_epoch.ended.all()) or not np.isfinite(losses).any():
                break
        if best_epoch is not None:
            stack.go_back()
        return record

    def _train_epoch(self, stack: "Stack", epochs: Sequence[EpochRows]) -> tuple[Values, Values]:
        """Train all folds for an epoch; return mean losses and accuracies, (folds,) each."""
        batches = batches_of(epochs, self._trainer.recipe.batch_size, stack.fill)
        sums = [stack.train(batch) for batch in batches]  # A device may still be computing them.
        clips = np.array([[len(epoch.rows)] for epoch in epochs])
        means = sum(np.asarray(of_batch) for of_batch in sums) / clips  # (folds, 2)
        return means[:, 0], means[:, 1]

    def _evaluate(self, stack: "Stack", watched: Sequence[Rows]) -> tuple[Values, Values]:
        """Mean loss and accuracy of each fold's watched clips, (folds,) each."""
        size = self._trainer.recipe.batch_size
        rows, weights, copies = batch_of(watched, stack.fill)
        parts = [np.s_[:, first : first + size] for first in range(0, max(map(len, watched)), size)]
        sums = [stack.evaluate((rows[part], weights[part], copies[part])) for part in parts]
        means = sum(sums) / weights.sum(axis=1, keepdims=True)  # (folds, 2)
        return means[:, 0], means[:, 1]

    def _outcome(
        self,
        stack: "Stack",
        record: "_Record",
        index: int,
        fold: FoldRows,
        predicted: Array,
        started: float,
    ) -> FoldOutcome:
        """Put together what the fold ``index`` of the stack gave.

        Raises:
            FoldFailedError: its loss, a weight or a prediction isn't finite.
        """
        history = record.history(index)
        state = stack.state(index)
        check_finite(history["loss"], [value for value in state if value.dtype.kind == "f"])
        copies = None
        if fold.copies is not None:
            self._trainer.set_state(state)
            copies = self._trainer.predict_changed(self._clips[fold.copies])
        return FoldOutcome(
            probabilities=check_prediction(predicted),
            epoch=record.epoch(index),
            history=history,
            seconds=(time.perf_counter() - started) / stack.folds,
            parameters=self._trainer.network.count_params(),
            multiply_accumulates=self._trainer.multiply_accumulates,
            copies=copies,
            trajectory=record.trajectory(index, len(fold.test)),
        )

    def _learned(self, stack: "Stack", index: int) -> Learned:
        """What the fold ``index`` of the stack has learned."""
        self._trainer.set_state(stack.state(index))
        return self._trainer.learned()

    def _stack(self, folds: int) -> "Stack":
        from mer_keras.training.vectorised.stacked import Stack

        if folds not in self._stacks:
            trainer = self._trainer
            self._stacks[folds] = Stack(
                trainer.model, trainer.recipe.optimizer, self._clips, self._labels, folds
            )
        return self._stacks[folds]


class _Record:
    """Curves and predictions of a stack's folds, epoch after epoch."""

    def __init__(self, best_epoch: BestEpoch | None) -> None:
        self._best_epoch = best_epoch
        self._curves: dict[str, list[Values]] = {}
        #: After each epoch, if they are recorded: (folds, tested clips or more, classes).
        self.predictions: list[Array] = []

    def add(self, **values: Values) -> None:
        """Add an epoch's values, (folds,) each, to the curves of their names."""
        for name, of_folds in values.items():
            self._curves.setdefault(name, []).append(of_folds)

    def epochs(self, fold: int) -> int:
        """Number of epochs that a fold went through before its training ended."""
        if self._best_epoch is None:
            return len(self._curves["loss"])
        return int(self._best_epoch.epochs[fold])

    def epoch(self, fold: int) -> int:
        """Number of the epoch whose weights a fold kept."""
        if self._best_epoch is None:
            return self.epochs(fold)
        return int(self._best_epoch.best[fold])

    def history(self, fold: int) -> dict[str, list[float]]:
        """Curves of one fold."""
        return {
            name: [float(of_folds[fold]) for of_folds in curve[: self.epochs(fold)]]
            for name, curve in self._curves.items()
        }

    def trajectory(self, fold: int, clips: int) -> Array | None:
        """Predictions of one fold, (epochs, clips, classes), if they are recorded."""
        if not self.predictions:
            return None
        predictions = self.predictions[: self.epochs(fold)]
        return np.stack([check_prediction(of_folds[fold, :clips]) for of_folds in predictions])
