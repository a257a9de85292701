"""Headers and rows, whatever a table's release."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.databases.tables import find_header, table_rows
from mer_keras.errors import AnnotationError

SOURCE = Path("table.xlsx")
COLUMNS = {"Subject": (), "Filename": ("File name", "Clip"), "Onset Frame": ("Onset",)}
#: What cells are made of, hostile ones included.
TEXTS = st.text("0123456789./\\:-+e abSx\0\n\u0664\uff16\u5fae")


class TestFindHeader:
    def test_after_text_rows(self):
        rows = [["Subject of this table"], ["Subject"], [], ["Filename", None, "Subject", "Onset"]]
        assert find_header(rows, COLUMNS, SOURCE) == (
            3,
            {"Subject": 2, "Filename": 0, "Onset Frame": 3},
        )

    @pytest.mark.parametrize("name", ["onset frame", "OnsetFrame", " Onset  Frame ", "ONSET_FRAME"])
    def test_ignores_case_blanks_and_punctuation(self, name):
        assert find_header([["subject", "file-name", name]], COLUMNS, SOURCE)[1]["Onset Frame"] == 2

    def test_official_name_goes_first(self):
        row = ["Subject", "Clip", "Filename", "Onset"]
        assert find_header([row], COLUMNS, SOURCE)[1]["Filename"] == 2

    def test_optional_columns(self):
        optional = {"Action Units": ("AU",), "Notes": ()}
        _, columns = find_header([["Subject", "Clip", "Onset", "AU"]], COLUMNS, SOURCE, optional)
        assert columns["Action Units"] == 3
        assert "Notes" not in columns

    def test_missing_column(self):
        rows = [["text"], ["Subject", "Filename", "Onset Frme"]]
        with pytest.raises(AnnotationError) as caught:
            find_header(rows, COLUMNS, SOURCE)
        assert caught.value.exit_code == 2
        for words in (
            "table.xlsx",
            "no column 'Onset Frame'",
            "did you mean 'Onset Frme'",
            "row 2",
            "found 'Subject', 'Filename', 'Onset Frme'",
            "rename the column",
        ):
            assert words in str(caught.value)

    @pytest.mark.parametrize("rows", [[], [[]], [["a", "b"]], [["Subject"], ["x"]]])
    def test_no_header(self, rows):
        with pytest.raises(AnnotationError, match=r"no header row.*'Subject', 'Filename'"):
            find_header(rows, COLUMNS, SOURCE)

    @given(
        st.lists(st.lists(st.sampled_from(["Subject", "notes", None, "2018"]), max_size=2)),
        st.permutations(["subject ", "CLIP", "Onset_Frame", "remarks", None]),
        st.lists(st.lists(TEXTS, max_size=6), max_size=3),
    )
    def test_whatever_stands_before_and_below(self, before, header, below):
        row, columns = find_header([*before, header, *below], COLUMNS, SOURCE)
        assert row == len(before)
        assert {name: header[i] for name, i in columns.items()} == {
            "Subject": "subject ",
            "Filename": "CLIP",
            "Onset Frame": "Onset_Frame",
        }

    @given(st.lists(st.lists(TEXTS | st.integers() | st.floats() | st.none(), max_size=5)))
    def test_any_cells_are_a_table_or_refused(self, rows):
        try:
            found, _ = table_rows(rows, COLUMNS, SOURCE)
        except AnnotationError as error:
            assert "table.xlsx" in str(error)
            return
        assert all(row.number >= 2 for row in found)

    def test_column_twice(self):
        with pytest.raises(AnnotationError, match="'Subject' stands twice"):
            find_header([["Subject", "subject", "Clip", "Onset"]], COLUMNS, SOURCE)


class TestRows:
    def test_keep_the_spreadsheets_numbers(self):
        rows = [["text"], list(COLUMNS), ["a", "b", 1], [None, None], ["c", "d", 2, "more"]]
        found, remarks = table_rows(rows, COLUMNS, SOURCE)
        assert [row.number for row in found] == [3, 5]
        assert found[1].where("Filename") == "table.xlsx: row 5, column 'Filename'"
        assert remarks == []

    def test_notes_are_left_out_and_said_to_be(self):
        rows = [list(COLUMNS), ["a", "b", 1], ["* as coded in 2018"]]
        found, remarks = table_rows(rows, COLUMNS, SOURCE)
        assert len(found) == 1
        assert remarks == ["table.xlsx: row 3 is a note, not a clip, and is ignored"]

    def test_fault_18_short_rows_and_absent_columns_are_empty(self):
        (row,), _ = table_rows([list(COLUMNS), ["a", "b"]], COLUMNS, SOURCE)
        assert row.cell("Onset Frame") is None
        assert row.text("Notes") == ""
        with pytest.raises(AnnotationError, match=r"row 2, column 'Onset Frame'.*fill it in"):
            row.required_text("Onset Frame")

    def test_none_below_the_header(self):
        with pytest.raises(AnnotationError, match="no row below the header in row 1"):
            table_rows([list(COLUMNS), [None]], COLUMNS, SOURCE)
