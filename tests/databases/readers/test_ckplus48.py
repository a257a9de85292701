"""CK+48: images in one folder an emotion; the people are those of CK+."""

import pytest

from mer_keras.databases import registry
from mer_keras.errors import AnnotationError
from tests.databases.trees import touch


@pytest.mark.parametrize("within", [".", "CK+48", "archive/CK+48"])
def test_subjects_stand_in_the_names(tmp_path, within):
    touch(tmp_path / within / "anger" / "S010_004_00000017.png")
    touch(tmp_path / within / "happy" / "S010_006_00000013.png")
    touch(tmp_path / within / "happy" / "unknown.png")
    samples = registry.load("ckplus48", tmp_path)
    assert samples.ids == ["ckplus/S010/48-004_00000017", "ckplus/S010/48-006_00000013"]
    assert samples.table["emotion"].tolist() == ["anger", "happiness"]
    assert "1 picture(s) with another form of name are not read" in samples.warnings


def test_nothing_there(tmp_path):
    with pytest.raises(AnnotationError, match=r"no picture of CK\+48"):
        registry.load("ckplus48", tmp_path)
