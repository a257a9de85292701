"""Oulu-CASIA: one camera under one light, however deep the tree is packed."""

import pytest

from mer_keras.databases.readers import oulu_casia
from mer_keras.errors import AnnotationError
from tests.databases.trees import touch


@pytest.mark.parametrize("within", ["", "OriginalImg", "OriginalImg/OriginalImg"])
@pytest.mark.parametrize("camera", ["VL", "VL_Img"])
def test_trees_may_be_nested(tmp_path, within, camera):
    for light in ("Strong", "Weak"):
        touch(tmp_path / within / camera / light / "P001/Anger/000.jpeg")
    touch(tmp_path / within / "NI/Strong/P001/Anger/000.jpeg")
    reading = oulu_casia.read(tmp_path)
    assert [(clip.subject, clip.emotion) for clip in reading.clips] == [("P001", "anger")]
    assert any(line.startswith("2 sequences of another") for line in reading.warnings)


def test_nothing_there(tmp_path):
    touch(tmp_path / "NI/Strong/P001/Anger/000.jpeg")
    with pytest.raises(AnnotationError, match="camera VL under light Strong"):
        oulu_casia.read(tmp_path)
