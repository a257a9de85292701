"""What is written of predictions: tables, a page that asks for nothing, a marked copy."""

import csv
import io
import json
import re

import cv2
import numpy as np
import pytest

from mer_keras.prediction.annotated import write_annotated
from mer_keras.prediction.drawing import curve_svg
from mer_keras.prediction.elan import elan_of
from mer_keras.prediction.given import GivenInterval
from mer_keras.prediction.page import page_of, page_of_spotting
from mer_keras.prediction.predict import PredictOptions, predict_recording
from mer_keras.prediction.sources import NamedSource
from mer_keras.prediction.tables import intervals_csv
from mer_keras.prediction.writing import write_all
from mer_keras.terms import WATERMARK, DataKind
from mer_keras.video.curve import Curve
from mer_keras.video.options import SpotOptions
from mer_keras.video.spot import spot_video
from tests.page_checks import complaints_of
from tests.prediction.small import SmallBundle, with_training, write_frames

#: The second interval is too long for a class.
SPANS = ((5, 10, 25), (5, 30, 55))


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """A recording whose name is code to a browser and a spreadsheet."""
    folder = tmp_path_factory.mktemp("recording") / "=<script>alert(1)"
    return NamedSource("talk", write_frames(folder, 60))


def predict(named, bundle=None, **options):
    options = PredictOptions(
        spotting=SpotOptions(crop="centre"),
        intervals=tuple(GivenInterval("row", "", *span, in_seconds=False) for span in SPANS),
        fps=24.0,
        **options,
    )
    return predict_recording(bundle or SmallBundle(members=((0.2, 0.7, 0.1),) * 2), named, options)


@pytest.fixture(scope="module")
def predicted(named):
    """An interval with a class, and one without."""
    return predict(named)


def levels_of(text):
    """Levels of the headings, in order."""
    return [int(level) for level in re.findall(r"<h([1-6])", text)]


def curve(samples=50):
    seconds = np.arange(samples) / 10
    contrast = np.sin(seconds)
    contrast[:5] = np.nan
    valid = np.isfinite(contrast)
    scores = np.full(samples, np.nan)
    return Curve(
        method="flow_difference",
        frame=np.arange(samples),
        time_s=seconds,
        feature=contrast,
        contrast=contrast,
        head_px=scores,
        face_score=scores,
        valid=valid,
        threshold=0.4,
        half=5,
        rate=10.0,
    )


def test_the_page_asks_for_nothing_and_reads_in_order(predicted):
    text = page_of([predicted])
    assert not complaints_of(text)
    assert "<script" not in text
    assert "<img" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert "&lt;script&gt;alert(1)" in text
    assert "A small &lt;method&gt;" in text


def test_the_page_says_what_it_is_not_for_and_why_a_class_is_withheld(predicted):
    text = page_of([predicted])
    for sentence in ("Not for lie detection", "no number here says how often it is right"):
        assert sentence in text
    assert "labelled as positive by the vote" in text
    assert "2.08 s long; the model was trained on expressions of 0.10 to 1.00 s" in text
    assert WATERMARK not in text


def test_spotting_alone_has_a_page_too(named):
    spotting = spot_video(named.source, SpotOptions(crop="centre"), fps=100.0)
    text = page_of_spotting([spotting])
    assert not complaints_of(text)
    assert levels_of(text)[:2] == [1, 2]
    assert "Not for lie detection" in text
    assert "The model" not in text
    assert 'class="curve"' in text or "No expression was found" in text


def test_unmatched_input_is_said_on_every_page(named):
    bundle = SmallBundle()
    entry = bundle.card.inputs["clips"].model_copy(
        update={"matched": False, "remarks": ("cropped by others",)}
    )
    bundle.card = bundle.card.model_copy(update={"inputs": {"clips": entry}})
    assert "(serving.matched: no): cropped by others" in page_of([predict(named, bundle)])


