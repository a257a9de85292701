"""Parquet: what a file declares, and what its dictionaries stand for, is bounded."""

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mer_keras import parquet_files
from mer_keras.parquet_files import DAMAGE, read_columns


def written(columns, **options):
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("compression", ["snappy", "zstd", "none"])
def test_texts_and_numbers_come_back(compression):
    columns = {"a": ["x", None, "y"], "b": [1, 2, 3], "c": [0.5, 1.5, None], "d": [True] * 3}
    table = read_columns(written(columns, compression=compression), 3)
    assert table.to_pydict() == columns


def test_categories_of_pandas_are_texts():
    buffer = io.BytesIO()
    pd.DataFrame({"a": pd.Categorical(["x", "y", "x"])}).to_parquet(buffer)
    table = read_columns(buffer.getvalue(), 3)
    assert table["a"].to_pylist() == ["x", "y", "x"]
    assert table.schema.field("a").type in (pa.string(), pa.large_string())


def test_fault_65_a_text_in_a_dictionary_stands_in_every_row(monkeypatch):
    """A kilobyte of file, and a thousand times as much once each row has its text."""
    monkeypatch.setattr(parquet_files, "MOST_BYTES", 10**6)
    content = written({"a": ["x" * 10**5] * 1000})
    assert len(content) < 10**5
    with pytest.raises(ValueError, match=r"holds texts of 100,000,000 bytes, expected 1,000,000"):
        read_columns(content, 1000)
    assert len(read_columns(written({"a": ["x" * 900] * 1000}), 1000)) == 1000


def test_fault_65_rows_are_bounded_before_they_are_unpacked(monkeypatch):
    content = written({"a": np.zeros(10**6)})
    with pytest.raises(ValueError, match="declares 1,000,000 rows"):
        read_columns(content, 10**5)
    monkeypatch.setattr(parquet_files, "MOST_BYTES", 10**6)
    with pytest.raises(ValueError, match="8,000,000 bytes"):
        read_columns(content, 10**6)


@pytest.mark.parametrize(
    "values",
    [[[1, 2], [3]], [{"x": 1}, None], [b"x", b"y"], [[["deep"]], []]],
    ids=["lists", "mappings", "bytes", "lists of lists"],
)
def test_fault_67_columns_of_another_schema_are_refused_by_name(values):
    content = written({"a": values, "b": [1, 2]})
    with pytest.raises(ValueError, match="column 'a' holds"):
        read_columns(content, 2)
    assert read_columns(content, 2, lambda name: name == "b").to_pydict() == {"b": [1, 2]}


def test_fault_66_damage_is_among_what_is_caught():
    content = written({"a": ["x"] * 100})
    for cut in (content[:-1], content[4:], b"PAR1" + bytes(50) + b"PAR1", b""):
        with pytest.raises(DAMAGE):
            read_columns(cut, 100)
