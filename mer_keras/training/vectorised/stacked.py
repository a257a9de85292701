"""Copies of one network, one a fold, whose steps are taken together.

All variables are stacked along a first axis of folds. A step is a function of one fold's variables
and rows; the backend maps it over that axis (see ``mapping``). The optimisers change each value by
itself, so that they work on stacks as they are.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import TypeAlias

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from mer_keras.arrays import Array
from mer_keras.config.training import Optimizer
from mer_keras.layers.counted import counted_rows
from mer_keras.layers.fast.registration import is_compiled_by_shape
from mer_keras.layers.tensors import Tensor
from mer_keras.training.optimizers import make_optimizer
from mer_keras.training.trainer import State, variables_of
from mer_keras.training.vectorised.batches import Batch
from mer_keras.training.vectorised.mapping import TensorFunction, compiled, gradients_of, over_folds

Tensors: TypeAlias = list[Tensor]
#: A ``Batch`` on the device: of all folds, or, without the first axis, of one.
TensorBatch: TypeAlias = tuple[Tensor, Tensor, Tensor]
#: Batches are filled up to a multiple of this where folds, or compiled loops, need one shape.
_FILL = 32


class Stack:
    """Networks of one form with variables of their own, trained on rows of the same clips."""

    def __init__(
        self,
        model: keras.Model,
        optimizer: Optimizer,
        clips: Array,
        labels: NDArray[np.int32],
        folds: int,
    ) -> None:
        """Put the clips on the device.

        Args:
            model: what is copied; it takes ``clip`` and, where copies are changed, ``is_copy``.
            optimizer: how each copy is trained.
            clips: (clips, ...) float32, all that any fold reads.
            labels: (clips,) class numbers.
            folds: how many networks.
        """
        self.folds = folds
        self._functional = keras.backend.backend() == "jax"
        one_shape = self._functional or any(map(is_compiled_by_shape, model._flatten_layers()))
        #: The width of a batch is a multiple of this; 1: no row fills up a batch.
        self.fill = _FILL if folds > 1 or one_shape else 1
        self._model = model
        self._clips = ops.convert_to_tensor(clips)
        self._labels = ops.convert_to_tensor(labels)
        values = [np.array(ops.convert_to_numpy(v)) for v in variables_of(model)]
        stacks = [np.broadcast_to(v, (folds, *v.shape)) for v in values]  # (folds, ...)
        self._all = [keras.Variable(v, dtype=v.dtype.name) for v in stacks]
        self._best = [keras.Variable(v, dtype=v.dtype.name) for v in stacks]
        self._trained = len(model.trainable_variables)
        self._optimizer = make_optimizer(optimizer)
        self._optimizer.build(self._all[: self._trained])
        self._start = [np.array(ops.convert_to_numpy(v)) for v in self._optimizer.variables]
        self._gradients = over_folds(gradients_of(self._loss), folds)
        sums = over_folds(self._sums_of_one, folds)
        probabilities = over_folds(self._probabilities_of_one, folds)
        of_batch = partial(compiled, of_batches=folds if self.fill == 1 else None)
        self._sums = self._of_present(sums, of_batch)
        self._probabilities = self._of_present(probabilities, of_batch)
        if self._functional:
            self._step = compiled(self._pure_step)
        else:
            self._step = of_batch(self._assigning_step)

    def set(self, states: Sequence[State]) -> None:
        """Give fold ``i`` the variables ``states[i]``, and the optimiser its first state."""
        for variable, values in zip(self._all, zip(*states, strict=True), strict=True):
            variable.assign(np.stack(values))  # (folds, ...)
        for variable, start in zip(self._optimizer.variables, self._start, strict=True):
            variable.assign(start)

    def set_learning_rate(self, rate: float) -> None:
        """Set the rate of all folds."""
        self._optimizer.learning_rate = rate

    def train(self, batch: Batch) -> Tensor:
        """Take one step; return (folds, 2), sums of the loss and of right predictions."""
        if not self._functional:
            return self._step(batch)
        optimizer = self._optimizer.variables
        states = [variable.value for variable in optimizer]
        values, changed, sums = self._step(self._values, states, batch)
        for variable, value in zip([*self._all, *optimizer], [*values, *changed], strict=True):
            variable.assign(value)
        return sums

    def evaluate(self, batch: Batch) -> Array:
        """Return (folds, 2), sums of the loss and of right predictions; nothing is trained."""
        sums = self._sums(batch)
        return np.asarray(ops.convert_to_numpy(sums))

    def predict(self, batch: Batch) -> Array:
        """Return class probabilities, (folds, batch, classes) float32."""
        probabilities = self._probabilities(batch)
        return np.asarray(ops.convert_to_numpy(probabilities), "float32")

    def keep(self, improved: NDArray[np.bool_]) -> None:
        """Remember the variables of the folds whose ``improved``, (folds,), is true."""
        for best, present in zip(self._best, self._all, strict=True):
            chosen = improved.reshape(-1, *(1,) * (len(present.shape) - 1))  # (folds, 1, ...)
            best.assign(ops.where(chosen, present.value, best.value))

    def go_back(self) -> None:
        """Return each fold to the variables that were last remembered."""
        for present, best in zip(self._all, self._best, strict=True):
            present.assign(best.value)

    def state(self, fold: int) -> State:
        """Variables of one fold."""
        return [np.asarray(ops.convert_to_numpy(v.value[fold])) for v in self._all]

    @property
    def _values(self) -> Tensors:
        return [variable.value for variable in self._all]

    def _split(self, values: Tensors) -> tuple[Tensors, Tensors]:
        return values[: self._trained], values[self._trained :]

    def _of_present(self, function: TensorFunction, of_batch: TensorFunction) -> TensorFunction:
        """Compile a function of the present variables and a batch; it takes the batch alone."""
        if not self._functional:
            return of_batch(lambda batch: function(*self._split(self._values), batch))
        # JAX would take variables that are read within for constants.
        of_both = compiled(lambda values, batch: function(*self._split(values), batch))
        return lambda batch: of_both(self._values, batch)

    def _assigning_step(self, batch: TensorBatch) -> Tensor:
        trained, others = self._split(self._values)
        gradients, (others, sums) = self._gradients(trained, others, batch)
        self._optimizer.apply(gradients, self._all[: self._trained])
        for variable, value in zip(self._all[self._trained :], others, strict=True):
            variable.assign(value)
        return sums

    def _pure_step(
        self, values: Tensors, optimizer: Tensors, batch: TensorBatch
    ) -> tuple[Tensors, Tensors, Tensor]:
        trained, others = self._split(values)
        gradients, (others, sums) = self._gradients(trained, others, batch)
        trained, optimizer = self._optimizer.stateless_apply(optimizer, gradients, trained)
        return [*trained, *others], optimizer, sums

    # The methods below are of one fold: their tensors have no axis of folds.

    def _loss(
        self, trained: Tensors, others: Tensors, batch: TensorBatch, training: bool = True
    ) -> tuple[Tensor, tuple[Tensors, Tensor]]:
        """Mean loss over the rows that count; variables afterwards and the two sums."""
        rows, weights, _ = batch
        # Statistics over all rows are one operation of TensorFlow; over some of them, a dozen.
        with counted_rows(weights) if self.fill > 1 else nullcontext():
            probabilities, others = self._call(trained, others, batch, training)
        labels = ops.take(self._labels, rows, axis=0)
        losses = keras.losses.sparse_categorical_crossentropy(labels, probabilities)  # (batch,)
        losses = losses * ops.cast(weights, losses.dtype)
        hits = ops.equal(ops.cast(ops.argmax(probabilities, -1), labels.dtype), labels)
        right = ops.sum(ops.cast(hits, losses.dtype) * ops.cast(weights, losses.dtype))
        total = ops.sum(losses)
        mean = total / ops.cast(ops.sum(weights), losses.dtype)
        return mean, (others, ops.stack([total, right]))

    def _sums_of_one(self, trained: Tensors, others: Tensors, batch: TensorBatch) -> Tensor:
        _, (_, sums) = self._loss(trained, others, batch, training=False)
        return sums

    def _probabilities_of_one(
        self, trained: Tensors, others: Tensors, batch: TensorBatch
    ) -> Tensor:
        probabilities, _ = self._call(trained, others, batch, training=False)
        return probabilities

    def _call(
        self, trained: Tensors, others: Tensors, batch: TensorBatch, training: bool
    ) -> tuple[Tensor, Tensors]:
        """Probabilities of rows, (batch, classes), and the variables afterwards."""
        rows, _, is_copy = batch
        inputs = {"clip": ops.take(self._clips, rows, axis=0)}
        if len(self._model.inputs) > 1:
            inputs["is_copy"] = is_copy
        return self._model.stateless_call(trained, others, inputs, training=training)
