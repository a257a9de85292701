"""Many folds of a small network at once, without ``fit``.

What ``fit`` does around a step costs a small network several times the step. Here the clips lie on
the device once, a batch is a list of row numbers, and the folds' networks are stacked
(``stacked``). Seeds, initial weights, order of the clips and random numbers are those that
``Trainer`` gives the same fold, so that on TensorFlow results are the same but for rounding.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mer_keras.config.training import EarlyStopping, Train
from mer_keras.errors import InvariantError
from mer_keras.models.cost import multiply_accumulates
from mer_keras.progress import EpochProgress
from mer_keras.terms import Selection
from mer_keras.training.dataset import epoch_orders
from mer_keras.training.fold import (
    FoldFailedError,
    FoldOutcome,
    FoldRows,
    check_finite,
    out_of_memory_told,
)
from mer_keras.training.recipe import best_epoch, learning_rate_at
from mer_keras.training.trainer import Trainer

#: the last batch of an epoch is filled up to a multiple of this, so that folds have one shape
_FILL = 32


class AllFolds:
    """Trains stacks of one network."""

    def __init__(self, trainer: Trainer, clips: np.ndarray, labels: np.ndarray) -> None:
        """Prepare; nothing is built before it is needed.

        Args:
            trainer: has the network, the recipe and what the weights start from.
            clips: (samples, ...) float32, those of all folds.
            labels: (samples,) int32 class numbers.
        """
        self._trainer = trainer
        self._clips = clips
        self._labels = labels
        self._stacks: dict[int, Any] = {}

    def fit_predict(
        self,
        folds: Sequence[FoldRows],
        selection: Selection,
        seeds: Sequence[int],
        on_epoch: EpochProgress | None = None,
    ) -> list[FoldOutcome | FoldFailedError]:
        """Train folds together; see ``Trainer.fit_predict``.

        A fold whose loss or weights are no longer finite is returned as an error and leaves the
        others alone.

        Raises:
            OutOfMemoryError: they don't fit.
            InvariantError: they have unequally many batches (see ``chunks``).
        """
        size = self._trainer.recipe.batch_size
        if len({-(-len(fold.train) // size) for fold in folds}) > 1:
            raise InvariantError("folds of one stack need equally many batches an epoch")
        fewer = "" if len(folds) == 1 else f"--set train.folds_at_once={len(folds) // 2}, "
        with out_of_memory_told(size, fewer):
            return self._fit_predict(folds, selection, seeds, on_epoch)

    def _fit_predict(
        self,
        folds: Sequence[FoldRows],
        selection: Selection,
        seeds: Sequence[int],
        on_epoch: EpochProgress | None,
    ) -> list[FoldOutcome | FoldFailedError]:
        started = time.perf_counter()
        recipe = self._trainer.recipe
        states, orders = [], []
        for fold, seed in zip(folds, seeds, strict=True):
            states.append(self._trainer.start_state(seed, fold, self._clips))
            orders.append(_epochs(fold, self._labels, recipe, seed))
        stack = self._stack(len(folds))
        stack.set(states)
        watched = [_watched(fold, selection) for fold in folds]
        watch = _Watch(recipe, len(folds)) if watched[0] is not None else None
        curves: dict[str, list[Any]] = {"loss": [], "accuracy": []}
        counts = np.array([[len(fold.train)] for fold in folds])
        for epoch in range(recipe.epochs):
            if recipe.step_decay or recipe.cosine:
                rate = learning_rate_at(recipe, epoch)
                stack.set_learning_rate(rate)
                curves.setdefault("learning_rate", []).append([rate] * len(folds))
            batches = [next(order) for order in orders]
            sums = [stack.train(*step) for step in _together(batches, recipe.batch_size)]
            means = sum(np.asarray(one) for one in sums) / counts
            curves["loss"].append(means[:, 0])
            curves["accuracy"].append(means[:, 1])
            if watch is not None:
                seen = self._evaluate(stack, watched, recipe.batch_size)
                curves.setdefault("val_loss", []).append(seen[:, 0])
                curves.setdefault("val_accuracy", []).append(seen[:, 1])
                stack.keep(watch.improved(seen))
            if on_epoch is not None:
                on_epoch(epoch + 1, recipe.epochs)
            if (watch is not None and watch.over.all()) or not np.isfinite(means[:, 0]).any():
                break
        if watch is not None:
            stack.go_back()
        return self._outcomes(stack, folds, curves, watch, started)

    def _outcomes(
        self,
        stack: Any,
        folds: Sequence[FoldRows],
        curves: dict[str, list[Any]],
        watch: "_Watch | None",
        started: float,
    ) -> list[FoldOutcome | FoldFailedError]:
        probabilities = stack.predict(_filled([fold.test for fold in folds]))
        network = self._trainer.network
        outcomes: list[FoldOutcome | FoldFailedError] = []
        for place, fold in enumerate(folds):
            last = int(watch.last[place]) if watch is not None else len(curves["loss"])
            history = {
                name: [float(v[place]) for v in curve[:last]] for name, curve in curves.items()
            }
            state = stack.state(place)
            try:
                check_finite(history["loss"], [v for v in state if v.dtype.kind == "f"])
            except FoldFailedError as error:
                outcomes.append(error)
                continue
            copies = None
            if fold.copies is not None:
                self._trainer.set_state(state)
                copies = self._trainer.predict_changed(self._clips[fold.copies])
            outcomes.append(
                FoldOutcome(
                    probabilities=probabilities[place, : len(fold.test)],
                    copies=copies,
                    epoch=best_epoch(history, self._trainer.recipe) if watch is not None else last,
                    history=history,
                    seconds=(time.perf_counter() - started) / len(folds),
                    parameters=network.count_params(),
                    multiply_accumulates=multiply_accumulates(network),
                )
            )
        return outcomes

    def _stack(self, folds: int) -> Any:
        from mer_keras.training.optimizers import make_optimizer
        from mer_keras.training.vectorised.stacked import Stack

        if folds not in self._stacks:
            setting = self._trainer.recipe.optimizer
            self._stacks[folds] = Stack(
                self._trainer.model,
                lambda: make_optimizer(setting),
                self._clips,
                self._labels,
                folds,
            )
        return self._stacks[folds]

    @staticmethod
    def _evaluate(stack: Any, watched: Sequence[Any], batch_size: int) -> np.ndarray:
        """Mean loss and accuracy of each fold's watched clips, (folds, 2)."""
        rows, weights = _filled(watched), _filled(_ones(watched), "float32")
        total = sum(
            stack.evaluate(rows[:, at : at + batch_size], weights[:, at : at + batch_size])
            for at in range(0, max(map(len, watched)), batch_size)
        )
        return np.asarray(total / weights.sum(axis=1, keepdims=True))


