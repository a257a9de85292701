"""The public optical-flow set: a made-up tree, and the real one where it is present."""

import pytest

from mer_keras.databases import registry
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.databases.labels import apply_scheme
from mer_keras.databases.loading import finish
from mer_keras.databases.readers import megc2019_flow
from mer_keras.errors import AnnotationError
from mer_keras.terms import DataKind


def read(root):
    return finish(megc2019_flow.read(root), DataKind.PUBLIC)


def failure(root):
    with pytest.raises(AnnotationError) as caught:
        read(root)
    assert caught.value.exit_code == 2
    return str(caught.value)


class TestRead:
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_one_row_a_clip(self, flow_tree, end):
        root = flow_tree(end=end)
        samples = read(root)
        assert samples.ids == [
            "casme2/sub01/EP02_01f",
            "samm/006/006_1_2",
            "smic/s01/s01_sur_01",
        ]
        assert samples.table["path"].tolist()[0] == str((root / "images" / "a.png").absolute())
        assert samples.table[["onset", "apex", "offset", "fps"]].isna().all().all()
        assert samples.data_kind is DataKind.PUBLIC
        labelled = apply_scheme(samples, get_scheme("megc3"))
        assert labelled.table["label"].tolist() == ["positive", "negative", "surprise"]

    def test_fault_12_byte_order_mark_and_other_columns(self, flow_tree):
        rows = ["images/a.png,x,casme2,sub01,EP02_01f,Positive"]
        root = flow_tree(rows, header="\ufeffImage,more,Database,Subject,Clip,Emotion")
        assert read(root).table["emotion"].tolist() == ["positive"]

    def test_samm_subjects_with_and_without_zeros_are_one(self, flow_tree):
        rows = ["samm,6,006_1_2,negative,images/a.png", "samm,006,006_1_3,negative,images/b.png"]
        assert read(flow_tree(rows)).table["subject_id"].unique().tolist() == ["samm/006"]


class TestFaults:
    def test_no_table(self, flow_tree):
        root = flow_tree()
        (root / "samples.csv").unlink()
        assert str(root / "samples.csv") in failure(root)

    def test_not_text(self, flow_tree):
        root = flow_tree()
        (root / "samples.csv").write_bytes(b"PK\x03\x04\xff\xfe\x00")
        assert "comma-separated" in failure(root)

    def test_missing_column(self, flow_tree):
        message = failure(flow_tree(header="database,subject,clip,emotoin,image"))
        assert "no column 'emotion' (did you mean 'emotoin'?)" in message
        assert "samples.csv" in message

    def test_unknown_database(self, flow_tree):
        message = failure(flow_tree(["casme,sub01,a,positive,images/a.png"]))
        assert "row 2, column 'database': 'casme' (did you mean 'casme2'?)" in message

    def test_image_absent(self, flow_tree):
        root = flow_tree(["casme2,sub01,a,positive,images/z.png"])
        message = failure(root)
        assert str(root / "images" / "z.png") in message
        assert "samples.csv" in message

    @pytest.mark.parametrize(
        "image",
        [
            "../a.png",
            "images/../../a.png",
            "/etc/passwd",
            "images\\..\\..\\a.png",
            "C:/a.png",
            "",
            "images/",
        ],
    )
    def test_image_elsewhere(self, flow_tree, image):
        message = failure(flow_tree([f"casme2,sub01,a,positive,{image}"]))
        assert "row 2, column 'image'" in message

    def test_link_out_of_the_root(self, flow_tree, tmp_path):
        root = flow_tree()
        (tmp_path / "a.png").write_bytes(b"x")
        (root / "images" / "a.png").unlink()
        (root / "images" / "a.png").symlink_to(tmp_path / "a.png")
        assert "leads out of" in failure(root)

    def test_fault_52_images_that_are_linked_to_another_disk_are_read(self, flow_tree, tmp_path):
        root = flow_tree()
        (root / "images").rename(tmp_path / "disk")
        (root / "images").symlink_to(tmp_path / "disk")
        (tmp_path / "linked").symlink_to(root)
        assert len(registry.load("megc2019_flow", tmp_path / "linked").table) == 3

    def test_duplicate_clip(self, flow_tree):
        row = "casme2,sub01,a,positive,images/a.png"
        assert "two rows for clip 'casme2/sub01/a'" in failure(flow_tree([row, row]))


@pytest.mark.flow
def test_real_set():
    if registry.find("megc2019_flow") is None:
        pytest.skip("megc2019_flow is not under MER_DATA")
    samples = apply_scheme(registry.load("megc2019_flow"), get_scheme("megc3"))
    assert len(samples.table) == 442
    assert samples.table["subject_id"].nunique() == 68
    assert samples.class_counts() == {"negative": 250, "positive": 109, "surprise": 83}
    per_database = samples.table["database"].value_counts().to_dict()
    assert per_database == {"smic": 164, "casme2": 145, "samm": 133}
    assert samples.warnings == ()
    assert samples.excluded == ()
    assert samples.data_kind is DataKind.PUBLIC
