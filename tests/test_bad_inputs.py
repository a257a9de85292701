"""Faults put by hand into a database: what the command line says, and that nothing is guessed."""

import io
import json
import shutil
import zipfile

import cv2
import numpy as np
import openpyxl
import pytest

from mer_keras.cli import main as cli
from mer_keras.synthetic import stand_ins

WORKBOOK = stand_ins.LAYOUTS["samm"].last
HEADER = 14  # the row of SAMM's table that holds the column names
COLUMNS = {"Subject": 1, "Filename": 2, "Onset": 4, "Apex": 5, "Offset": 6, "Emotion": 10}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    root = tmp_path_factory.mktemp("whole") / "SAMM"
    stand_ins.write("samm", root, stand_ins.StandInOptions(clips=8, size=24))
    return root


@pytest.fixture
def samm(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "SAMM")


@pytest.fixture
def mer_keras(monkeypatch, capsys, tmp_path):
    """Run the command line in this process and return its exit code, output and errors."""
    monkeypatch.setenv("MER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MER_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("MER_DATA", str(tmp_path))

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["mer-keras", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capsys.readouterr()
        return caught.value.code or 0, out, err

    return run


@pytest.fixture
def check(mer_keras):
    def run(root, *options):
        code, out, err = mer_keras("data", "check", "samm", "--root", root, "--json", *options)
        return code, json.loads(out) if out else None, err

    return run


def edit(root, row, column, value):
    """Change a cell; rows count from the first clip's, which is 1."""
    book = openpyxl.load_workbook(root / WORKBOOK)
    book.active.cell(HEADER + row, COLUMNS[column]).value = value
    book.save(root / WORKBOOK)


def cells(root, row):
    book = openpyxl.load_workbook(root / WORKBOOK)
    return [cell.value for cell in book.active[HEADER + row]]


def add_row(root, values):
    book = openpyxl.load_workbook(root / WORKBOOK)
    book.active.append(values)
    book.save(root / WORKBOOK)


def clip_folder(root, row=1):
    subject, clip, *_ = cells(root, row)
    return root / subject / clip


def test_the_untouched_database_is_fine(samm, check):
    code, found, err = check(samm, "--frames")
    assert (code, found["clips"], err.count("Traceback")) == (0, 8, 0)
    assert found["excluded"] == []
    assert found["data_kind"] == "synthetic"


@pytest.mark.parametrize(
    ("row", "column", "value", "words"),
    [
        (
            0,
            "Emotion",
            "Estimated Emotoin",
            ["did you mean 'Estimated Emotoin'", "header in row 14"],
        ),
        (1, "Onset", 99999, ["row 15: onset 99999 after", "frame_order=exclude"]),
        (2, "Onset", "5x", ["row 16, column 'Onset Frame': '5x'", "correct the cell"]),
        (2, "Offset", None, ["row 16, column 'Offset Frame'", "fill it in"]),
        (3, "Filename", "../../etc/passwd", ["row 17, column 'Filename'", "plain name"]),
        (3, "Filename", "C:\\clips", ["row 17, column 'Filename'"]),
        (3, "Filename", "no_such_clip", ["no_such_clip is absent", "SAMM/"]),
        (1, "Subject", "six", ["row 15, column 'Subject': 'six'"]),
        (1, "Emotion", None, ["row 15, column 'Estimated Emotion'", "fill it in"]),
    ],
)
def test_fault_01_04_17_a_bad_cell_is_named_with_its_remedy(samm, check, row, column, value, words):
    edit(samm, row, column, value)
    code, found, err = check(samm)
    assert code == 2 and found is None
    assert err.startswith("mer-keras: ") and WORKBOOK in err
    for word in words:
        assert word in err


def test_fault_09_a_subject_may_be_a_number_and_an_emotion_full_width(samm, check):
    before = check(samm)[1]
    edit(samm, 1, "Subject", float(cells(samm, 1)[0]))
    edit(samm, 1, "Emotion", "\uff21nger" if cells(samm, 1)[9] == "Anger" else cells(samm, 1)[9])
    assert check(samm)[1]["emotions"] == before["emotions"]


@pytest.mark.parametrize("emotion", ["same", "Surprise"])
def test_fault_07_08_a_clip_that_stands_twice_is_refused_with_one_label_or_two(
    samm, check, emotion
):
    values = cells(samm, 1)
    if emotion != "same":
        values[9] = emotion
    add_row(samm, values)
    code, _, err = check(samm)
    assert code == 2
    assert "two rows for clip" in err and "remove one of the rows" in err


def test_fault_02_an_unknown_emotion_stops_before_training_and_names_the_nearest(samm, mer_keras):
    edit(samm, 1, "Emotion", "Happines")
    code, _, err = mer_keras("plan", "shallow_convlstm/table1", "--data", "real")
    assert code == 2
    assert "'happines' (did you mean 'happiness'?)" in err
    assert "correct the annotation table or choose another scheme" in err


def test_fault_03_a_missing_apex_goes_on_and_is_listed(samm, check):
    edit(samm, 1, "Apex", "/")
    code, found, _ = check(samm)
    assert code == 0 and found["clips"] == 8
    assert any("no apex frame in 1 row(s): 15" in line for line in found["warnings"])
    code, found, _ = check(samm, "--policy", "apex=exclude")
    assert code == 0 and found["clips"] == 7
    assert [line.split(": ")[1] for line in found["excluded"]] == ["apex not annotated"]


def test_fault_04_disorder_can_be_left_out_by_policy(samm, check):
    edit(samm, 1, "Onset", 99999)
    code, found, _ = check(samm, "--policy", "frame_order=exclude")
    assert code == 0 and found["clips"] == 7
    assert "onset 99999 after" in found["excluded"][0]


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("frame_ordr=exclude", "did you mean 'frame_order'"),
        ("apex=guess", "'middle', 'spot' or 'exclude'"),
        ("apex", "expected key=value"),
    ],
)
def test_an_unknown_policy_is_refused(samm, check, policy, words):
    code, _, err = check(samm, "--policy", policy)
    assert code == 2 and words in err


