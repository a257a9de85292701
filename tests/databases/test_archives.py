"""Trees as people unpack them: further folders, links to other disks, near misses."""

import shutil

import pytest

from mer_keras.cli.data import _check_frames
from mer_keras.config.data import Policies
from mer_keras.databases import registry
from mer_keras.databases.folders import find_table, look_through, wrappers
from mer_keras.errors import AnnotationError, DatabaseNotFoundError
from tests.databases.conftest import SAMM_HEADER, SAMM_ROWS
from tests.databases.trees import touch, write_book

CASME2_HEADER = "Subject,Filename,OnsetFrame,ApexFrame,OffsetFrame,Action Units,Estimated Emotion"
CASME2_ROWS = [["01", "EP02_01f", 46, 59, 86, "12", "happiness"]]
SAMM_TABLE = [SAMM_HEADER.split(","), SAMM_ROWS[0]]
FER_ROW = f"emotion,pixels,Usage\n3,{' '.join(['7'] * 2304)},Training\n"


def write(root, files):
    """Write files below a root: path -> content, or rows of a workbook."""
    for path, content in files.items():
        if path.endswith(".xlsx"):
            sheets = content if isinstance(content, dict) else {"Sheet1": content}
            write_book(root / path, sheets)
        else:
            touch(root / path, content if isinstance(content, bytes) else content.encode())
    return root


CAS_ME2 = {
    "CAS(ME)^2code_final.xlsx": {
        "a": [
            [1, "disgust2_3", 699, 703, 707, "NULL", "others", "micro-expression", "disgust"],
        ],
        "b": [[15, "s15", 1]],
        "c": [["0102", "disgust2"]],
    },
}

#: Database -> trees of it with one clip, in which folders stand once more or under other names.
TREES = {
    "ckplus": [
        {
            "extended-cohn-kanade-images/cohn-kanade-images/S005/001/S005_001_00000011.png": "x",
            "Emotion_labels/Emotion/S005/001/S005_001_00000011_emotion.txt": "   3.0000000e+00\n",
        },
        {
            "CK+/cohn-kanade-images/S005/001/S005_001_00000011.png": "x",
            "CK+/Emotion/S005/001/S005_001_00000011_emotion.txt": "   3.0000000e+00\n",
        },
    ],
    "fer2013": [
        {"fer2013/fer2013.csv": FER_ROW},
        {"archive/fer2013/fer2013/icml_face_data.csv": FER_ROW},
        {"archive/images/train/happy/a.jpg": "x"},
    ],
    "casme2": [
        {
            "CASME2-coding-20140508.xlsx": [CASME2_HEADER.split(","), *CASME2_ROWS],
            "Cropped/Cropped/sub01/EP02_01f/reg_img46.jpg": "x",
        },
        {
            "CASME2/CASME2_label_Ver_2.xlsx": [CASME2_HEADER.split(","), *CASME2_ROWS],
            "CASME2/CASME2-RAW/CASME2-RAW/sub01/EP02_01f/img46.jpg": "x",
        },
        {
            "CASME2-coding-20190701.xlsx": [CASME2_HEADER.split(","), *CASME2_ROWS],
            "CASME2-RAW-cropped/sub01/EP02_01f/reg_img46.jpg": "x",
        },
        {
            "CASME2-coding-20140508.xlsx": [CASME2_HEADER.split(","), *CASME2_ROWS],
            "Cropped/Sub1/EP02_01f/reg_img46.jpg": "x",
        },
    ],
    "smic": [
        {"SMIC_all_raw/SMIC_all_raw/HS/s01/micro/negative/s1_ne_01/image200010.jpg": "x"},
        {"HS/s1/micro/negative/s1_ne_01/reg_image200010.bmp": "x"},
        {"SMIC_all_cropped/HS/HS/s1/micro/negative/s1_ne_01/reg_image200010.bmp": "x"},
    ],
    "rafdb": [
        {
            "basic/EmoLabel/list_patition_label.txt": "train_00001.jpg 5\n",
            "basic/Image/aligned/aligned/train_00001_aligned.jpg": "x",
        },
        {
            "RAF-DB/basic/basic/EmoLabel/list_patition_label.txt": "train_00001.jpg 5\n",
            "RAF-DB/basic/basic/Image/aligned/train_00001_aligned.jpg": "x",
        },
        {
            "basic/EmoLabel/list_patition_label.txt": "train_00001.jpg\t5\r\n".encode("utf-16"),
            "basic/Image/aligned/train_00001_aligned.jpg": "x",
        },
        {
            "basic/EmoLabel/list_patition_label.txt": "train_00001.jpg;5\n",
            "basic/Image/aligned/train_00001_aligned.jpg": "x",
        },
    ],
    "jaffe": [
        {"jaffedbase/jaffe/KA.AN1.39.tiff.bmp": "x"},
        {"images/ka.an1.39.tiff": "x"},
    ],
    "cas_me2": [
        CAS_ME2 | {"rawpic/rawpic/s15/15_0102eatingworms/img699.jpg": "x"},
        {
            "CAS(ME)^2/code_final.xlsx": CAS_ME2["CAS(ME)^2code_final.xlsx"],
            "CAS(ME)^2/rawpic/s15/15_0102eatingworms/img699.jpg": "x",
        },
    ],
    "mug": [{"MUG/001/anger/take000/img_0000.jpg": "x"}],
    "oulu_casia": [
        {"OriginalImg/OriginalImg/VL/Strong/P001/Anger/000.jpeg": "x"},
        {"Oulu/B_OriginalImg/OriginalImg/VL_Img/VL/Strong/P001/Anger/000.jpeg": "x"},
    ],
    "samm": [
        {
            "SAMM/SAMM/SAMM_Micro_FACS_Codes_v2.xlsx": {"MICRO_ONLY": SAMM_TABLE},
            "SAMM/SAMM/6/006_1_2/006_00562.jpg": "x",
        },
        {
            "SAMM_Micro_FACS_Codes_v2.xlsx": {"About": [["a"]], "Sheet2": SAMM_TABLE},
            "frames/006/006_1_2/006_562.jpg": "x",
        },
    ],
    "mmew": [
        {
            "MMEW_Final/MMEW_Micro_Exp.xlsx": [
                ["Subject", "Filename", "Onset", "Apex", "Offset", "Emotion"],
                [13, "S13-07-001", 1, 3, 7, "others"],
            ],
            "MMEW_Final/Micro_Expression/Micro_Expression/others/S13-07-001/1.jpg": "x",
        }
    ],
}


