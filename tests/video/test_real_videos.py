"""Real videos, where ``make videos`` has fetched them: counts and times, never a picture."""

import numpy as np
import pytest

from mer_keras.clips.face_models import has_models
from mer_keras.clips.landmarks import detect_faces
from mer_keras.video.face_tracker import CentreFinder
from mer_keras.video.facts import facts_of
from mer_keras.video.findings import findings_of
from mer_keras.video.mesh_finder import MeshFinder
from mer_keras.video.reader import open_recording
from mer_keras.video.spot import one_thread
from mer_keras.video.survey import survey
from tests.video.fetched import fetched

needs_models = pytest.mark.skipif(not has_models(), reason="the extra [face] is not installed")


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


def facts(name, finder=None):
    return facts_of(survey(open_recording(fetched(name)), finder or CentreFinder()))


@needs_models
@pytest.mark.parametrize("name", ["WolfgangLanger_Pexels.mp4", "single_face.mp4"])
def test_one_face_in_frontal_videos(name):
    found = facts(name, MeshFinder())
    assert found.looks == found.frames
    assert found.face_share >= 0.95
    assert found.several_faces_share == 0


@needs_models
def test_no_face_where_there_is_none():
    assert facts("no_face.mp4", MeshFinder()).face_share < 0.05


@needs_models
@pytest.mark.parametrize("name", ["face_noface.mov", "noface_face.mov"])
def test_a_face_in_a_part_of_a_video(name):
    found = facts(name, MeshFinder())
    assert 0.3 < found.face_share < 0.6


@pytest.mark.parametrize("name", ["face_noface.mov", "noface_face.mov"])
def test_variable_rates_are_read_by_their_stamps(name):
    found = facts(name)
    assert (found.frames, found.variable_rate) == (169, True)
    assert found.seconds == pytest.approx(6.35, abs=0.02)
    assert "variable_rate" in {finding.code for finding in findings_of(found)}


def test_a_header_that_lies_is_a_note():
    found = facts("no_face.mp4")
    assert (found.frames, found.claimed_frames) == (95, 98)
    levels = {finding.code: finding.level for finding in findings_of(found)}
    assert levels["missing_frames"] == "note"


@needs_models
def test_the_mesh_of_a_still_face_jitters_by_less_than_a_tenth_of_a_pixel():
    """One frame with a sensor's noise of sd 2, forty times: what no smooth motion explains."""
    picture = next(open_recording(fetched("single_face.mp4")).frames()).picture
    assert len(detect_faces(picture)) == 1
    rng = np.random.default_rng(0)
    finder, points = MeshFinder(), []
    for index in range(40):
        noisy = np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255).round().astype(np.uint8)
        face = finder.look(noisy, index / 10, anew=index == 0)
        points.append(face.points[:2])  # inner corners of the eyes
    jitter = np.diff(points, 2, axis=0).std(axis=0) / np.sqrt(6)  # (2 corners, x and y)
    assert jitter.max() <= 0.1
