"""Divisions of the samples: which are tested together."""

import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from mer_keras.errors import ProtocolError

#: Most draws of a stratified division: it is drawn again while a test fold lacks a class.
MAX_DRAWS = 20


def loso(table: pd.DataFrame) -> dict[str, list[str]]:
    """Leave one subject out: one fold a ``subject_id``, in sorted order.

    Equal bare subject numbers of two databases are two subjects.

    Args:
        table: the samples table.

    Returns:
        Test ids by fold name; the name is the ``subject_id``.

    Raises:
        ProtocolError: fewer than two subjects.
    """
    groups = table.groupby("subject_id", sort=True)["sample_id"]
    if groups.ngroups < 2:
        raise ProtocolError(
            f"LOSO needs at least 2 subjects, found {groups.ngroups}: there is nothing to train on"
        )
    return {str(subject): list(ids) for subject, ids in groups}


def leave_one_database_out(table: pd.DataFrame) -> dict[str, list[str]]:
    """Test each database by what was trained on the others (HDE): one fold a database, sorted.

    Args:
        table: the samples table, of at least two databases.

    Returns:
        Test ids by fold name; the name is the database.
    """
    groups = table.groupby("database", sort=True)["sample_id"]
    return {str(database): list(ids) for database, ids in groups}


def clip_split(table: pd.DataFrame, share: float, seed: int) -> list[str]:
    """Draw a stratified share of the clips, whoever shows them.

    Each class gives its share, rounded; of a class with two clips or more at least one is drawn
    and at least one is left.

    Args:
        table: the samples table, with labels.
        share: part of the clips, between 0 and 1.
        seed: seed of the draw.

    Returns:
        The drawn ids, in the table's order.

    Raises:
        ProtocolError: no class has two clips.
    """
    rng = np.random.default_rng(seed)
    drawn: set[str] = set()
    for _, ids in table.sort_values("sample_id").groupby("label", sort=True)["sample_id"]:
        if len(ids) > 1:
            count = min(max(round(share * len(ids)), 1), len(ids) - 1)
            drawn.update(rng.choice(ids.to_numpy(dtype=str), size=count, replace=False))
    if not drawn:
        raise ProtocolError(f"a division by clips needs a class of 2 clips, found {len(table)}")
    return [str(sample_id) for sample_id in table["sample_id"] if sample_id in drawn]


def subject_kfold(
    table: pd.DataFrame, k: int, seed: int = 0
) -> tuple[dict[str, list[str]], list[str]]:
    """Divide subjects into ``k`` groups whose class distributions are as alike as possible.

    scikit-learn's ``StratifiedGroupKFold`` may leave a class out of a fold, so draws are repeated
    with following seeds until none is missing; if none of ``MAX_DRAWS`` is, the one with the
    fewest gaps is kept. Both cases are said in the notes.

    Args:
        table: the samples table, with labels.
        k: number of folds, at least 2.
        seed: first seed to draw with.

    Returns:
        Test ids by fold name (``fold-1`` ...), and notes.

    Raises:
        ProtocolError: fewer subjects than folds, or no class with that many samples.
    """
    subjects = table["subject_id"].nunique()
    if subjects < k:
        raise ProtocolError(
            f"{k} folds need at least {k} subjects, found {subjects}: lower protocol.k"
        )
    best: tuple[int, int, NDArray[np.int64]] | None = None
    for draw in range(MAX_DRAWS):
        assigned = assign_groups(table, k, seed + draw)
        gaps = _gaps(assigned, table["label"].to_numpy(), k)
        if best is None or gaps < best[0]:
            best = (gaps, draw, assigned)
        if gaps == 0:
            break
    assert best is not None  # noqa: S101 - MAX_DRAWS is positive
    gaps, draw, assigned = best
    notes = []
    if draw:
        notes.append(
            f"{k}-fold division: draw {draw + 1} was taken, because earlier ones left a class "
            "out of a test fold"
        )
    if gaps:
        notes.append(
            f"{k}-fold division: {gaps} (fold, class) pairs have no test sample in the best of "
            f"{MAX_DRAWS} draws; metrics are pooled over the full label set"
        )
    ids = table["sample_id"].to_numpy()
    return {f"fold-{i + 1}": list(ids[assigned == i]) for i in range(k)}, notes


def assign_groups(table: pd.DataFrame, k: int, seed: int) -> NDArray[np.int64]:
    """One stratified draw: the fold number (0..k-1) of each row, whole subjects together.

    Raises:
        ProtocolError: no class has ``k`` samples.
    """
    largest = int(table["label"].value_counts().max())
    if largest < k:
        raise ProtocolError(
            f"{k} stratified groups need a class with at least {k} samples, the largest has "
            f"{largest}"
        )
    labels = table["label"].to_numpy(dtype=str)
    groups = table["subject_id"].to_numpy(dtype=str)
    splitter = StratifiedGroupKFold(n_splits=k, shuffle=True, random_state=seed)
    assigned = np.full(len(table), -1)
    with warnings.catch_warnings():
        # A class with fewer clips than groups is usual here, and the callers count such gaps.
        warnings.filterwarnings("ignore", message="The least populated class")
        for number, (_, test) in enumerate(splitter.split(labels, labels, groups)):
            assigned[test] = number
    return assigned


def _gaps(assigned: NDArray[np.int64], labels: NDArray[np.str_], k: int) -> int:
    """Number of (fold, class) pairs without a tested sample."""
    classes = set(labels)
    return sum(len(classes - set(labels[assigned == i])) for i in range(k))
