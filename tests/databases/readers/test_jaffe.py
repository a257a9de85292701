"""JAFFE: file names that say all."""

import pytest

from mer_keras.databases.readers import jaffe
from mer_keras.errors import AnnotationError
from tests.databases.trees import touch


def test_names_say_all_and_strange_ones_are_counted(tmp_path):
    for name in ("KA.AN1.39.tiff", "YM.NE3.51.tiff", "copy of KA.tiff", "KA.XX1.1.tiff"):
        touch(tmp_path / "jaffe" / name)
    reading = jaffe.read(tmp_path)
    named = [(clip.subject, clip.clip, clip.emotion) for clip in reading.clips]
    assert named == [("KA", "AN1.39", "anger"), ("YM", "NE3.51", "neutral")]
    assert any(line.startswith("2 picture(s)") for line in reading.warnings)


def test_nothing_there(tmp_path):
    with pytest.raises(AnnotationError, match="no picture of JAFFE"):
        jaffe.read(tmp_path)
