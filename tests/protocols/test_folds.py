"""Promises of folds: each broken one is told, and stored folds are checked."""

import dataclasses
import hashlib
import json

import pandas as pd
import pytest

from mer_keras.errors import InvariantError, ProtocolError
from mer_keras.protocols.folds import Fold, FoldSet, check_folds, missing_classes
from mer_keras.terms import Selection

TABLE = pd.DataFrame(
    {
        "sample_id": ["d/1/a", "d/1/b", "d/2/a", "d/3/a"],
        "subject_id": ["d/1", "d/1", "d/2", "d/3"],
        "label": ["x", "y", "x", "y"],
    }
)


def fold(name, train, val, test, selection=Selection.INNER_SUBJECTS):
    return Fold(name, tuple(train), tuple(val), tuple(test), selection)


GOOD = FoldSet(
    (
        fold("1", ["d/2/a"], ["d/3/a"], ["d/1/a", "d/1/b"]),
        fold("2", ["d/1/a", "d/1/b"], ["d/3/a"], ["d/2/a"]),
        fold("3", ["d/1/a", "d/1/b"], ["d/2/a"], ["d/3/a"]),
    )
)


def with_first(**changes):
    return FoldSet((dataclasses.replace(GOOD.folds[0], **changes), *GOOD.folds[1:]))


def test_good_folds_pass():
    check_folds(GOOD, TABLE)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"train": ("d/2/a", "d/1/a")}, "'d/1' stands in train and in test"),
        ({"val": ("d/1/b",)}, "'d/1' stands in validation and in test"),
        ({"val": ("d/2/a",)}, "'d/2' stands in train and in validation"),
        ({"val": ()}, "with 0 validation samples"),
        ({"selection": Selection.LAST_EPOCH}, "last_epoch with 1 validation"),
        ({"selection": Selection.TEST_FOLD}, "validation is the test itself"),
        ({"train": ("d/9/a",)}, "unknown id 'd/9/a'"),
        ({"train": ()}, "must not be empty"),
        ({"train": ("d/2/a", "d/2/a")}, "must not repeat"),
        ({"test": ("d/1/a",)}, "1 of 4 are not"),
        ({"name": "2"}, "fold names must not repeat"),
    ],
)
def test_each_broken_promise_is_an_invariant_error(changes, complaint):
    with pytest.raises(InvariantError, match=complaint):
        check_folds(with_first(**changes), TABLE)


def test_sample_tested_twice():
    twice = FoldSet((*GOOD.folds, dataclasses.replace(GOOD.folds[0], name="4")))
    with pytest.raises(InvariantError, match="tested samples must not repeat"):
        check_folds(twice, TABLE)


def test_json_round_trip_keeps_the_digest():
    again = FoldSet.from_json(GOOD.to_json())
    assert again == GOOD
    assert again.digest() == GOOD.digest()


def test_edited_folds_are_refused():
    tree = GOOD.to_json()
    tree["folds"][0]["train"] = ["d/3/a"]
    with pytest.raises(ProtocolError, match="edited"):
        FoldSet.from_json(tree)


def test_folds_are_the_same_after_they_were_json():
    assert FoldSet.from_json(json.loads(json.dumps(GOOD.to_json()))) == GOOD


@pytest.mark.parametrize(
    "tree", [{}, {"digest": "0", "notes": [], "folds": [{"name": "1"}]}, {"folds": 3, "notes": []}]
)
def test_what_is_no_fold_set_is_called_damaged(tree):
    with pytest.raises(ProtocolError, match="damaged"):
        FoldSet.from_json(tree)


def test_notes_do_not_change_the_digest():
    assert FoldSet(GOOD.folds, ("remark",)).digest() == GOOD.digest()


def test_missing_classes():
    assert missing_classes(["d/1/a", "d/2/a"], TABLE) == ["y"]
    assert missing_classes(["d/1/a", "d/1/b"], TABLE) == []


def leave_one_out(people):
    """Folds of so many people with two clips each."""
    ids = [f"d/{person:04}/{clip}" for person in range(people) for clip in "ab"]
    return FoldSet(
        tuple(
            fold(str(k), ids[: 2 * k] + ids[2 * k + 2 :], (), ids[2 * k : 2 * k + 2], "last_epoch")
            for k in range(people)
        )
    )


def test_the_digest_is_that_of_all_folds_as_one_list():
    text = json.dumps([dataclasses.asdict(fold) for fold in GOOD.folds], sort_keys=True)
    assert GOOD.digest() == hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def test_stored_folds_grow_with_the_people_not_with_their_square():
    small, large = (len(json.dumps(leave_one_out(people).to_json())) for people in (100, 400))
    assert large < 4.2 * small
    assert FoldSet.from_json(leave_one_out(100).to_json()) == leave_one_out(100)


def test_the_order_of_ids_stays():
    mixed = FoldSet((fold("1", ["d/3/a", "d/1/b", "d/2/a"], (), ["d/1/a"], "last_epoch"),))
    assert FoldSet.from_json(mixed.to_json()).folds[0].train == ("d/3/a", "d/1/b", "d/2/a")


def test_folds_that_list_their_ids_as_earlier_versions_did_are_read():
    listed = {"folds": [dataclasses.asdict(fold) for fold in GOOD.folds], "notes": []}
    assert FoldSet.from_json(listed | {"digest": GOOD.digest()}) == GOOD


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ([[0, 1], [3, 2]], "damaged"),
        ([[-1, 1]], "damaged"),
        ([[0, 0]], "damaged"),
        ([[0, 10**9]], "1,000,000,003 ids, expected at most"),
    ],
)
def test_fault_65_positions_are_bounded_before_they_are_believed(spans, said):
    tree = FoldSet(GOOD.folds[:1]).to_json()
    assert len(tree["samples"]) == 4
    tree["folds"][0]["train"] = spans
    with pytest.raises(ProtocolError, match=said):
        FoldSet.from_json(tree)
