"""One fold after the other, with Keras' ``fit``: any network, any backend.

A network is built and compiled once and then reused: before each fold its variables, random
states and optimiser are set to those of a fresh build under the fold's seed. That gives what a
new network would give, without compiling again (see ``tests/training``).
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np

from mer_keras.config.training import Train
from mer_keras.models.cost import multiply_accumulates
from mer_keras.progress import EpochProgress
from mer_keras.terms import Selection
from mer_keras.training.dataset import make_deterministic, set_seeds, training_input
from mer_keras.training.device import across_devices, number_format
from mer_keras.training.fold import (
    FoldData,
    FoldOutcome,
    FoldRows,
    check_finite,
    out_of_memory_told,
)
from mer_keras.training.memory import keep_freed_memory
from mer_keras.training.recipe import best_epoch, compile_model, initialise, learning_rate_at


class Trainer:
    """Trains one network on one fold after another."""

    def __init__(
        self,
        build: Callable[[], Any],
        recipe: Train,
        start: Callable[[Any], None] | None = None,
    ) -> None:
        """Prepare; nothing is built before it is needed.

        Args:
            build: returns a new, uncompiled ``keras.Model`` with random initial weights.
            recipe: optimiser, schedule, epochs, batch, augmentation.
            start: gives the network other weights before each fold, such as pretrained ones.
        """
        self._build = build
        self.recipe = recipe
        self._start = start
        self._network: Any = None
        self._model: Any = None
        self._optimizer_start: list[np.ndarray] = []
        make_deterministic()
        keep_freed_memory()

    @property
    def network(self) -> Any:
        """The network without what stands in front of it, with its latest weights."""
        if self._network is None:
            self.reset(0)
        return self._network

    @property
    def model(self) -> Any:
        """What is trained: augmentation, standardising, the network."""
        if self._model is None:
            self.reset(0)
        return self._model

    def start_state(self, seed: int, fold: FoldRows, clips: np.ndarray) -> list[np.ndarray]:
        """Values with which the variables of ``model`` start in a fold; ``clips``: of all folds."""
        import keras

        self.reset(seed)
        self._standardise(clips, fold.train[~fold.is_copy])
        return [np.array(keras.ops.convert_to_numpy(v)) for v in variables_of(self._model)]

    def set_state(self, state: list[np.ndarray]) -> None:
        """Give ``model`` other values, as ``start_state`` returns them."""
        for kept, value in zip(variables_of(self.model), state, strict=True):
            kept.assign(value)

    def reset(self, seed: int) -> None:
        """Give network, random states and optimiser the state of a new build under ``seed``."""
        from mer_keras.training.optimizers import make_optimizer

        set_seeds(seed)
        recipe = self.recipe
        with ExitStack() as setting:
            if recipe.precision != "float32":
                setting.enter_context(number_format(recipe.precision))
            if recipe.data_parallel:
                setting.enter_context(across_devices())
            network, model = self._assemble()
            if self._model is None:
                compile_model(model, make_optimizer(recipe.optimizer), recipe.jit_compile)
        if self._model is None:
            self._network, self._model = network, model
            self._optimizer_start = [np.array(v) for v in model.optimizer.variables]
        else:
            for kept, fresh in zip(_state(self._model), _state(model), strict=True):
                kept.assign(fresh)
            optimizer = self._model.optimizer.variables
            for kept, start in zip(optimizer, self._optimizer_start, strict=True):
                kept.assign(start)
        if self._start is not None:
            self._start(self._network)

    def fit_predict(
        self,
        data: FoldData,
        selection: Selection,
        seed: int,
        on_epoch: EpochProgress | None = None,
    ) -> FoldOutcome:
        """Train from fresh weights, choose the epoch as ``selection`` says, predict the test.

        Raises:
            FoldFailedError: the loss or a weight is no longer finite.
            OutOfMemoryError: a batch doesn't fit.
        """
        with out_of_memory_told(self.recipe.batch_size):
            return self._fit_predict(data, selection, seed, on_epoch)

    def _fit_predict(
        self,
        data: FoldData,
        selection: Selection,
        seed: int,
        on_epoch: EpochProgress | None,
    ) -> FoldOutcome:
        import keras

        started = time.perf_counter()
        self.reset(seed)
        self.standardise_by(data)
        recipe = self.recipe
        inputs, labels = {"clip": data.x_train}, data.y_train
        if recipe.augmentation is not None:
            inputs["is_copy"] = data.is_copy.astype("float32")
        shuffled = recipe.order == "shuffled"
        if not shuffled:
            by_class = np.argsort(labels, kind="stable")
            inputs = {name: array[by_class] for name, array in inputs.items()}
            labels = labels[by_class]
        watched = selection is not Selection.LAST_EPOCH
        validation = (self._held_out(data.x_val), data.y_val) if watched else None
        callbacks = _callbacks(recipe, watched, on_epoch)
        history = self._model.fit(
            **training_input(
                inputs, labels, batch_size=recipe.batch_size, seed=seed, shuffle=shuffled
            ),
            epochs=recipe.epochs,
            validation_data=validation,
            validation_batch_size=recipe.batch_size,
            callbacks=callbacks,
            verbose=0,
        ).history
        curves = {name: [float(v) for v in values] for name, values in history.items()}
        weights = [np.asarray(keras.ops.convert_to_numpy(v)) for v in self._network.weights]
        check_finite(curves["loss"], weights)
        epoch = best_epoch(curves, recipe) if watched else len(curves["loss"])
        return FoldOutcome(
            probabilities=self.predict(data.x_test),
            copies=None if data.x_copies is None else self.predict_changed(data.x_copies),
            epoch=epoch,
            history=curves,
            seconds=time.perf_counter() - started,
            parameters=self._network.count_params(),
            multiply_accumulates=multiply_accumulates(self._network),
        )

    def predict(self, clips: np.ndarray) -> np.ndarray:
        """Class probabilities, (clips, classes) float32, by the present weights."""
        given = self._held_out(clips)
        return np.asarray(
            self.model.predict(given, batch_size=self.recipe.batch_size, verbose=0), "float32"
        )

    def predict_changed(self, clips: np.ndarray) -> np.ndarray:
        """As ``predict``, of clips that are first changed as training changes copies."""
        import keras

        if not len(clips):  # a fold of the largest class alone has no copies
            return np.empty((0, self._network.output_shape[-1]), "float32")
        if self.recipe.augmentation is None:
            return self.predict(clips)
        layer = self._model.get_layer("augmentation")
        changed = layer(clips, apply=np.ones(len(clips), "float32"), training=True)
        return self.predict(np.asarray(keras.ops.convert_to_numpy(changed), "float32"))

    def standardise_by(self, data: FoldData) -> None:
        """Take the statistics of a fold's original training clips, if the recipe says so."""
        self._standardise(data.x_train, ~data.is_copy)

    def _standardise(self, clips: np.ndarray, originals: np.ndarray) -> None:
        if self.recipe.standardise:
            self.model.get_layer("standardise").set_from(clips[originals])

    def network_input(self, clips: np.ndarray) -> np.ndarray:
        """What the network itself sees of clips outside training: standardised, if it is so."""
        if not self.recipe.standardise:
            return clips
        import keras

        standardised = self._model.get_layer("standardise")(clips)
        return np.asarray(keras.ops.convert_to_numpy(standardised), "float32")

    def _held_out(self, clips: np.ndarray) -> dict[str, np.ndarray]:
        inputs = {"clip": clips}
        if self.recipe.augmentation is not None:
            inputs["is_copy"] = np.zeros(len(clips), "float32")
        return inputs

    def _assemble(self) -> tuple[Any, Any]:
        """Return the network, and what is trained: augmentation, standardising, the network."""
        import keras

        from mer_keras.training.standardise import StandardiseByTraining

        network = self._build()
        if self.recipe.precision != "float32":
            # three digits are too few for probabilities and their logarithms
            network.layers[-1].dtype_policy = "float32"
        if self.recipe.initializer is not None:
            initialise(network, self.recipe.initializer)
        clip = keras.Input(network.input_shape[1:], name="clip")
        inputs, changed = {"clip": clip}, clip
        if self.recipe.augmentation is not None:
            from mer_keras.training.augmentation import ClipAugmentation

            setting = self.recipe.augmentation
            inputs["is_copy"] = keras.Input((), name="is_copy")
            layer = ClipAugmentation(
                **setting.model_dump(exclude={"applies_to"}), name="augmentation"
            )
            chosen = inputs["is_copy"] if setting.applies_to == "copies" else None
            changed = layer(clip, apply=chosen)
        if self.recipe.standardise:
            changed = StandardiseByTraining(name="standardise")(changed)
        return network, keras.Model(inputs, network(changed), name="trained")


