"""MMEW's official layout, and what may be wrong with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.databases.loading import finish
from mer_keras.databases.readers import mmew
from mer_keras.errors import AnnotationError
from mer_keras.terms import DataKind


def read(root, kind=DataKind.LICENSED):
    return finish(mmew.read(root), kind)


def failure(root):
    with pytest.raises(AnnotationError) as caught:
        read(root)
    assert caught.value.exit_code == 2
    return str(caught.value)


class TestRead:
    def test_one_row_a_clip(self, mmew_tree):
        root = mmew_tree()
        samples = read(root)
        assert samples.ids == ["mmew/S01/S01-01-001", "mmew/S01/S01-02-001", "mmew/S13/S13-07-001"]
        first = samples.table.iloc[0]
        assert (first["onset"], first["apex"], first["offset"]) == (1, 4, 9)
        assert (first["fps"], first["subject"], first["emotion"]) == (90.0, "S01", "happiness")
        expected = root / "Micro_Expression" / "happiness" / "S01-01-001"
        assert first["path"] == str(expected.absolute())
        assert first["action_units"] == "6+12"
        assert samples.warnings == ()

    @pytest.mark.parametrize("rest", ["others", "other", "repression", "Others"])
    def test_folder_of_other_emotions(self, mmew_tree, rest):
        samples = read(mmew_tree(rest=rest))
        assert samples.table["emotion"].tolist()[-1] == "others"
        assert samples.table["path"].tolist()[-1].endswith(f"{rest}/S13-07-001")

    def test_frames_one_level_below(self, mmew_tree):
        assert len(read(mmew_tree(within="MMEW_Final")).table) == 3

    def test_headers_with_blanks_and_no_subject(self, mmew_tree):
        header = "No,Filename,Onset Frame,Apex Frame,Offset Frame,AU,Estimated Emotion,remarks"
        assert len(read(mmew_tree(header=header)).table) == 3

    @pytest.mark.parametrize("subject", [1, 1.0, "1", "01", "S01", "sub01", None])
    def test_subject_column_that_agrees(self, mmew_tree, mmew_with, subject):
        samples = read(mmew_tree(mmew_with(0, 0, subject)))
        assert samples.warnings == ()
        assert samples.table["subject"].tolist()[0] == "S01"

    @pytest.mark.parametrize("subject", [2, "S11", "x"])
    def test_subject_column_that_differs_is_reported(self, mmew_tree, mmew_with, subject):
        samples = read(mmew_tree(mmew_with(0, 0, subject)))
        assert samples.table["subject"].tolist()[0] == "S01"
        (warning,) = samples.warnings
        assert "Subject differs" in warning
        assert warning.endswith("1 row(s): 2")

    def test_missing_apex(self, mmew_tree, mmew_with):
        samples = read(mmew_tree(mmew_with(0, 3, "/")))
        assert samples.table["apex"].isna().sum() == 1
        assert "no apex frame" in samples.warnings[0]

    def test_macro_expressions_are_not_read(self, mmew_tree):
        root = mmew_tree()
        (root / "Macro_Expression" / "S01" / "anger").mkdir(parents=True)
        samples = read(root)
        assert len(samples.table) == 3
        assert samples.warnings == ()

    def test_folder_without_a_row(self, mmew_tree):
        root = mmew_tree()
        (root / "Micro_Expression" / "fear" / "S02-05-001").mkdir(parents=True)
        assert read(root).warnings[0].startswith("1 clip folder(s) have no row")


class TestFaults:
    def test_no_frames_folder(self, mmew_tree):
        root = mmew_tree()
        (root / "Micro_Expression").rename(root / "elsewhere")
        message = failure(root)
        assert "Micro_Expression" in message
        assert str(root) in message

    def test_no_table(self, mmew_tree):
        root = mmew_tree()
        (root / "MMEW_Micro_Exp.xlsx").unlink()
        assert "expected the annotation table 'MMEW_Micro_Exp.xlsx'" in failure(root)

    def test_missing_column(self, mmew_tree):
        header = "Subject,Filename,OnsetFrame,Apex,Offset_Frme,AU,Estimated Emotion"
        message = failure(mmew_tree(header=header))
        assert "no column 'OffsetFrame' (did you mean 'Offset_Frme'?)" in message

    @pytest.mark.parametrize("clip", ["S1", "006_1_2", "../S01-01-001", "S01-01", "x/S01-01-001"])
    def test_clip_name_of_another_form(self, mmew_tree, mmew_with, clip):
        assert "row 2, column 'Filename'" in failure(mmew_tree(mmew_with(0, 1, clip)))

    @pytest.mark.parametrize("emotion", ["../happiness", "a/b", None])
    def test_emotion_that_is_no_folder_name(self, mmew_tree, mmew_with, emotion):
        assert "row 2, column 'Estimated Emotion'" in failure(mmew_tree(mmew_with(0, 6, emotion)))

    def test_folder_under_another_emotion(self, mmew_tree, mmew_with):
        message = failure(mmew_tree(mmew_with(0, 6, "fear")))
        assert "row 2, column 'Estimated Emotion': 'fear'" in message
        assert "expected one emotion a clip" in message

    def test_clip_folder_absent(self, mmew_tree, mmew_with):
        root = mmew_tree(mmew_with(0, 1, "S01-01-009"))
        message = failure(root)
        assert str(root / "Micro_Expression" / "happiness" / "S01-01-009") in message
        assert "is absent" in message

    def test_duplicate_clip(self, mmew_tree, mmew_with):
        rows = mmew_with(0, 0, 1)
        assert "two rows for clip 'mmew/S01/S01-01-001'" in failure(mmew_tree([*rows, rows[0]]))

    def test_frames_out_of_order(self, mmew_tree, mmew_with):
        assert "apex 10 after offset 9" in failure(mmew_tree(mmew_with(0, 3, 10)))


@given(st.text("S0123456789-s a\u0661") | st.from_regex(mmew._CLIP))
def test_subjects_are_in_the_clips_name_or_refused(clip):
    try:
        subject = mmew.subject_of(clip, "table.xlsx: row 2")
    except AnnotationError as error:
        assert "table.xlsx: row 2" in str(error)
        return
    assert clip.upper().startswith(f"{subject}-")
    assert subject[1:].isascii() and subject[1:].isdigit()
