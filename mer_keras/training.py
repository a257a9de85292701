"""One fold: fit, select, predict. The only caller of ``fit``.

A network is built and compiled once and then reused: before each fold its variables, random
states and optimiser are set to those of a fresh build under the fold's seed. That gives what a
new network would give, without compiling again (see ``tests/test_training.py``).
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mer_keras.config import Train
from mer_keras.errors import MerKerasError, UserError
from mer_keras.models.cost import multiply_accumulates
from mer_keras.pipeline.dataset import make_deterministic, training_input
from mer_keras.terms import Selection

#: called after each epoch with (epochs done, epochs at most)
EpochProgress = Callable[[int, int], None]


class FoldFailedError(MerKerasError):
    """A fold can't be finished; other folds are not concerned."""

    exit_code = 3


class OutOfMemoryError(UserError):
    """A batch doesn't fit into the device's memory; so no other fold would either."""


#: parts of the names and texts by which backends say that memory ran out
_OUT_OF_MEMORY = ("resourceexhausted", "resource_exhausted", "outofmemory", "memoryerror")


@dataclass(frozen=True)
class FoldData:
    """Arrays of one fold: (samples, ...) float32 inputs and (samples,) int32 class numbers.

    ``is_copy`` marks training rows that oversampling added. ``x_val`` may be empty. ``x_copies``:
    tested clips once more, which are changed as training changes clips before they are tested.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    is_copy: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    x_copies: np.ndarray | None = None


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
        multiply_accumulates: of its forward pass of one clip (see ``models.cost``).
        copies: as ``probabilities``, of ``FoldData.x_copies``; ``None`` where there are none.
    """

    probabilities: np.ndarray
    epoch: int
    history: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    parameters: int | None = None
    multiply_accumulates: int | None = None
    copies: np.ndarray | None = None


class Trainer:
    """Trains one network on one fold after another."""

    def __init__(
        self,
        build: Callable[[], Any],
        recipe: Train,
        start: Callable[[Any], None] | None = None,
    ) -> None:
        """Prepare; nothing is built before the first fold.

        Args:
            build: returns a new, uncompiled ``keras.Model`` with random initial weights.
            recipe: optimiser, schedule, epochs, batch, augmentation.
            start: gives the network other weights before each fold, such as pretrained ones.
        """
        self._build = build
        self._recipe = recipe
        self._start = start
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

        from mer_keras.optimizers import make_optimizer

        keras.utils.set_random_seed(seed)
        network, model = self._assemble()
        if self._model is None:
            self._network, self._model = network, model
            compile_model(model, make_optimizer(self._recipe.optimizer))
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
        try:
            return self._fit_predict(data, selection, seed, on_epoch)
        except Exception as error:
            if not any(
                word in f"{type(error).__name__} {error}".lower() for word in _OUT_OF_MEMORY
            ):
                raise
            batch = self._recipe.batch_size
            raise OutOfMemoryError(
                f"out of memory with batches of {batch} clips: --set train.batch_size="
                f"{max(1, batch // 2)}, or a larger device; finished folds are kept"
            ) from error

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
        recipe = self._recipe
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
        # some kernels turn NaN into 0 in a ReLU, so that a finite loss proves nothing
        weights = (np.asarray(keras.ops.convert_to_numpy(v)) for v in self._network.weights)
        if not np.all(np.isfinite(curves["loss"])) or not all(
            np.isfinite(w).all() for w in weights
        ):
            raise FoldFailedError(
                f"loss or weights are no longer finite after epoch {len(curves['loss'])}: lower "
                "train.optimizer.learning_rate or look at the input"
            )
        epoch = _best_epoch(curves, recipe) if watched else len(curves["loss"])
        return FoldOutcome(
            probabilities=self.predict(data.x_test),
            copies=None if data.x_copies is None else self._predict_changed(data.x_copies),
            epoch=epoch,
            history=curves,
            seconds=time.perf_counter() - started,
            parameters=self._network.count_params(),
            multiply_accumulates=multiply_accumulates(self._network),
        )

    def predict(self, clips: np.ndarray) -> np.ndarray:
        """Class probabilities, (clips, classes) float32, by the present weights."""
        if self._model is None:
            self.reset(0)
        given = self._held_out(clips)
        return np.asarray(
            self._model.predict(given, batch_size=self._recipe.batch_size, verbose=0), "float32"
        )

    def _predict_changed(self, clips: np.ndarray) -> np.ndarray:
        """As ``predict``, of clips that are first changed as training changes copies."""
        import keras

        if not len(clips):  # a fold of the largest class alone has no copies
            return np.empty((0, self._network.output_shape[-1]), "float32")
        if self._recipe.augmentation is None:
            return self.predict(clips)
        layer = self._model.get_layer("augmentation")
        changed = layer(clips, apply=np.ones(len(clips), "float32"), training=True)
        return self.predict(np.asarray(keras.ops.convert_to_numpy(changed), "float32"))

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
        if self._recipe.initializer is not None:
            initialise(network, self._recipe.initializer)
        clip = keras.Input(network.input_shape[1:], name="clip")
        inputs, changed = {"clip": clip}, clip
        if self._recipe.augmentation is not None:
            from mer_keras.pipeline.augmentation import ClipAugmentation

            setting = self._recipe.augmentation
            inputs["is_copy"] = keras.Input((), name="is_copy")
            layer = ClipAugmentation(
                **setting.model_dump(exclude={"applies_to"}), name="augmentation"
            )
            chosen = inputs["is_copy"] if setting.applies_to == "copies" else None
            changed = layer(clip, apply=chosen)
        if self._recipe.standardise:
            changed = StandardiseByTraining(name="standardise")(changed)
        return network, keras.Model(inputs, network(changed), name="trained")


