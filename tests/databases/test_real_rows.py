"""Readers on values of real rows, and on the official tables rebuilt by facts."""

from collections import Counter

import pytest

from mer_keras.databases import registry
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.databases.labels import apply_scheme
from tests.databases import official
from tests.databases.trees import touch, write_xlsx


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The official tables side by side, as under MER_DATA."""
    root = tmp_path_factory.mktemp("official")
    official.write_samm(root / "SAMM")
    official.write_casme2(root / "CASME2", "2014")
    official.write_cas_me2(root / "CAS(ME)^2")
    official.write_smic(root / "SMIC")
    official.write_megc2019(root)
    return root


@pytest.fixture(scope="module")
def casme2_2019(tmp_path_factory):
    return official.write_casme2(tmp_path_factory.mktemp("2019") / "CASME2", "2019")


def lines_with(words, samples):
    return [line for line in samples.warnings if words in line]


class TestCasMe2:
    """A real row: 1,disgust2_3,699,703,707,NULL,others,micro-expression,disgust."""

    @pytest.fixture
    def row(self, data):
        table = registry.load("cas_me2", data / "CAS(ME)^2").table.set_index("sample_id")
        return table.loc["cas_me2/s15/disgust2_3"]

    def test_fault_45_the_three_labels_are_kept_apart(self, row):
        assert row["emotion"] == "others"
        assert row["self_report"] == "disgust"
        assert row["stimulus_emotion"] == "disgust"

    def test_frames_folder_and_action_units(self, row):
        assert (row["onset"], row["apex"], row["offset"]) == (699, 703, 707)
        assert row["path"].endswith("rawpic/s15/15_0102disgust2")
        assert row["action_units"] == ""

    @pytest.mark.parametrize(
        ("scheme", "counts", "differing"),
        [
            ("cas_me2_3", {"negative": 21, "positive": 8, "surprise": 9}, 0),
            (
                "cas_me2_self_report",
                {"disgust": 16, "happiness": 15, "surprise": 10, "anger": 8},
                0,
            ),
            ("meranet_cas_me2", {"happiness": 22, "disgust": 18, "anger": 17}, 1),
        ],
    )
    def test_fault_45_each_scheme_takes_the_label_that_it_names(
        self, data, scheme, counts, differing
    ):
        samples = registry.load("cas_me2", data / "CAS(ME)^2")
        assert not lines_with("other counts than printed", samples)
        labelled = apply_scheme(samples, get_scheme(scheme))
        assert Counter(labelled.table["label"]) == counts
        assert len(lines_with("differ from the published", labelled)) == differing

    def test_a_release_without_self_reports_says_what_the_scheme_lacks(self, data):
        from mer_keras.errors import AnnotationError

        samples = registry.load("cas_me2", data / "CAS(ME)^2")
        samples.table["self_report"] = ""
        with pytest.raises(AnnotationError, match=r"has no self-report \(57 such clip"):
            apply_scheme(samples, get_scheme("cas_me2_self_report"))


class TestCasme2:
    def test_fault_45_known_rows(self, data):
        table = registry.load("casme2", data / "CASME2").table.set_index("sample_id")
        marks = ["onset", "apex", "offset"]
        assert table.loc["casme2/sub04/EP12_01f", marks].isna().tolist() == [False, True, False]
        assert table.loc["casme2/sub05/EP09_05f", marks].tolist() == [69, 69, 123]

    def test_fault_46_the_second_workbook_of_2014_gives_the_classes(self, data):
        table = registry.load("casme2", data / "CASME2").table
        counts = Counter(table["objective_class"])
        assert [counts[n] for n in range(1, 8)] == [25, 15, 99, 26, 20, 1, 69]

    def test_fault_46_the_edition_of_2019_brings_its_own(self, casme2_2019):
        samples = registry.load("casme2", casme2_2019)
        counts = Counter(samples.table["objective_class"])
        assert [counts[n] for n in range(1, 8)] == [30, 18, 93, 15, 18, 2, 79]
        assert lines_with("its own objective classes are used", samples)
        (line,) = lines_with("other counts than printed", samples)
        assert "sadness 4 (printed: 7), surprise 28 (printed: 25)" in line
        labelled = apply_scheme(samples, get_scheme("objective5"))
        (line,) = lines_with("differ from the published", labelled)
        for words in ("happiness 30 (published: 25)", "anger 93 (published: 99)"):
            assert words in line

    def test_fault_46_where_two_sources_differ_it_is_remarked(self, tmp_path):
        header = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame"]
        header += ["Action Units", "Estimated Emotion", "Objective Classes"]
        rows = [[1, "EP02_01f", 46, 59, 86, "12", "happiness", 1]]
        rows += [[1, "EP03_02", 10, 20, 30, "4", "others", 3]]
        write_xlsx(tmp_path / "CASME2-coding-20190701.xlsx", [header, *rows])
        second = [["Subject", "Filename", "Objective Class"], ["01", "EP02_01f", 2]]
        write_xlsx(tmp_path / "CASME2-ObjectiveClasses.xlsx", [*second, ["01", "EP03_02", 3]])
        for _, clip, onset, *_ in rows:
            touch(tmp_path / "Cropped" / "sub01" / clip / f"reg_img{onset}.jpg")
        samples = registry.load("casme2", tmp_path)
        assert samples.table["objective_class"].tolist() == [1, 3]
        (line,) = lines_with("has other classes in", samples)
        assert line == "CASME2-ObjectiveClasses.xlsx has other classes in 1 row(s): 2"


class TestSamm:
    @pytest.mark.parametrize(("copy", "corrected"), [("1143", True), ("1113", False)])
    def test_fault_45_two_copies_of_the_table_give_the_same_apexes(self, tmp_path, copy, corrected):
        root = official.write_samm(tmp_path / "SAMM", copy=copy)
        table = registry.load("samm", root).table.set_index("clip")
        clips = table.loc[["028_4_1", "032_3_1"]]
        assert clips["apex"].tolist() == [1113, 4930]
        assert clips["corrected"].tolist() == [corrected, corrected]

    def test_counts_are_the_real_ones(self, data):
        samples = registry.load("samm", data / "SAMM")
        assert not lines_with("other counts than printed", samples)
        counts = Counter(samples.table["objective_class"])
        assert [counts[n] for n in range(1, 8)] == [24, 13, 20, 8, 3, 7, 84]


def test_megc_2019_is_the_challenges(data):
    samples = registry.load("megc2019", data / "MEGC2019")
    by_database = samples.table.groupby("database")
    assert by_database.size().to_dict() == {"casme2": 145, "samm": 133, "smic": 164}
    assert by_database["subject_id"].nunique().to_dict() == {"casme2": 24, "samm": 28, "smic": 16}
    assert not lines_with("other counts than printed", samples)


# Other databases, of which single values are known: names of files and lines.


def test_casme_frames_are_found_by_their_number(tmp_path):
    header = ["Subject", "Filename", None, "OnsetF", "ApexF1", "ApexF2", "OffsetF", None]
    header += ["Onset", "Total", "AU", "Emotion"]
    row = [1, "EP01_12", None, 73, 81, "\\", 91, None, 1, 2, "4+7", "tense"]
    write_xlsx(tmp_path / "CASME.xlsx", [header, row])
    touch(tmp_path / "Cropped" / "sub01" / "EP01_12" / "reg_EP01_12-73.jpg")
    (clip,) = registry.load("casme", tmp_path).table.to_dict("records")
    assert (clip["sample_id"], clip["onset"]) == ("casme/sub01/EP01_12", 73)


def test_the_real_label_of_ckplus(tmp_path):
    touch(tmp_path / "cohn-kanade-images/S005/001/S005_001_00000011.png")
    touch(tmp_path / "cohn-kanade-images/.DS_Store")
    label = b"   3.0000000e+00\n"
    touch(tmp_path / "Emotion/S005/001/S005_001_00000011_emotion.txt", label)
    assert registry.load("ckplus", tmp_path).table["emotion"].tolist() == ["disgust"]


def test_the_real_line_of_rafdb(tmp_path):
    touch(tmp_path / "basic/Image/aligned/train_00001_aligned.jpg")
    touch(tmp_path / "basic/EmoLabel/list_patition_label.txt", b"train_00001.jpg 5\n")
    assert registry.load("rafdb", tmp_path).table["emotion"].tolist() == ["sadness"]


def test_the_real_name_of_jaffe(tmp_path):
    touch(tmp_path / "KA.AN1.39.tiff")
    assert registry.load("jaffe", tmp_path).ids == ["jaffe/KA/AN1.39"]


def test_the_real_name_of_smic(tmp_path):
    for frame in ("image200010.jpg", "image200011.jpg"):
        touch(tmp_path / "SMIC_all_raw/HS/s01/micro/negative/s1_ne_01" / frame)
    (clip,) = registry.load("smic", tmp_path).table.to_dict("records")
    assert (clip["sample_id"], clip["onset"]) == ("smic/s01/s01_ne_01", 200_010)


def test_every_database_says_what_it_was_compared_with():
    assert all(database.compared_with for database in registry.DATABASES.values())
