"""One fold after the other, with Keras' ``fit``: any network, any backend.

A network is built and compiled once and then reused: before each fold its variables, random
states and optimiser are set to those of a fresh build under the fold's seed. That gives what a
new network would give, without compiling again (see ``tests/training``).
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mer_keras.arrays import Array, Inputs, count, take
from mer_keras.config.training import Train
from mer_keras.errors import UserError
from mer_keras.flow_channels import FlowForm
from mer_keras.models.cost import multiply_accumulates
from mer_keras.models.weights import assign_all
from mer_keras.progress import EpochProgress
from mer_keras.training.assembly import Assembly, assemble
from mer_keras.training.balance import training_rows
from mer_keras.training.best_epoch import BestEpoch
from mer_keras.training.dataset import make_deterministic, set_seeds, training_input
from mer_keras.training.device import across_devices, number_format
from mer_keras.training.fold import FitRecord, check_finite, check_prediction, out_of_memory_told
from mer_keras.training.frozen import Front, divide
from mer_keras.training.learned import Learned
from mer_keras.training.memory import keep_freed_memory
from mer_keras.training.recipe import compile_model

if TYPE_CHECKING:
    import keras

#: Values of a model's variables, in the order of ``variables_of``.
State = list[NDArray[np.generic]]


class Trainer:
    """Trains one network on one fold after another."""

    def __init__(
        self,
        build: "Callable[[], keras.Model]",
        recipe: Train,
        start: "Callable[[keras.Model], None] | None" = None,
        *,
        flow: Sequence[FlowForm | None] = (),
    ) -> None:
        """Prepare; nothing is built before it is needed.

        Args:
            build: returns a new, uncompiled network with random initial weights.
            recipe: optimiser, schedule, epochs, batch, balance, augmentation.
            start: gives the network other weights before each fold, such as pretrained ones.
            flow: what the channels of each input are, None for pictures; empty: all are pictures.
        """
        self._build = build
        self._flow = tuple(flow)
        self.recipe = recipe
        self._start = start
        self._assembly: Assembly | None = None
        self._front: Front | None = None
        self._optimizer_start: list[NDArray[np.generic] | None] = []
        make_deterministic()
        keep_freed_memory()

    @property
    def network(self) -> "keras.Model":
        """The network without what stands in front of it, with its latest weights."""
        return self._assembled.network

    @property
    def model(self) -> "keras.Model":
        """What is trained: augmentation, standardising, the network."""
        return self._assembled.model

    @property
    def fitted(self) -> "keras.Model":
        """What ``fit`` sees: ``model``, or what is left of the network behind its frozen layers."""
        whole = self.model
        return whole if self._front is None else self._front.rest

    @property
    def multiply_accumulates(self) -> int | None:
        """Of a forward pass of one clip; ``None`` if the network has layers of unknown cost."""
        try:
            return multiply_accumulates(self.network)
        except UserError:
            return None

    @property
    def _assembled(self) -> Assembly:
        if self._assembly is None:
            self._assembly = self._reset_assembly(0)
        return self._assembly

    def fit(
        self,
        x: Inputs,
        y: NDArray[np.int32],
        *,
        validation: tuple[Inputs, NDArray[np.int32]] | None = None,
        seed: int = 0,
        on_epoch: EpochProgress | None = None,
        epochs: int | None = None,
    ) -> FitRecord:
        """Train from fresh weights and keep those of the chosen epoch.

        Args:
            x: training clips of one fold, each once: (clips, ...) float32, or a tuple of such
                arrays for a network of several inputs. Copies are made here, if the recipe balances
                classes.
            y: (clips,) class numbers.
            validation: clips and class numbers that choose the epoch and end the training, as the
                recipe's ``early_stopping`` says; ``None``: the last epoch is kept.
            seed: of initial weights, copies, orders and all random layers.
            on_epoch: called after each epoch; the network has the epoch's weights, and ``predict``
                may be called.
            epochs: end after so many epochs, each as in the whole training; ``None``: the recipe's.

        Raises:
            FoldFailedError: the loss or a weight is no longer finite.
            OutOfMemoryError: a batch doesn't fit.
        """
        from mer_keras.training.callbacks import make_callbacks

        started, recipe = time.perf_counter(), self.recipe
        with out_of_memory_told(recipe.batch_size):
            self.reset(seed)
            self.standardise_by(x)
            rows, is_copy = training_rows(y, recipe, seed)
            if not np.array_equal(rows, np.arange(len(y))):
                x, y = take(x, rows), y[rows]
            best_epoch, watched = None, None
            if validation is not None:
                best_epoch = BestEpoch(recipe.early_stopping, np.array([len(validation[1])]))
                watched = self._to_fit(validation[0]), validation[1]
            history = self.fitted.fit(
                **training_input(
                    self._to_fit(x, is_copy),
                    y,
                    batch_size=recipe.batch_size,
                    seed=seed,
                    shuffle=recipe.order == "shuffled",
                ),
                epochs=epochs or recipe.epochs,
                validation_data=watched,
                validation_batch_size=recipe.batch_size,
                callbacks=make_callbacks(recipe, best_epoch, on_epoch),
                verbose=0,
            ).history
            curves = {name: [float(value) for value in values] for name, values in history.items()}
            check_finite(curves["loss"], (np.array(weight) for weight in self.network.weights))
            epoch = len(curves["loss"]) if best_epoch is None else int(best_epoch.best[0])
            return FitRecord(epoch, curves, time.perf_counter() - started)

    def predict(self, x: Inputs) -> Array:
        """Class probabilities, (clips, classes) float32, by the present weights.

        Raises:
            FoldFailedError: a probability isn't finite.
            OutOfMemoryError: a batch doesn't fit.
        """
        batch_size = self.recipe.batch_size
        with out_of_memory_told(batch_size):
            probabilities = self.fitted.predict(self._to_fit(x), batch_size=batch_size, verbose=0)
        return check_prediction(np.asarray(probabilities, "float32"))

    def predict_changed(self, x: Inputs) -> Array:
        """As ``predict``, of clips that are first changed as training changes copies."""
        if not count(x):  # A fold whose clips are all of the largest class has no copies.
            return np.empty((0, self.network.output_shape[-1]), "float32")
        return self.predict(x if self.recipe.augmentation is None else self._assembled.changed(x))

    def standardise_by(self, x: Inputs) -> None:
        """Take the statistics of a fold's training clips, each once, if the recipe says so."""
        if self.recipe.standardise:
            self._assembled.standardise_by(x)

    def network_input(self, x: Inputs) -> Inputs:
        """What the network itself sees of clips outside training: standardised, if it is so."""
        return self._assembled.standardised(x) if self.recipe.standardise else x

    def start_state(self, seed: int, x: Inputs) -> State:
        """Values with which the variables of ``model`` start in a fold of training clips ``x``."""
        self.reset(seed)
        self.standardise_by(x)
        return [np.array(variable) for variable in variables_of(self.model)]

    def set_state(self, state: State) -> None:
        """Give ``model`` other values, as ``start_state`` returns them."""
        for variable, value in zip(variables_of(self.model), state, strict=True):
            variable.assign(value)

    def learned(self) -> Learned:
        """Weights of the network, and statistics of its clips, by the paths of their variables."""
        variables = self._assembled.learned_variables
        return Learned({path: np.array(variable) for path, variable in variables.items()}, {})

    def restore(self, learned: Learned, name: str) -> None:
        """Give the network what another one has learned; on an error it keeps its weights.

        Args:
            learned: what ``learned`` returned.
            name: names the file in messages.

        Raises:
            UserError: the arrays aren't this network's variables, or hold other than numbers.
        """
        assign_all(self._assembled.learned_variables, learned.arrays, name)

    def reset(self, seed: int) -> None:
        """Give network, random states and optimiser the state of a new build under ``seed``."""
        self._assembly = self._reset_assembly(seed)

    def _reset_assembly(self, seed: int) -> Assembly:
        from mer_keras.training.optimizers import make_optimizer

        set_seeds(seed)
        recipe, assembly = self.recipe, self._assembly
        with ExitStack() as setting:
            if recipe.precision != "float32":
                setting.enter_context(number_format(recipe.precision))
            if recipe.data_parallel:
                setting.enter_context(across_devices())
            fresh = assemble(self._build, recipe, self._flow)
            if assembly is None:
                optimizer = make_optimizer(recipe.optimizer)
                if recipe.augmentation is None and not recipe.data_parallel:
                    self._front = divide(fresh.network)
                fitted = fresh.model if self._front is None else self._front.rest
                compile_model(fitted, optimizer, recipe.jit_compile)
        if assembly is None:
            assembly = fresh
            # Zeros are not kept: those of Adam are twice as large as the network.
            values = (np.array(variable) for variable in fitted.optimizer.variables)
            self._optimizer_start = [value if value.any() else None for value in values]
        else:
            pairs = zip(_state_of(assembly.model), _state_of(fresh.model), strict=True)
            for variable, fresh_variable in pairs:
                variable.assign(fresh_variable)
            optimizer_variables = self.fitted.optimizer.variables
            for variable, value in zip(optimizer_variables, self._optimizer_start, strict=True):
                variable.assign(np.zeros(variable.shape) if value is None else value)
        if self._start is not None:
            self._start(assembly.network)
        return assembly

    def _to_fit(self, x: Inputs, is_copy: NDArray[np.bool_] | None = None) -> dict[str, Array]:
        """Arrays by the names of the inputs of ``fitted``."""
        if self._front is None:
            return self._named(x, is_copy)
        # Weights that are drawn, and statistics of training clips, are other ones in every fold.
        stored = self._start is not None and not self.recipe.standardise
        clips = self._named(self.network_input(x))
        return self._front.values([*clips.values()], stored=stored)

    def _named(self, x: Inputs, is_copy: NDArray[np.bool_] | None = None) -> dict[str, Array]:
        """Arrays by the names of the model's inputs; no clip is a copy unless it is said."""
        named = self._assembled.named(x)
        if self.recipe.augmentation is not None:
            copies = np.zeros(count(x), bool) if is_copy is None else is_copy
            named["is_copy"] = copies.astype("float32")
        return named


def variables_of(model: "keras.Model") -> "list[keras.Variable]":
    """All variables of a model: those that are trained, then the others, random states included."""
    return [*model.trainable_variables, *model.non_trainable_variables]


def _state_of(model: "keras.Model") -> "list[keras.Variable]":
    """Weights and random states of a model, in build order; no metrics."""
    metrics = {id(v) for metric in model.metrics for v in metric.variables}
    return [v for v in model.variables if id(v) not in metrics]
