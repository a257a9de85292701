"""The table of a file: which sheet of a workbook holds it."""

import pytest

from mer_keras.databases import registry
from mer_keras.databases.sheets import read_table
from mer_keras.errors import AnnotationError
from tests.databases.trees import touch, write_book

COLUMNS = {"Subject": (), "Filename": ("clip",), "Emotion": ("label",)}
HEADER = ["Subject", "clip", "label"]
TABLE = [HEADER, ["p1", "a", "fear"], ["p2", "b", "anger"]]
NOTES = [["Subjects were paid."], ["Emotion", "meaning"], ["fear", "a threat"]]
READ = "t.xlsx: read from its sheet 'Clips'"


def read(tmp_path, sheets, **options):
    rows, remarks = read_table(write_book(tmp_path / "t.xlsx", sheets), COLUMNS, **options)
    return [row.text("Filename") for row in rows], remarks


@pytest.mark.parametrize(
    ("sheets", "official", "remarks"),
    [
        ({"Clips": TABLE}, None, []),
        ({"Clips": TABLE, "Notes": NOTES, "Sheet3": []}, None, []),
        ({"Empty": [], "Clips": TABLE}, None, []),
        ({"Notes": NOTES, "Clips": TABLE}, None, [READ]),
        ({"Notes": NOTES, "More": NOTES, "Clips": TABLE}, None, [READ]),
        ({"Old": TABLE[:2], "Clips": TABLE}, "clips ", []),
        ({"Clips": TABLE}, "label", []),
        ({"Notes": NOTES, "Clips": TABLE}, "label", [READ]),
    ],
)
def test_fault_46_the_sheet_that_has_the_columns_is_read_and_named(
    tmp_path, sheets, official, remarks
):
    assert read(tmp_path, sheets, sheet=official) == (["a", "b"], remarks)


def test_fault_46_other_sheets_that_have_the_columns_are_named(tmp_path):
    clips, (remark,) = read(tmp_path, {"Notes": NOTES, "Monday": TABLE, "Tuesday": TABLE[:2]})
    assert clips == ["a", "b"]
    assert remark.endswith("sheet 'Monday' alone; not read, with the same columns: 'Tuesday'")


def test_fault_49_where_no_sheet_has_them_the_nearest_is_named_with_all_others(tmp_path):
    table = [["Subject", "clip", "labels"], *TABLE[1:]]
    with pytest.raises(AnnotationError) as caught:
        read(tmp_path, {"Notes": NOTES, "Clips": table})
    for words in (
        "no column 'Emotion'",
        "found 'Subject', 'clip', 'labels'",
        "(sheet 'Clips'; the workbook has 'Notes', 'Clips')",
    ):
        assert words in str(caught.value)


def test_text_is_read_like_a_workbook(tmp_path):
    (tmp_path / "t.csv").write_text("Subject;clip;label\np1;a;fear\n")
    ((row,), remarks) = read_table(tmp_path / "t.csv", COLUMNS)
    assert (row.text("Filename"), row.number, remarks) == ("a", 2, [])


def test_fault_76_own_clips_on_the_second_sheet(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_CONFIG", str(tmp_path / "config"))
    touch(tmp_path / "lab" / "a" / "1.png")
    rows = [["sample", "subject", "path", "emotion"], ["a", "p1", "a", "fear"]]
    table = write_book(tmp_path / "lab" / "clips.xlsx", {"Protocol": NOTES, "Clips": rows})
    samples = registry.add(table)
    assert samples.ids == ["lab/p1/a"]
    assert samples.warnings == ("clips.xlsx: read from its sheet 'Clips'",)


def test_fault_46_an_official_table_behind_a_sheet_of_notes(tmp_path):
    header = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units"]
    rows = [[*header, "Estimated Emotion"], [1, "EP02_01f", 46, 59, 86, "4+L10", "disgust"]]
    sheets = {"About": [["Coded by two coders."]], "Sheet1": rows}
    write_book(tmp_path / "CASME2-coding-20140508.xlsx", sheets)
    touch(tmp_path / "Cropped/sub01/EP02_01f/reg_img46.jpg")
    samples = registry.load("casme2", tmp_path)
    assert samples.ids == ["casme2/sub01/EP02_01f"]
    assert "CASME2-coding-20140508.xlsx: read from its sheet 'Sheet1'" in samples.warnings