@pytest.mark.parametrize(
    ("name", "tree"), [(name, tree) for name, trees in TREES.items() for tree in trees]
)
def test_fault_47_48_folders_that_stand_once_more_are_looked_through(tmp_path, name, tree):
    samples = registry.load(name, write(tmp_path / "data", tree))
    assert len(samples.table) == 1


def test_the_root_itself_comes_first_and_a_folder_of_many_is_content(tmp_path):
    for folder in ("a/b/c/d/e", *(f"many/s{n}/inside" for n in range(50))):
        (tmp_path / folder).mkdir(parents=True)
    names = [folder.name for folder in wrappers(tmp_path)]
    assert names == [tmp_path.name, "a", "many", "b", "c"]
    assert look_through(tmp_path, "C") == tmp_path / "a" / "b"
    assert look_through(tmp_path, "inside") == tmp_path


def test_of_two_trees_the_nearer_one_is_read(tmp_path):
    root = write(
        tmp_path / "SMIC",
        {
            "SMIC_all_raw/HS/s1/micro/negative/s1_ne_01/image1.jpg": "x",
            "old/SMIC_all_raw/HS/s1/micro/negative/s1_ne_02/image1.jpg": "x",
        },
    )
    assert registry.load("smic", root).ids == ["smic/s01/s01_ne_01"]


@pytest.mark.parametrize("part", ["SMIC_all_cropped", "SMIC_all_raw"])
def test_one_part_of_smic_may_be_named_as_the_whole(tmp_path, part):
    picture = "reg_image1.bmp" if part.endswith("cropped") else "image1.jpg"
    clip = "HS/s1/micro/negative/s1_ne_01"
    root = write(tmp_path / part, {f"{clip}/{picture}": "x"})
    kind = "cropped" if part.endswith("cropped") else "raw"
    assert len(registry.load("smic", root, frame_source=kind).table) == 1
    other = {"cropped": "raw", "raw": "cropped"}[kind]
    with pytest.raises(AnnotationError, match="looked for the folder"):
        registry.load("smic", root, frame_source=other)


