"""Batches of one shape for folds that are trained together, and which folds fit together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mer_keras.arrays import Array
from mer_keras.config.training import Train
from mer_keras.training.balance import training_rows
from mer_keras.training.dataset import epoch_orders
from mer_keras.training.fold import FoldRows

Rows: TypeAlias = NDArray[np.int64]
#: Three arrays, (folds, batch): row numbers of the clips, int64; weights, float32, 0 where a
#: row only fills up the batch; and copies, float32, 1 where augmentation may change the row.
Batch: TypeAlias = tuple[Rows, Array, Array]


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

    rows: Rows
    is_copy: NDArray[np.bool_]


def epochs_of(
    train: Rows, labels: NDArray[np.int32], recipe: Train, seed: int
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


def batches_of(epochs: Sequence[EpochRows], batch_size: int, fill: int) -> Iterator[Batch]:
    """Cut an epoch of several folds into batches of one shape for all folds; see ``batch_of``."""
    longest = max(len(epoch.rows) for epoch in epochs)
    for first in range(0, longest, batch_size):
        part = slice(first, first + batch_size)
        rows = [epoch.rows[part] for epoch in epochs]
        yield batch_of(rows, fill, [epoch.is_copy[part] for epoch in epochs])


def batch_of(
    rows: Sequence[Rows], fill: int, is_copy: Sequence[NDArray[np.bool_]] | None = None
) -> Batch:
    """Put rows of several folds together, filled up with row 0 to a common width.

    Args:
        rows: (clips,) int64 of each fold.
        fill: the width is a multiple of it.
        is_copy: (clips,) bool of each fold; none is a copy, if left out.
    """
    width = -(-max(map(len, rows)) // fill) * fill
    batch = np.zeros((len(rows), width), "int64")
    weights, copies = np.zeros(batch.shape, "float32"), np.zeros(batch.shape, "float32")
    for fold, of_fold in enumerate(rows):
        batch[fold, : len(of_fold)] = of_fold
        weights[fold, : len(of_fold)] = 1
        if is_copy is not None:
            copies[fold, : len(of_fold)] = is_copy[fold]
    return batch, weights, copies
