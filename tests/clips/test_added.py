"""What is looked at in the footage of own data when it is added."""

import json

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from mer_keras.cli.data import app
from mer_keras.clips.added import check_footage
from mer_keras.clips.assemble import check_frames, load_clips
from mer_keras.config.inputs import Clip
from mer_keras.databases import registry
from mer_keras.databases.own import own_databases
from mer_keras.errors import AnnotationError, UserError
from tests.clips.test_footage import write_video

CLIP = Clip(kind="frames", frames=2, size=8, sampling="interpolated")


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A folder for own data; the user's config is this test's own."""
    monkeypatch.setenv("MER_CONFIG", str(tmp_path / "config"))
    (tmp_path / "lab").mkdir()
    return tmp_path / "lab"


def draw(folder, seed, numbers=range(1, 11)):
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    for number in numbers:
        picture = rng.integers(0, 256, (12, 12), np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), picture)


def write(lab, *rows, header="sample,subject,path,emotion,onset,apex,offset"):
    (lab / "clips.csv").write_text("\n".join([header, *rows]) + "\n")
    return lab / "clips.csv"


def add(table):
    return registry.add(table, "lab", check=check_footage)


class TestFrameNumbers:
    @pytest.mark.parametrize(
        ("marks", "column", "frame"),
        [("2,5,40", "offset", 40), ("20,,", "onset", 20), ("1,99,", "apex", 99)],
    )
    def test_fault_76_a_number_beyond_the_folder_is_named(self, lab, marks, column, frame):
        draw(lab / "a", 1)
        draw(lab / "b", 2)
        table = write(lab, "a,p1,a,fear,2,5,9", f"b,p2,b,fear,{marks}")
        with pytest.raises(AnnotationError) as caught:
            add(table)
        for words in (
            f"clips.csv: row 3, column {column!r}: {frame}",
            "'b' has the frames 1 to 10",
            "A video's frames count from 0",
        ):
            assert words in str(caught.value)
        assert own_databases() == {}

    def test_fault_76_a_number_beyond_a_video_is_named(self, lab):
        write_video(lab / "v.avi", 8)
        with pytest.raises(AnnotationError, match=r"'offset': 20, but 'v\.avi' .* 0 to 7"):
            add(write(lab, "a,p1,v.avi,fear,0,3,20"))

    def test_the_folders_own_numbers_are_meant(self, lab):
        draw(lab / "a", 1, range(500, 520))
        samples = add(write(lab, "a,p1,a,fear,501,505,519"))
        assert samples.warnings == ()


class TestFaultsWhileOpening:
    """A clip whose file can't be opened is one clip less, not the end."""

    def test_fault_50_an_empty_video_is_left_out_in_words_of_its_own(self, lab):
        draw(lab / "a", 1)
        (lab / "v.mp4").touch()
        samples = add(write(lab, "a,p1,a,fear,,,", "v,p2,v.mp4,fear,,,"))
        (line,) = samples.warnings
        assert line == "1 recording(s) can't be used and are left out: v.mp4: zero bytes"
        loaded = load_clips(samples, CLIP)
        assert [(e.clip, e.reason) for e in loaded.excluded] == [("p2/v", "v.mp4: zero bytes")]
        excluded, _ = check_frames(samples)
        assert [e.clip for e in excluded] == ["p2/v"]

    def test_fault_50_an_empty_image_that_is_a_whole_clip_is_left_out(self, lab):
        draw(lab / "a", 1)
        (lab / "i.png").touch()
        (lab / "t.avi").write_bytes(b"RIFF\x10\0\0\0AVI ")
        rows = ["a,p1,a,fear,,,", "i,p2,i.png,fear,,,", "t,p3,t.avi,fear,,,"]
        loaded = load_clips(add(write(lab, *rows)), CLIP)
        reasons = {e.clip: e.reason for e in loaded.excluded}
        assert set(reasons) == {"p2/i", "p3/t"}
        assert reasons["p2/i"] == "i.png: zero bytes"
        assert reasons["p3/t"].startswith("t.avi: no pictures in it can be decoded")


