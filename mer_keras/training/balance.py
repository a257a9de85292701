"""Oversampling: every class of a training set as large as its largest."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mer_keras.config.training import Train


def oversample(
    labels: Sequence[int] | NDArray[np.integer], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Choose clips to copy, so that with the copies all classes are as large as the largest.

    The copies of a class are spread over its clips as evenly as their number allows; which clips
    get the odd ones is drawn. Only training clips belong here: a copy of a tested clip is a leak.

    Args:
        labels: (clips,) class numbers.
        rng: decides the odd copies and the order of the copies of a class.

    Returns:
        (copies,) int64 positions in ``labels``.
    """
    labels = np.asarray(labels)
    classes, sizes = np.unique(labels, return_counts=True)
    copies: list[NDArray[np.int64]] = []
    for label in sorted(classes.tolist(), key=str):  # Stored runs were drawn in this order.
        members = np.flatnonzero(labels == label)
        rounds, odd = divmod(int(sizes.max()) - len(members), len(members))
        for count in (len(members),) * rounds + (odd,):
            copies.append(members[rng.permutation(len(members))[:count]])
    return np.concatenate(copies) if copies else np.zeros(0, "int64")


def training_rows(
    labels: NDArray[np.integer], recipe: Train, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the rows of an epoch before it is shuffled: the training clips and their copies.

    Args:
        labels: (training clips,) class numbers.
        recipe: says whether classes are balanced, and whether clips stand class after class.
        seed: of the copies that are drawn.

    Returns:
        (clips,) int64 positions in ``labels``, and (clips,) bool, true for a copy.
    """
    rows = np.arange(len(labels))
    if recipe.balance == "oversample":
        rows = np.append(rows, oversample(labels, np.random.default_rng(seed)))
    is_copy = np.arange(len(rows)) >= len(labels)
    if recipe.order == "by_class":
        by_class = np.argsort(labels[rows], kind="stable")
        rows, is_copy = rows[by_class], is_copy[by_class]
    return rows, is_copy
