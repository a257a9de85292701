"""What a method learned, as a file."""

import io
import zipfile

import numpy as np
import pytest

from mer_keras.errors import UserError
from mer_keras.training.learned import FACTS, Learned, from_bytes, members_of, to_bytes, zip_of

ARRAYS = {
    "layer/kernel": np.arange(12, dtype="float32").reshape(3, 4),
    "layer/scale": np.float32(2.5).reshape(()),
    "none": np.empty((0, 3), "float64"),
    "numbers": np.array([-1, 2], "int64"),
    "bytes": np.arange(6, dtype="uint8").reshape(1, 2, 3),
    "columns first": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
}


def test_what_was_written_is_read():
    learned = from_bytes(to_bytes(Learned(ARRAYS, {"parts": [{"kind": "x"}]})), "file")
    assert learned.facts == {"parts": [{"kind": "x"}]}
    assert set(learned.arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert learned.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(learned.arrays[name], array)
        assert learned.arrays[name].shape == array.shape


def test_the_order_of_names_changes_no_byte():
    content = to_bytes(Learned(ARRAYS, {"a": 1, "b": 2}))
    assert to_bytes(Learned(dict(reversed(ARRAYS.items())), {"b": 2, "a": 1})) == content


def test_without_facts_it_is_an_npz():
    with np.load(io.BytesIO(to_bytes(Learned(ARRAYS, {}))), allow_pickle=False) as stored:
        assert set(stored.files) == set(ARRAYS)
        np.testing.assert_array_equal(stored["layer/kernel"], ARRAYS["layer/kernel"])


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_numbers_that_are_none(value):
    with pytest.raises(UserError, match=r"file: a.npy: holds values that are not finite"):
        from_bytes(to_bytes(Learned({"a": np.array([0, value])}, {})), "file")


@pytest.mark.parametrize("facts", [b"[1]", b"1", b"{", b"[" * 10_000])
def test_facts_that_are_none(facts):
    with pytest.raises(UserError, match="file: "):
        from_bytes(zip_of({FACTS: facts}), "file")


def test_an_archive_of_members_as_they_are():
    members = {"b": b"2", "a/c": b"1"}
    assert members_of(zip_of(members), "file", 2) == members
    with zipfile.ZipFile(io.BytesIO(zip_of(members))) as archive:
        assert archive.namelist() == ["a/c", "b"]
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    with pytest.raises(UserError, match="2 members, expected 1 at most"):
        members_of(zip_of(members), "file", 1)
