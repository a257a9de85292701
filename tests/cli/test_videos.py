"""``mer-keras video check``, ``spot`` and ``annotate`` as a user meets them."""

import json

import numpy as np
import pytest

from mer_keras.cli import main as cli
from mer_keras.video.annotated import annotated_videos
from mer_keras.video.drawn import draw_recording
from tests.video.recordings import texture, write_video

#: A quick curve: the command is tried, not the method.
QUICK = ("--crop", "centre", "--method", "lbp_difference")


@pytest.fixture
def call(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["mer-keras", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        output = capsys.readouterr()
        return end.value.code or 0, output.out, output.err

    return run


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    drawn = draw_recording(seconds=1.6, fps=60, events=1, seed=3)
    return drawn.write(tmp_path_factory.mktemp("videos") / "talk.mkv")


def test_spot_writes_its_files_and_says_what_it_is_not_for(call, video, tmp_path):
    code, text, _ = call("spot", video, *QUICK, "--out", tmp_path / "out")
    assert code == 0
    assert "talk.mkv: 0:01.6, 96 frames, 60 fps, 128x128" in text
    assert "most of these intervals will be nothing" in " ".join(text.split())
    assert "Not for lie detection" in " ".join(text.split())
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert names >= {"intervals.csv", "curve.csv", "talk.eaf", "result.json", "page.html"}


def test_annotate_goes_round(call, video, tmp_path):
    mine = tmp_path / "mine.csv"
    mine.write_text("onset,apex,offset\n10,20,30\n40,50,60\n")
    eaf, back, clips = (tmp_path / name for name in ("a.eaf", "b.csv", "clips.csv"))
    assert call("annotate", mine, video, "--to", "eaf", "--out", eaf)[0] == 0
    assert call("annotate", eaf, video, "--to", "csv", "--out", back)[0] == 0
    rows = [line.split(",")[2:5] for line in back.read_text().splitlines()[1:]]
    assert rows == [["10", "20", "30"], ["40", "50", "60"]]
    assert call("annotate", eaf, video, "--to", "clips", "--out", clips, "--subject", "p1")[0] == 0
    assert clips.read_text().splitlines()[1] == "talk-10,p1,talk.mkv,10,20,30,,60"
    code, _, error = call("annotate", eaf, video, "--to", "csv", "--out", eaf)
    assert (code, "is read by this command" in error) == (2, True)


def test_scores_stand_beside_published_levels(call, video, tmp_path):
    truth = tmp_path / "truth.csv"
    truth.write_text("video,subject,onset,offset\ntalk.mkv,s1,30,55\n")
    code, text, _ = call("spot", video, *QUICK, "--evaluate", truth, "--json")
    tree = json.loads(text)
    assert code == 0
    (micro,) = tree["scores"]
    found = micro["true_positives"] + micro["false_negatives"]
    assert (micro["kind"], found, micro["f1_interval"]) == ("micro", 1, None)
    assert {row["method"] for row in tree["published"]} >= {"MDMD", "LTP-ML"}
    text = call("spot", video, *QUICK, "--evaluate", truth)[1]
    assert "by the MEGC rule" in text
    assert "0.008" in text


def test_a_database_of_long_recordings_is_scored(call, tmp_path, monkeypatch):
    """Its frames count from any number, and its clips lie inside its recordings."""
    import cv2

    from mer_keras.databases import registry
    from mer_keras.databases.samples import make_samples

    folder = tmp_path / "s15" / "15_0101"
    folder.mkdir(parents=True)
    for number in range(40):
        cv2.imwrite(str(folder / f"img{number + 1}.png"), texture((40, 40), number // 20))
    row = {"database": "cas_me2", "subject": "s15", "clip": "a", "path": str(folder), "fps": 30.0}
    row |= {"onset": 5, "apex": 8, "offset": 14, "emotion": "joy", "data_kind": "synthetic"}
    samples = make_samples([row], source="test")
    monkeypatch.setattr(registry, "load", lambda name: samples)
    (video,) = annotated_videos(samples)
    assert (video.name, video.fps) == ("s15/15_0101", 30.0)
    assert [(i.onset, i.offset) for i in video.intervals] == [(4, 13)]
    code, text, _ = call("spot", *QUICK, "--evaluate", "cas_me2", "--json")
    assert code == 0
    (micro,) = json.loads(text)["scores"]
    assert micro["true_positives"] + micro["false_negatives"] == 1
    assert "no video was named" in call("spot")[2]


def test_truth_of_another_video_is_said(call, video, tmp_path):
    truth = tmp_path / "truth.csv"
    truth.write_text("video,onset,offset\nother.mp4,1,9\n")
    code, _, error = call("spot", video, *QUICK, "--evaluate", truth)
    assert code == 2
    assert "'other.mp4', which is none of the videos here" in error


def test_check_says_how_to_record(call, video):
    code, text, _ = call("video", "check", video, "--crop", "centre", "--json")
    tree = json.loads(text)
    assert (code, tree["fit"]) == (0, True)
    assert tree["facts"]["frames"] == 96
    assert any("250 pixels" in line for line in tree["how_to_record"])
    assert "fit for spotting" in call("video", "check", video, "--crop", "centre")[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--crop", "hair"), "'haar', 'mesh' or 'centre'"),
        (("--align", "three_points"), "crop 'mesh'"),
        (("--method", "guess"), "flow_difference"),
        (("--released", *QUICK), "--released is a form of"),
        (("--out", __file__), "is a file"),
    ],
)
def test_options_that_make_no_sense(call, video, arguments, words):
    code, _, error = call("spot", video, *arguments)
    assert code == 2
    assert words in error


@pytest.mark.parametrize("verb", [("spot",), ("video", "check")])
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("sound.wav", b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(64), "an audio file"),
        ("list.m3u8", b"#EXTM3U\nother.mp4\n", "playlist"),
        ("empty.mp4", b"", "zero bytes"),
        ("page.mp4", b"<html></html>", "expected a video"),
    ],
)
def test_what_is_no_video_ends_with_2(call, tmp_path, verb, name, content, words):
    (tmp_path / name).write_bytes(content)
    code, _, error = call(*verb, tmp_path / name)
    assert code == 2
    assert error.startswith("mer-keras: ")
    assert words in error
    assert "Traceback" not in error


def test_a_folder_without_frames_and_one_without_a_rate(call, tmp_path):
    import cv2

    assert "holds no frame" in call("spot", tmp_path)[2]
    for number in range(4):
        cv2.imwrite(str(tmp_path / f"{number}.png"), texture((40, 40), number))
    code, _, error = call("spot", tmp_path, "--crop", "centre")
    assert (code, "--fps" in error) == (2, True)


def test_a_recording_that_is_not_fit_ends_with_2(call, tmp_path):
    pictures = [np.full((60, 80), 120, np.uint8)] * 12
    video = write_video(tmp_path / "wall.mkv", pictures, fps=60)
    code, text, error = call("video", "check", video)
    assert code == 2
    assert "not fit for spotting" in text
    assert "a face in 0%" in error
    assert call("spot", video)[0] == 2


def test_the_mesh_without_its_extra_says_how_to_get_it(call, video, monkeypatch):
    from mer_keras.clips import face_models

    monkeypatch.setattr(face_models, "PACKAGE", "no_such_package_at_all")
    code, _, error = call("spot", video, "--crop", "mesh")
    assert code == 2
    assert "pip install 'mer_keras[face]'" in error


def test_an_annotation_beside_the_video_is_not_written_over(call, video, tmp_path):
    mine, beside = tmp_path / "mine.csv", video.with_suffix(".eaf")
    mine.write_text("onset,offset\n10,30\n")
    beside.write_text("corrected in ELAN")
    code, _, error = call("annotate", mine, video)
    assert (code, "talk.eaf: is there already" in error) == (2, True)
    assert beside.read_text() == "corrected in ELAN"
    assert call("annotate", mine, video, "--out", beside)[0] == 0


def test_what_the_system_refuses_ends_with_2_and_its_words(call, video, tmp_path):
    mine, file = tmp_path / "mine.csv", tmp_path / "file"
    mine.write_text("onset,offset\n10,30\n")
    file.write_text("no folder")
    code, _, error = call("annotate", mine, video, "--out", file / "mine.eaf")
    assert (code, error.count("\n")) == (2, 1)
    assert "File exists" in error or "Not a directory" in error
    code, _, error = call("video", "check", "a" * 300)
    assert (code, "File name too long" in error) == (2, True)
