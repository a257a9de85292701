import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from mer_keras.errors import AnnotationError, UserError
from mer_keras.video.curve import Curve
from mer_keras.video.face_tracker import CentreFinder
from mer_keras.video.facts import facts_of
from mer_keras.video.findings import Finding
from mer_keras.video.intervals import interval_at
from mer_keras.video.options import SpotOptions
from mer_keras.video.spot import Spotting
from mer_keras.video.survey import survey
from mer_keras.video.tables import clips_csv, intervals_csv, read_intervals
from mer_keras.video.writing import write_spotting
from tests.video.recordings import in_memory, texture

TIMES = np.arange(100) / 50
INTERVALS = (
    interval_at(TIMES, 5, 9, 20, score=1.0, strength_px=0.41, region="mouth", remarks=("a", "b")),
    interval_at(TIMES, 40, 45, 60),
)


@pytest.fixture(scope="module")
def spotting():
    given = [(time, texture()) for time in TIMES]
    nothing = np.full(100, np.nan)
    curve = Curve(
        "flow_difference",
        np.arange(100),
        TIMES,
        nothing,
        nothing,
        nothing,
        nothing,
        np.zeros(100, bool),
        float("inf"),
        10,
        50.0,
    )
    facts = facts_of(survey(in_memory(given), CentreFinder()))
    return Spotting(facts, curve, INTERVALS, (Finding("note", "x", "y"),), SpotOptions())


def test_intervals_read_back(tmp_path):
    file = tmp_path / "intervals.csv"
    file.write_text(intervals_csv(INTERVALS, "talk.mp4", "micro"))
    found = read_intervals(file, TIMES)
    assert found[0] == INTERVALS[0]
    assert (found[1].onset, found[1].apex, found[1].offset) == (40, 45, 60)
    assert np.isnan(found[1].score)


def test_a_table_of_onset_and_offset_will_do(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("onset;offset\n10;20\n")
    (interval,) = read_intervals(file, TIMES)
    assert (interval.onset, interval.apex, interval.offset) == (10, 15, 20)
    assert (interval.onset_s, interval.apex_s, interval.offset_s) == (0.2, 0.3, 0.4)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("20,10,", "row 2"),
        ("10,100,", "at most 99"),
        ("x,10,", "frame number"),
        ("1,5,high", "number"),
    ],
)
def test_a_table_that_makes_no_sense(tmp_path, row, words):
    file = tmp_path / "mine.csv"
    file.write_text(f"onset,offset,score\n{row}\n")
    with pytest.raises(AnnotationError, match=words):
        read_intervals(file, TIMES)


def test_files_hold_no_path_and_no_number_that_json_lacks(spotting, tmp_path):
    files = write_spotting(spotting, tmp_path / "out")
    assert [file.name for file in files] == [
        "intervals.csv",
        "curve.csv",
        "drawn.eaf",
        "result.json",
    ]
    result = json.loads(files[-1].read_text(), parse_constant=lambda _: pytest.fail("NaN"))
    assert result["intervals"][1]["score"] is None
    assert result["video"]["sha256"] == "0" * 64
    assert "Not for" in result["not_for"]
    assert all(str(tmp_path) not in file.read_text() for file in files)
    rows = list(csv.reader(files[1].open()))
    assert rows[0] == ["frame", "time_s", "flow", "contrast", "head_px", "face_score", "valid"]
    assert len(rows) == 101


def test_fault_13_a_name_that_is_a_formula_is_escaped(spotting):
    text = intervals_csv(INTERVALS, "=cmd|' /C calc'!A0.mp4", "micro")
    assert list(csv.reader(text.splitlines()))[1][0].startswith("'=")
    assert "'=" in clips_csv(INTERVALS, "=1.mp4", "01", 50)


def test_checked_intervals_become_a_list_of_clips(tmp_path):
    from mer_keras.databases.readers import manifest

    (tmp_path / "talk.mp4").touch()
    (tmp_path / "clips.csv").write_text(clips_csv(INTERVALS, "talk.mp4", "p1", 50.0))
    clips = manifest.read(tmp_path, "own").clips
    assert [(c.onset, c.apex, c.offset, c.fps) for c in clips] == [
        (5, 9, 20, 50.0),
        (40, 45, 60, 50.0),
    ]
    assert {c.subject for c in clips} == {"p1"}


def test_a_folder_that_can_not_be_written(spotting, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="--out"):
        write_spotting(replace(spotting), tmp_path / "file" / "out")
