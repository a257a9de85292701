"""CASME II: its official faults, editions and two kinds of frames, on its whole stand-in."""

import shutil

import pytest

from mer_keras.databases import registry
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.databases.labels import apply_scheme
from mer_keras.errors import AnnotationError, UserError
from mer_keras.synthetic import stand_ins

#: Whole stand-ins are written and read.
pytestmark = pytest.mark.slow


def load(root, **options):
    return registry.load("casme2", root, **options)


def test_the_apex_that_nobody_coded_is_empty_and_its_row_named(sketched):
    samples = load(sketched("casme2"))
    row = samples.table.set_index("sample_id").loc["casme2/sub04/EP12_01f"]
    assert row["apex"] is not None and str(row["apex"]) == "<NA>"
    assert any("no apex frame in 1 row(s)" in line for line in samples.warnings)


def test_folders_without_a_row_are_counted(sketched):
    samples = load(sketched("casme2"))
    assert any(line.startswith("2 clip folder(s) have no row") for line in samples.warnings)


def test_the_clip_that_ends_early_is_corrected_for_cropped_frames_only(sketched):
    samples = load(sketched("casme2"))
    table = samples.table.set_index("sample_id")
    assert table.loc["casme2/sub16/EP01_08", "offset"] == 96
    assert table.loc["casme2/sub16/EP01_08", "corrected"]
    as_is = load(sketched("casme2"), corrections=False)
    assert as_is.table.set_index("sample_id").loc["casme2/sub16/EP01_08", "offset"] == 110


def test_fault_11_the_edition_is_recorded_and_another_one_accepted(sketched, tmp_path):
    root = tmp_path / "CASME2"
    shutil.copytree(sketched("casme2"), root)
    assert load(root).editions == ("CASME2-coding-20140508.xlsx, Cropped",)
    (root / "CASME2-coding-20140508.xlsx").rename(root / "CASME2-coding-20190701.xlsx")
    assert load(root).editions == ("CASME2-coding-20190701.xlsx, Cropped",)


def test_without_the_objective_classes_the_scheme_says_what_is_missing(sketched, tmp_path):
    root = tmp_path / "CASME2"
    shutil.copytree(sketched("casme2"), root)
    (root / "CASME2-ObjectiveClasses.xlsx").unlink()
    samples = load(root)
    assert any("objective classes are unknown" in line for line in samples.warnings)
    with pytest.raises(AnnotationError, match="data howto casme2"):
        apply_scheme(samples, get_scheme("objective5"))


def test_the_other_frames_can_be_asked_for(sketched, tmp_path):
    root = tmp_path / "CASME2"
    shutil.copytree(sketched("casme2"), root)
    with pytest.raises(AnnotationError, match="CASME2_RAW_selected"):
        load(root, frame_source="raw")
    (root / "Cropped").rename(root / "CASME2_RAW_selected")
    samples = load(root)
    assert samples.editions == ("CASME2-coding-20140508.xlsx, CASME2_RAW_selected",)
    # the raw frames go on where the cropped ones end
    assert samples.table.set_index("sample_id").loc["casme2/sub16/EP01_08", "offset"] == 110


def test_unknown_frames(sketched):
    choices = "no frame source 'croped'; to choose from: cropped, raw"
    with pytest.raises(UserError, match=choices):
        load(sketched("casme2"), frame_source="croped")


@pytest.mark.slow
def test_native_frames_have_the_databases_own_size_and_the_camera_tree(tmp_path):
    import cv2

    options = stand_ins.StandInOptions(native=True, clips=1)
    stand_ins.write("casme2", tmp_path / "CASME2", options)
    sizes = {}
    for path in (tmp_path / "CASME2").rglob("*.jpg"):
        sizes[path.relative_to(tmp_path / "CASME2").parts[0]] = cv2.imread(str(path), 0).shape
    assert sizes == {"Cropped": (340, 280), "CASME2_RAW_selected": (480, 640)}
    assert len(load(tmp_path / "CASME2", frame_source="raw").table) == 1
