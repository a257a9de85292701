"""Parquet files from anybody: flat columns of texts and numbers, bounded before they are unpacked.

A file's own size says little: a dictionary stands for a text of any length in every row, and a run
of equal values for any number of rows. So types and rows are compared with the bounds by the file's
schema alone; then texts are read as their dictionaries and counted before they are written out.
"""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

#: Most bytes of a file.
MOST_FILE_BYTES = 2**27
#: Most bytes that the columns may have when they are unpacked.
MOST_BYTES = 2**28
#: Most columns of a file.
MOST_COLUMNS = 2000
#: Most bytes of a text, and entries of a list, in what a file says of itself.
_MOST_TEXT, _MOST_ENTRIES = 10_000_000, 200_000
#: Bytes of a number, a date or a truth value, and of a text's place in its column, at most.
_WIDTH = 8
#: What pyarrow raises on files that are no tables, or damaged ones.
DAMAGE = (OSError, ValueError, KeyError, pa.ArrowException, NotImplementedError, MemoryError)


def read_columns(
    content: bytes, most_rows: int, wanted: Callable[[str], bool] = lambda _: True
) -> pa.Table:
    """Read the columns of a file that are wanted, by one thread.

    Args:
        content: bytes of the file.
        most_rows: rows that it may declare.
        wanted: says of a column's name whether it is read; others may hold anything.

    Returns:
        A table without what pandas says of it; texts are texts, dictionaries of them too.

    Raises:
        ValueError: it declares more than is allowed, or a wanted column holds neither texts,
            numbers, dates nor truth values.
        Exception: of ``DAMAGE``; it is no parquet file.
    """
    if len(content) > MOST_FILE_BYTES:
        raise ValueError(f"larger than {MOST_FILE_BYTES:,} bytes")
    source = pa.BufferReader(content)
    limits = {
        "thrift_string_size_limit": _MOST_TEXT,
        "thrift_container_size_limit": _MOST_ENTRIES,
    }
    file = pq.ParquetFile(source, **limits)
    count, rows, size = len(file.schema_arrow), file.metadata.num_rows, _declared(file.metadata)
    fields = [field for field in file.schema_arrow if wanted(field.name)]
    unpacked = max(size, rows * len(fields) * _WIDTH)
    if count > MOST_COLUMNS or not 0 <= rows <= most_rows or unpacked > MOST_BYTES:
        raise ValueError(f"declares {rows:,} rows of {count:,} columns, {unpacked:,} bytes")
    for field in fields:
        if not _is_flat(field.type):
            raise ValueError(f"column {field.name[:80]!r} holds {str(field.type)[:80]}")
    if rows * size > MOST_BYTES:  # The longest text may stand in every row.
        texts = [field.name for field in fields if _is_text(field.type)]
        file = pq.ParquetFile(source, read_dictionary=texts, **limits)
    names = [field.name for field in fields]
    table = file.read(columns=names, use_threads=False).replace_schema_metadata(None)
    return _written_out(table)


def _declared(metadata: pq.FileMetaData) -> int:
    """Bytes of all groups of rows, unpacked but with texts in dictionaries."""
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    return sum(group.total_byte_size for group in groups)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_flat(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return _is_text(kind) or pa.types.is_primitive(kind) or pa.types.is_null(kind)


def _written_out(table: pa.Table) -> pa.Table:
    """Write dictionaries out as texts, after all of them were counted.

    Raises:
        ValueError: they would take more than ``MOST_BYTES``.
    """
    dictionaries = [
        number for number, kind in enumerate(table.schema.types) if pa.types.is_dictionary(kind)
    ]
    size = sum(_written_size(table.column(number)) for number in dictionaries)
    if size > MOST_BYTES:
        raise ValueError(f"holds texts of {size:,} bytes, expected {MOST_BYTES:,} at most")
    for number in dictionaries:
        field, column = table.schema.field(number), table.column(number)
        table = table.set_column(number, field.name, column.cast(field.type.value_type))
    return table


def _written_size(column: pa.ChunkedArray) -> int:
    """Bytes of a column of a dictionary once each row has its own copy."""
    size = 0
    for chunk in column.chunks:
        if not _is_text(chunk.type.value_type):
            return 0  # Numbers take what the number of rows says.
        lengths = pc.binary_length(chunk.dictionary).take(chunk.indices)
        size += pc.sum(pc.cast(lengths, pa.int64())).as_py() or 0
    return size
