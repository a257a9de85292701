"""JSON of a run that somebody else wrote takes little memory, or is refused."""

import pytest

from mer_keras.errors import ResultsError
from mer_keras.runs import json_files
from mer_keras.runs.json_files import read_json


def test_fault_65_a_file_of_very_many_values_is_not_parsed(tmp_path, monkeypatch):
    """Each pair of brackets takes thirty times its bytes."""
    monkeypatch.setattr(json_files, "MOST_OTHER_BYTES", 1000)
    monkeypatch.setattr(json_files, "MOST_SIGNS", 500)
    (tmp_path / "a.json").write_text('{"a": [' + "[]," * 400 + "[]]}")
    with pytest.raises(ResultsError, match=r"a\.json: 1,2\d\d bytes with 803 values, expected 500"):
        read_json(tmp_path / "a.json")


def test_fault_65_letters_that_take_four_bytes_each_are_few(tmp_path, monkeypatch):
    monkeypatch.setattr(json_files, "MOST_OTHER_BYTES", 1000)
    (tmp_path / "a.json").write_text('{"a": "' + "x" * 2000 + '"}')
    assert len(read_json(tmp_path / "a.json")["a"]) == 2000
    (tmp_path / "a.json").write_text('{"a": "' + "x" * 2000 + '😀"}', encoding="utf-8")
    with pytest.raises(ResultsError, match="ASCII letters at most"):
        read_json(tmp_path / "a.json")


def test_fault_67_half_a_letter_is_no_text_of_a_run(tmp_path):
    (tmp_path / "a.json").write_text(r'{"experiment": "\ud800"}')
    with pytest.raises(ResultsError, match="not a JSON file"):
        read_json(tmp_path / "a.json")