def chunks(folds: Sequence[FoldRows], batch_size: int, at_once: int) -> Iterator[list[int]]:
    """Divide folds into stacks: at most ``at_once`` with equally many batches an epoch.

    It depends on nothing but the folds, so that a run that goes on has the stacks it began with.
    """
    by_steps: dict[int, list[int]] = {}
    for place, fold in enumerate(folds):
        by_steps.setdefault(-(-len(fold.train) // batch_size), []).append(place)
    for places in by_steps.values():
        for first in range(0, len(places), at_once):
            yield places[first : first + at_once]


@dataclass(frozen=True)
class _Rows:
    """An epoch's rows of one fold, in order; which are copies."""

    rows: np.ndarray
    copies: np.ndarray


def _epochs(fold: FoldRows, labels: np.ndarray, recipe: Train, seed: int) -> Iterator[_Rows]:
    rows, copies = fold.train, fold.is_copy
    if recipe.order == "by_class":
        by_class = np.argsort(labels[rows], kind="stable")
        rows, copies = rows[by_class], copies[by_class]
    shuffled = recipe.order == "shuffled"
    orders = epoch_orders(len(rows), recipe.epochs, seed=seed, shuffle=shuffled)
    return (_Rows(rows[order], copies[order]) for order in orders)


def _watched(fold: FoldRows, selection: Selection) -> np.ndarray | None:
    """Rows that the choice of the epoch looks at."""
    return None if selection is Selection.LAST_EPOCH else fold.val


def _together(epochs: Sequence[_Rows], batch_size: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Cut the folds' epochs into batches of one shape: rows, weights, copies, (folds, batch)."""
    longest = max(len(epoch.rows) for epoch in epochs)
    for first in range(0, longest, batch_size):
        part = slice(first, first + batch_size)
        rows = [epoch.rows[part] for epoch in epochs]
        copies = [epoch.copies[part] for epoch in epochs]
        yield _filled(rows), _filled(_ones(rows), "float32"), _filled(copies, "float32")


def _filled(parts: Sequence[np.ndarray], dtype: str = "int64") -> np.ndarray:
    """Stack lists, (folds, width), filled up with 0 to a multiple of ``_FILL``."""
    width = -(-max(len(part) for part in parts) // _FILL) * _FILL
    stacked = np.zeros((len(parts), width), dtype)
    for row, part in zip(stacked, parts, strict=True):
        row[: len(part)] = part
    return stacked


def _ones(parts: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [np.ones(len(part)) for part in parts]


class _Watch:
    """Which epoch is best, and when enough have gone by, for each fold as Keras decides it."""

    def __init__(self, recipe: Train, folds: int) -> None:
        stopping = recipe.early_stopping or EarlyStopping(patience=recipe.epochs)
        self._accuracy = stopping.monitor == "accuracy"
        self._patience = stopping.patience
        self._best = np.full(folds, np.inf)
        self._waited = np.zeros(folds, int)
        self.over = np.zeros(folds, bool)
        #: epochs that each fold went through
        self.last = np.zeros(folds, int)

    def improved(self, seen: np.ndarray) -> np.ndarray:
        """Take (folds, 2) losses and accuracies of an epoch; return who is at its best."""
        value = -seen[:, 1] if self._accuracy else seen[:, 0]
        better = ((value < self._best) | (self.last == 0)) & ~self.over
        self._best = np.where(better, value, self._best)
        self._waited = np.where(better, 0, self._waited + 1)
        self.last += ~self.over
        self.over |= self._waited >= self._patience
        return better
