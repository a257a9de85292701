"""The public flow set in the layouts of its publishers, and near misses."""

import pytest

from mer_keras.databases import registry
from mer_keras.databases.loading import finish
from mer_keras.databases.readers import megc2019_flow
from mer_keras.databases.readers.published_flow import ClipName, clip_name, listed_root, parts_of
from mer_keras.errors import AnnotationError
from mer_keras.terms import DataKind
from tests.databases.published_flow import CLIPS, divided, flat, stem_of, write_table
from tests.databases.trees import touch


def read(root):
    return finish(megc2019_flow.read(root), DataKind.PUBLIC)


def failure(root):
    with pytest.raises(AnnotationError) as caught:
        read(root)
    assert caught.value.exit_code == 2
    return str(caught.value)


def check(samples):
    """Every clip with its class, and with the image that is named after it."""
    table = samples.table.set_index("sample_id")
    assert table["emotion"].to_dict() == CLIPS
    for clip, path in table["path"].items():
        assert path.rpartition("/")[2].startswith(stem_of(clip))
    assert samples.excluded == () and samples.warnings == ()
    assert {i["onset_apex"].channels for i in samples.flow_images.values()} == {
        ("u", "v", "strain")
    }


@pytest.mark.parametrize("end", [" .png", ".png", ".PNG"])
@pytest.mark.parametrize("where", [".", "norm_u_v_os", "HTNet-master/datasets/three_norm_u_v_os"])
def test_divided_by_subjects(tmp_path, where, end):
    divided(tmp_path / "set" / where, end=end)
    samples = read(tmp_path / "set")
    check(samples)
    assert {p.split("/")[-3] for p in samples.table["path"]} == {"u_test"}


def test_the_training_parts_are_not_needed(tmp_path):
    check(read(divided(tmp_path / "set", trained=False)))


@pytest.mark.parametrize("end", [" .png", ".png"])
@pytest.mark.parametrize("folder", ["STSNet_whole_norm_u_v_os", "datasets/whole", "."])
def test_flat_with_its_table(tmp_path, folder, end):
    samples = read(flat(tmp_path / "set", folder=folder, end=end))
    check(samples)
    assert samples.editions[0].startswith("combined_3_class2_for_optical_flow.csv")


def test_a_clone_that_holds_both_layouts(tmp_path):
    root = flat(tmp_path / "clone", folder="datasets/STSNet_whole_norm_u_v_os")
    divided(root / "datasets" / "three_norm_u_v_os")
    samples = read(root)
    check(samples)
    assert samples.editions == ("folders of three_norm_u_v_os",)


def test_subjects_without_their_zeros(tmp_path):
    root = flat(tmp_path / "set", table=False)
    write_table(root, CLIPS)
    table = root / "combined_3_class2_for_optical_flow.csv"
    table.write_text(table.read_text().replace("samm,006,", "samm,6,"))
    check(read(root))


def test_what_has_no_image_or_no_row_is_left_out_with_the_reason(tmp_path):
    root = flat(tmp_path / "set", table=False)
    write_table(root, [clip for clip in CLIPS if clip != "samm/006/006_1_2"])
    (root / "STSNet_whole_norm_u_v_os" / "s03_s03_po_11 .png").unlink()
    samples = read(root)
    assert len(samples.table) == len(CLIPS) - 2
    reasons = {excluded.clip: excluded.reason for excluded in samples.excluded}
    assert reasons["006/006_1_2"].startswith("an image, but no row in combined_3")
    assert reasons["s03/s03_po_11"].endswith("no image of it in STSNet_whole_norm_u_v_os")


def test_a_subject_whose_own_folder_is_absent_is_left_out(tmp_path):
    root = divided(tmp_path / "set")
    (root / "s03" / "u_test" / "1" / "s03_s03_po_11 .png").unlink()
    samples = read(root)
    assert [(e.database, e.clip) for e in samples.excluded] == [("smic", "s03/s03_po_11")]
    assert "in u_train of other subjects only" in samples.excluded[0].reason


def test_fault_08_one_clip_in_two_classes(tmp_path):
    root = divided(tmp_path / "set")
    touch(root / "sub01" / "u_train" / "2" / "006_006_1_2 .png")
    message = failure(root)
    assert "one clip in two classes" in message and "006_006_1_2" in message
    root = flat(tmp_path / "flat")
    with (root / "combined_3_class2_for_optical_flow.csv").open("a") as table:
        table.write("samm,006,006_1_2,1,,,\n")
    assert "row 9, column 'label': class positive for a clip that row 6 has" in failure(root)


