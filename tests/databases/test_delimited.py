"""Tables as text, in whatever dialect a program wrote them."""

import csv
import io
from pathlib import Path

import pytest

from mer_keras.clips.footage import open_footage
from mer_keras.databases import delimited, registry
from mer_keras.databases.delimited import Limits, find_dialect, read_csv
from mer_keras.databases.readers import fer2013
from mer_keras.databases.tables import rows_without_header
from mer_keras.errors import AnnotationError
from tests.databases.trees import touch, write_xlsx

ROWS = [
    ["sample", "subject", "path", "emotion", "action_units"],
    ["a", "p1", "clips/a", "fear", "4+7"],
    ["b, again", "p2", "clips/b", "Überraschung", "1,2"],
    ["c", "p2", "clips/c", "微笑", None],
]


COLUMNS = {"database": ("dataset",), "subject": (), "clip": ("video",), "label": ()}


def text_of(rows, delimiter, end="\r\n"):
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_fault_48_76_any_dialect_gives_the_same_rows(tmp_path, delimiter, encoding):
    file = tmp_path / "t.csv"
    file.write_bytes(text_of(ROWS, delimiter).encode(encoding))
    assert read_csv(file) == ROWS


def test_fault_48_commas_in_cells_do_not_make_columns(tmp_path):
    """A country's decimal commas in a table of semicolons."""
    rows = [["sample", "fps"], ["a", "29,97"], ["b", "25,5"], ["c", "30,0"]]
    (tmp_path / "t.csv").write_text(text_of(rows, ";"))
    assert read_csv(tmp_path / "t.csv") == rows


def test_the_line_that_names_the_separator_keeps_the_rows_numbers(tmp_path):
    (tmp_path / "t.csv").write_text("sep=;\r\n" + text_of(ROWS, ";"))
    assert read_csv(tmp_path / "t.csv") == [[], *ROWS]


