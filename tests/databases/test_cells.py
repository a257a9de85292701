"""Frame numbers, whole numbers and names, whatever a cell holds."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.databases.cells import as_whole_number, check_name, parse_frame_number
from mer_keras.errors import AnnotationError

WHERE = "table.xlsx: row 3, column 'Onset Frame'"
#: What cells are made of, hostile ones included.
TEXTS = st.text("0123456789./\\:-+e abSx\0\n\u0664\uff16\u5fae")


class TestFrameNumbers:
    @given(st.integers(0, 999_999_999), st.integers(0, 4))
    def test_one_number_however_written(self, number, zeros):
        for value in (number, float(number), str(number), f"{number}.0", f" {number} "):
            assert parse_frame_number(value, WHERE) == number
        padded = str(number).zfill(min(9, len(str(number)) + zeros))
        assert parse_frame_number(padded, WHERE) == number

    @pytest.mark.parametrize("value", [None, "", " ", "/", " / ", "\\"])
    def test_missing(self, value):
        assert parse_frame_number(value, WHERE) is None

    @pytest.mark.parametrize(
        "value",
        ["x", "12a", "-1", -1, 46.5, "46.5", "1e3", "//", "?", 10**9, 1e300, float("nan"), "٤٦"],
    )
    def test_anything_else_is_an_error(self, value):
        with pytest.raises(AnnotationError) as caught:
            parse_frame_number(value, WHERE)
        assert WHERE in str(caught.value)
        assert str(value)[:9] in str(caught.value)
        assert "expected a frame number" in str(caught.value)

    @given(TEXTS | st.floats() | st.integers() | st.none())
    def test_never_anything_but_a_number_none_or_the_error(self, value):
        try:
            number = parse_frame_number(value, WHERE)
        except AnnotationError:
            return
        assert number is None or (type(number) is int and 0 <= number < 10**9)

    @given(TEXTS)
    def test_whole_numbers_are_ascii(self, text):
        number = as_whole_number(text)
        assert number is None or text.strip().isascii()


class TestNames:
    @pytest.mark.parametrize(
        "name", ["006_1_2", "EP02_01f", "S01-01-001", "my clip", "微表情", "<script>", "a.b"]
    )
    def test_plain(self, name):
        assert check_name(name, WHERE) == name

    @pytest.mark.parametrize(
        "name",
        [
            "",
            ".",
            "..",
            "a..b",
            "../../etc/passwd",
            "/etc/passwd",
            "a/b",
            "a\\b",
            "C:\\a",
            "C:a",
            "a\0b",
            "a\nb",
            "x" * 300,
        ],
    )
    def test_leading_elsewhere(self, name):
        with pytest.raises(AnnotationError) as caught:
            check_name(name, WHERE)
        assert WHERE in str(caught.value)

    @given(TEXTS)
    def test_what_passes_is_one_step_down(self, name):
        try:
            check_name(name, WHERE)
        except AnnotationError:
            return
        assert Path("/root", name).parent == Path("/root")
        assert len(Path("/root", name).parts) == 3
