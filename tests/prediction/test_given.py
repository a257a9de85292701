"""Intervals that a user gives."""

import pytest

from mer_keras.errors import AnnotationError
from mer_keras.prediction.given import (
    GivenInterval,
    in_order,
    intervals_of,
    moments_of_given,
    read_intervals,
)
from mer_keras.prediction.held import Moment, held_frames
from mer_keras.video.reader import open_recording
from tests.prediction.small import write_frames


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Twenty frames at fifty a second."""
    return open_recording(write_frames(tmp_path_factory.mktemp("given") / "talk", 20), 50.0)


def read(tmp_path, text):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    return read_intervals(path)


def test_frames_with_and_without_an_apex(tmp_path, recording):
    intervals = read(tmp_path, "video,onset,apex,offset\ntalk,2,5,9\ntalk,10,,15\nother,1,2,3\n")
    ours = intervals_of(intervals, ["talk"])
    assert moments_of_given(ours, recording) == [Moment(2, 5, 9), Moment(10, None, 15)]


def test_seconds_become_the_nearest_frames(tmp_path, recording):
    intervals = read(tmp_path, "onset_s;offset_s\n0,041;0,099\n")
    assert not intervals[0].video
    assert moments_of_given(intervals, recording) == [Moment(2, None, 5)]
    late = read(tmp_path, "onset_s,offset_s\n0.1,7\n")
    with pytest.raises(AnnotationError, match=r"ends at 7 s, and the recording at 0\.38 s"):
        moments_of_given(late, recording)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("start,end\n1,2\n", "columns start, end: expected onset and offset"),
        ("onset,offset\n", "no interval"),
        ("onset,offset\n5,5\n", "expected 0 <= onset < offset"),
        ("onset,apex,offset\n1,9,5\n", "row 2: onset 1, apex 9, offset 5"),
        ("onset,offset\n1,x\n", "row 2, offset: 'x': expected a frame number"),
        ("onset,offset\n1.5,3\n", "expected a frame number"),
        ("onset,offset\n-1,3\n", "expected a frame number"),
        ("onset_s,offset_s\n0.1,nan\n", "expected seconds"),
        ("onset,offset\n1,1e30\n", "expected a frame number"),
    ],
)
def test_bad_intervals(tmp_path, text, message):
    with pytest.raises(AnnotationError, match=message):
        read(tmp_path, text)


def test_frames_are_those_of_the_intervals_and_no_more_are_held(recording):
    moments = [Moment(8, None, 12), Moment(1, None, 3), Moment(2, None, 9)]
    held = {of.number: of for of in held_frames(recording, moments)}
    all_frames = [frame.picture for frame in recording.frames()]
    for number, moment in enumerate(moments):
        assert len(held[number].frames) == moment.offset - moment.onset + 1
        assert (held[number].frames[0] == all_frames[moment.onset]).all()
        assert (held[number].frames[-1] == all_frames[moment.offset]).all()
        assert held[number].times[0] == pytest.approx(moment.onset / 50)
    assert not list(held_frames(recording, []))


def test_seconds_need_a_recording_with_times(recording, tmp_path):
    untimed = open_recording(recording.files)
    seconds = read(tmp_path, "onset_s,offset_s\n0.1,0.3\n")
    with pytest.raises(AnnotationError, match="no time stamps: give their frame rate"):
        moments_of_given(seconds, untimed)
    assert moments_of_given(read(tmp_path, "onset,offset\n1,3\n"), untimed) == [Moment(1, None, 3)]


def test_no_interval_begins_before_the_recording():
    before = GivenInterval("interval 1", "", -5, None, 3, in_seconds=False)
    with pytest.raises(AnnotationError, match="expected 0 <= onset < offset"):
        in_order(before)