@pytest.mark.parametrize("content", [b"\x80\x81\x82,a", "Gr\xfc\xdfe;a".encode("latin-1")])
def test_an_unknown_encoding_is_said_to_be_one(tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(AnnotationError, match=r"UTF-8 or UTF-16.*save it again as CSV"):
        read_csv(tmp_path / "t.csv")


def test_a_workbook_under_another_name_is_said_to_be_one(tmp_path):
    write_xlsx(tmp_path / "t.xlsx", ROWS).rename(tmp_path / "t.csv")
    with pytest.raises(AnnotationError, match="a workbook or an archive under another name"):
        read_csv(tmp_path / "t.csv")


class TestFer2013:
    """The one database that is a table of text."""

    PIXELS = (" ".join(["7"] * 2304), " ".join(["9"] * 2304))

    def write(self, root, header, delimiter=",", encoding="utf-8", name="fer2013.csv"):
        values = [("3", "Training"), ("0", "PublicTest")]
        rows = [
            {"emotion": emotion, "pixels": pixels, "Usage": part}
            for (emotion, part), pixels in zip(values, self.PIXELS, strict=True)
        ]
        lines = [header, *([row[title.strip()] for title in header] for row in rows)]
        root.mkdir(exist_ok=True)
        (root / name).write_bytes(text_of(lines, delimiter).encode(encoding))
        return root

    @pytest.mark.parametrize(
        ("header", "delimiter", "encoding", "name"),
        [
            (["emotion", " Usage", " pixels"], ",", "utf-8", "icml_face_data.csv"),
            (["Usage", "pixels", "emotion"], ";", "utf-16", "fer2013.csv"),
            (["pixels", "emotion", "Usage"], "\t", "utf-8-sig", "FER2013.csv"),
        ],
    )
    def test_fault_48_columns_are_found_by_name(self, tmp_path, header, delimiter, encoding, name):
        root = self.write(tmp_path / "fer", header, delimiter, encoding, name)
        reading = fer2013.read(root)
        assert [clip.emotion for clip in reading.clips] == ["happiness", "anger"]
        # The pictures are those of the same columns.
        pixels = open_footage(reading.source).pixels
        assert pixels[:, 0, 0].tolist() == [7, 9]

    def test_fault_49_other_tables_are_named(self, tmp_path):
        touch(tmp_path / "fer" / "fer_test.csv")
        with pytest.raises(AnnotationError, match=r"found fer_test\.csv"):
            fer2013.read(tmp_path / "fer")

    def test_a_dialect_is_told_by_the_first_bytes(self):
        for delimiter in ",;\t":
            start = delimiter.join(["emotion", "pixels", "Usage"]).encode("utf-16") + b"\n\0" * 3000
            assert find_dialect(Path("t.csv"), start[:4000]) == ("utf-16", delimiter)


class TestUnexpectedHeader:
    """Tables that officially have none: the challenge's, and CAS(ME)^2's."""

    def read(self, *rows):
        return rows_without_header(rows, COLUMNS, Path("t.csv"))

    def test_without_one_cells_are_in_their_order(self):
        (row,) = self.read(["samm", "6", "006_1_2", "0"])
        assert (row.text("database"), row.text("label"), row.number) == ("samm", "0", 1)

    def test_fault_48_with_one_they_are_found_by_it(self):
        header = ["label", "Video", "dataset", "Subject", "remarks"]
        (row,) = self.read(header, ["0", "006_1_2", "samm", "6", "x"])
        assert [row.text(name) for name in COLUMNS] == ["samm", "6", "006_1_2", "0"]
        assert row.number == 2

    def test_fault_48_one_that_lacks_a_column_is_named(self):
        with pytest.raises(AnnotationError, match=r"no column 'clip'.*found 'database', 'subject'"):
            self.read(["database", "subject", "klass", "label"], ["samm", "6", "x", "0"])

    def test_fault_48_the_stimuli_of_cas_me2_may_have_one(self, tmp_path):
        from tests.databases.test_archives import CAS_ME2, write

        ((name, sheets),) = CAS_ME2.items()
        header = ["self-report", "Filename", "onset", "apex", "offset", "type"]
        header += ["estimated emotion", "participant"]
        row = ["disgust", "disgust2_3", 699, 703, 707, "micro-expression", "others", 1]
        root = write(
            tmp_path / "c",
            {
                name: sheets | {"a": [header, row]},
                "rawpic/s15/15_0102eatingworms/img699.jpg": "x",
            },
        )
        table = registry.load("cas_me2", root).table.iloc[0]
        assert (table["emotion"], table["self_report"]) == ("others", "disgust")


class TestLimits:
    def test_a_table_is_as_long_as_its_reader_allows(self, tmp_path):
        (tmp_path / "t.csv").write_text("a,b\n" * 12)
        assert len(read_csv(tmp_path / "t.csv", Limits(rows=12))) == 12
        with pytest.raises(AnnotationError, match="more than 11 rows"):
            read_csv(tmp_path / "t.csv", Limits(rows=11))
        with pytest.raises(AnnotationError, match="larger than 40 bytes"):
            read_csv(tmp_path / "t.csv", Limits(file_bytes=40))

    @pytest.mark.parametrize("row", ["," * 1001, '"a\n",' * 201])
    def test_fault_65_a_row_without_an_end_is_refused_while_it_is_read(
        self, tmp_path, monkeypatch, row
    ):
        monkeypatch.setattr(delimited, "_MOST_CHARACTERS_OF_ROW", 1000)
        (tmp_path / "t.csv").write_text(f"a,b\n{row}\n")
        with pytest.raises(AnnotationError, match="a row of more than 1,000 characters"):
            read_csv(tmp_path / "t.csv")

    def test_a_text_that_many_rows_share_is_one_object(self, tmp_path):
        (tmp_path / "t.csv").write_text("sample,subject\na, person one\nb, person one\n")
        _, first, second = read_csv(tmp_path / "t.csv")
        assert first[1] is second[1] and first[1] == "person one"

    @pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
    def test_a_cell_may_hold_the_end_of_a_line(self, tmp_path, end):
        cells = [f"a{end}b", "c"]
        (tmp_path / "t.csv").write_bytes(text_of([cells, ["d", "e"]], ",", end).encode())
        assert read_csv(tmp_path / "t.csv") == [cells, ["d", "e"]]
