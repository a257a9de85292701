"""Files that are written whole or not at all, also by several at a time."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from mer_keras.errors import ResultsError
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.json_files import read_json, write_json
from mer_keras.whole_files import whole_file, write_whole


def test_two_writers_of_one_file_do_not_disturb_each_other(tmp_path):
    """As two runs that pretrain the same backbone: each is whole, and the later one stays."""
    path = tmp_path / "folder" / "record.json"
    with whole_file(path) as first, whole_file(path) as second:
        assert first != second
        first.write_text('{"writer": 1}')
        second.write_text('{"writer": 2}')
    assert read_json(path) == {"writer": 1}, "the outer one was renamed last"
    assert [file.name for file in path.parent.iterdir()] == ["record.json"]


def test_many_writers_of_one_file_all_succeed(tmp_path):
    path = tmp_path / "record.json"
    trees = [{"writer": writer, "values": [writer] * 1000} for writer in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda tree: write_json(path, tree), trees))
    assert read_json(path) in trees
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_what_stood_there_stays_when_writing_fails(tmp_path, error):
    path = tmp_path / "record.json"
    write_whole(path, b"before")
    with pytest.raises(error), whole_file(path) as temporary:
        temporary.write_bytes(b"half of")
        raise error
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_that_looks_at_the_name_finds_its_suffix(tmp_path):
    path = tmp_path / "net.weights.h5"
    with whole_file(path, suffix=".weights.h5") as temporary:
        assert temporary.name.endswith(".weights.h5")
        temporary.write_bytes(b"weights")
    assert path.read_bytes() == b"weights"


def test_the_next_writer_of_a_run_clears_what_a_killed_one_left(tmp_path):
    left = tmp_path / "predictions" / "net" / "fold.parquet.0123.part"
    write_whole(left, b"half of")
    with RunFolder(tmp_path).writer():
        assert not left.exists()


def test_a_mapping_comes_back_and_nothing_else_is_taken(tmp_path):
    path = tmp_path / "tree.json"
    write_json(path, {"b": 1, "a": [1.5, None, "ü"]})
    assert read_json(path) == {"a": [1.5, None, "ü"], "b": 1}
    path.write_text(json.dumps([1]))
    with pytest.raises(ResultsError, match="mapping"):
        read_json(path)
