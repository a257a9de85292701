"""Batches of one shape for folds that are trained together, and which folds fit together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mer_keras.config.training import Train
from mer_keras.training.balance import training_rows
from mer_keras.training.dataset import epoch_orders
from mer_keras.training.fold import FoldRows

#: The last batch of an epoch is filled up to a multiple of this, so that folds have one shape.
_FILL = 32


def chunks(
    folds: Sequence[FoldRows], labels: NDArray[np.int32], recipe: Train, at_once: int
) -> Iterator[list[int]]:
    """Divide folds into stacks: at most ``at_once`` with equally many batches an epoch.

    It depends on nothing else, so that a run that is resumed has the stacks it began with.

    Args:
        folds: to be divided.
        labels: (clips,) class numbers of the clips that all folds share.
        recipe: says how many copies are made and how many clips a batch has.
        at_once: most folds of a stack.

    Yields:
        positions in ``folds``.
    """
    by_steps: dict[int, list[int]] = {}
    for index, fold in enumerate(folds):
        by_steps.setdefault(steps_of(labels[fold.train], recipe), []).append(index)
    for indices in by_steps.values():
        for first in range(0, len(indices), at_once):
            yield indices[first : first + at_once]


def steps_of(labels: NDArray[np.int32], recipe: Train) -> int:
    """Number of batches of an epoch, given the class numbers of the training clips."""
    rows, _ = training_rows(labels, recipe, seed=0)  # Their number does not depend on the seed.
    return -(-len(rows) // recipe.batch_size)


@dataclass(frozen=True)
class EpochRows:
    """An epoch's rows of one fold, (clips,) int64, in order; and (clips,) bool, true for a copy."""

    rows: NDArray[np.int64]
    is_copy: NDArray[np.bool_]


def epochs_of(
    train: NDArray[np.int64], labels: NDArray[np.int32], recipe: Train, seed: int
) -> Iterator[EpochRows]:
    """Yield epoch after epoch the rows in the order in which ``Trainer.fit`` has them.

    Args:
        train: (training clips,) row numbers.
        labels: (clips,) class numbers of the clips that all folds share.
        recipe: says which copies are made, and whether clips are shuffled.
        seed: of the fold.
    """
    positions, is_copy = training_rows(labels[train], recipe, seed)
    rows, shuffled = train[positions], recipe.order == "shuffled"
    orders = epoch_orders(len(rows), recipe.epochs, seed=seed, shuffle=shuffled)
    return (EpochRows(rows[order], is_copy[order]) for order in orders)


def together(
    epochs: Sequence[EpochRows], batch_size: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]]:
    """Cut the folds' epochs into batches of one shape: rows, weights, copies, (folds, batch)."""
    longest = max(len(epoch.rows) for epoch in epochs)
    for first in range(0, longest, batch_size):
        part = slice(first, first + batch_size)
        rows = [epoch.rows[part] for epoch in epochs]
        copies = [epoch.is_copy[part] for epoch in epochs]
        yield filled(rows), filled(ones(rows), "float32"), filled(copies, "float32")


def filled(parts: Sequence[NDArray[np.generic]], dtype: DTypeLike = "int64") -> NDArray:
    """Stack lists, (folds, width), filled up with 0 to a multiple of ``_FILL``."""
    width = -(-max(len(part) for part in parts) // _FILL) * _FILL
    stacked = np.zeros((len(parts), width), dtype)
    for row, part in zip(stacked, parts, strict=True):
        row[: len(part)] = part
    return stacked


def ones(parts: Sequence[NDArray[np.generic]]) -> list[NDArray[np.float64]]:
    """A weight of 1 for each row of each fold."""
    return [np.ones(len(part)) for part in parts]
