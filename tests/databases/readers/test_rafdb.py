"""RAF-DB: the list of labels and the pictures that it names."""

import pytest

from mer_keras.databases import registry
from mer_keras.databases.readers import rafdb
from mer_keras.errors import AnnotationError
from tests.databases.trees import touch


def write(root, lines, folder="aligned", names=("train_00001_aligned.jpg",)):
    for name in names:
        touch(root / "basic/Image" / folder / name)
    touch(root / "basic/EmoLabel/list_patition_label.txt", lines.encode())
    return root


def test_aligned_and_original_pictures(tmp_path):
    (clip,) = rafdb.read(write(tmp_path / "a", "train_00001.jpg 4\n")).clips
    assert (clip.clip, clip.emotion) == ("train_00001", "happiness")
    assert clip.path.name == "train_00001_aligned.jpg"
    root = write(tmp_path / "b", "test_0001.jpg 7\n", "original", ["test_0001.jpg"])
    assert rafdb.read(root / "basic").clips[0].path.name == "test_0001.jpg"


@pytest.mark.parametrize(
    "line", ["train_00001.jpg 8", "train_00001.jpg", "../x.jpg 1", "train_1.jpg 1 2", "\x00"]
)
def test_bad_lines_are_named(tmp_path, line):
    with pytest.raises(AnnotationError, match="line 2: "):
        rafdb.read(write(tmp_path, f"train_00001.jpg 4\n{line}\n"))


def test_a_listed_picture_that_is_absent(tmp_path):
    root = write(tmp_path, "train_00001.jpg 4\ntrain_00002.jpg 4\n")
    with pytest.raises(AnnotationError, match=r"train_00002_aligned\.jpg is absent"):
        registry.load("rafdb", root)
