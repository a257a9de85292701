"""Predictions of recordings, by a bundle whose votes are known."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mer_keras.bundles.card import Card
from mer_keras.clips import face_models
from mer_keras.errors import FrameError, UserError
from mer_keras.prediction import predict as predicting
from mer_keras.prediction.given import GivenInterval
from mer_keras.prediction.predict import PredictOptions, predict_recording
from mer_keras.prediction.result import Prediction
from mer_keras.prediction.sources import NamedSource
from mer_keras.terms import DataKind
from mer_keras.video import remarks
from mer_keras.video.options import SpotOptions
from mer_keras.video.reader import open_recording
from tests.prediction.small import SmallBundle, card, with_training, write_frames

CENTRE = SpotOptions(crop="centre")


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    """Sixty frames."""
    return write_frames(tmp_path_factory.mktemp("recording") / "talk", 60)


def given(*spans):
    return tuple(
        GivenInterval("row", "", onset, apex, offset, False) for onset, apex, offset in spans
    )


def predict(source, bundle=None, *, is_pair=False, **options):
    options = {"spotting": CENTRE, "fps": 100.0} | options
    named = NamedSource("talk", source, is_pair)
    return predict_recording(bundle or SmallBundle(), named, PredictOptions(**options))


def test_given_intervals_are_predicted_in_their_order(frames):
    bundle = SmallBundle()
    predicted = predict(frames, bundle, intervals=given((30, 35, 45), (5, None, 25)))
    second, first = predicted.prediction.intervals
    assert (second.onset, second.apex, second.offset) == (30, 35, 45)
    assert second.onset_s == pytest.approx(0.3)
    assert second.seconds == pytest.approx(0.15)
    assert 5 < first.apex <= 25
    assert first.origin == "given"
    assert first.decision == "positive"
    assert first.votes["positive"].share == pytest.approx(0.7)
    assert bundle.batches == [2]
    assert predicted.shown[0].blocks.shape == (6, 6)
    assert not predicted.shown[0].pictures


def test_intervals_go_through_the_method_in_batches(frames, monkeypatch):
    monkeypatch.setattr(predicting, "BATCH", 3)
    bundle = SmallBundle()
    spans = [(start, start + 5, start + 12) for start in range(7)]
    assert len(predict(frames, bundle, intervals=given(*spans)).prediction.intervals) == len(spans)
    assert bundle.batches == [3, 3, 1]


def test_a_short_recording_is_one_expression(frames):
    (interval,) = predict(frames).prediction.intervals
    assert (interval.onset, interval.offset, interval.origin) == (0, 59, "whole")
    assert interval.decision == "positive"


def test_a_pair_is_onset_and_apex(frames):
    pair = (frames / "frame000.png", frames / "frame029.png")
    (interval,) = predict(pair, is_pair=True, fps=None).prediction.intervals
    assert (interval.onset, interval.apex, interval.offset) == (0, 1, 1)
    assert interval.onset_s == 0
    assert interval.offset_s is None
    assert interval.decision == "positive"
    whole_clips = card()
    entry = whole_clips.inputs["clips"]
    moving = entry.serving.model_copy(update={"frames": 9, "sampling": "uniform_with_apex"})
    entry = entry.model_copy(update={"serving": moving, "shape": (9, 16, 16, 1)})
    bundle = SmallBundle(whole_clips.model_copy(update={"inputs": {"clips": entry}}))
    (interval,) = predict(pair, bundle, is_pair=True, fps=None).prediction.intervals
    assert interval.votes is None
    assert remarks.FEW_FRAMES in interval.withheld


def test_lengths_unlike_those_of_training_have_no_class(frames):
    (interval,) = predict(frames, fps=20.0, intervals=given((0, 20, 50))).prediction.intervals
    assert interval.votes is None
    assert interval.decision is None
    assert not interval.undecided
    assert any("2.50 s long" in reason and "0.10 to 1.00" in reason for reason in interval.withheld)


def test_slow_recordings_have_no_class_and_other_rates_a_warning(frames):
    slow = predict(frames, fps=20.0, intervals=given((0, 5, 10))).prediction
    assert [remark.level for remark in slow.remarks] == ["refuse", "warn"]
    assert any("20.0 frames a second" in reason for reason in slow.intervals[0].withheld)
    other = predict(frames, fps=45.0, intervals=given((0, 5, 10))).prediction
    assert [remark.code for remark in other.remarks] == ["low_rate", "other_rate"]
    assert other.intervals[0].decision == "positive"


def test_without_a_face_there_is_no_class(frames):
    (interval,) = predict(
        frames, spotting=SpotOptions(), intervals=given((0, 5, 20))
    ).prediction.intervals
    assert interval.votes is None
    assert "no face is found in it" in interval.withheld
    assert interval.strength_px is None


def test_close_votes_are_undecided(frames):
    bundle = SmallBundle(members=((0.38, 0.35, 0.27), (0.4, 0.36, 0.24)))
    (interval,) = predict(frames, bundle).prediction.intervals
    assert interval.undecided
    assert interval.decision is None
    assert interval.votes["negative"].least == pytest.approx(0.38)
    assert interval.votes["negative"].greatest == pytest.approx(0.4)


def test_drawn_bundles_are_refused_unless_allowed(frames):
    bundle = SmallBundle(with_training(data_kind=DataKind.SYNTHETIC))
    with pytest.raises(UserError, match=r"drawn faces.*--allow-synthetic"):
        predict(frames, bundle)
    assert predict(frames, bundle, allow_synthetic=True).prediction.model.data_kind == "synthetic"


def test_a_bundle_that_frames_cannot_feed_is_refused(frames):
    entry = (
        card()
        .inputs["clips"]
        .model_copy(update={"serving": None, "remarks": ("stored flow of three kinds",)})
    )
    bundle = SmallBundle(card().model_copy(update={"inputs": {"clips": entry}}))
    with pytest.raises(UserError, match=r"can't be made from frames: stored flow of three kinds"):
        predict(frames, bundle)


def test_intervals_beyond_the_recording_are_named(frames):
    with pytest.raises(FrameError, match=r"interval 2 ends at frame 70.*60 frames"):
        predict(frames, intervals=given((0, 5, 10), (50, 55, 70)))
    elsewhere = GivenInterval("row", "other.mp4", 0, None, 9, in_seconds=False)
    with pytest.raises(UserError, match="none of this recording"):
        predict(frames, intervals=(elsewhere,))


def test_the_result_is_json_that_reads_back_and_says_what_it_is_not_for(frames):
    prediction = predict(frames).prediction
    text = prediction.model_dump_json()
    assert Prediction.model_validate_json(text) == prediction
    tree = json.loads(text)
    assert tree["format"] == "mer-keras-prediction/1"
    assert tree["model"]["bundle_sha256"] == "ab" * 32
    assert tree["recording"]["name"] == "talk"
    assert str(frames.parent) not in text
    assert "lie detection" in text
    assert "no number here says how often it is right" in text


def test_pictures_are_kept_only_when_asked_for(frames):
    kept = predict(frames, keep_pictures=True).shown[0]
    assert len(kept.pictures) == 3
    assert all(picture.shape == (96, 96, 3) for picture in kept.pictures)
    np.testing.assert_array_equal(kept.pictures[0], kept.pictures[2])


def test_a_long_recording_whose_header_claims_no_frames_is_no_clip(tmp_path):
    """Such are the files that browsers record."""
    recording = open_recording(write_frames(tmp_path / "long", 41, size=8), 20.0)
    claims_none = replace(recording, claimed_frames=0)
    assert not predicting._is_clip(claims_none, PredictOptions())
    assert predicting._is_clip(replace(claims_none, claimed_fps=21.0), PredictOptions())


def test_a_bundle_that_needs_the_mesh_is_refused_without_its_files(frames, monkeypatch):
    """The reason isn't among those of each interval: it would name folders of this machine."""
    monkeypatch.setattr(face_models, "PACKAGE", "no_such_package")
    tree = card().model_dump(mode="json")
    clip = tree["inputs"]["clips"]["clip"] | {"crop": "mesh"}
    tree["inputs"]["clips"] |= {"clip": clip, "serving": clip}
    bundle = SmallBundle(Card.model_validate(tree))
    with pytest.raises(FrameError, match=r"extra \[face\], which isn't installed"):
        predict(frames, bundle, intervals=given((5, 10, 25)))
