"""What a fold is given for training, and what it gives back; how it may fail."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from mer_keras.errors import MerKerasError, UserError
from mer_keras.training.learned import Learned


class FoldFailedError(MerKerasError):
    """A fold can't be finished; other folds are not concerned."""

    exit_code = 3


class OutOfMemoryError(UserError):
    """A batch doesn't fit into the device's memory; so no other fold would either."""


#: Parts of the names and texts by which backends say that memory ran out.
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
    except MerKerasError:
        raise
    except Exception as error:
        text = f"{type(error).__name__} {error}".lower()
        if not any(word in text for word in _OUT_OF_MEMORY):
            raise
        raise OutOfMemoryError(
            f"out of memory with batches of {batch_size} clips: {remedy}--set train.batch_size="
            f"{max(1, batch_size // 2)}, or a larger device; finished folds are kept"
        ) from error


@dataclass(frozen=True)
class FoldRows:
    """One fold as row numbers of arrays that all folds share.

    Attributes:
        train: (training clips,) int64. Each clip stands once: training makes copies itself.
        val: (validation clips,) int64, which may choose the epoch; empty where nothing is chosen.
        test: (tested clips,) int64.
        copies: (copies,) int64, tested clips that are tested once more after they were changed as
            training changes copies; ``None`` where that isn't asked for.
        name: of the fold.
        subjects: (training clips,) int64, a number for each subject, in the order of ``train``, so
            that hyper-parameters can be chosen by subjects; ``None`` where it isn't known.
    """

    train: NDArray[np.int64]
    val: NDArray[np.int64]
    test: NDArray[np.int64]
    copies: NDArray[np.int64] | None = None
    name: str = ""
    subjects: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class FitRecord:
    """What happened in one training.

    Attributes:
        epoch: number (from 1) of the epoch whose weights were kept; 0 where there are no epochs.
        history: one value an epoch for each of loss, accuracy, learning_rate (if it is scheduled)
            and, where there are validation clips, val_loss and val_accuracy.
        seconds: wall time.
        chosen: hyper-parameters that validation clips chose, by name.
    """

    epoch: int
    history: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    chosen: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FoldOutcome(FitRecord):
    """What training and testing one fold gave.

    Attributes:
        probabilities: (tested clips, classes) float32, in the order of ``FoldRows.test``.
        seconds: wall time of fitting and predicting; of folds trained together, a fold's share.
        parameters: number of weights; ``None`` for a method that has none.
        multiply_accumulates: of the forward pass of one clip (see ``models.cost``).
        copies: (copies, classes) float32, in the order of ``FoldRows.copies``.
        trajectory: (epochs, tested clips, classes) float32, ``probabilities`` as they were after
            each epoch; ``None`` where they were not recorded.
        learned: what the fold has learned; ``None`` where that isn't kept.
    """

    probabilities: NDArray[np.float32]
    parameters: int | None = None
    multiply_accumulates: int | None = None
    copies: NDArray[np.float32] | None = None
    trajectory: NDArray[np.float32] | None = None
    learned: Learned | None = None

    def __post_init__(self) -> None:
        """Check that every prediction is one, whatever method made it; keep it as float32.

        Raises:
            FoldFailedError: a probability isn't finite, or is no number.
        """
        for name in ("probabilities", "copies", "trajectory"):
            probabilities = getattr(self, name)
            if probabilities is not None:
                object.__setattr__(self, name, check_prediction(probabilities))


def check_finite(losses: Sequence[float], weights: Iterable[NDArray[np.generic]]) -> None:
    """Check a trained fold; a finite loss proves nothing, as some kernels turn NaN into 0.

    Args:
        losses: one an epoch.
        weights: of the network, of any shapes.

    Raises:
        FoldFailedError: the loss or a weight is no longer finite.
    """
    if not np.all(np.isfinite(losses)) or not all(np.isfinite(w).all() for w in weights):
        raise FoldFailedError(
            f"loss or weights are no longer finite after epoch {len(losses)}: lower "
            "train.optimizer.learning_rate or look at the input"
        )


def check_prediction(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return probabilities, (..., clips, classes), that are all finite, as float32.

    Raises:
        FoldFailedError: one isn't, or isn't as a float32, or is no number at all, so that no class
            is predicted.
    """
    if np.ndim(probabilities) < 2 or np.asarray(probabilities).dtype.kind not in "fiub":
        raise FoldFailedError(
            f"the predictions are {np.asarray(probabilities).dtype} of shape "
            f"{np.shape(probabilities)}, expected numbers of shape (clips, classes)"
        )
    with np.errstate(over="ignore"):  # What is too large for a float32 becomes infinite.
        stored = np.asarray(probabilities, "float32")
    finite = np.isfinite(stored).all(axis=-1)  # (..., clips)
    if not finite.all():
        clip = int(np.argwhere(~finite)[0, -1])
        raise FoldFailedError(
            f"the prediction of clip {clip + 1} of {finite.shape[-1]} is not finite: "
            "look at the input, or lower train.optimizer.learning_rate"
        )
    return stored
