"""The databases of posed expressions: layouts, counts, and what may be wrong with them."""

import shutil
from collections import Counter

import numpy as np
import pytest

from mer_keras.databases import registry
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.databases.labels import apply_scheme
from mer_keras.databases.readers import ckplus, fer2013, jaffe, mug, oulu_casia, rafdb
from mer_keras.errors import AnnotationError
from mer_keras.synthetic import stand_ins, stills

#: whole stand-ins are written and read
pytestmark = pytest.mark.slow

MACRO = {"ckplus", "fer2013", "rafdb", "oulu_casia", "jaffe", "mug"}


def load(root, name):
    return registry.load(name, root)


def touch(path, data=b"an image, to those who look only at names"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_all_are_known_as_databases_of_posed_expressions():
    assert {registry.get_database(name).expressions for name in MACRO} == {"macro"}


@pytest.mark.parametrize(
    ("name", "clips", "subjects"),
    [
        ("ckplus", 327, None),
        ("oulu_casia", 480, 80),
        ("jaffe", 213, 10),
        pytest.param("rafdb", 15_339, None, marks=pytest.mark.slow),
        ("mug", 364, 52),
    ],
)
def test_counts_are_the_printed_ones(sketched, name, clips, subjects):
    samples = load(sketched(name), name)
    assert len(samples.table) == clips
    if subjects:
        assert samples.table["subject_id"].nunique() == subjects
    assert not any("other counts than printed" in line for line in samples.warnings)


@pytest.mark.long
def test_fer2013_is_read_row_by_row_and_its_duplicates_are_taken_out(sketched):
    samples = load(sketched("fer2013"), "fer2013")
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


def test_the_papers_pretraining_counts(sketched):
    # Wang et al. take the last three frames of each sequence in five classes: 852 and 1,200
    for name, images in (("ckplus", 852), ("oulu_casia", 1200)):
        samples = apply_scheme(load(sketched(name), name), get_scheme("macro5"))
        assert 3 * len(samples.table) == images
    assert len(apply_scheme(load(sketched("jaffe"), "jaffe"), get_scheme("macro5")).table) == 151


class TestCkPlus:
    def test_sequences_without_a_label_are_left_out_and_counted(self, sketched):
        samples = load(sketched("ckplus"), "ckplus")
        assert Counter(e.reason for e in samples.excluded) == {"no emotion label": 266}

    @pytest.mark.parametrize("text", ["8.0", "-1", "1.5", "", "happy", "nan"])
    def test_a_file_without_a_class_is_an_error(self, tmp_path, text):
        touch(tmp_path / "cohn-kanade-images/S005/001/S005_001_00000001.png")
        file = tmp_path / "Emotion/S005/001/S005_001_00000011_emotion.txt"
        touch(file, text.encode())
        with pytest.raises(AnnotationError, match="expected one number") as caught:
            ckplus.read(tmp_path)
        assert str(file) in str(caught.value)

    @pytest.mark.parametrize("missing", ["cohn-kanade-images", "Emotion"])
    def test_a_missing_folder_is_named(self, tmp_path, missing):
        for folder in {"cohn-kanade-images", "Emotion"} - {missing}:
            (tmp_path / folder).mkdir()
        with pytest.raises(AnnotationError, match=missing):
            ckplus.read(tmp_path)


class TestFer2013:
    def write(self, root, *rows, header="emotion,pixels,Usage"):
        root.mkdir(exist_ok=True)
        (root / fer2013.TABLE).write_text("\n".join([header, *rows]) + "\n")
        return root

    def row(self, emotion=3, value=7, usage="Training", count=48 * 48):
        return f"{emotion},{' '.join([str(value)] * count)},{usage}"

    def test_duplicates_and_contradictions(self, tmp_path):
        rows = [self.row(3, 1), self.row(3, 1), self.row(3, 2), self.row(4, 2), self.row(5, 9)]
        reading = fer2013.read(self.write(tmp_path, *rows))
        assert [clip.clip for clip in reading.clips] == ["Training-00000", "Training-00004"]
        assert [e.clip for e in reading.excluded] == [
            "Training-00001",
            "Training-00002",
            "Training-00003",
        ]
        assert any("5 pictures (printed: 35,887)" in line for line in reading.warnings)
        assert any("divided by subject" in line for line in reading.warnings)

    def test_pixels_are_those_of_the_row(self, tmp_path):
        root = self.write(tmp_path, self.row(value=3), self.row(value=255))
        pixels = fer2013.read_pixels(root / fer2013.TABLE)
        np.testing.assert_array_equal(pixels[:, 0, 0], [3, 255])

    @pytest.mark.parametrize(
        ("row", "words"),
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
    def test_bad_rows_are_named(self, tmp_path, row, words):
        with pytest.raises(AnnotationError, match=words):
            fer2013.read(self.write(tmp_path, self.row(), self.row(**row)))

    def test_another_header(self, tmp_path):
        with pytest.raises(AnnotationError, match="expected emotion,pixels,Usage"):
            fer2013.read(self.write(tmp_path, header="a,b,c"))

    def test_folders_of_images(self, tmp_path):
        touch(tmp_path / "train/angry/im1.jpg", b"one")
        touch(tmp_path / "train/happy/im2.jpg", b"two")
        touch(tmp_path / "test/happy/im3.jpg", b"two")
        touch(tmp_path / "test/other/im4.jpg", b"four")
        reading = fer2013.read(tmp_path)
        assert [clip.clip for clip in reading.clips] == ["test-happy-im3", "train-angry-im1"]
        assert [clip.emotion for clip in reading.clips] == ["happiness", "anger"]
        assert len(reading.excluded) == 1

    def test_nothing_there(self, tmp_path):
        with pytest.raises(AnnotationError, match=r"fer2013\.csv"):
            fer2013.read(tmp_path)


class TestRafDb:
    def write(self, root, lines, folder="aligned", names=("train_00001_aligned.jpg",)):
        for name in names:
            touch(root / "basic/Image" / folder / name)
        touch(root / "basic/EmoLabel/list_patition_label.txt", lines.encode())
        return root

    def test_aligned_and_original_pictures(self, tmp_path):
        (clip,) = rafdb.read(self.write(tmp_path / "a", "train_00001.jpg 4\n")).clips
        assert (clip.clip, clip.emotion) == ("train_00001", "happiness")
        assert clip.path.name == "train_00001_aligned.jpg"
        root = self.write(tmp_path / "b", "test_0001.jpg 7\n", "original", ["test_0001.jpg"])
        assert rafdb.read(root / "basic").clips[0].path.name == "test_0001.jpg"

    @pytest.mark.parametrize(
        "line", ["train_00001.jpg 8", "train_00001.jpg", "../x.jpg 1", "train_1.jpg 1 2", "\x00"]
    )
    def test_bad_lines_are_named(self, tmp_path, line):
        with pytest.raises(AnnotationError, match="line 2: "):
            rafdb.read(self.write(tmp_path, f"train_00001.jpg 4\n{line}\n"))

    def test_a_listed_picture_that_is_absent(self, tmp_path):
        root = self.write(tmp_path, "train_00001.jpg 4\ntrain_00002.jpg 4\n")
        with pytest.raises(AnnotationError, match=r"train_00002_aligned\.jpg is absent"):
            load(root, "rafdb")


class TestOuluCasia:
    @pytest.mark.parametrize("within", ["", "OriginalImg", "OriginalImg/OriginalImg"])
    @pytest.mark.parametrize("camera", ["VL", "VL_Img"])
    def test_trees_may_be_nested(self, tmp_path, within, camera):
        for light in ("Strong", "Weak"):
            touch(tmp_path / within / camera / light / "P001/Anger/000.jpeg")
        touch(tmp_path / within / "NI/Strong/P001/Anger/000.jpeg")
        reading = oulu_casia.read(tmp_path)
        assert [(clip.subject, clip.emotion) for clip in reading.clips] == [("P001", "anger")]
        assert any(line.startswith("2 sequences of another") for line in reading.warnings)

    def test_nothing_there(self, tmp_path):
        touch(tmp_path / "NI/Strong/P001/Anger/000.jpeg")
        with pytest.raises(AnnotationError, match="camera VL under light Strong"):
            oulu_casia.read(tmp_path)


class TestJaffe:
    def test_names_say_all_and_strange_ones_are_counted(self, tmp_path):
        for name in ("KA.AN1.39.tiff", "YM.NE3.51.tiff", "copy of KA.tiff", "KA.XX1.1.tiff"):
            touch(tmp_path / "jaffe" / name)
        reading = jaffe.read(tmp_path)
        named = [(clip.subject, clip.clip, clip.emotion) for clip in reading.clips]
        assert named == [("KA", "AN1.39", "anger"), ("YM", "NE3.51", "neutral")]
        assert any(line.startswith("2 picture(s)") for line in reading.warnings)

    def test_nothing_there(self, tmp_path):
        with pytest.raises(AnnotationError, match="no picture of JAFFE"):
            jaffe.read(tmp_path)


class TestMug:
    def test_takes_may_be_missing_and_the_doubt_is_said(self, tmp_path):
        touch(tmp_path / "001/Anger/take000/img_0000.jpg")
        touch(tmp_path / "001/anger/take001/img_0000.jpg")
        touch(tmp_path / "002/happiness/img_0000.jpg")
        reading = mug.read(tmp_path)
        assert {clip.emotion for clip in reading.clips} == {"anger", "happiness"}
        assert mug.UNVERIFIED in reading.warnings

    def test_nothing_there(self, tmp_path):
        with pytest.raises(AnnotationError, match="no sequence"):
            mug.read(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MACRO))
def test_a_few_really_drawn_clips_are_read_and_loaded(tmp_path, name):
    from mer_keras.clips.assemble import load_clips
    from mer_keras.config.inputs import Clip

    root = tmp_path / stand_ins.get_layout(name).folder
    stand_ins.write(name, root, stand_ins.StandInOptions(clips=6, size=48))
    samples = load(root, name)
    # of CK+'s sequences some have no label
    assert 1 <= len(samples.table) <= 6
    clip = Clip(kind="frames", frames=3, size=24, sampling="last")
    assert load_clips(samples, clip).arrays.shape[1:] == (3, 24, 24, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ckplus", "oulu_casia", "jaffe", "mug"])
def test_odd_places_and_read_only_folders_work(sketched, tmp_path, name):
    place = tmp_path / "данные 中文" / stand_ins.get_layout(name).folder
    shutil.copytree(sketched(name), place)
    folders = [place, *(path for path in place.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert len(load(place, name).table) == len(load(sketched(name), name).table)
    finally:
        for folder in folders:
            folder.chmod(0o755)
