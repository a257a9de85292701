"""The samples table's contract."""

import pandas as pd
import pytest

from mer_keras.databases.samples import Excluded, Samples, make_samples, validate
from mer_keras.errors import AnnotationError
from mer_keras.terms import SAMPLE_COLUMNS, DataKind


def row(**changes):
    return {
        "database": "samm",
        "subject": "006",
        "clip": "006_1_2",
        "path": "somewhere",
        "onset": 10,
        "apex": 15,
        "offset": 20,
        "emotion": " Anger ",
        "data_kind": DataKind.PUBLIC,
        **changes,
    }


def make(*rows):
    return make_samples(rows, source="table.xlsx")


class TestMakeSamples:
    def test_derives_ids_and_defaults(self):
        sample = make(row()).table.iloc[0]
        assert list(sample.index) == list(SAMPLE_COLUMNS)
        assert sample["sample_id"] == "samm/006/006_1_2"
        assert sample["subject_id"] == "samm/006"
        assert sample["emotion"] == "anger"
        assert sample["label"] == ""
        assert not sample["corrected"]

    def test_is_sorted_whatever_the_order(self):
        rows = [row(clip=clip) for clip in "cab"]
        assert make(*rows).ids == make(*reversed(rows)).ids == [f"samm/006/{c}" for c in "abc"]

    def test_frame_numbers_are_nullable_integers(self):
        table = make(row(apex=None), row(clip="b", onset=None, offset=None)).table
        assert [str(table[c].dtype) for c in ("onset", "apex", "offset")] == ["Int64"] * 3
        assert table["apex"].isna().tolist() == [True, False]

    def test_one_subject_name_in_two_databases_is_two_subjects(self):
        table = make(row(), row(database="casme2")).table
        assert table["subject_id"].nunique() == 2

    @pytest.mark.parametrize("key", ["database", "subject", "clip", "path", "emotion", "data_kind"])
    def test_missing_key(self, key):
        with pytest.raises(AnnotationError, match=f"has no {key}"):
            make(row(**{key: None}))

    def test_unknown_key(self):
        with pytest.raises(AnnotationError, match=r"unknown column.*'emotoin'"):
            make(row(emotoin="x"))

    @pytest.mark.parametrize("key", ["database", "subject", "clip"])
    def test_slash_in_a_part_of_the_id(self, key):
        with pytest.raises(AnnotationError, match="must not contain '/'"):
            make(row(**{key: "a/b"}))

    def test_no_rows(self):
        with pytest.raises(AnnotationError, match="no clip is left"):
            make()


class TestValidate:
    def test_duplicate_clip(self):
        with pytest.raises(AnnotationError, match="two rows for clip 'samm/006/006_1_2'") as caught:
            make(row(), row(emotion="happiness"))
        assert caught.value.exit_code == 2
        assert "table.xlsx" in str(caught.value)

    @pytest.mark.parametrize(
        ("frames", "words"),
        [
            ({"onset": 16}, "onset 16 after apex 15"),
            ({"apex": 21}, "apex 21 after offset 20"),
            ({"apex": None, "onset": 21}, "onset 21 after offset 20"),
        ],
    )
    def test_frames_out_of_order(self, frames, words):
        with pytest.raises(AnnotationError, match=words):
            make(row(**frames))

    def test_equal_frames_are_in_order(self):
        assert len(make(row(onset=15, offset=15)).table) == 1

    def test_column_absent(self):
        with pytest.raises(AnnotationError, match="lacks the column"):
            validate(make(row()).table.drop(columns="label"), "x")


class TestSamples:
    def test_one_kind_of_data(self):
        assert make(row()).data_kind is DataKind.PUBLIC
        mixed = make(row(), row(clip="b", data_kind=DataKind.SYNTHETIC))
        with pytest.raises(AnnotationError, match="one kind of data"):
            _ = mixed.data_kind

    def test_own_clips_are_never_called_licensed(self):
        own = row(clip="b", data_kind=DataKind.OWN)
        assert make(own).data_kind is DataKind.OWN
        assert make(row(data_kind=DataKind.LICENSED), own).data_kind is DataKind.OWN
        for other in (DataKind.SYNTHETIC, DataKind.PUBLIC):
            with pytest.raises(AnnotationError, match="one kind of data"):
                _ = make(row(data_kind=other), own).data_kind

    def test_digest_ignores_where_and_order_but_nothing_else(self):
        base = make(row(), row(clip="b")).digest()
        assert base == make(row(clip="b", path="elsewhere"), row()).digest()
        for changes in ({"apex": 16}, {"emotion": "fear"}, {"subject": "007"}, {"fps": 200.0}):
            assert base != make(row(**changes), row(clip="b")).digest()

    def test_class_counts(self):
        table = make(row(label="x"), row(clip="b", label="y"), row(clip="c", label="x")).table
        assert Samples(table).class_counts() == {"x": 2, "y": 1}

    def test_keeps_what_was_left_out(self):
        left_out = [Excluded("samm", "a", "no frames")]
        samples = make_samples([row()], source="x", excluded=left_out, warnings=["w"])
        assert samples.excluded == tuple(left_out)
        assert samples.warnings == ("w",)
        assert isinstance(samples.table, pd.DataFrame)
