"""CK+: sequences with and without a label, and files that hold no class."""

from collections import Counter

import pytest

from mer_keras.databases import registry
from mer_keras.databases.readers import ckplus
from mer_keras.errors import AnnotationError
from tests.databases.trees import touch


@pytest.mark.slow
def test_sequences_without_a_label_are_left_out_and_counted(sketched):
    samples = registry.load("ckplus", sketched("ckplus"))
    assert Counter(e.reason for e in samples.excluded) == {"no emotion label": 266}


@pytest.mark.parametrize("text", ["8.0", "-1", "1.5", "", "happy", "nan"])
def test_a_file_without_a_class_is_an_error(tmp_path, text):
    touch(tmp_path / "cohn-kanade-images/S005/001/S005_001_00000001.png")
    file = tmp_path / "Emotion/S005/001/S005_001_00000011_emotion.txt"
    touch(file, text.encode())
    with pytest.raises(AnnotationError, match="expected one number") as caught:
        ckplus.read(tmp_path)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("missing", ["cohn-kanade-images", "Emotion"])
def test_a_missing_folder_is_named(tmp_path, missing):
    for folder in {"cohn-kanade-images", "Emotion"} - {missing}:
        (tmp_path / folder).mkdir()
    with pytest.raises(AnnotationError, match=missing):
        ckplus.read(tmp_path)
