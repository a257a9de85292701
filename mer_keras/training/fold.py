"""What goes into the training of one fold, and what comes out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from mer_keras.errors import MerKerasError, UserError


class FoldFailedError(MerKerasError):
    """A fold can't be finished; other folds are not concerned."""

    exit_code = 3


class OutOfMemoryError(UserError):
    """A batch doesn't fit into the device's memory; so no other fold would either."""


#: parts of the names and texts by which backends say that memory ran out
_OUT_OF_MEMORY = ("resourceexhausted", "resource_exhausted", "outofmemory", "memoryerror")


@contextmanager
def out_of_memory_told(batch_size: int, remedy: str = "") -> Iterator[None]:
    """Turn a backend's way to say that memory ran out into an error that names a remedy.

    Args:
        batch_size: clips in a batch.
        remedy: what else helps, before a smaller batch.

    Raises:
        OutOfMemoryError: in place of the backend's own error.
    """
    try:
        yield
    except Exception as error:
        text = f"{type(error).__name__} {error}".lower()
        if not any(word in text for word in _OUT_OF_MEMORY):
            raise
        raise OutOfMemoryError(
            f"out of memory with batches of {batch_size} clips: {remedy}--set train.batch_size="
            f"{max(1, batch_size // 2)}, or a larger device; finished folds are kept"
        ) from error


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
class FoldRows:
    """One fold as row numbers, int64, of arrays that all folds share; else as ``FoldData``."""

    train: np.ndarray
    is_copy: np.ndarray
    val: np.ndarray
    test: np.ndarray
    copies: np.ndarray | None = None

    def gather(self, clips: np.ndarray, labels: np.ndarray) -> FoldData:
        """Copy the rows out of (samples, ...) clips and (samples,) class numbers."""
        return FoldData(
            x_train=clips[self.train],
            y_train=labels[self.train],
            is_copy=self.is_copy,
            x_val=clips[self.val],
            y_val=labels[self.val],
            x_test=clips[self.test],
            x_copies=None if self.copies is None else clips[self.copies],
        )


@dataclass(frozen=True)
class FoldOutcome:
    """What one fold gives.

    Attributes:
        probabilities: (test samples, classes) float32, in the order of ``FoldData.x_test``.
        epoch: number (from 1) of the epoch whose weights predicted; 0 for given weights.
        history: one value an epoch for each of loss, accuracy, learning rate and, where there is
            validation data, val_loss and val_accuracy.
        seconds: wall time of fitting and predicting; of folds trained together, a fold's share.
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


def check_finite(losses: list[float], weights: list[np.ndarray]) -> None:
    """Check a trained fold; a finite loss proves nothing, as some kernels turn NaN into 0.

    Raises:
        FoldFailedError: the loss or a weight is no longer finite.
    """
    if not np.all(np.isfinite(losses)) or not all(np.isfinite(w).all() for w in weights):
        raise FoldFailedError(
            f"loss or weights are no longer finite after epoch {len(losses)}: lower "
            "train.optimizer.learning_rate or look at the input"
        )