def compile_model(model: Any, optimizer: Any) -> None:
    """Compile a classifier and make all its variables.

    Metrics that are made only while a graph is traced have it traced a second time, which takes
    as long again.
    """
    import keras

    model.compile(
        optimizer=optimizer,
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        # XLA on a CPU compiles convolutions inside a loop for minutes
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    optimizer.build(model.trainable_variables)
    probabilities, label = np.ones((1, model.output_shape[-1]), "float32"), np.zeros(1, "int32")
    model.compute_loss(y=label, y_pred=probabilities)
    model.compute_metrics(None, label, probabilities)
    model.reset_metrics()


def _state(model: Any) -> list[Any]:
    """Weights and random states of a model, in build order; no metrics."""
    metrics = {id(v) for metric in model.metrics for v in metric.variables}
    return [v for v in model.variables if id(v) not in metrics]


def initialise(network: Any, name: str) -> None:
    """Draw all convolution and dense kernels anew from one of Keras' initialisers."""
    import keras

    for variable in network.trainable_weights:
        if variable.path.rsplit("/", 1)[-1] in ("kernel", "recurrent_kernel"):
            variable.assign(keras.initializers.get(name)(variable.shape))


def learning_rate_at(recipe: Train, epoch: int) -> float:
    """The learning rate of an epoch (from 0) by the recipe's schedule, without plateaus."""
    start = recipe.optimizer.learning_rate
    if recipe.step_decay is not None:
        return float(start * recipe.step_decay.factor ** (epoch // recipe.step_decay.every))
    if recipe.cosine is not None:
        share = (1 + math.cos(math.pi * epoch / recipe.epochs)) / 2
        return recipe.cosine.to + (start - recipe.cosine.to) * share
    return start


def _best_epoch(curves: dict[str, list[float]], recipe: Train) -> int:
    """Number of the epoch whose weights were kept, as ``EarlyStopping`` decides it."""
    if recipe.early_stopping and recipe.early_stopping.monitor == "accuracy":
        return int(np.argmax(curves["val_accuracy"])) + 1
    return int(np.argmin(curves["val_loss"])) + 1


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
