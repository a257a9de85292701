import pytest

from mer_keras.json_text import parse_json


@pytest.mark.parametrize("text", [r'"\ud800"', r'{"\uDFFF": 1}', r'["\udead\ud83d"]', "[" * 10**5])
def test_fault_67_halves_of_letters_and_depths_are_no_json(text):
    with pytest.raises(ValueError):
        parse_json(text)


def test_whole_letters_are_read():
    assert parse_json(r'["\ud83d\ude00", "ä", "\\ud800"]') == ["😀", "ä", r"\ud800"]
