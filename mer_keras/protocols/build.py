"""A protocol and a selection, applied: samples -> checked folds."""

import pandas as pd

from mer_keras.config.protocol import ProtocolConfig
from mer_keras.errors import ProtocolError
from mer_keras.protocols.folds import Fold, FoldSet, check_folds, missing_classes
from mer_keras.protocols.splits import (
    assign_groups,
    clip_split,
    leave_one_database_out,
    loso,
    subject_kfold,
)
from mer_keras.terms import Selection

#: Most draws of an inner division: it is drawn again while a class is missing from a part.
MAX_INNER_DRAWS = 20


def build_folds(
    table: pd.DataFrame,
    protocol: ProtocolConfig,
    selection: Selection,
) -> FoldSet:
    """Divide samples as the protocol says and check every promise of ``folds.check_folds``.

    Args:
        table: samples table with labels; order does not matter.
        protocol: which division.
        selection: which data the choice of an epoch may look at.

    Raises:
        ProtocolError: too few subjects or databases, or an unlabelled sample.
    """
    if (table["label"] == "").any():
        raise ProtocolError("samples without a label can't be divided: apply a label scheme first")
    table = table.sort_values("sample_id", kind="stable").reset_index(drop=True)
    tests, notes = _tests(table, protocol)
    folds = []
    for number, (name, test) in enumerate(tests.items()):
        rest = _training_pool(table, test, protocol)
        train, val = list(rest["sample_id"]), []
        if selection is Selection.TEST_FOLD:
            val = test
        elif selection is Selection.INNER_SUBJECTS:
            train, val = hold_back_subjects(rest, protocol.inner_fraction, protocol.seed + number)
        elif selection is Selection.INNER_CLIPS:
            train, val = hold_back_clips(rest, protocol.inner_fraction, protocol.seed + number)
        absent = missing_classes(train, table)
        if absent:
            notes.append(f"fold {number + 1}: no training sample of {', '.join(absent)}")
        folds.append(Fold(name, tuple(train), tuple(val), tuple(test), selection))
    fold_set = FoldSet(tuple(folds), tuple(notes))
    check_folds(
        fold_set,
        table,
        subject_exclusive=protocol.subject_exclusive,
        whole=protocol.name != "as_published",
    )
    return fold_set


def _tests(table: pd.DataFrame, protocol: ProtocolConfig) -> tuple[dict[str, list[str]], list[str]]:
    """Ids of the tested samples by fold name, and notes."""
    if protocol.name in ("cde", "sde", "hde") and table["database"].nunique() < 2:
        raise ProtocolError(
            f"protocol {protocol.name} needs clips of at least 2 databases, found only "
            f"{', '.join(table['database'].unique())}: name several in data.database, or use loso"
        )
    if protocol.name == "subject_kfold":
        return subject_kfold(table, protocol.k or 0, protocol.seed)
    if protocol.name == "hde":
        return leave_one_database_out(table), []
    if protocol.name == "as_published":
        test = clip_split(table, protocol.test_share or 0, protocol.seed)
        note = "one division by clips: subjects of tested clips were trained on"
        return {"split": test}, [note]
    return loso(table), []


def _training_pool(table: pd.DataFrame, test: list[str], protocol: ProtocolConfig) -> pd.DataFrame:
    """Samples that a fold may train on: all that are not tested; under SDE of its database."""
    tested = table["sample_id"].isin(test)
    rest = table[~tested]
    if protocol.name == "sde":
        database = table.loc[tested, "database"].iloc[0]
        rest = rest[rest["database"] == database]
        if rest.empty:
            raise ProtocolError(
                f"SDE needs at least 2 subjects in each database, {database!r} has one: there is "
                "nothing to train on"
            )
    return rest.reset_index(drop=True)


def hold_back(table: pd.DataFrame, share: float, by: str) -> tuple[list[str], list[str]]:
    """Hold back a stratified part of the samples.

    Args:
        table: samples table with ``sample_id``, ``subject_id`` and ``label``.
        share: part to hold back, between 0 and 1.
        by: ``subject`` holds back whole subjects, ``clip`` any clips.

    Returns:
        Ids that are left and ids that are held back.

    Raises:
        ProtocolError: as ``hold_back_subjects`` and ``hold_back_clips``.
    """
    return (hold_back_subjects if by == "subject" else hold_back_clips)(table, share, 0)


def hold_back_clips(rest: pd.DataFrame, fraction: float, seed: int) -> tuple[list[str], list[str]]:
    """Hold back a stratified part of the clips; their subjects stay in training with others.

    Args:
        rest: the samples that are not tested.
        fraction: part to hold back, at least one clip of each class that has two.
        seed: seed of the draw.

    Returns:
        Training ids and validation ids.

    Raises:
        ProtocolError: no class has two clips.
    """
    val = clip_split(rest, fraction, seed)
    held = set(val)
    return [sample_id for sample_id in rest["sample_id"] if sample_id not in held], val


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
    best_gaps: tuple[int, int] | None = None
    best_train: list[str] = []
    best_val: list[str] = []
    for draw in range(MAX_INNER_DRAWS):
        held = assign_groups(rest, groups, seed + draw) == 0
        train = list(rest.loc[~held, "sample_id"])
        val = list(rest.loc[held, "sample_id"])
        gaps = (len(missing_classes(train, rest)), len(missing_classes(val, rest)))
        if train and val and (best_gaps is None or gaps < best_gaps):
            best_gaps, best_train, best_val = gaps, train, val
        if gaps == (0, 0):
            break
    if best_gaps is None:
        raise ProtocolError("no division into training and validation subjects was found")
    return best_train, best_val