def test_drawn_training_marks_the_page(named):
    bundle = SmallBundle(with_training(data_kind=DataKind.SYNTHETIC))
    assert WATERMARK in page_of([predict(named, bundle, allow_synthetic=True)])


def test_faces_are_shown_only_when_kept(named):
    text = page_of([predict(named, keep_pictures=True)])
    assert not complaints_of(text)
    images = re.findall(r'<img alt="([^"]+)" src="data:image/jpeg;base64,', text)
    assert images[:3] == [f"{name} frame of interval 1" for name in ("onset", "apex", "offset")]
    assert len(images) == text.count("<img")


def test_the_table_of_intervals_reads_back_and_runs_nothing(predicted):
    first, second = csv.DictReader(io.StringIO(intervals_csv([predicted.prediction])))
    assert first["video"] == "'=<script>alert(1)"
    assert (first["onset"], first["apex"], first["offset"]) == ("5", "10", "25")
    assert (first["decision"], first["share_positive"]) == ("positive", "0.70")
    assert second["decision"] == second["share_positive"] == ""
    assert "2.08 s long" in second["withheld"]


def test_the_drawing_shows_the_curve_its_threshold_and_what_is_lost(predicted):
    text = str(curve_svg(curve(), predicted.prediction.intervals, 'a "label"'))
    assert text.count('class="band"') == 2
    assert text.count('class="lost"') == 1
    assert 'class="threshold"' in text
    assert "&#34;label&#34;" in text
    (points,) = re.findall(r'points="([^"]+)"', text)
    assert len(points.split()) == 45
    long = str(curve_svg(curve(20_000), (), "long"))
    assert sum(len(p.split()) for p in re.findall(r'points="([^"]+)"', long)) <= 1200


def test_one_recording_has_its_files_in_the_folder(predicted, tmp_path):
    paths = write_all([predicted], ["talk"], tmp_path)
    expected = {"result.json", "intervals.csv", "page.html", "=<script>alert(1).eaf"}
    assert {path.name for path in paths} == expected
    assert all(path.parent == tmp_path for path in paths)
    tree = json.loads((tmp_path / "result.json").read_text())
    assert len(tree["intervals"]) == 2


def test_the_elan_file_reads_back_and_predicts_the_same(named, predicted, tmp_path):
    path = tmp_path / "talk.eaf"
    path.write_bytes(elan_of(predicted.prediction))
    text = path.read_text()
    assert "positive 0.70" in text
    assert "withheld" in text
    options = PredictOptions(spotting=SpotOptions(crop="centre"), elan=path, fps=24.0)
    again = predict_recording(SmallBundle(), named, options).prediction
    for before, after in zip(predicted.prediction.intervals, again.intervals, strict=True):
        assert (after.onset, after.apex, after.offset) == (before.onset, before.apex, before.offset)
        assert after.decision == before.decision


def test_several_recordings_have_folders_and_one_page_in_their_order(predicted, tmp_path):
    write_all([predicted, predicted], ["b", "a"], tmp_path)
    assert (tmp_path / "b" / "result.json").is_file()
    assert (tmp_path / "a" / "page.html").is_file()
    rows = list(csv.DictReader(io.StringIO((tmp_path / "intervals.csv").read_text())))
    assert len(rows) == 4
    assert levels_of((tmp_path / "page.html").read_text()).count(2) == 3


def test_the_marked_copy_has_a_bar_during_an_interval(named, predicted, tmp_path):
    path = write_annotated(named, predicted.prediction, tmp_path, 24.0)
    video = cv2.VideoCapture(str(path))
    frames = []
    while True:
        read, frame = video.read()
        if not read:
            break
        frames.append(frame)
    assert len(frames) == 60
    assert frames[0].shape == (112, 96, 3)
    bars = [float(frame[100:, :, 0].mean()) for frame in frames]  # blue
    assert bars[0] < 20 < 60 < bars[15]
    assert [path.name for path in tmp_path.iterdir()] == ["annotated.mp4"]
