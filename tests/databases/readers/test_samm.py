"""SAMM's official layout, and what may be wrong with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.config.data import Policies
from mer_keras.databases import registry
from mer_keras.databases.loading import finish
from mer_keras.databases.readers import samm
from mer_keras.errors import AnnotationError
from mer_keras.terms import DataKind


def read(root, kind=DataKind.LICENSED):
    return finish(samm.read(root), kind)


def failure(root):
    with pytest.raises(AnnotationError) as caught:
        read(root)
    assert caught.value.exit_code == 2
    return str(caught.value)


class TestRead:
    def test_one_row_a_clip(self, samm_tree):
        root = samm_tree()
        samples = read(root)
        table = samples.table.set_index("clip")
        assert samples.ids == ["samm/006/006_1_2", "samm/006/006_1_3", "samm/007/007_3_1"]
        first = table.loc["006_1_2"]
        assert (first["onset"], first["apex"], first["offset"]) == (562, 588, 600)
        assert (first["fps"], first["subject"], first["emotion"]) == (200.0, "006", "anger")
        assert first["path"] == str((root / "006" / "006_1_2").absolute())
        assert table["action_units"].to_dict() == {
            "006_1_2": "R14+17",
            "006_1_3": "6+12",
            "007_3_1": "4",
        }
        assert samples.data_kind is DataKind.LICENSED
        assert samples.warnings == ()
        assert samples.excluded == ()

    def test_kind_of_data_is_the_callers(self, samm_tree):
        assert read(samm_tree(), DataKind.SYNTHETIC).data_kind is DataKind.SYNTHETIC

    @pytest.mark.parametrize("text", [[], [["only one line"]], [[]] * 40])
    def test_fault_10_any_number_of_text_rows(self, samm_tree, text):
        assert len(read(samm_tree(text=text)).table) == 3

    def test_dated_release(self, samm_tree):
        samples = read(samm_tree(name="SAMM_20181215_Micro_FACS_Codes_v2.xlsx"))
        assert samples.warnings == ()

    def test_release_of_another_name_is_reported(self, samm_tree):
        (warning,) = read(samm_tree(name="SAMM_Micro_FACS_Codes_v3.xlsx")).warnings
        assert warning == "annotations read from SAMM_Micro_FACS_Codes_v3.xlsx"

    def test_two_releases(self, samm_tree):
        samm_tree(name="SAMM_Micro_FACS_Codes_v3.xlsx")
        (warning,) = read(samm_tree()).warnings
        assert warning.startswith("annotations read from SAMM_Micro_FACS_Codes_v2.xlsx, not from")

    def test_lock_file_of_an_open_spreadsheet(self, samm_tree):
        root = samm_tree(name="SAMM_FACS.xlsx")
        (root / "~$SAMM_FACS.xlsx").write_bytes(b"x")
        assert len(read(root).table) == 3

    @pytest.mark.parametrize("subject", ["6", 6, 6.0, " 006 ", "６"])
    def test_subject_however_written(self, samm_tree, samm_with, subject):
        assert "samm/006/006_1_2" in read(samm_tree(samm_with(0, 0, subject))).ids

    @pytest.mark.parametrize("apex", ["/", None, "\\"])
    def test_missing_apex(self, samm_tree, samm_with, apex):
        samples = read(samm_tree(samm_with(1, 4, apex)))
        assert samples.table["apex"].isna().tolist() == [False, True, False]
        (warning,) = samples.warnings
        assert warning.endswith("no apex frame in 1 row(s): 16")
        assert "006" not in warning

    def test_onset_is_offset(self, samm_tree, samm_with):
        rows = samm_with(1, 3, 740)
        rows[1][4] = 740
        (warning,) = read(samm_tree(rows)).warnings
        assert warning.endswith("onset and offset are one frame in 1 row(s): 16")

    def test_folder_without_a_row(self, samm_tree):
        root = samm_tree()
        (root / "007" / "007_9_9").mkdir()
        (root / "__MACOSX" / "SAMM").mkdir(parents=True)
        (warning,) = read(root).warnings
        assert warning.startswith("1 clip folder(s) have no row")

    def test_nothing_is_written(self, samm_tree):
        root = samm_tree()
        before = sorted((p, p.stat().st_mtime_ns) for p in root.rglob("*"))
        read(root)
        assert before == sorted((p, p.stat().st_mtime_ns) for p in root.rglob("*"))


class TestFaults:
    def test_no_table(self, samm_tree):
        root = samm_tree()
        (root / "SAMM_Micro_FACS_Codes_v2.xlsx").unlink()
        message = failure(root)
        assert str(root) in message
        assert "SAMM_Micro_FACS_Codes_v2.xlsx" in message

    def test_several_unknown_tables(self, samm_tree):
        samm_tree(name="SAMM_FACS_a.xlsx")
        assert "keep one" in failure(samm_tree(name="SAMM_FACS_b.xlsx"))

    def test_fault_01_missing_column(self, samm_tree):
        header = "Subject,Filename,Code,Onset Frame,Apex Frme,Offset Frame,D,M,AU,Estimated Emotion"
        message = failure(samm_tree(header=header))
        for words in (
            "SAMM_Micro_FACS_Codes_v2.xlsx",
            "no column 'Apex Frame'",
            "did you mean 'Apex Frme'",
            "row 14",
        ):
            assert words in message

    def test_duplicate_clip(self, samm_tree, samm_with):
        message = failure(samm_tree(samm_with(1, 1, "006_1_2")))
        assert "two rows for clip 'samm/006/006_1_2'" in message

    def test_one_clip_with_two_labels(self, samm_tree, samm_with):
        rows = samm_with(0, 0, "006")
        message = failure(samm_tree([*rows, [*rows[0][:9], "Fear", 3, None]]))
        assert "two rows for clip" in message

    @pytest.mark.parametrize(("column", "frame"), [(3, 590), (4, 601), (5, 561)])
    def test_frames_out_of_order(self, samm_tree, samm_with, column, frame):
        message = failure(samm_tree(samm_with(0, column, frame)))
        assert "row 15:" in message
        assert "expected onset <= apex <= offset" in message

    @pytest.mark.parametrize(
        ("column", "name", "value"),
        [
            (3, "Onset Frame", "5x"),
            (3, "Onset Frame", "/"),
            (4, "Apex Frame", "about 588"),
            (5, "Offset Frame", -3),
            (5, "Offset Frame", None),
            (0, "Subject", "sub06"),
            (0, "Subject", 0),
            (0, "Subject", 1000),
            (0, "Subject", "../7"),
            (0, "Subject", None),
            (1, "Filename", "../../etc"),
            (1, "Filename", "/etc"),
            (1, "Filename", "C:\\clips"),
            (1, "Filename", None),
            (9, "Estimated Emotion", None),
        ],
    )
    def test_bad_cell(self, samm_tree, samm_with, column, name, value):
        message = failure(samm_tree(samm_with(0, column, value)))
        assert f"SAMM_Micro_FACS_Codes_v2.xlsx: row 15, column {name!r}" in message
        assert "expected" in message

    def test_clip_folder_absent(self, samm_tree, samm_with):
        root = samm_tree(samm_with(2, 1, "007_3_2"))
        message = failure(root)
        for words in (
            str(root / "007" / "007_3_2"),
            "is absent",
            "1 of 3",
            "<subject>_<frame>.jpg",
        ):
            assert words in message

    @pytest.mark.parametrize("left", [None, "Thumbs.db", "._006_00562.jpg"])
    def test_clip_folder_without_an_image(self, samm_tree, left):
        root = samm_tree()
        folder = root / "006" / "006_1_2"
        for file in folder.iterdir():
            file.unlink()
        if left:
            (folder / left).write_bytes(b"x")
        message = failure(root)
        assert f"{folder} holds no image" in message
        assert "unpack the database completely" in message

    def test_fault_17_link_out_of_the_root(self, samm_tree, tmp_path):
        root = samm_tree()
        outside = tmp_path / "outside"
        (root / "006" / "006_1_2").rename(outside)
        (root / "006" / "006_1_2").symlink_to(outside)
        message = failure(root)
        assert "leads out of" in message
        assert "row 15" in message

    def test_link_to_itself(self, samm_tree):
        root = samm_tree()
        (root / "007" / "007_3_1").rename(root / "kept")
        (root / "007" / "007_3_1").symlink_to(root / "007" / "007_3_1")
        failure(root)

    def test_the_root_itself_may_be_a_link(self, samm_tree, tmp_path):
        link = tmp_path / "link"
        link.symlink_to(samm_tree())
        assert read(link).table["path"].str.startswith(str(link)).all()


@given(st.integers(1, 999))
def test_subject_numbers(number):
    expected = f"{number:03d}"
    for value in (number, float(number), str(number), expected, f"{number}.0"):
        assert samm.normalise_subject(value, "cell") == expected


@given(st.text("0123456789./\\- sub\0\u0664\uff16") | st.integers() | st.floats() | st.none())
def test_subjects_have_three_digits_or_are_refused(value):
    try:
        subject = samm.normalise_subject(value, "cell")
    except AnnotationError:
        return
    assert len(subject) == 3
    assert subject.isascii()
    assert subject.isdigit()
    assert subject != "000"


@pytest.mark.slow
def test_stray_apexes_are_corrected_or_refused_or_left_out(sketched):
    samples = registry.load("samm", sketched("samm"))
    table = samples.table.set_index("clip")
    assert table.loc[["028_4_1", "032_3_1"], "apex"].tolist() == [1113, 4930]
    assert table.loc[["028_4_1", "032_3_1"], "corrected"].all()
    with pytest.raises(AnnotationError, match=r"row \d+: onset \d+ after apex 1930") as caught:
        registry.load("samm", sketched("samm"), corrections=False)
    assert "data.policies.frame_order=exclude" in str(caught.value)
    policy = Policies(frame_order="exclude")
    kept = registry.load("samm", sketched("samm"), corrections=False, policies=policy)
    assert "032/032_3_1" in {e.clip for e in kept.excluded}
    assert len(kept.table) + len(kept.excluded) == 159


def test_clips_without_an_apex_can_be_left_out(samm_tree, samm_with):
    root = samm_tree(samm_with(1, 4, "/"))
    samples = registry.load("samm", root, policies=Policies(apex="exclude"))
    assert {e.reason for e in samples.excluded} == {"apex not annotated"}
    assert len(samples.table) == 2


@pytest.mark.slow
def test_corrections_change_the_digest(sketched):
    policy = Policies(frame_order="exclude")
    one = registry.load("samm", sketched("samm"), policies=policy)
    other = registry.load("samm", sketched("samm"), corrections=False, policies=policy)
    assert one.digest() != other.digest()