def test_fault_07_two_images_of_one_clip(tmp_path):
    root = divided(tmp_path / "set")
    touch(root / "006" / "u_test" / "0" / "006_006_1_2.png")
    assert "two images of one clip" in failure(root)
    root = flat(tmp_path / "flat")
    touch(root / "STSNet_whole_norm_u_v_os" / "006_006_1_2.png")
    assert "two images of one clip" in failure(root)


def test_a_clip_among_the_tested_ones_of_somebody_else(tmp_path):
    root = divided(tmp_path / "set")
    touch(root / "sub01" / "u_test" / "0" / "006_006_1_2 .png")
    assert "a clip of subject 006 among the tested ones of sub01" in failure(root)


def test_names_that_are_no_clips(tmp_path):
    root = divided(tmp_path / "set")
    touch(root / "sub01" / "u_test" / "0" / "picture.png")
    assert "expected an image named after subject and clip" in failure(root)


def test_fault_49_images_without_their_table(tmp_path):
    root = flat(tmp_path / "set", table=False)
    assert "combined_3_class2_for_optical_flow.csv" in failure(root)
    write_table(root, CLIPS, name="combined_3_class2_for_flow.csv")
    assert read(root).warnings == ("annotations read from combined_3_class2_for_flow.csv",)


@pytest.mark.parametrize("column", ["dataset", "filename_o", "label"])
def test_fault_01_a_missing_column(tmp_path, column):
    root = flat(tmp_path / "set")
    table = root / "combined_3_class2_for_optical_flow.csv"
    table.write_text(table.read_text().replace(column, "other", 1))
    assert f"no column '{column}'" in failure(root)


@pytest.mark.parametrize("label", ["3", "", "negative", "1.5"])
def test_fault_02_an_unknown_class(tmp_path, label):
    root = flat(tmp_path / "set")
    table = root / "combined_3_class2_for_optical_flow.csv"
    table.write_text(table.read_text().replace("EP02_01f,1,", f"EP02_01f,{label},"))
    assert "row 2, column 'label'" in failure(root)


def test_four_images_a_clip_are_another_set(tmp_path):
    root = flat(tmp_path / "set", images=("", "_1", "_2", "_3"))
    assert "it is the set megc2019_key_frames" in failure(root)


def test_fault_49_the_list_of_the_other_set_is_named(tmp_path):
    for name, other in (("flow", "key_frames"), ("key_frames", "flow")):
        own_image = "onset_apex" if name == "key_frames" else "image"
        header = f"database,subject,clip,emotion,{own_image}\n"
        touch(tmp_path / name / "samples.csv", header.encode())
        with pytest.raises(AnnotationError, match=f"lists the set megc2019_{name}: read or import"):
            registry.load(f"megc2019_{other}", tmp_path / name)


def test_fault_17_a_link_out_of_the_root(tmp_path):
    root = flat(tmp_path / "set")
    image = root / "STSNet_whole_norm_u_v_os" / "006_006_1_2 .png"
    image.rename(tmp_path / "outside.png")
    image.symlink_to(tmp_path / "outside.png")
    assert "leads out of" in failure(root)


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("006_006_1_2 ", ClipName("samm", "006", "006_1_2")),
        ("6_006_1_2", ClipName("samm", "006", "006_1_2")),
        ("sub03_EP01_2", ClipName("casme2", "sub03", "EP01_2")),
        ("s1_s1_ne_1", ClipName("smic", "s01", "s01_ne_01")),
        ("spNO.1_f_150", None),
        ("Thumbs", None),
        ("sub03", None),
    ],
)
def test_names_of_images(stem, name):
    assert clip_name(stem) == name


def test_further_images_are_those_whose_first_is_there():
    names = ["sub03_EP01_2", "sub03_EP01_2_1", "sub03_EP01_2_3", "sub07_EP06_02_01", "a_1_1", "a_1"]
    assert parts_of(names) == {
        "sub03_EP01_2": {0: "sub03_EP01_2", 1: "sub03_EP01_2_1", 3: "sub03_EP01_2_3"},
        "sub07_EP06_02_01": {0: "sub07_EP06_02_01"},
        "a_1": {0: "a_1", 1: "a_1_1"},
    }


def test_fault_47_an_empty_table_further_in_lists_nothing(tmp_path):
    touch(tmp_path / "set" / "samples.csv", b"")
    assert listed_root(tmp_path, "samples.csv", ["image"]) is None