class TestNearMisses:
    @pytest.mark.parametrize(
        ("official", "pattern", "lying"),
        [
            ("combined_3class_gt.csv", "combined*3class*.csv", "combined_3_class_gt.csv"),
            ("SAMM_Micro_FACS_Codes_v2.xlsx", "samm*facs*.xlsx", "SAMM.xlsx"),
            ("CASME2-coding-20140508.xlsx", "casme2*cod*.xlsx", "CASME2-coding-20140508.csv"),
            ("CASME.xlsx", "casme*.xlsx", "CASME-coded-20190721.xls"),
            ("MMEW_Micro_Exp.xlsx", "mmew*micro*.xlsx", "unpacked/MMEW.zip"),
        ],
    )
    def test_fault_49_a_table_that_is_not_found_names_what_lies_there(
        self, tmp_path, official, pattern, lying
    ):
        touch(tmp_path / lying)
        touch(tmp_path / "notes.md")
        with pytest.raises(AnnotationError) as caught:
            find_table(tmp_path, [official], pattern)
        assert official in str(caught.value)
        assert f"found {lying};" in str(caught.value)
        assert "notes.md" not in str(caught.value)

    def test_fault_49_a_second_workbook_of_another_kind_is_named(self, tmp_path):
        root = write(tmp_path, TREES["casme2"][0] | {"CASME2-ObjectiveClasses.csv": "x"})
        warnings = registry.load("casme2", root).warnings
        found = "found CASME2-ObjectiveClasses.csv, not CASME2-ObjectiveClasses.xlsx"
        assert found in warnings
        assert any("objective classes are unknown" in line for line in warnings)

    def test_fault_49_frames_that_are_not_found_name_the_folders_that_lie_there(self, tmp_path):
        root = write(
            tmp_path, {"CASME2-coding-20140508.xlsx": [CASME2_HEADER.split(","), *CASME2_ROWS]}
        )
        touch(root / "Croped" / "sub01" / "EP02_01f" / "reg_img46.jpg")
        with pytest.raises(AnnotationError, match=r"found the folder\(s\) 'Croped'"):
            registry.load("casme2", root)

    @pytest.mark.parametrize("lying", ["SAMM_v2", "samm.zip", "SAMMM"])
    def test_fault_49_a_database_that_is_not_found_names_what_is_called_alike(self, places, lying):
        (places / "data" / "holidays").mkdir()
        if lying.endswith(".zip"):
            touch(places / "data" / lying)
        else:
            (places / "data" / lying).mkdir()
        with pytest.raises(DatabaseNotFoundError, match="similar name") as caught:
            registry.load("samm")
        assert lying in str(caught.value)
        assert "holidays" not in str(caught.value)


