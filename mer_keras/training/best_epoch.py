"""Which epoch of a training is best, and when training ends, by what is seen of watched clips."""

import numpy as np
from numpy.typing import NDArray

from mer_keras.config.training import EarlyStopping


class BestEpoch:
    """The choice of the epoch for one or several folds that are trained side by side.

    Without an exact tie it decides as Keras' ``EarlyStopping`` with ``restore_best_weights``.

    Attributes:
        best: (folds,) int64, number (from 1) of each fold's best epoch so far.
        epochs: (folds,) int64, epochs that each fold went through before it ended.
        ended: (folds,) bool, whether a fold's training has ended.
    """

    def __init__(self, setting: EarlyStopping | None, clips: NDArray[np.integer]) -> None:
        """Begin before the first epoch.

        Args:
            setting: what is compared and for how long; ``None``: the least loss of all epochs.
            clips: (folds,) number of watched clips of each fold.
        """
        self._by_accuracy = setting is not None and setting.monitor == "accuracy"
        self._latest = setting is not None and setting.ties == "latest"
        self._patience = np.inf if setting is None else setting.patience
        self._enough = np.inf if setting is None or setting.stop_at is None else setting.stop_at
        self._clips = clips
        self._least = np.full(len(clips), np.inf)
        self.best = np.zeros(len(clips), "int64")
        self.epochs = np.zeros(len(clips), "int64")
        self.ended = np.zeros(len(clips), bool)

    def improved(
        self, losses: NDArray[np.floating], accuracies: NDArray[np.floating]
    ) -> NDArray[np.bool_]:
        """Take in an epoch; return which folds are at their best.

        Args:
            losses: (folds,) mean loss of the watched clips.
            accuracies: (folds,) share of right ones. It is compared as a number of right clips,
                which has no rounding.

        Returns:
            (folds,) bool. A fold that has ended does not improve.
        """
        right = np.rint(accuracies.astype("float64") * self._clips)
        value = -right if self._by_accuracy else np.where(np.isnan(losses), np.inf, losses)
        better = value <= self._least if self._latest else value < self._least
        better = (better | (self.epochs == 0)) & ~self.ended
        self._least = np.where(better, value, self._least)
        self.epochs += ~self.ended
        self.best = np.where(better, self.epochs, self.best)
        self.ended |= self.epochs - self.best >= self._patience
        self.ended |= right / self._clips >= self._enough
        return better
