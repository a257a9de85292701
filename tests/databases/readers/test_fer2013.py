"""FER-2013: pictures in a table or in folders, and those that stand in it twice."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from mer_keras.databases import registry
from mer_keras.databases.readers import fer2013
from mer_keras.errors import AnnotationError
from mer_keras.synthetic import stills
from tests.databases.trees import touch


def write(root, *rows, header="emotion,pixels,Usage"):
    root.mkdir(exist_ok=True)
    (root / fer2013.TABLE).write_text("\n".join([header, *rows]) + "\n")
    return root


def row(emotion=3, value=7, usage="Training", count=48 * 48):
    return f"{emotion},{' '.join([str(value)] * count)},{usage}"


def test_duplicates_and_contradictions(tmp_path):
    rows = [row(3, 1), row(3, 1), row(3, 2), row(4, 2), row(5, 9)]
    reading = fer2013.read(write(tmp_path, *rows))
    assert [clip.clip for clip in reading.clips] == ["Training-00000", "Training-00004"]
    assert [e.clip for e in reading.excluded] == [
        "Training-00001",
        "Training-00002",
        "Training-00003",
    ]
    assert any("5 pictures (printed: 35,887)" in line for line in reading.warnings)
    assert any("divided by subject" in line for line in reading.warnings)


def test_pixels_are_those_of_the_row(tmp_path):
    root = write(tmp_path, row(value=3), row(value=255))
    pixels = fer2013.read_pixels(root / fer2013.TABLE)
    np.testing.assert_array_equal(pixels[:, 0, 0], [3, 255])


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"emotion": 7}, "row 3, column 'emotion'"),
        ({"emotion": "x"}, "row 3, column 'emotion'"),
        ({"usage": "Test"}, "row 3, column 'Usage': 'Test'"),
        ({"count": 48}, "row 3, column 'pixels'.*found 48"),
        ({"value": 256}, "row 3, column 'pixels'"),
        ({"value": "a"}, "row 3, column 'pixels'"),
        ({"value": "9" * 30}, "can't be read|column 'pixels'"),
    ],
)
def test_bad_rows_are_named(tmp_path, cells, words):
    with pytest.raises(AnnotationError, match=words):
        fer2013.read(write(tmp_path, row(), row(**cells)))


def test_another_header(tmp_path):
    with pytest.raises(AnnotationError, match="expected emotion,pixels,Usage"):
        fer2013.read(write(tmp_path, header="a,b,c"))


def test_folders_of_images(tmp_path):
    touch(tmp_path / "train/angry/im1.jpg", b"one")
    touch(tmp_path / "train/happy/im2.jpg", b"two")
    touch(tmp_path / "test/happy/im3.jpg", b"two")
    touch(tmp_path / "test/other/im4.jpg", b"four")
    reading = fer2013.read(tmp_path)
    assert [clip.clip for clip in reading.clips] == ["test-happy-im3", "train-angry-im1"]
    assert [clip.emotion for clip in reading.clips] == ["happiness", "anger"]
    assert len(reading.excluded) == 1


def test_nothing_there(tmp_path):
    with pytest.raises(AnnotationError, match=r"fer2013\.csv"):
        fer2013.read(tmp_path)


@pytest.mark.long
def test_the_whole_file_is_read_row_by_row_and_its_duplicates_are_taken_out(sketched):
    samples = registry.load("fer2013", sketched("fer2013"))
    repeated, contradicted = len(stills.FER_REPEATED), len(stills.FER_CONTRADICTED)
    assert len(samples.table) == fer2013.ROWS - repeated - 2 * contradicted
    reasons = Counter(e.reason for e in samples.excluded)
    assert reasons == {
        "the same picture stands in an earlier row": repeated,
        "one picture, two labels": 2 * contradicted,
    }
    assert not any("printed" in line for line in samples.warnings)
    pixels = fer2013.read_pixels(sketched("fer2013") / fer2013.TABLE)
    assert pixels.shape == (fer2013.ROWS, 48, 48)
    row = samples.table.iloc[1234]
    assert row["apex"] == int(row["clip"].split("-")[1])


@pytest.mark.parametrize("emotion", ["12", "01", "", "7", "-1", "\u0661"])
def test_a_class_of_fer2013_is_one_digit(tmp_path, emotion):
    """12 is a part of 0123456."""
    (tmp_path / "fer2013.csv").write_text(f"emotion,pixels,Usage\n{row(emotion)}\n")
    with pytest.raises(AnnotationError, match="row 2, column 'emotion'"):
        fer2013.read(tmp_path)


def test_a_picture_of_fer2013_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "train/angry").mkdir(parents=True)
    (tmp_path / "train/angry/a.jpg").touch()

    def forbidden(_self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", forbidden)
    with pytest.raises(AnnotationError, match=r"a\.jpg: can't be read \(Permission denied\)"):
        fer2013.read(tmp_path)