class TestLinks:
    """A user's links to other disks are followed; those in a clip's folder lead nowhere."""

    def linked(self, tmp_path, name, tree, part):
        """Write a database on one disk and a part of it on another, all linked."""
        root, disk = write(tmp_path / "on_disk", tree), tmp_path / "other_disk"
        disk.mkdir()
        shutil.move(root / part, disk / "part")
        (root / part).symlink_to(disk / "part")
        link = tmp_path / "data" / name
        link.parent.mkdir()
        link.symlink_to(root)
        return link, disk / "part"

    @pytest.mark.parametrize(
        ("name", "part"),
        [
            ("casme2", "Cropped"),
            ("casme2", "Cropped/Cropped"),
            ("smic", "SMIC_all_raw"),
            ("cas_me2", "rawpic"),
            ("rafdb", "basic/Image"),
            ("jaffe", "jaffedbase"),
        ],
    )
    def test_fault_52_a_linked_tree_of_a_linked_database_is_read(self, tmp_path, name, part):
        link, _ = self.linked(tmp_path, name, TREES[name][0], part)
        assert len(registry.load(name, link).table) == 1

    def test_fault_52_a_linked_workbook_is_read(self, samm_tree, tmp_path):
        root = samm_tree()
        table = root / "SAMM_Micro_FACS_Codes_v2.xlsx"
        table.rename(tmp_path / "real.xlsx")
        table.symlink_to(tmp_path / "real.xlsx")
        assert len(registry.load("samm", root).table) == 3

    @pytest.mark.parametrize("name", ["casme2", "cas_me2", "smic"])
    def test_fault_17_52_a_frame_that_leads_out_is_refused(self, tmp_path, name):
        root = write(tmp_path / "data", TREES[name][0])
        (picture,) = root.rglob("*.jpg")
        secret = tmp_path / "private.jpg"
        secret.write_bytes(b"x")
        picture.with_name("img700.jpg").symlink_to(secret)
        with pytest.raises(AnnotationError, match="leads out of") as caught:
            registry.load(name, root)
        assert "img700.jpg" in str(caught.value)

    def test_fault_17_52_a_frame_of_a_linked_tree_that_leads_out_is_refused(self, tmp_path):
        link, part = self.linked(tmp_path, "casme2", TREES["casme2"][0], "Cropped")
        (tmp_path / "private.jpg").write_bytes(b"x")
        clip = part / "Cropped" / "sub01" / "EP02_01f"
        (clip / "reg_img47.jpg").symlink_to(tmp_path / "private.jpg")
        with pytest.raises(AnnotationError, match="leads out of"):
            registry.load("casme2", link)

    def test_frames_that_are_links_within_the_tree_are_read(self, samm_tree):
        """As annexes and deduplicating disks have them."""
        root = samm_tree()
        for picture in list(root.rglob("*.jpg")):
            store = root / "store" / picture.name
            store.parent.mkdir(exist_ok=True)
            picture.rename(store)
            picture.symlink_to(store)
        assert len(registry.load("samm", root).table) == 3

    def test_fault_52_own_data_and_its_frames_lead_nowhere(self, tmp_path):
        """What ``data check --frames`` opens was looked at before."""
        touch(tmp_path / "lab" / "a" / "1.png")
        (tmp_path / "private.png").write_bytes(b"x")
        (tmp_path / "lab" / "a" / "2.png").symlink_to(tmp_path / "private.png")
        (tmp_path / "lab" / "clips.csv").write_text("sample,subject,path,emotion\na,p1,a,fear\n")
        with pytest.raises(AnnotationError, match=r"row 2, column 'path': .*2\.png leads out of"):
            registry.add(tmp_path / "lab" / "clips.csv")


def test_fault_52_the_check_of_frames_follows_linked_trees(tmp_path):
    import cv2
    import numpy as np

    root = write(
        tmp_path / "root",
        {"CASME2-coding-20140508.xlsx": [CASME2_HEADER.split(","), *CASME2_ROWS]},
    )
    clip = tmp_path / "disk" / "sub01" / "EP02_01f"
    clip.mkdir(parents=True)
    for frame in range(46, 87):
        picture = np.full((8, 8), frame, np.uint8)
        cv2.imwrite(str(clip / f"reg_img{frame}.jpg"), picture)
    (root / "Cropped").symlink_to(tmp_path / "disk")
    samples = _check_frames(registry.load("casme2", root), Policies())
    assert samples.excluded == ()


def test_an_edition_of_samm_of_another_name_within_a_folder(tmp_path, samm_tree):
    root = samm_tree(name="unpacked/SAMM_FACS_Codes.xlsx")
    warnings = registry.load("samm", root).warnings
    assert "annotations read from SAMM_FACS_Codes.xlsx" in warnings


def test_rafs_compound_part_is_named(tmp_path):
    lines = "train_0001.jpg 3\ntrain_0002.jpg 11\n"
    root = write(tmp_path / "a", {"compound/EmoLabel/list_patition_label.txt": lines})
    with pytest.raises(AnnotationError, match="compound part") as caught:
        registry.load("rafdb", root)
    assert "basic part" in str(caught.value)
    # The same list where the basic one should be.
    root = write(tmp_path / "b", {"basic/EmoLabel/list_patition_label.txt": lines})
    with pytest.raises(AnnotationError, match="compound part"):
        registry.load("rafdb", root)