def variables_of(model: Any) -> list[Any]:
    """All variables of a model: those that are trained, then the others, random states included."""
    return [*model.trainable_variables, *model.non_trainable_variables]


def _state(model: Any) -> list[Any]:
    """Weights and random states of a model, in build order; no metrics."""
    metrics = {id(v) for metric in model.metrics for v in metric.variables}
    return [v for v in model.variables if id(v) not in metrics]


def _callbacks(recipe: Train, watched: bool, on_epoch: EpochProgress | None) -> list[Any]:
    import keras

    callbacks: list[Any] = [keras.callbacks.TerminateOnNaN()]
    if recipe.step_decay or recipe.cosine:
        callbacks.append(
            keras.callbacks.LearningRateScheduler(lambda epoch: learning_rate_at(recipe, epoch))
        )
    if watched:
        stopping = recipe.early_stopping
        callbacks.append(
            keras.callbacks.EarlyStopping(
                monitor=f"val_{stopping.monitor if stopping else 'loss'}",
                mode="max" if stopping and stopping.monitor == "accuracy" else "min",
                patience=stopping.patience if stopping else recipe.epochs,
                restore_best_weights=True,
            )
        )
        if recipe.plateau:
            callbacks.append(
                keras.callbacks.ReduceLROnPlateau(
                    monitor="val_loss",
                    factor=recipe.plateau.factor,
                    patience=recipe.plateau.patience,
                )
            )
    if on_epoch is not None:
        report = on_epoch
        callbacks.append(
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: report(epoch + 1, recipe.epochs)
            )
        )
    return callbacks
