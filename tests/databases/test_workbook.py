"""Reading .xlsx files: what comes out, and what is refused before it does harm."""

import csv
import io
import random
import re
import tempfile
import time
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from mer_keras.databases import workbook
from mer_keras.databases.delimited import read_csv
from mer_keras.databases.workbook import clean_cell, read_sheet
from mer_keras.errors import AnnotationError

SHEET = "xl/worksheets/sheet1.xml"


def edited(path, edit, name=SHEET, compression=zipfile.ZIP_DEFLATED):
    """Rewrite one part of a workbook."""
    parts = {}
    with zipfile.ZipFile(path) as archive:
        parts = {entry: archive.read(entry) for entry in archive.namelist()}
    assert parts.get(name, b"") != edit(parts.get(name, b"")), "the edit changes nothing"
    parts[name] = edit(parts.get(name, b""))
    with zipfile.ZipFile(path, "w", compression) as archive:
        for entry, content in parts.items():
            archive.writestr(entry, content)
    return path


def shared(path, cells, strings):
    """Let cells hold texts of the shared table, as spreadsheet programs write them."""
    table = b"".join(b"<si><t>%s</t></si>" % text for text in strings)
    start = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    edited(path, lambda _: start + table + b"</sst>", "xl/sharedStrings.xml")
    row = re.compile(rb"<row.*</row>", re.DOTALL)
    return edited(path, lambda xml: row.sub(b'<row r="1">' + cells + b"</row>", xml))


def refused(path, *words):
    """Check that a file is refused in no time, naming it and the given words."""
    start = time.perf_counter()
    with pytest.raises(AnnotationError) as caught:
        read_sheet(path)
    assert time.perf_counter() - start < 5
    assert caught.value.exit_code == 2
    for word in (str(path), *words):
        assert word in str(caught.value)


class TestCells:
    @pytest.mark.parametrize(
        ("value", "clean"),
        [
            (" a ", "a"),
            ("\ufeffSubject", "Subject"),
            ("4\uff0c7", "4,7"),
            ("\u3000x\u3000y\u00a0", "x y"),
            ("\uff0f", "/"),
            ("\uff11\uff12", "12"),
            ("4\u30017", "4,7"),
            ("  ", None),
            ("", None),
            (None, None),
            (6.0, 6),
            (6.5, 6.5),
            (7, 7),
            (True, "TRUE"),
            ("惊讶", "惊讶"),
        ],
    )
    def test_has_one_form(self, value, clean):
        assert clean_cell(value) == clean
        assert type(clean_cell(value)) is type(clean)

    def test_no_float_is_too_odd(self):
        for value in (float("nan"), float("inf"), 1e300):
            assert isinstance(clean_cell(value), int | float)


class TestReadSheet:
    def test_rows_are_the_spreadsheets(self, xlsx):
        path = xlsx([[], ["006", 6, 6.5, None, "x"], [], [None, "y"]])
        rows = read_sheet(path)
        assert rows[1] == ["006", 6, 6.5, None, "x"]
        assert rows[3][:2] == [None, "y"]
        assert not any(rows[0])
        assert not any(rows[2])

    def test_first_sheet_that_holds_anything(self, xlsx):
        assert read_sheet(xlsx([["a"]], empty_sheet_first=True)) == [["a"]]

    def test_sheet_by_name_or_index(self, xlsx):
        path = xlsx([["a"]], sheet="MICRO_ONLY", empty_sheet_first=True)
        assert read_sheet(path, "micro_only ") == read_sheet(path, 1) == [["a"]]
        assert read_sheet(path, 0) == []

    @pytest.mark.parametrize("sheet", ["MICRO_ONYL", 2, -1])
    def test_no_such_sheet(self, xlsx, sheet):
        path = xlsx([["a"]], sheet="MICRO_ONLY", empty_sheet_first=True)
        with pytest.raises(AnnotationError, match="no sheet") as caught:
            read_sheet(path, sheet)
        if isinstance(sheet, str):
            assert "did you mean 'MICRO_ONLY'" in str(caught.value)

    def test_fault_13_formula_gives_its_saved_value(self, xlsx):
        path = xlsx([["=40+6"]])
        edited(path, lambda xml: xml.replace(b"<v />", b"<v>46</v>").replace(b"<v/>", b"<v>46</v>"))
        assert read_sheet(path) == [[46]]

    def test_shared_texts(self, xlsx):
        cells = b'<c r="A1" t="s"><v>1</v></c><c r="B1" t="s"><v>0</v></c><c r="C1"><v>6</v></c>'
        path = shared(xlsx([["a"]]), cells, [b"006", b"Subject "])
        assert read_sheet(path) == [["Subject", "006", 6]]

    def test_fault_18_formatting_far_below_the_table_is_ignored(self, xlsx):
        far = b'<row r="1048576"><c r="AMJ1048576" s="0"/></row></sheetData>'
        path = edited(xlsx([["a"]]), lambda xml: xml.replace(b"</sheetData>", far))
        assert read_sheet(path) == [["a"]]

    def test_pictures_do_not_matter(self, xlsx):
        path = edited(xlsx([["a"]]), lambda _: b"\x89PNG <!DOCTYPE", "xl/media/image1.png")
        assert read_sheet(path) == [["a"]]


