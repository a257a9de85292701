"""A protocol and a selection, applied: samples -> checked folds."""

import pandas as pd

from mer_keras.config import ProtocolConfig
from mer_keras.errors import ProtocolError
from mer_keras.protocols.folds import Fold, FoldSet, check_folds, missing_classes
from mer_keras.protocols.splits import assign_groups, loso, subject_kfold
from mer_keras.terms import Selection

#: draws of an inner division that are tried until no class is missing from train
MAX_INNER_DRAWS = 20


def build_folds(
    table: pd.DataFrame,
    protocol: ProtocolConfig,
    selection: Selection,
    *,
    inner_fraction: float = 0.2,
    seed: int = 0,
) -> FoldSet:
    """Divide samples as the protocol says and check every promise of ``folds.check_folds``.

    Args:
        table: samples table with labels; order does not matter.
        protocol: which division.
        selection: which data the choice of an epoch may look at.
        inner_fraction: part of the training samples held back under ``inner_subjects``.
        seed: of the division; the seeds of training are others.

    Raises:
        ProtocolError: too few subjects, or an unlabelled sample.
    """
    if (table["label"] == "").any():
        raise ProtocolError("samples without a label can't be divided: apply a label scheme first")
    table = table.sort_values("sample_id", kind="stable").reset_index(drop=True)
    notes: list[str] = []
    if protocol.name == "loso":
        tests = loso(table)
    else:
        tests, notes = subject_kfold(table, protocol.k or 0, seed)
    folds = []
    for number, (name, test) in enumerate(tests.items()):
        rest = table[~table["sample_id"].isin(test)].reset_index(drop=True)
        train, val = list(rest["sample_id"]), []
        if selection is Selection.TEST_FOLD:
            val = test
        elif selection is Selection.INNER_SUBJECTS:
            train, val = hold_back_subjects(rest, inner_fraction, seed + number)
        absent = missing_classes(train, table)
        if absent:
            notes.append(f"fold {number + 1}: no training sample of {', '.join(absent)}")
        folds.append(Fold(name, tuple(train), tuple(val), tuple(test), selection))
    made = FoldSet(tuple(folds), tuple(notes))
    check_folds(made, table)
    return made


def hold_back_subjects(
    rest: pd.DataFrame, fraction: float, seed: int
) -> tuple[list[str], list[str]]:
    """Hold back a stratified, subject-exclusive part of the training samples for selection.

    Args:
        rest: the samples that are not tested.
        fraction: part to hold back, rounded to one of ``1/fraction`` groups of subjects.
        seed: first seed to draw with; following ones are tried while a class is missing from
            what remains for training, then the draw with the fewest missing is kept.

    Returns:
        Training ids and validation ids.

    Raises:
        ProtocolError: only one subject is left, so that none can be held back.
    """
    subjects = rest["subject_id"].nunique()
    if subjects < 2:
        raise ProtocolError(
            "selection inner_subjects needs at least 2 training subjects in each fold, found "
            f"{subjects}: use selection=last_epoch"
        )
    largest = int(rest["label"].value_counts().max())
    groups = max(2, min(round(1 / fraction), subjects, largest))
    best: tuple[tuple[int, int], list[str], list[str]] | None = None
    for draw in range(MAX_INNER_DRAWS):
        held = assign_groups(rest, groups, seed + draw) == 0
        train = list(rest.loc[~held, "sample_id"])
        val = list(rest.loc[held, "sample_id"])
        gaps = (len(missing_classes(train, rest)), len(missing_classes(val, rest)))
        if train and val and (best is None or gaps < best[0]):
            best = (gaps, train, val)
        if gaps == (0, 0):
            break
    if best is None:
        raise ProtocolError("no division into training and validation subjects was found")
    return best[1], best[2]
