import os

import numpy as np
import pytest

from mer_keras.errors import AnnotationError
from mer_keras.video.elan import elan_document, read_elan
from mer_keras.video.intervals import interval_at

TIMES = np.cumsum(np.random.default_rng(0).uniform(0.004, 0.006, 2000))
TIMES -= TIMES[0]
INTERVALS = [
    interval_at(
        TIMES, 10, 40, 90, score=0.5, strength_px=0.3, region="mouth", remarks=("a & <b>",)
    ),
    interval_at(TIMES, 200, 201, 203, region="brows"),
]
DATE = "2026-01-31T12:00:00+00:00"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "talk.eaf"
    path.write_bytes(elan_document(INTERVALS, "talk.mp4", DATE))
    return path


def test_intervals_read_back_to_the_frame(file):
    for found, given in zip(read_elan(file, TIMES), INTERVALS, strict=True):
        assert (found.onset, found.apex, found.offset) == (given.onset, given.apex, given.offset)
        assert found.onset_s == given.onset_s


def test_the_document_says_what_it_is_not_for_and_names_no_folder(file):
    text = file.read_text()
    assert 'MEDIA_URL="./talk.mp4"' in text
    assert "Not for lie detection" in text
    assert "a &amp; &lt;b&gt;" in text


def test_characters_that_xml_cannot_hold_are_replaced(tmp_path):
    path = tmp_path / "a.eaf"
    path.write_bytes(elan_document(INTERVALS, "a\x00\x1b\uffff.mp4", DATE))
    assert len(read_elan(path, TIMES)) == 2


BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>
<ANNOTATION_DOCUMENT>&b;</ANNOTATION_DOCUMENT>"""
OUTSIDE = """<?xml version="1.0"?>
<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]>
<ANNOTATION_DOCUMENT>&x;</ANNOTATION_DOCUMENT>"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("text", [BOMB, OUTSIDE, "<!DOCTYPE d><ANNOTATION_DOCUMENT/>"])
def test_fault_16_a_document_type_is_refused_before_anything_is_expanded(tmp_path, text, encoding):
    path = tmp_path / "bomb.eaf"
    path.write_bytes(text.encode(encoding))
    with pytest.raises(AnnotationError, match="DOCTYPE"):
        read_elan(path, TIMES)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not xml", "no XML"),
        (b"", "no XML"),
        (b"<html></html>", "begins with <html>"),
        (b"<ANNOTATION_DOCUMENT/>", "no tier 'spotted'"),
        (b"\xff\xfe\x00", "no XML"),
    ],
)
def test_what_is_no_elan_file(tmp_path, content, words):
    path = tmp_path / "talk.eaf"
    path.write_bytes(content)
    with pytest.raises(AnnotationError, match=words):
        read_elan(path, TIMES)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"50"', '"-50"', "whole milliseconds"),
        ('TIME_SLOT_REF1="on0"', 'TIME_SLOT_REF1="off0"', None),
        ('TIME_SLOT_REF1="on0"', 'TIME_SLOT_REF1="nowhere"', "no times in order"),
    ],
)
def test_times_that_make_no_sense(file, old, new, words):
    onset = round(1000 * INTERVALS[0].onset_s)
    text = file.read_text().replace(f'"{onset}"', '"50"')
    file.write_text(text.replace(old, new, 1))
    if words is None:
        assert read_elan(file, TIMES)[0].onset == INTERVALS[0].offset
    else:
        with pytest.raises(AnnotationError, match=words):
            read_elan(file, TIMES)


def test_annotations_of_another_video_are_refused(file):
    with pytest.raises(AnnotationError, match="is it this video"):
        read_elan(file, TIMES[:10] / 100)


def test_a_tier_by_its_name(file):
    file.write_text(file.read_text().replace('"spotted"', '"coder 1"'))
    assert len(read_elan(file, TIMES)) == 2  # It is the only tier with times.
    assert len(read_elan(file, TIMES, "coder 1")) == 2
    with pytest.raises(AnnotationError, match="'coder 1'"):
        read_elan(file, TIMES, "coder 2")


@pytest.mark.parametrize("value", ["\u00b2", "\u0663", "9" * 5000, "9" * 400, "-5", "nan", ""])
def test_an_apex_that_is_no_time_is_the_middle(file, value):
    before = 'ANNOTATION_ID="apex0" ANNOTATION_REF="a0">\n        <ANNOTATION_VALUE>'
    text = file.read_text()
    assert before in text
    head, tail = text.split(before)
    file.write_text(head + before + value + tail[tail.index("<") :])
    assert read_elan(file, TIMES)[0].apex == 50


def test_a_pipe_is_no_elan_file(tmp_path):
    path = tmp_path / "pipe.eaf"
    os.mkfifo(path)
    with pytest.raises(AnnotationError, match="no file"):
        read_elan(path, TIMES)
