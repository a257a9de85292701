"""Readers that take all from names of files and folders: any tree is read or refused in words."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.clips.frames import UnreadableImageError, list_frames
from mer_keras.databases.loading import finish
from mer_keras.databases.registry import DATABASES
from mer_keras.databases.samples import make_samples
from mer_keras.errors import AnnotationError, FrameError, MerKerasError
from mer_keras.terms import DataKind

#: a small tree of each: file -> content
TREES = {
    "ckplus": {
        "cohn-kanade-images/S005/001/S005_001_00000001.png": "x",
        "Emotion/S005/001/S005_001_00000011_emotion.txt": "   3.0000000e+00\n",
    },
    "jaffe": {"KA.AN1.39.tiff": "x", "jaffe/YM.HA2.5.tiff": "y"},
    "mug": {"001/anger/take000/img_0000.jpg": "x", "002/fear/img_0000.jpg": "y"},
    "oulu_casia": {"VL_Img/Strong/P001/Anger/000.jpeg": "x", "NI/Dark/P002/Fear/000.jpeg": "y"},
    "fer2013": {"train/angry/a.jpg": "x", "test/happy/b.png": "y"},
    "rafdb": {
        "basic/EmoLabel/list_patition_label.txt": "train_00001.jpg 5\ntest_0001.jpg 4\n",
        "basic/Image/aligned/train_00001_aligned.jpg": "x",
        "basic/Image/aligned/test_0001_aligned.jpg": "y",
    },
    "smic": {"SMIC_all_cropped/HS/s1/micro/negative/s1_ne_01/reg_image200010.bmp": "x"},
}
#: what is put into names and contents; the last one is no UTF-8
pieces = st.sampled_from(
    [
        *(b"0", b"00", b"9" * 30, b"a", b"_", b"-", b".", b"..", b" ", b"\\", b":", b"\n"),
        *(b"nan", b"1e999", b"S005", b"x" * 90, b"\xc3\xa9", b"\xe9"),
    ]
)


@st.composite
def trees(draw):
    """A tree in which some names or contents are changed in some places."""
    name = draw(st.sampled_from(sorted(TREES)))
    tree = {os.fsencode(path): content.encode() for path, content in TREES[name].items()}
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(sorted(tree)))
        content, piece = tree.pop(path), draw(pieces)
        if draw(st.integers(0, 4)) == 0:
            place = draw(st.integers(0, len(content)))
            content = content[:place] + piece + content[place:]
        else:
            place = draw(st.integers(0, len(path)))
            cut = draw(st.integers(0, 2))
            path = path[:place] + piece + path[place + cut :]
        if all(part not in (b"", b".", b"..") for part in path.split(b"/")):
            tree[path] = content
    return name, tree


@given(trees())
def test_any_tree_is_read_or_refused(tree):
    name, files = tree
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        root.mkdir()
        for path, content in files.items():
            try:
                file = os.path.join(os.fsencode(root), path)  # noqa: PTH118 - bytes
                os.makedirs(os.path.dirname(file), exist_ok=True)  # noqa: PTH103, PTH120
                Path(os.fsdecode(file)).write_bytes(content)
            except OSError:  # a file stands where a folder should, or the name is too long
                continue
        try:
            samples = finish(DATABASES[name].reader(root), DataKind.LICENSED)
            samples.digest()
        except MerKerasError as error:
            assert error.exit_code == 2
            assert "root" in str(error) and len(str(error)) < 4000
            return
        assert all(Path(path).is_relative_to(root) for path in samples.table["path"])
        assert samples.table["subject"].str.len().min() > 0


def test_the_trees_are_those_of_the_databases(tmp_path):
    """Unchanged, each is read: the test above begins with something that counts."""
    for name, files in TREES.items():
        for path, content in files.items():
            file = tmp_path / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        assert len(finish(DATABASES[name].reader(tmp_path / name), DataKind.LICENSED).ids) > 0


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="/\0"), max_size=20)))
def test_any_names_of_images_are_numbered_frames_or_refused(names):
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            (Path(folder) / f"{name}.png").touch()
        try:
            frames = list_frames(Path(folder))
        except FrameError as error:
            assert folder in str(error)
            return
        assert list(frames) == sorted(frames)
        assert len(set(frames.values())) == len(frames)


@pytest.mark.parametrize("name", ["9" * 19, "img_" + "1" * 200])
def test_a_number_beyond_all_numbers_is_refused(tmp_path, name):
    clip = tmp_path / "SMIC_all_cropped/HS/s1/micro/negative/s1_ne_01"
    clip.mkdir(parents=True)
    (clip / f"{name}.bmp").touch()
    with pytest.raises(FrameError, match="18 digits"):
        list_frames(clip)
    with pytest.raises(AnnotationError, match="18 digits"):
        DATABASES["smic"].reader(tmp_path)


def test_a_name_that_is_no_utf8_is_refused_with_its_remedy():
    row = {"database": "a", "clip": "c", "path": "p", "emotion": "e", "data_kind": "licensed"}
    with pytest.raises(AnnotationError, match=r"the subject 'p.udce9'.*isn't UTF-8.*rename"):
        make_samples([{**row, "subject": "p\udce9"}], source="s")
    assert UnreadableImageError(Path("/a/p\udce9.png"), "zero bytes").reason == (
        "p\\udce9.png: zero bytes"
    )