def test_fault_05_one_frame_that_is_onset_apex_and_offset_goes_on(samm, check):
    onset = cells(samm, 1)[3]
    edit(samm, 1, "Apex", onset)
    edit(samm, 1, "Offset", onset)
    code, found, _ = check(samm)
    assert code == 0 and found["clips"] == 8
    assert any("one frame in 1 row(s): 15" in line for line in found["warnings"])


def test_fault_06_frames_beyond_the_folder_leave_the_clip_out(samm, check):
    edit(samm, 1, "Offset", 99999)
    code, found, _ = check(samm, "--frames")
    assert code == 0
    assert any("offset 99999 is beyond the frames on disk" in e for e in found["excluded"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600,
            "save it as .xlsx without a password",
        ),
        (b"Subject,Filename\n006,006_1_2\n", "not an .xlsx workbook"),
        (b"", "not an .xlsx workbook"),
        (b"<html>log in</html>", "not an .xlsx workbook"),
    ],
)
def test_fault_14_what_is_no_workbook_is_refused(samm, check, content, words):
    (samm / WORKBOOK).write_bytes(content)
    code, _, err = check(samm)
    assert code == 2 and words in err


def rewritten(data, name, change):
    """Return an .xlsx with one of its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for entry in old.namelist():
            content = old.read(entry)
            new.writestr(entry, change(content) if entry.endswith(name) else content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda xml: xml + b" " * 60_000_000, "made to exhaust memory"),
        (
            lambda xml: b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + xml,
            "XML document type, entity",
        ),
    ],
)
def test_fault_15_16_a_bomb_is_refused_before_it_is_opened(samm, check, change, words):
    book = samm / WORKBOOK
    book.write_bytes(rewritten(book.read_bytes(), "sheet1.xml", change))
    code, _, err = check(samm)
    assert code == 2 and words in err


class TestFrames:
    def frame(self, root, place=0):
        return sorted(clip_folder(root).iterdir())[place]

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda data: b"", "zero bytes"),
            (lambda data: data[: len(data) // 2], "cut off or damaged"),
            (lambda data: b"GIF89a" + data, "neither JPEG, PNG, BMP nor TIFF"),
        ],
    )
    def test_fault_19_20_a_damaged_image_leaves_its_clip_out(self, samm, check, change, reason):
        victim = self.frame(samm, 3)
        victim.write_bytes(change(victim.read_bytes()))
        code, found, _ = check(samm, "--frames")
        assert code == 0
        (line,) = found["excluded"]
        assert victim.name in line and reason in line

    def test_fault_21_a_png_named_jpg_goes_on_and_is_listed(self, samm, check):
        victim = self.frame(samm)
        ok, data = cv2.imencode(".png", np.full((24, 24), 90, np.uint8))
        victim.write_bytes(data.tobytes())
        code, found, _ = check(samm, "--frames")
        assert ok and code == 0
        assert any("PNG image named .jpg" in line for line in found["warnings"])

    def test_fault_23_a_header_of_two_hundred_megapixels_stops(self, samm, check):
        ok, data = cv2.imencode(".bmp", np.zeros((2, 2), np.uint8))
        claimed = bytearray(data.tobytes())
        claimed[18:26] = (20_000).to_bytes(4, "little") + (10_000).to_bytes(4, "little")
        self.frame(samm).write_bytes(bytes(claimed))
        code, _, err = check(samm, "--frames")
        assert ok and code == 2
        assert "20000x10000 pixels" in err

    def test_fault_24_another_size_within_a_clip_stops_or_is_resized(self, samm, check):
        victim = self.frame(samm, 2)
        ok, data = cv2.imencode(".jpg", np.full((30, 24), 90, np.uint8))
        victim.write_bytes(data.tobytes())
        code, _, err = check(samm, "--frames")
        assert ok and code == 2 and "data.policies.sizes=resize" in err
        code, found, _ = check(samm, "--frames", "--policy", "sizes=resize")
        assert code == 0
        assert any("frames of different sizes" in line for line in found["warnings"])

    def test_fault_26_a_gap_goes_on_with_the_nearest_frame(self, samm, check):
        self.frame(samm, 5).unlink()
        code, found, _ = check(samm, "--frames")
        assert code == 0
        assert any("the nearest one stands in: 1 of 8" in line for line in found["warnings"])

    def test_fault_28_stray_files_are_ignored(self, samm, check):
        for name in ("Thumbs.db", ".DS_Store", "._006_00001.jpg"):
            (clip_folder(samm) / name).write_bytes(b"\x00")
        assert check(samm, "--frames")[1] == check(samm, "--frames")[1]
        assert check(samm, "--frames")[1]["excluded"] == []

    def test_fault_31_black_frames_are_listed(self, samm, check):
        ok, data = cv2.imencode(".jpg", np.zeros((24, 24), np.uint8))
        for file in clip_folder(samm).iterdir():
            file.write_bytes(data.tobytes())
        code, found, _ = check(samm, "--frames")
        assert ok and code == 0
        assert any("all frames are black: 1 of 8" in line for line in found["warnings"])

    def test_an_empty_folder_stops(self, samm, check):
        folder = clip_folder(samm)
        for file in folder.iterdir():
            file.unlink()
        code, _, err = check(samm)
        assert code == 2 and f"{folder} holds no image" in err


class TestOwnData:
    @pytest.fixture
    def lab(self, whole, tmp_path):
        root = tmp_path / "my lab"
        frames = next(p for p in sorted(whole.glob("*/*")) if p.is_dir())
        for clip in ("one", "two"):
            shutil.copytree(frames, root / "frames" / clip)
        numbers = sorted(int(f.stem.split("_")[1]) for f in frames.iterdir())
        marks = f"{numbers[0]},{numbers[4]},{numbers[-1]}"
        (root / "clips.csv").write_text(
            "\ufeffsample,subject,path,onset,apex,offset,emotion,fps\r\n"
            f"a,p1,frames/one,{marks},Happiness,100\r\n"
            "b,p2,frames/two,,,,surprise,\r\n",
            encoding="utf-8",
        )
        return root

    def test_a_list_of_clips_is_added_found_and_read(self, lab, mer_keras):
        code, out, _ = mer_keras("data", "add", lab / "clips.csv")
        assert code == 0 and out.startswith("my_lab: 2 clips of 2 subjects")
        code, out, _ = mer_keras("data", "list", "--json")
        assert "my_lab" in [entry["name"] for entry in json.loads(out)]
        code, out, _ = mer_keras("data", "check", "my_lab", "--frames", "--json")
        found = json.loads(out)
        assert code == 0 and found["emotions"] == {"happiness": 1, "surprise": 1}
        assert found["data_kind"] == "own"
        assert any("apex not annotated" in line for line in found["warnings"])

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("c,p1,frames/three,1,2,3,anger,100", "three is absent"),
            # longer than any path may be, though no name in it is
            (f"c,p1,{'/'.join(['y' * 99] * 60)},1,2,3,anger,100", "is absent"),
            ("c,p2,frames/one,1,2,3,joy,100\nd,p3,frames/one,1,2,3,fear,", "name the same frames"),
            ("c,p1,../elsewhere,1,2,3,anger,100", "row 4, column 'path'"),
            ("c,p1,/etc,1,2,3,anger,100", "row 4, column 'path'"),
            ("c,p1,frames/one,3,2,1,anger,100", "row 4: onset 3 after apex 2"),
            ("c,p1,frames/one,,,,happines,100", "row 4: emotion 'happines' (did you mean"),
            ("c,p1,frames/one,1,2,3,anger,100", "row 4, column 'onset': 1, but 'one' has"),
            ("c,p1,frames/one,1,2,3,anger,0", "row 4, column 'fps': '0'"),
            ("a,p1,frames/one,1,2,3,anger,100", "two rows for clip 'my_lab/p1/a'"),
            ("c/d,p1,frames/one,1,2,3,anger,100", "row 4, column 'sample'"),
        ],
    )
    def test_a_bad_line_adds_nothing(self, lab, mer_keras, line, words):
        with (lab / "clips.csv").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        code, _, err = mer_keras("data", "add", lab / "clips.csv")
        assert code == 2 and words in err
        assert "my_lab" not in mer_keras("data", "list")[1]

    @pytest.mark.parametrize("name", ["samm", "My Lab", "x", "../up"])
    def test_a_name_that_cannot_be_used(self, lab, mer_keras, name):
        code, _, err = mer_keras("data", "add", lab / "clips.csv", "--name", name)
        assert code == 2 and "choose another with --name" in err

    def test_a_damaged_registry_is_named(self, mer_keras, tmp_path):
        (tmp_path / "config").mkdir()
        (tmp_path / "config" / "databases.json").write_text("{")
        code, _, err = mer_keras("data", "list")
        assert code == 2 and "databases.json" in err


def test_spotting_is_measured_against_the_annotated_apexes(samm, check):
    code, found, _ = check(samm, "--spot")
    assert code == 0
    # two of the eight may be the ones whose apex is corrected to "not annotated"
    assert "annotated apexes found within 10 % of the clip's length" in found["spotting"]


def test_the_cache_can_be_shown_and_cleared(samm, mer_keras):
    assert mer_keras("data", "cache")[1].strip().endswith("0.0 MB")
    assert mer_keras("data", "cache", "--clear")[0] == 0