# what a spreadsheet program can hold: no control characters; "=" begins a formula
texts = st.text(st.characters(codec="utf-8"), max_size=10).filter(
    lambda text: not ILLEGAL_CHARACTERS_RE.search(text) and text[:1] != "=" and "\r" not in text
)
numbers = st.integers(-(10**12), 10**12) | st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
tables = st.lists(st.lists(texts | numbers | st.booleans() | st.none(), max_size=4), max_size=4)


@settings(max_examples=50)
@given(tables)
def test_any_cells_come_back_in_their_clean_form(rows):
    clean = [[clean_cell(value) for value in row] for row in rows]
    filled = [i for i, row in enumerate(clean) if any(cell is not None for cell in row)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.xlsx"
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
        if not filled:
            with pytest.raises(AnnotationError, match="every sheet is empty"):
                read_sheet(path)
            return
        found = read_sheet(path)
    blank = [None] * 4
    for i in filled:
        assert [*found[i], *blank][:4] == [*clean[i], *blank][:4]


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8"), max_size=10), min_size=1)))
def test_any_texts_come_back_from_csv_in_their_clean_form(rows):
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(text.getvalue().encode())
        assert read_csv(path) == [[clean_cell(value) for value in row] for row in rows]


@given(st.binary(max_size=60) | st.text(st.sampled_from('a,"\n\r\0\ufeff='), max_size=20))
def test_any_bytes_are_rows_of_texts_or_refused(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        try:
            rows = read_csv(path)
        except AnnotationError as error:
            assert str(path) in str(error)
            return
    assert all(cell is None or cell == clean_cell(cell) for row in rows for cell in row)


class TestRefused:
    def test_absent(self, tmp_path):
        refused(tmp_path / "none.xlsx", "check that it exists")

    def test_folder(self, tmp_path):
        refused(tmp_path, "can't be read")

    def test_csv_under_another_name(self, tmp_path):
        path = tmp_path / "renamed.xlsx"
        path.write_text("Subject,Filename\n006,006_1_2\n")
        refused(path, "not an .xlsx", "save it as .xlsx")

    def test_old_or_encrypted(self, tmp_path):
        path = tmp_path / "locked.xlsx"
        path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
        refused(path, ".xls", "password")

    def test_zip_of_something_else(self, tmp_path):
        path = tmp_path / "photos.xlsx"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.txt", "a")
        refused(path, "not a readable .xlsx")

    def test_all_sheets_empty(self, xlsx):
        refused(xlsx([]), "every sheet is empty")

    @pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
    def test_cut_off(self, xlsx, kept):
        path = xlsx([["a"]])
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
        refused(path)

    def test_one_flipped_byte_anywhere(self, xlsx):
        path = xlsx([["a", 1]])
        whole = path.read_bytes()
        rng = random.Random(0)
        for _ in range(40):
            damaged = bytearray(whole)
            damaged[rng.randrange(len(whole))] ^= 0xFF
            path.write_bytes(damaged)
            try:
                assert read_sheet(path) == [["a", 1]]
            except AnnotationError as error:
                assert str(path) in str(error)

    def test_too_large_unpacked(self, xlsx):
        path = edited(xlsx([["a"]]), lambda xml: xml + b" " * workbook.MAX_UNPACKED_BYTES)
        assert path.stat().st_size < 100_000
        refused(path, "bytes unpacked", "exhaust memory")

    def test_ratio(self, xlsx):
        path = edited(xlsx([["a"]]), lambda xml: xml + b" " * 4_000_000)
        refused(path, "times its size", "exhaust memory")

    def test_size_in_the_archive_is_a_lie(self, xlsx, monkeypatch):
        monkeypatch.setattr(workbook, "MAX_UNPACKED_BYTES", 3_000_000)
        path = edited(xlsx([["a"]]), lambda xml: xml + b" " * 4_000_000)
        data = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = archive.getinfo(SHEET).file_size
        path.write_bytes(data.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little")))
        refused(path)

    def test_too_many_entries(self, xlsx):
        path = xlsx([["a"]])
        with zipfile.ZipFile(path, "a") as archive:
            for number in range(workbook.MAX_ENTRIES):
                archive.writestr(f"x{number}.xml", "<x/>")
        refused(path, "entries")

    def test_two_entries_of_one_name(self, xlsx):
        path = xlsx([["a"]])
        with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr(SHEET, "<x/>")
        refused(path, "ambiguous")

    def test_unusual_compression(self, xlsx):
        path = edited(xlsx([["a"]]), lambda xml: xml + b" ", compression=zipfile.ZIP_LZMA)
        refused(path, "compression")

    @pytest.mark.parametrize("address", [b"XFD1048576", b"A1048576", b"XFD1", b"A20001"])
    def test_two_cells_far_apart(self, xlsx, address):
        # a parser that trusts the addresses reserves room for all cells in between and dies
        path = edited(xlsx([["a", 1]]), lambda xml: xml.replace(b'r="B1"', b'r="%s"' % address))
        refused(path, "a cell in row", "exhaust memory")

    def test_far_cell_without_content_but_with_a_type(self, xlsx):
        far = b'<row r="1048576"><c r="AMJ1048576" t="str"/></row></sheetData>'
        path = edited(xlsx([["a"]]), lambda xml: xml.replace(b"</sheetData>", far))
        refused(path, "a cell in row")

    @pytest.mark.parametrize(
        "cell",
        [b"<c r='B1'", b'<c r = "B1"', b"<c", b'<c a=" r="B1""', b'<c r="B-1"', b'<c r="9"'],
    )
    def test_cell_without_a_plain_address(self, xlsx, cell):
        path = edited(xlsx([["a", 1]]), lambda xml: xml.replace(b'<c r="B1"', cell))
        refused(path, "without a plain address")

    def test_many_attributes_take_no_time(self, xlsx):
        many = b"<c" + b' r="B1"' * 100_000
        path = edited(xlsx([["a", 1]]), lambda xml: xml.replace(b'<c r="B1"', many))
        assert_quick_or_refused(path)

    def test_a_long_text_in_very_many_cells(self, xlsx):
        cells = b"".join(b'<c r="A%d" t="s"><v>0</v></c>' % row for row in range(1, 5000))
        path = shared(xlsx([["a"]]), cells, [b"x" * 30_000])
        refused(path, "exhaust memory")

    @pytest.mark.parametrize(
        "text", [b'<!DOCTYPE a [<!ENTITY b "ha">]>', b"<!-- -->", b"<![CDATA[x]]>"]
    )
    def test_entities_and_the_like(self, xlsx, text):
        path = edited(xlsx([["a"]]), lambda xml: xml.replace(b"<worksheet", text + b"<worksheet"))
        refused(path, "document type, entity")


def assert_quick_or_refused(path):
    start = time.perf_counter()
    try:
        read_sheet(path)
    except AnnotationError as error:
        assert str(path) in str(error)
    assert time.perf_counter() - start < 5
