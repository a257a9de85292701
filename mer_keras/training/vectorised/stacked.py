"""Copies of one network, one a fold, whose steps are taken together.

All variables are stacked along a first axis of folds. A step is a function of one fold's variables
and rows; the backend maps it over that axis (see ``mapping``). The optimisers change each value by
itself, so that they work on stacks as they are.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from mer_keras.layers.counted import counted_rows
from mer_keras.training.trainer import variables_of
from mer_keras.training.vectorised.mapping import compiled, gradients_of, over_folds

#: values of one network's variables, in the order of ``variables_of``
State = list[np.ndarray]


class Stack:
    """Networks of one form with variables of their own, trained on rows of the same clips.

    Everywhere ``rows`` are (folds, batch) int64 row numbers, ``weights`` (folds, batch) float32, 0
    where a row only fills up the batch, and ``copies`` (folds, batch) float32, 1 where a row is a
    copy that augmentation may change.
    """

    def __init__(
        self,
        model: Any,
        make_optimizer: Callable[[], Any],
        clips: np.ndarray,
        labels: np.ndarray,
        folds: int,
    ) -> None:
        """Put the clips on the device.

        Args:
            model: the form; takes ``clip`` and, where copies are changed, ``is_copy``.
            make_optimizer: returns a new optimiser.
            clips: (samples, ...) float32, all that any fold reads.
            labels: (samples,) int32.
            folds: how many networks.
        """
        self.folds = folds
        self._model = model
        self._clips = ops.convert_to_tensor(clips)
        self._labels = ops.convert_to_tensor(labels)
        form = [np.array(ops.convert_to_numpy(v)) for v in variables_of(model)]
        stacks = [np.broadcast_to(v, (folds, *v.shape)) for v in form]
        self._all = [keras.Variable(v, dtype=v.dtype.name) for v in stacks]
        self._best = [keras.Variable(v, dtype=v.dtype.name) for v in stacks]
        self._trained = len(model.trainable_variables)
        self._optimizer = make_optimizer()
        self._optimizer.build(self._all[: self._trained])
        self._start = [np.array(ops.convert_to_numpy(v)) for v in self._optimizer.variables]
        self._gradients = over_folds(gradients_of(self._loss), folds)
        self._losses = over_folds(self._watched_loss, folds)
        self._answers = over_folds(self._answer, folds)
        functional = keras.backend.backend() == "jax"
        self._step = compiled(self._pure_step if functional else self._assigning_step)
        self._look = compiled(lambda values, *given: self._losses(*self._split(values), *given))
        self._tell = compiled(lambda values, *given: self._answers(*self._split(values), *given))

    def set(self, states: Sequence[State]) -> None:
        """Give fold ``i`` the variables ``states[i]``, and the optimiser its first state."""
        for kept, values in zip(self._all, zip(*states, strict=True), strict=True):
            kept.assign(np.stack(values))
        for kept, start in zip(self._optimizer.variables, self._start, strict=True):
            kept.assign(start)

    def set_learning_rate(self, rate: float) -> None:
        """Set the rate of all folds."""
        self._optimizer.learning_rate = rate

    def train(self, rows: np.ndarray, weights: np.ndarray, copies: np.ndarray) -> Any:
        """Take one step; return (folds, 2), sums of the loss and of right answers."""
        if keras.backend.backend() != "jax":
            return self._step(rows, weights, copies)
        optimizer = self._optimizer.variables
        values, changed, sums = self._step(
            [v.value for v in self._all], [v.value for v in optimizer], rows, weights, copies
        )
        for kept, new in zip([*self._all, *optimizer], [*values, *changed], strict=True):
            kept.assign(new)
        return sums

    def evaluate(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return (folds, 2), sums of the loss and of right answers; nothing is trained."""
        sums = self._look([v.value for v in self._all], rows, weights, np.zeros_like(weights))
        return np.asarray(ops.convert_to_numpy(sums))

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Return class probabilities, (folds, rows, classes) float32."""
        still = np.zeros(rows.shape, "float32")
        answers = self._tell([v.value for v in self._all], rows, still)
        return np.asarray(ops.convert_to_numpy(answers), "float32")

    def keep(self, improved: np.ndarray) -> None:
        """Remember the variables of the folds that ``improved``, (folds,) bool, names."""
        for best, now in zip(self._best, self._all, strict=True):
            chosen = improved.reshape(-1, *(1,) * (len(now.shape) - 1))
            best.assign(ops.where(chosen, now.value, best.value))

    def go_back(self) -> None:
        """Return each fold to what was last kept of it."""
        for now, best in zip(self._all, self._best, strict=True):
            now.assign(best.value)

    def state(self, fold: int) -> State:
        """Variables of one fold."""
        return [np.asarray(ops.convert_to_numpy(v.value[fold])) for v in self._all]

    def _split(self, values: list[Any]) -> tuple[list[Any], list[Any]]:
        return values[: self._trained], values[self._trained :]

    def _assigning_step(self, rows: Any, weights: Any, copies: Any) -> Any:
        trained, others = self._split([v.value for v in self._all])
        gradients, (others, sums) = self._gradients(trained, others, rows, weights, copies)
        self._optimizer.apply(gradients, self._all[: self._trained])
        for kept, new in zip(self._all[self._trained :], others, strict=True):
            kept.assign(new)
        return sums

    def _pure_step(
        self, values: list[Any], optimizer: list[Any], rows: Any, weights: Any, copies: Any
    ) -> tuple[list[Any], list[Any], Any]:
        trained, others = self._split(values)
        gradients, (others, sums) = self._gradients(trained, others, rows, weights, copies)
        trained, optimizer = self._optimizer.stateless_apply(optimizer, gradients, trained)
        return [*trained, *others], optimizer, sums

    # of one fold

    def _loss(
        self, trained: Any, others: Any, rows: Any, weights: Any, copies: Any, training: bool = True
    ) -> tuple[Any, Any]:
        """Mean loss over the rows that count; variables afterwards and the two sums."""
        with counted_rows(weights):
            answers, others = self._call(trained, others, rows, copies, training)
        labels = ops.take(self._labels, rows, axis=0)
        losses = keras.losses.sparse_categorical_crossentropy(labels, answers)
        losses = losses * ops.cast(weights, losses.dtype)
        hits = ops.equal(ops.cast(ops.argmax(answers, -1), labels.dtype), labels)
        right = ops.sum(ops.cast(hits, losses.dtype) * ops.cast(weights, losses.dtype))
        total = ops.sum(losses)
        mean = total / ops.cast(ops.sum(weights), losses.dtype)
        return mean, (others, ops.stack([total, right]))

    def _watched_loss(self, trained: Any, others: Any, rows: Any, weights: Any, copies: Any) -> Any:
        return self._loss(trained, others, rows, weights, copies, training=False)[1][1]

    def _answer(self, trained: Any, others: Any, rows: Any, copies: Any) -> Any:
        return self._call(trained, others, rows, copies, training=False)[0]

    def _call(
        self, trained: Any, others: Any, rows: Any, copies: Any, training: bool
    ) -> tuple[Any, Any]:
        inputs = {"clip": ops.take(self._clips, rows, axis=0)}
        if len(self._model.inputs) > 1:
            inputs["is_copy"] = copies
        return self._model.stateless_call(trained, others, inputs, training=training)
