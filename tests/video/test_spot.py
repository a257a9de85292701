"""Spotting in drawn recordings whose truth is known."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from mer_keras.errors import FrameError
from mer_keras.video import remarks, spot
from mer_keras.video.curve import compute_curve
from mer_keras.video.details import with_details
from mer_keras.video.drawn import draw_recording
from mer_keras.video.evaluate import Annotation, Counts, count
from mer_keras.video.face_tracker import CentreFinder
from mer_keras.video.features import feature_of
from mer_keras.video.intervals import overlap, spans_of
from mer_keras.video.options import SIDE, SpotOptions
from mer_keras.video.reader import open_recording
from mer_keras.video.spot import require_fit, spot_video
from mer_keras.video.survey import survey
from mer_keras.video.timing import moments_of
from mer_keras.video.track import aligned, square_transform, track_of
from tests.video.recordings import in_memory, texture, write_video

CENTRE = SpotOptions(crop="centre")
#: Two events in four seconds: a fraction of the trial, at a rate that takes a fraction of its time.
SMALL = draw_recording(seconds=4, fps=50, events=2, seed=0)


def counted(spotting, drawn):
    spotted = [Annotation("", i.onset, i.offset) for i in spotting.intervals]
    return count(spotted, [Annotation("", e.onset, e.offset) for e in drawn.events])


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    with spot.one_thread():
        yield


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    video = SMALL.write(tmp_path_factory.mktemp("videos") / "small.mkv")
    return video, spot_video(video, CENTRE)


def test_what_was_drawn_is_spotted_and_nothing_else(small):
    _, spotting = small
    assert counted(spotting, SMALL) == Counts(2, 0, 0)
    for interval, event in zip(spotting.intervals, SMALL.events, strict=True):
        assert interval.onset < interval.apex < interval.offset
        assert abs(interval.apex_s - event.apex / 50) < 0.08
        assert interval.seconds == pytest.approx((interval.offset - interval.onset) / 50, abs=1e-3)
        assert interval.region == {"12": "mouth", "4": "brows"}[event.unit]
        assert 0.1 < interval.strength_px < 1.5
    assert max(interval.score for interval in spotting.intervals) == pytest.approx(1)


def test_the_ends_can_not_be_compared(small):
    _, spotting = small
    curve = spotting.curve
    assert curve.half == 10
    assert not curve.valid[:10].any()
    assert not curve.valid[-10:].any()
    assert curve.valid[10:-10].all()
    assert np.array_equal(curve.frame, np.arange(200))
    smile, frown = SMALL.events
    at_smile, at_frown = (
        np.nanmax(curve.mouth_px[event.onset : event.offset]) for event in (smile, frown)
    )
    assert at_smile > 3 * at_frown


def test_a_drifting_head_is_no_expression():
    drawn = replace(draw_recording(seconds=2.4, fps=50, events=1, seed=1), drift=2.0)
    given = [(i / 50, picture) for i, picture in enumerate(drawn.pictures())]
    first_pass = survey(in_memory(given), CentreFinder())
    curve = compute_curve(first_pass.recording, first_pass.times, track_of(first_pass), CENTRE)
    (event,) = drawn.events
    peak = int(np.nanargmax(curve.contrast))
    assert event.onset < peak < event.offset
    outside = np.ones(len(curve.frame), bool)
    outside[event.onset - 12 : event.offset + 12] = False
    assert np.nanmax(curve.contrast[outside]) < 0.1 < curve.contrast[peak]
    assert np.nanmax(curve.head_px) > 0.5


@pytest.mark.long
@pytest.mark.parametrize("flow", ["farneback", "dis"])
@pytest.mark.parametrize("drift", [0.0, 2.0])
def test_the_trial_with_known_truth(tmp_path, flow, drift):
    """Five of five and none false with the head still; what drift costs is a stored figure."""
    drawn = draw_recording(drift=drift)
    options = CENTRE.model_copy(update={"flow": flow})
    found = counted(spot_video(drawn.write(tmp_path / "trial.mkv"), options), drawn)
    if flow == "farneback" and not drift:
        assert found == Counts(5, 0, 0)
    else:
        assert found.true_positives >= 1


def test_the_ring_gives_what_comparing_all_frames_gives():
    """Streaming keeps 2k + 1 faces; with all in memory the curve is the same."""
    rng = np.random.default_rng(0)
    ground = texture((SIDE, SIDE)).astype(float)
    pictures = [np.clip(ground + rng.normal(0, 3, ground.shape), 0, 255) for _ in range(40)]
    given = [(i / 60, picture.astype(np.uint8)) for i, picture in enumerate(pictures)]
    options = SpotOptions(crop="centre", method="lbp_difference", half_seconds=0.1)
    first_pass = survey(in_memory(given), CentreFinder())
    curve = compute_curve(first_pass.recording, first_pass.times, track_of(first_pass), options)
    moments = moments_of(first_pass.times, smooth=True)
    same = square_transform(0, 0, SIDE).astype(np.float32)
    faces = [aligned(gray, same, smooth=True).astype(float) for _, gray in given]
    means = [
        np.rint(np.mean(faces[first : last + 1], axis=0)).astype(np.uint8)
        for first, last in zip(moments.first, moments.last, strict=True)
    ]
    feature = feature_of(options)
    prepared = [feature.prepare(mean) for mean in means]
    for i in range(6, 34):
        expected = feature.compare(prepared[i - 6], prepared[i], prepared[i + 6]).value
        assert curve.feature[i] == pytest.approx(expected, rel=1e-6)


def test_nothing_is_compared_across_a_cut():
    ground = texture((SIDE, SIDE))
    given = [(i / 60, ground if i < 30 else 255 - ground) for i in range(60)]
    first_pass = survey(in_memory(given), CentreFinder())
    options = SpotOptions(crop="centre", method="lbp_difference", half_seconds=0.05)
    curve = compute_curve(first_pass.recording, first_pass.times, track_of(first_pass), options)
    assert first_pass.cuts == 1
    assert not curve.valid[27:33].any()
    assert curve.valid[3:27].all()
    assert curve.valid[33:57].all()


def test_a_recording_without_a_face_says_what_to_do(tmp_path):
    video = write_video(tmp_path / "wall.mkv", [texture((120, 160))] * 10)
    with pytest.raises(FrameError, match=r"a face in 0%.*--crop centre"):
        spot_video(video)


def test_five_frames_a_second_are_refused(tmp_path):
    video = write_video(
        tmp_path / "slow.mkv", [texture((64, 64), seed) for seed in range(8)], fps=5
    )
    with pytest.raises(FrameError, match=r"5\.0 frames a second, expected 24"):
        spot_video(video, CENTRE)


def test_one_frame_is_no_recording(small):
    _, spotting = small
    with pytest.raises(FrameError, match="1 frame"):
        require_fit(replace(spotting.facts, frames=1))


def test_a_still_recording_has_no_interval(tmp_path):
    rng = np.random.default_rng(0)
    ground = texture((SIDE, SIDE)).astype(float)
    pictures = [
        np.clip(ground + rng.normal(0, 0.7, ground.shape), 0, 255).astype(np.uint8)
        for _ in range(60)
    ]
    spotting = spot_video(write_video(tmp_path / "still.mkv", pictures, fps=60), CENTRE)
    assert spotting.intervals == ()
    assert np.nanmax(spotting.curve.contrast) < CENTRE.least


def test_a_recording_that_ends_sooner_the_second_time_is_no_error(small):
    """A file that is being written, or a decoder that gives up: what is there counts."""
    video, _ = small
    recording = open_recording(video)
    first_pass, track = spot.follow_face(recording, CENTRE)
    shorter = in_memory([(f.time_s, f.picture[..., 0]) for f in list(recording.frames())[:60]])
    patterns = CENTRE.model_copy(update={"method": "lbp_difference", "half_seconds": 0.2})
    curve = compute_curve(shorter, first_pass.times, track, patterns)
    assert curve.valid[10:45].all()
    assert not curve.valid[60:].any()


def test_intervals_are_remarked_upon(small):
    """A head that moves far inside an interval, by the curve of the head."""
    video, spotting = small
    first_pass, track = spot.follow_face(open_recording(video), CENTRE)
    curve = replace(spotting.curve, head_px=np.full(200, 11.0))
    spans = spans_of(curve.contrast, curve.half, curve.rate, CENTRE)
    found = with_details(first_pass.recording, first_pass, track, curve, spans, CENTRE)
    assert all(remarks.HEAD_MOVED in interval.remarks for interval in found)
    assert all(remarks.HEAD_MOVED not in interval.remarks for interval in spotting.intervals)
    assert remarks.HEAD_MOVED in remarks.WITHHOLDING


@pytest.mark.parametrize(("seconds", "speaks"), [(0.8, False), (2.5, True)])
def test_a_mouth_that_moves_on_and_on_speaks(small, seconds, speaks):
    """The mouth moves around the first interval, with short rests."""
    video, spotting = small
    first_pass, track = spot.follow_face(open_recording(video), CENTRE)
    curve = spotting.curve
    (first, *_) = spans = spans_of(curve.contrast, curve.half, curve.rate, CENTRE)
    mouth = np.zeros(200)
    half = round(seconds * 50 / 2)
    mouth[max(0, first.peak - half) : first.peak + half] = 0.8
    mouth[::12] = 0.0
    curve = replace(curve, mouth_px=mouth)
    found = with_details(first_pass.recording, first_pass, track, curve, spans[:1], CENTRE)
    assert (remarks.SPEAKS in found[0].remarks) == speaks


def test_drawn_events_do_not_meet():
    for seed in range(20):
        events = draw_recording(seed=seed).events
        assert all(
            overlap((a.onset, a.offset), (b.onset, b.offset)) == 0 for a, b in pairwise(events)
        )
        assert all(0.24 <= (e.offset - e.onset) / 100 <= 0.46 for e in events)
