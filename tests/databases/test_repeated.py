"""Content that stands twice: who is named, and what a report leaves out."""

import pandas as pd

from mer_keras.databases.repeated import repeated_content, without_ids

TABLE = pd.DataFrame(
    {
        "sample_id": ["d/p1/a", "d/p1/b", "d/p2/a", "d/p3/a"],
        "subject_id": ["d/p1", "d/p1", "d/p2", "d/p3"],
        "label": ["x", "x", "x", "y"],
        "emotion": ["x", "x", "x", "y"],
    }
)


def told(*digests):
    return repeated_content(dict(zip(TABLE["sample_id"], digests, strict=True)), TABLE)


def test_nothing_is_told_of_different_clips():
    assert told(b"1", b"2", b"3", b"4") == []
    assert repeated_content({}, TABLE) == []


def test_fault_51_both_ids_are_named_and_what_differs():
    (line,) = told(b"1", b"2", b"1", b"4")
    assert "in 1 case(s), 1 under other subjects:" in line
    assert "[ids: d/p1/a = d/p2/a]" in line
    (line,) = told(b"1", b"1", b"3", b"3")
    assert "in 2 case(s), 1 under other subjects and 1 under other labels:" in line
    assert "[ids: d/p1/a = d/p1/b; d/p2/a = d/p3/a]" in line


def test_fault_51_another_name_of_the_same_person_is_told_too():
    (line,) = told(b"1", b"1", b"3", b"4")
    assert "in 1 case(s): what is trained on may be tested" in line


def test_a_report_names_nobody():
    (line,) = told(b"1", b"1", b"1", b"1")
    assert "d/p" not in without_ids(line)
    assert without_ids("another remark [which names nobody]") == (
        "another remark [which names nobody]"
    )


def test_a_table_that_is_not_labelled_yet_is_told_by_emotions():
    table = TABLE.assign(label="", emotion=["x", "y", "x", "y"])
    (line,) = repeated_content({"d/p1/a": b"1", "d/p1/b": b"1"}, table)
    assert "1 under other labels" in line


def test_many_are_cut():
    count = 30
    ids = [f"d/p{n}/a" for n in range(count)]
    table = pd.DataFrame({"sample_id": ids, "subject_id": ids, "label": "x", "emotion": "x"})
    (line,) = repeated_content({i: bytes([n // 2]) for n, i in enumerate(ids)}, table)
    assert line.count(" = ") == 10 and line.endswith("; ...]")
