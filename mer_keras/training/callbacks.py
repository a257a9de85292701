"""What Keras does after each epoch of ``fit``: schedules, the choice of the epoch, progress."""

from collections.abc import Mapping

import keras
import numpy as np
from numpy.typing import NDArray

from mer_keras.config.training import Train
from mer_keras.progress import EpochProgress
from mer_keras.training.best_epoch import BestEpoch
from mer_keras.training.recipe import learning_rate_at


class RestoreBestEpoch(keras.callbacks.Callback):
    """Ends training when ``BestEpoch`` says so, and then returns to the best epoch's weights."""

    def __init__(self, best_epoch: BestEpoch) -> None:
        """Begin with the choice of one fold."""
        super().__init__()
        self._best_epoch = best_epoch
        self._weights: list[NDArray[np.floating]] = []

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Look at the watched clips' loss and accuracy."""
        watched = logs or {}
        improved = self._best_epoch.improved(
            np.array([watched["val_loss"]]), np.array([watched["val_accuracy"]])
        )
        if improved.all():
            self._weights = self.model.get_weights()
        if self._best_epoch.ended.all():
            self.model.stop_training = True

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        """Return to the best weights."""
        self.model.set_weights(self._weights)


def make_callbacks(
    recipe: Train, best_epoch: BestEpoch | None, on_epoch: EpochProgress | None
) -> list[keras.callbacks.Callback]:
    """Return the callbacks of one fold's ``fit``.

    Args:
        recipe: says which schedule the learning rate follows.
        best_epoch: chooses the epoch; ``None`` where no clips are watched.
        on_epoch: called after each epoch, while its weights are in the network.
    """
    callbacks: list[keras.callbacks.Callback] = [keras.callbacks.TerminateOnNaN()]
    if recipe.step_decay or recipe.cosine:
        callbacks.append(
            keras.callbacks.LearningRateScheduler(lambda epoch: learning_rate_at(recipe, epoch))
        )
    if best_epoch is not None:
        callbacks.append(RestoreBestEpoch(best_epoch))
        if recipe.plateau:
            plateau = recipe.plateau.model_dump()
            callbacks.append(keras.callbacks.ReduceLROnPlateau("val_loss", **plateau))
    if on_epoch is not None:
        report = on_epoch
        callbacks.append(
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: report(epoch + 1, recipe.epochs)
            )
        )
    return callbacks
