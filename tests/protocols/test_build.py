"""Folds against a naive oracle, and their promises on random tables."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mer_keras.config.protocol import ProtocolConfig
from mer_keras.errors import ProtocolError
from mer_keras.protocols.build import build_folds, hold_back_subjects
from mer_keras.protocols.splits import loso, subject_kfold
from mer_keras.terms import Selection

LOSO = ProtocolConfig(name="loso")
FIVE = ProtocolConfig(name="subject_kfold", k=5)


def table_of(entries):
    """Samples from (database, subject, label) triples."""
    rows = [
        {
            "sample_id": f"{database}/{subject}/{i}",
            "subject_id": f"{database}/{subject}",
            "label": label,
        }
        for i, (database, subject, label) in enumerate(entries)
    ]
    return pd.DataFrame(rows)


entries = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(1, 9), st.sampled_from(["x", "y", "z"])),
    min_size=12,
    max_size=80,
)


def naive_loso(table):
    ids_of = {}
    for row in table.itertuples():
        ids_of.setdefault(row.subject_id, set()).add(row.sample_id)
    return ids_of


@given(entries)
def test_loso_equals_the_naive_oracle(drawn):
    table = table_of(drawn)
    if table["subject_id"].nunique() < 2:
        with pytest.raises(ProtocolError, match="at least 2 subjects"):
            loso(table)
        return
    assert {name: set(ids) for name, ids in loso(table).items()} == naive_loso(table)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(entries, st.sampled_from(list(Selection)[:3]), st.sampled_from([LOSO, FIVE]))
def test_promises_hold_on_any_table(drawn, selection, protocol):
    table = table_of(drawn)
    subjects = table["subject_id"].nunique()
    if subjects < (protocol.k or 2) or subjects < 3:
        return
    try:
        folds = build_folds(table, protocol, selection).folds
    except ProtocolError as error:
        # Too few clips of every class to draw from are refused, never divided badly.
        assert "need a class" in str(error)
        return
    owner = dict(zip(table["sample_id"], table["subject_id"], strict=True))
    tested = [i for fold in folds for i in fold.test]
    assert sorted(tested) == sorted(table["sample_id"])
    for fold in folds:
        parts = {part: {owner[i] for i in getattr(fold, part)} for part in ("train", "test")}
        assert not parts["train"] & parts["test"]
        everything = set(fold.train) | set(fold.test) | set(fold.val)
        assert everything == set(table["sample_id"])
        if selection is Selection.INNER_SUBJECTS:
            held = {owner[i] for i in fold.val}
            assert held
            assert not held & (parts["train"] | parts["test"])


def test_fault_38_equal_bare_subjects_of_two_databases_are_two():
    table = table_of([("casme2", "06", "x"), ("samm", "06", "y"), ("samm", "07", "x")])
    assert list(loso(table)) == ["casme2/06", "samm/06", "samm/07"]


def test_row_order_does_not_matter():
    table = table_of([("a", i % 7, "xyz"[i % 3]) for i in range(60)])
    shuffled = table.sample(frac=1, random_state=3)
    for selection in list(Selection)[:3]:
        folds = build_folds(table, FIVE, selection)
        assert build_folds(shuffled, FIVE, selection).digest() == folds.digest()


def test_kfold_is_stratified():
    table = table_of([("a", i % 20, "x" if i % 4 else "y") for i in range(400)])
    tests, notes = subject_kfold(table, 5)
    label = dict(zip(table["sample_id"], table["label"], strict=True))
    for ids in tests.values():
        share = sum(label[i] == "y" for i in ids) / len(ids)
        assert 0.1 < share < 0.4
    assert not notes


def test_fault_35_class_with_fewer_subjects_than_folds_is_said():
    table = table_of([("a", i % 10, "x") for i in range(50)] + [("a", 1, "rare")])
    _, notes = subject_kfold(table, 5)
    assert any("4 (fold, class) pairs have no test sample" in note for note in notes)


def test_fault_35_class_missing_from_train_is_said():
    table = table_of([("a", i % 5, "x") for i in range(20)] + [("a", 1, "rare")])
    folds = build_folds(table, LOSO, Selection.LAST_EPOCH)
    assert folds.notes == ("fold 2: no training sample of rare",)


def test_redrawn_division_is_said():
    # With few subjects a class, the first draws leave a class out of some test fold.
    table = table_of([("a", s, c) for s, c in enumerate("xxxxxyyyyyzzzzz")])
    tests, notes = subject_kfold(table, 5)
    label = dict(zip(table["sample_id"], table["label"], strict=True))
    complete = all({label[i] for i in ids} == {"x", "y", "z"} for ids in tests.values())
    assert complete == (not any("no test sample" in note for note in notes))


def test_fault_36_fewer_subjects_than_folds():
    table = table_of([("a", i % 3, "x") for i in range(9)])
    with pytest.raises(ProtocolError, match="5 folds need at least 5 subjects, found 3"):
        build_folds(table, FIVE, Selection.LAST_EPOCH)


def test_classes_smaller_than_the_number_of_folds():
    table = table_of([("a", s, "uvwxyz"[s]) for s in range(6)])
    with pytest.raises(ProtocolError, match="need a class with at least 5 samples"):
        build_folds(table, FIVE, Selection.LAST_EPOCH)


def test_inner_subjects_need_two_training_subjects():
    table = table_of([("a", i % 2, "xy"[i // 2 % 2]) for i in range(8)])
    with pytest.raises(ProtocolError, match="selection=last_epoch"):
        build_folds(table, LOSO, Selection.INNER_SUBJECTS)


def test_unlabelled_samples_are_refused():
    table = table_of([("a", 1, ""), ("a", 2, "x")])
    with pytest.raises(ProtocolError, match="label scheme"):
        build_folds(table, LOSO, Selection.LAST_EPOCH)


def test_held_back_part_is_near_the_fraction_and_keeps_classes():
    table = table_of([("a", i % 20, "xy"[i % 2]) for i in range(200)])
    train, val = hold_back_subjects(table, 0.2, seed=0)
    assert 0.1 <= len(val) / 200 <= 0.3
    label = dict(zip(table["sample_id"], table["label"], strict=True))
    assert {label[i] for i in train} == {label[i] for i in val} == {"x", "y"}
