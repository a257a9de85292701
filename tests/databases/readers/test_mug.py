"""MUG: takes that may be missing, and a layout that nobody could verify."""

import pytest

from mer_keras.databases.readers import mug
from mer_keras.errors import AnnotationError
from tests.databases.trees import touch


def test_takes_may_be_missing_and_the_doubt_is_said(tmp_path):
    touch(tmp_path / "001/Anger/take000/img_0000.jpg")
    touch(tmp_path / "001/anger/take001/img_0000.jpg")
    touch(tmp_path / "002/happiness/img_0000.jpg")
    reading = mug.read(tmp_path)
    assert {clip.emotion for clip in reading.clips} == {"anger", "happiness"}
    assert mug.UNVERIFIED in reading.warnings


def test_nothing_there(tmp_path):
    with pytest.raises(AnnotationError, match="no sequence"):
        mug.read(tmp_path)
