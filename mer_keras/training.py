"""One fold: fit, select, predict. The only caller of ``fit``.

A network is built and compiled once and then reused: before each fold its variables, random
states and optimiser are set to those of a fresh build under the fold's seed. That gives what a
new network would give, without compiling again (see ``tests/test_training.py``).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mer_keras.config import Train
from mer_keras.errors import MerKerasError
from mer_keras.pipeline.dataset import make_deterministic, training_input
from mer_keras.terms import Selection

#: called after each epoch with (epochs done, epochs at most)
EpochProgress = Callable[[int, int], None]


class FoldFailedError(MerKerasError):
    """A fold can't be finished; other folds are not concerned."""

    exit_code = 3


@dataclass(frozen=True)
class FoldData:
    """Arrays of one fold: (samples, ...) float32 inputs and (samples,) int32 class numbers.

    ``is_copy`` marks training rows that oversampling added. ``x_val`` may be empty.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    is_copy: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray


@dataclass(frozen=True)
class FoldOutcome:
    """What one fold gives.

    Attributes:
        probabilities: (test samples, classes) float32, in the order of ``FoldData.x_test``.
        epoch: number (from 1) of the epoch whose weights predicted; 0 for given weights.
        history: one value an epoch for each of loss, accuracy, learning rate and, where there is
            validation data, val_loss and val_accuracy.
        seconds: wall time of fitting and predicting.
        parameters: of the network as it was built for this run; ``None`` for a baseline.
    """

    probabilities: np.ndarray
    epoch: int
    history: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    parameters: int | None = None


class Trainer:
    """Trains one network on one fold after another."""

    def __init__(self, build: Callable[[], Any], recipe: Train) -> None:
        """Prepare; nothing is built before the first fold.

        Args:
            build: returns a new, uncompiled ``keras.Model`` with random initial weights.
            recipe: optimiser, schedule, epochs, batch, augmentation.
        """
        self._build = build
        self._recipe = recipe
        self._network: Any = None
        self._model: Any = None
        self._optimizer_start: list[np.ndarray] = []
        make_deterministic()

    @property
    def network(self) -> Any:
        """The network without what stands in front of it, with its latest weights."""
        if self._network is None:
            self.reset(0)
        return self._network

    def reset(self, seed: int) -> None:
        """Give network, random states and optimiser the state of a new build under ``seed``."""
        import keras

        keras.utils.set_random_seed(seed)
        network, model = self._assemble()
        if self._model is None:
            self._network, self._model = network, model
            self._compile()
            self._optimizer_start = [np.array(v) for v in model.optimizer.variables]
            return
        for kept, fresh in zip(_state(self._model), _state(model), strict=True):
            kept.assign(fresh)
        for kept, start in zip(self._model.optimizer.variables, self._optimizer_start, strict=True):
            kept.assign(start)

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
        """
        import keras

        started = time.perf_counter()
        self.reset(seed)
        self.standardise_by(data)
        recipe = self._recipe
        inputs, labels = {"clip": data.x_train}, data.y_train
        if recipe.augmentation is not None:
            inputs["is_copy"] = data.is_copy.astype("float32")
        shuffled = recipe.order == "shuffled"
        if not shuffled:
            by_class = np.argsort(labels, kind="stable")
            inputs = {name: array[by_class] for name, array in inputs.items()}
            labels = labels[by_class]
        watched = selection in (Selection.INNER_SUBJECTS, Selection.TEST_FOLD)
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
        # some kernels turn NaN into 0 in a ReLU, so that a finite loss proves nothing
        weights = (np.asarray(keras.ops.convert_to_numpy(v)) for v in self._network.weights)
        if not np.all(np.isfinite(curves["loss"])) or not all(
            np.isfinite(w).all() for w in weights
        ):
            raise FoldFailedError(
                f"loss or weights are no longer finite after epoch {len(curves['loss'])}: lower "
                "train.optimizer.learning_rate or look at the input"
            )
        epoch = int(np.argmin(curves["val_loss"])) + 1 if watched else len(curves["loss"])
        return FoldOutcome(
            probabilities=self.predict(data.x_test),
            epoch=epoch,
            history=curves,
            seconds=time.perf_counter() - started,
            parameters=self._network.count_params(),
        )

    def predict(self, clips: np.ndarray) -> np.ndarray:
        """Class probabilities, (clips, classes) float32, by the present weights."""
        if self._model is None:
            self.reset(0)
        given = self._held_out(clips)
        return np.asarray(
            self._model.predict(given, batch_size=self._recipe.batch_size, verbose=0), "float32"
        )

    def standardise_by(self, data: FoldData) -> None:
        """Take the statistics of a fold's original training clips, if the recipe says so."""
        if self._recipe.standardise:
            if self._model is None:
                self.reset(0)
            self._model.get_layer("standardise").set_from(data.x_train[~data.is_copy])

    def network_input(self, clips: np.ndarray) -> np.ndarray:
        """What the network itself sees of clips outside training: standardised, if it is so."""
        if not self._recipe.standardise:
            return clips
        import keras

        standardised = self._model.get_layer("standardise")(clips)
        return np.asarray(keras.ops.convert_to_numpy(standardised), "float32")

    def _held_out(self, clips: np.ndarray) -> dict[str, np.ndarray]:
        inputs = {"clip": clips}
        if self._recipe.augmentation is not None:
            inputs["is_copy"] = np.zeros(len(clips), "float32")
        return inputs

    def _assemble(self) -> tuple[Any, Any]:
        """Return the network, and what is trained: augmentation, standardising, the network."""
        import keras

        from mer_keras.pipeline.standardise import StandardiseByTraining

        network = self._build()
        clip = keras.Input(network.input_shape[1:], name="clip")
        inputs, changed = {"clip": clip}, clip
        if self._recipe.augmentation is not None:
            from mer_keras.pipeline.augmentation import ClipAugmentation

            setting = self._recipe.augmentation
            inputs["is_copy"] = keras.Input((), name="is_copy")
            layer = ClipAugmentation(
                flip=setting.flip,
                brightness=setting.brightness,
                salt_pepper=setting.salt_pepper,
                name="augmentation",
            )
            chosen = inputs["is_copy"] if setting.applies_to == "copies" else None
            changed = layer(clip, apply=chosen)
        if self._recipe.standardise:
            changed = StandardiseByTraining(name="standardise")(changed)
        return network, keras.Model(inputs, network(changed), name="trained")

    def _compile(self) -> None:
        import keras

        optimizer = keras.optimizers.Adam(self._recipe.optimizer.learning_rate)
        self._model.compile(
            optimizer=optimizer,
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
            # XLA on a CPU compiles convolutions inside a loop for minutes
            jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
        )
        optimizer.build(self._model.trainable_variables)


def _state(model: Any) -> list[Any]:
    """Weights and random states of a model, in build order; no metrics."""
    metrics = {id(v) for metric in model.metrics for v in metric.variables}
    return [v for v in model.variables if id(v) not in metrics]


def _callbacks(recipe: Train, watched: bool, on_epoch: EpochProgress | None) -> list[Any]:
    import keras

    callbacks: list[Any] = [keras.callbacks.TerminateOnNaN()]
    if watched:
        patience = recipe.early_stopping.patience if recipe.early_stopping else recipe.epochs
        callbacks.append(
            keras.callbacks.EarlyStopping(
                monitor="val_loss", patience=patience, restore_best_weights=True
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