class TestContentTwice:
    def test_fault_51_copied_folders_and_videos_are_told_when_added(self, lab):
        draw(lab / "a", 1)
        draw(lab / "b", 1)
        draw(lab / "c", 2)
        write_video(lab / "v.avi", 8)
        (lab / "w.avi").write_bytes((lab / "v.avi").read_bytes())
        rows = ["a,p1,a,fear,,,", "b,p2,b,anger,,,", "c,p3,c,fear,,,"]
        rows += ["v,p4,v.avi,fear,,,", "w,p5,w.avi,fear,,,"]
        (line,) = add(write(lab, *rows)).warnings
        assert "lab/p1/a = lab/p2/b" in line and "lab/p4/v = lab/p5/w" in line
        assert "2 under other subjects and 1 under other labels" in line

    def test_fault_51_parts_of_one_recording_are_told_by_their_frames(self, lab):
        draw(lab / "a", 1, range(20))
        draw(lab / "b", 1, range(20))
        rows = ["a,p1,a,fear,0,3,6", "a2,p1,a,fear,10,12,16", "b,p2,b,fear,0,3,6"]
        (line,) = add(write(lab, *rows)).warnings
        assert "[ids: lab/p1/a = lab/p2/b]" in line

    def test_fault_51_loaded_clips_are_compared_by_their_pixels(self, lab):
        """The same pictures in another format, which no comparison of files finds."""
        draw(lab / "a", 1)
        draw(lab / "c", 2)
        for file in sorted((lab / "a").iterdir()):
            (lab / "b").mkdir(exist_ok=True)
            cv2.imwrite(str(lab / "b" / f"{file.stem}.bmp"), cv2.imread(str(file), 0))
        samples = add(write(lab, "a,p1,a,fear,,,", "b,p2,b,fear,,,", "c,p3,c,fear,,,"))
        assert samples.warnings == ()
        for warnings in (load_clips(samples, CLIP).warnings, check_frames(samples)[1]):
            (line,) = [w for w in warnings if "same content" in w]
            assert "[ids: lab/p1/a = lab/p2/b]" in line

    def test_flow_without_motion_is_not_taken_for_a_copy(self, lab):
        for name, seed in (("a", 1), ("b", 2)):
            draw(lab / name, seed, [1])
            (lab / name / "2.png").write_bytes((lab / name / "1.png").read_bytes())
        samples = registry.add(write(lab, "a,p1,a,fear,1,2,2", "b,p2,b,fear,1,2,2"), "lab")
        flow = Clip(kind="flow", size=8, flow={"method": "farneback", "compute_size": 16})
        assert not [w for w in load_clips(samples, flow).warnings if "same content" in w]


def test_the_verbs_add_check_and_remove(lab):
    draw(lab / "a", 1)
    draw(lab / "b", 2)
    write(lab, "a,p1,a,fear,2,5,9", "b,p2,b,,1,3,4")
    (lab / "classes.yaml").write_text("classes: {bad: [fear], good: [happy]}\n")

    def call(*arguments):
        done = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert done.exit_code == 0
        return done.stdout

    added = call("add", str(lab / "clips.csv"), "--classes", str(lab / "classes.yaml"))
    assert "lab: 1 clips of 1 subjects" in added
    assert "classes lab_2: bad 1" in added
    assert "1 clip(s) without a label are left out" in added
    with pytest.raises(UserError, match="replace it with --replace"):
        call("add", str(lab / "clips.csv"))
    assert "lab: 2 clips of 2 subjects" in call("add", str(lab / "clips.csv"), "--replace")
    checked = json.loads(call("check", "lab", "--json", "--frames"))
    assert checked["emotions"] == {"fear": 1, "unlabelled": 1}
    assert "still there" in call("remove", "lab")
    assert own_databases() == {}
