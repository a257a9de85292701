"""SMIC-E: long clips, two expressions in some, three cameras."""

import pytest

from mer_keras.databases import registry
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.databases.labels import apply_scheme
from mer_keras.errors import AnnotationError
from tests.databases.trees import touch, write_book

HEADER = ["Subject", "Filename", "OnsetF", "OffsetF", "Onset2F", "Offset2F", "FirstF", "LastF"]
HEADER += ["TotalMF1", "TotalVL", "Emotion"]
ROWS = [
    ["s1", "s1_ne_01", 20000010, 20000030, None, None, 20000001, 20000090, 21, 90, "negative"],
    ["s1", "s1_po_01", 20000110, 20000130, 20000150, 20000160, 20000101, 20000190, 21, 90, "po"],
    [20, "s20_sur_02", 20000210, 20000230, 0, 0, 20000201, 20000290, 21, 90, None],
]


def write(root, *, sheets=("HS", "VIS"), name="SMIC-HS-E_annotation_2019.xlsx", camera="HS"):
    write_book(root / name, {sheet: [HEADER, *ROWS] for sheet in sheets})
    folder = root / f"{camera}_long" / f"SMIC-{camera}-E"
    for subject, clip, onset, *_ in ROWS:
        touch(folder / str(subject) / clip / f"image{onset:08d}.jpg")
    return root


@pytest.mark.parametrize("within", [".", "SMIC-E_raw image", "SMIC/SMIC-E_raw image"])
def test_expressions_are_clips_within_longer_ones(tmp_path, within):
    write(tmp_path / "data" / within)
    samples = registry.load("smic_e_hs", tmp_path / "data")
    table = samples.table.set_index("clip")
    assert sorted(table.index) == [
        "HS_s01_ne_01",
        "HS_s01_po_01",
        "HS_s01_po_01@2",
        "HS_s20_sur_02",
    ]
    second = table.loc["HS_s01_po_01@2"]
    assert (second["onset"], second["offset"]) == (20000150, 20000160)
    assert table["emotion"].tolist() == ["negative", "positive", "positive", "surprise"]
    assert set(table["fps"]) == {100.0}
    # The people are those of SMIC-HS.
    assert set(table["subject_id"]) == {"smic/s01", "smic/s20"}
    counts = apply_scheme(samples, get_scheme("smic_e_hs3")).class_counts()
    assert counts == {"negative": 1, "positive": 2, "surprise": 1}


def test_another_camera_has_other_frames_a_second_and_names_of_its_own(tmp_path):
    write(tmp_path, camera="VIS")
    table = registry.load("smic_e_vis", tmp_path).table
    assert set(table["fps"]) == {25.0}
    assert all(clip.startswith("VIS_") for clip in table["clip"])


def test_a_camera_without_a_sheet_is_told(tmp_path):
    write(tmp_path, camera="NIR")
    with pytest.raises(AnnotationError, match=r"no sheet 'NIR'.*it has HS, VIS"):
        registry.load("smic_e_nir", tmp_path)


def test_frames_of_another_camera_are_not_taken(tmp_path):
    write(tmp_path, camera="VIS")
    with pytest.raises(AnnotationError, match=r"looked for the folder\(s\) 'HS_long'"):
        registry.load("smic_e_hs", tmp_path)


def test_an_unknown_emotion_and_an_absent_offset_are_named(tmp_path):
    bad = [*ROWS[0]]
    bad[-1] = "happy"
    write_book(tmp_path / "SMIC-HS-E_annotation.xlsx", {"HS": [HEADER, bad]})
    touch(tmp_path / "HS_long" / "s1" / "s1_ne_01" / "image1.jpg")
    with pytest.raises(AnnotationError, match="row 2, column 'Emotion': 'happy'"):
        registry.load("smic_e_hs", tmp_path)
    bad = [*ROWS[0]]
    bad[3] = None
    write_book(tmp_path / "SMIC-HS-E_annotation.xlsx", {"HS": [HEADER, bad]})
    with pytest.raises(AnnotationError, match="row 2, column 'OnsetF': empty"):
        registry.load("smic_e_hs", tmp_path)


def test_folders_without_a_row_are_counted(tmp_path):
    write(tmp_path)
    touch(tmp_path / "HS_long" / "SMIC-HS-E" / "s3" / "s3_ne_09" / "image1.jpg")
    (line,) = [w for w in registry.load("smic_e_hs", tmp_path).warnings if "no row" in w]
    assert line.startswith("1 clip folder(s)")
