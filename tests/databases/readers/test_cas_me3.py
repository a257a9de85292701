"""CAS(ME)^3, part A: numbers as text, names that repeat, offsets of 0."""

from mer_keras.databases import registry
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.databases.labels import apply_scheme
from tests.databases.trees import touch, write_xlsx

HEADER = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]
ROWS = [
    ["spNO.1", "a", "10", "15", "20", "4", "3", "sad"],
    ["spNO.1", "a", "310", "315", "320", "4+7", "7", "Others"],
    ["spNO.1", "a", "310", "315", "320", "4+7", "7", "Others"],
    ["spNO.1", "b", "10", "15", "0", "12", "1", "happy"],
    ["spNO.216", "a", "10", "15", "20", "12", "none", "happy"],
]


def write(root, rows=ROWS, colour="color/"):
    table = "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx"
    write_xlsx(root / table, [HEADER, *rows], sheet="label", empty_sheet_first=True)
    for subject, clip in {(row[0], row[1]) for row in rows}:
        touch(root / "part_A" / "data" / subject / clip / f"{colour}10.jpg")
    return root


def test_the_key_of_a_clip_holds_its_onset_where_names_repeat(tmp_path):
    samples = registry.load("cas_me3", write(tmp_path))
    assert samples.ids == [
        "cas_me3/spNO.1/a",
        "cas_me3/spNO.1/a@310",
        "cas_me3/spNO.1/b",
        "cas_me3/spNO.216/a",
    ]
    assert [e.reason for e in samples.excluded] == ["row stands twice"]
    assert samples.table["objective_class"].isna().tolist() == [False, False, False, True]
    assert samples.table["path"].str.endswith("/color").all()


def test_an_offset_of_zero_is_the_apex_and_what_is_from_memory_is_said(tmp_path):
    samples = registry.load("cas_me3", write(tmp_path))
    assert samples.table.set_index("clip").loc["b", "offset"] == 15
    assert any("offset 0, the apex stands in, in 1 row(s): 5" in w for w in samples.warnings)
    assert any("from memory" in w for w in samples.warnings)


def test_labels_are_those_of_other_databases(tmp_path):
    samples = registry.load("cas_me3", write(tmp_path, colour=""))
    labelled = apply_scheme(samples, get_scheme("cas_me3_6"))
    assert labelled.class_counts() == {"happiness": 2, "sadness": 1}
