"""From nothing to a page."""

import json

import pytest

from mer_keras.prediction import demo
from mer_keras.video.intervals import overlap


def test_the_drawn_recording_shows_expressions_apart_from_each_other():
    recording = demo.drawn_recording()
    assert len(recording.events) == 3
    ends = [0]
    for event in recording.events:
        assert ends[-1] + 50 < event.onset < event.apex < event.offset < recording.frames - 50
        ends.append(event.offset)


def test_drawn_faces_are_learned_where_the_public_set_is_absent(monkeypatch, tmp_path):
    monkeypatch.setenv("MER_DATA", str(tmp_path))
    assert demo.training_of_demo()[0] == "demo"


@pytest.mark.long
def test_the_drawn_expressions_are_found_and_the_page_is_there(monkeypatch, tmp_path):
    monkeypatch.setenv("MER_DATA", str(tmp_path / "nothing"))
    steps = []
    shown = demo.demonstrate(tmp_path / "out", steps.append, profile="smoke")
    spotted = shown.predicted.prediction.intervals
    assert len(spotted) == len(shown.drawn)
    for event, interval in zip(shown.drawn, spotted, strict=True):
        assert overlap((event.onset, event.offset), (interval.onset, interval.offset)) >= 0.4
        assert interval.votes is not None
    assert len(steps) == 3
    assert shown.page.is_file()
    tree = json.loads((tmp_path / "out" / "result.json").read_text())
    assert tree["model"]["bundle_sha256"] == shown.bundle.digest
    assert tree["model"]["data_kind"] == "synthetic"
