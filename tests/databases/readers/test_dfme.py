"""DFME: three tables, frame rates by clip, test parts without labels."""

import pytest

from mer_keras.databases import registry
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.databases.labels import apply_scheme
from mer_keras.errors import AnnotationError
from mer_keras.terms import UNLABELLED
from tests.databases.trees import touch, write_xlsx

HEADER = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Emotion"]
HEADER += ["EmotionId", "Fps", "AU"]
TRAINING = [
    ["sub0003", "clip_1", 0, 20, 60, "Happiness", 3, 500, "12"],
    ["sub0003", "clip_2", 5, 30, 70, "anger", 1, 200, "4+5"],
]
TEST = [["sub0700", "clip_9", 0, 20, 60, None, None, 300, None]]


@pytest.fixture
def root(tmp_path):
    write_xlsx(tmp_path / "training_full_with_AU.xlsx", [HEADER, *TRAINING])
    write_xlsx(tmp_path / "testA_full_with_AU.xlsx", [HEADER, *TEST])
    for part, rows in (("training", TRAINING), ("testA", TEST)):
        for subject, clip, onset, *_ in rows:
            touch(tmp_path / part / subject / clip / f"{onset:05d}.jpg")
    return tmp_path


def test_all_tables_are_read_with_the_frame_rate_of_each_clip(root):
    samples = registry.load("dfme", root)
    table = samples.table.set_index("clip")
    assert table["fps"].to_dict() == {"clip_1": 500.0, "clip_2": 200.0, "clip_9": 300.0}
    assert table["emotion"].to_dict() == {
        "clip_1": "happiness",
        "clip_2": "anger",
        "clip_9": UNLABELLED,
    }
    assert samples.editions == ("training_full_with_AU.xlsx, testA_full_with_AU.xlsx",)
    assert any("from memory" in line for line in samples.warnings)


def test_clips_of_a_test_part_are_left_out_of_experiments_and_counted(root):
    labelled = apply_scheme(registry.load("dfme", root), get_scheme("dfme7"))
    assert labelled.class_counts() == {"anger": 1, "happiness": 1}
    assert "1 clip(s) without a label are left out" in labelled.warnings
    assert [e.reason for e in labelled.excluded] == ["no emotion label"]


def test_folders_without_a_row_are_counted(root):
    touch(root / "training" / "sub0009" / "clip_3" / "00000.jpg")
    assert "1 clip folder(s) have no row" in registry.load("dfme", root).warnings


def test_a_frame_rate_that_is_none_is_named(root):
    rows = [[*TRAINING[0][:7], "fast", "12"]]
    write_xlsx(root / "training_full_with_AU.xlsx", [HEADER, *rows])
    with pytest.raises(AnnotationError, match="row 2, column 'Fps': 'fast'"):
        registry.load("dfme", root)
