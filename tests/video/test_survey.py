import numpy as np
import pytest

from mer_keras.errors import FrameError
from mer_keras.video.face_tracker import CentreFinder, Face
from mer_keras.video.facts import facts_of
from mer_keras.video.findings import findings_of
from mer_keras.video.survey import survey
from mer_keras.video.track import track_of
from tests.video.recordings import in_memory, texture

GROUND = texture((60, 80)).astype(np.int16)


def noisy(count, seed=0, shift=0):
    """Frames of one texture with a sensor's noise."""
    rng = np.random.default_rng(seed)
    return [
        np.clip(GROUND + shift + rng.normal(0, 1, GROUND.shape), 0, 255).astype(np.uint8)
        for _ in range(count)
    ]


def surveyed(pictures, fps=50.0, times=None, finder=None, claimed=None):
    times = np.arange(len(pictures)) / fps if times is None else times
    recording = in_memory(list(zip(times, pictures, strict=True)), fps)
    if claimed:
        object.__setattr__(recording, "claimed_frames", claimed)
    return survey(recording, finder or CentreFinder())


def codes(result):
    return {finding.code: finding.level for finding in findings_of(facts_of(result))}


class Seen:
    """A finder that sees given faces, one a look."""

    name = "seen"
    seconds = 0.1

    def __init__(self, faces):
        self.faces = list(faces)

    def look(self, picture, time_s, *, anew):
        return self.faces.pop(0) if self.faces else None


def face(x=10.0, side=40.0, faces=1, eyes=80.0):
    return Face(x, 10.0, side, faces, 0.9, eyes)


def test_a_still_recording_has_no_cut_and_no_repeated_frame():
    result = surveyed(noisy(60))
    assert (result.cuts, result.repeated, result.sizes) == (0, 0, 0)
    assert set(codes(result)) == {"low_rate"}


def test_a_cut_begins_anew_and_nothing_is_compared_across_it():
    other = texture((60, 80), seed=9)
    result = surveyed([*noisy(30), *([255 - other] * 30)])
    assert (result.cuts, result.breaks) == (1, (30,))
    assert codes(result)["cuts"] == "note"
    stretch = track_of(result).stretch
    assert stretch[29] != stretch[30]


def test_frames_that_change_their_size_end_a_stretch():
    larger = [np.pad(picture, 8, mode="edge") for picture in noisy(20)]
    result = surveyed([*noisy(20), *larger])
    assert (result.sizes, result.breaks, result.shape) == (1, (20,), (60, 80))
    assert codes(result)["size_changes"] == "warn"


def test_a_slower_source_is_known_by_its_repeated_frames():
    result = surveyed([picture for picture in noisy(30) for _ in range(2)], fps=60)
    assert result.repeated == 30
    assert codes(result)["repeated"] == "warn"


def test_a_gap_of_time_ends_a_stretch():
    times = np.arange(40) / 50
    times[20:] += 0.5
    stretch = track_of(surveyed(noisy(40), times=times)).stretch
    assert stretch[19] != stretch[20]
    assert len(set(stretch)) == 2


@pytest.mark.parametrize(
    ("claimed", "level"), [(60, None), (63, "note"), (90, "warn")], ids=["true", "few", "many"]
)
def test_a_header_that_lies_is_a_remark(claimed, level):
    assert codes(surveyed(noisy(60), claimed=claimed)).get("missing_frames") == level


def test_a_recording_at_5_frames_a_second_is_refused():
    assert codes(surveyed(noisy(20), fps=5))["slow"] == "refuse"


@pytest.mark.parametrize(
    ("faces", "code", "level"),
    [
        ([None] * 20, "no_face", "refuse"),
        ([face()] * 6 + [None] * 6, "face_lost", "warn"),
        ([face(faces=2)] * 12, "several_faces", "warn"),
        ([face(eyes=15)] * 12, "small_face", "refuse"),
        ([face(eyes=40)] * 12, "small_face", "warn"),
    ],
)
def test_faces_that_are_lost_several_or_small(faces, code, level):
    assert codes(surveyed(noisy(60), finder=Seen(faces)))[code] == level


def test_a_face_comes_and_goes():
    """Looks are 5 frames apart; a second and a half without a face is no slip of the finder."""
    looks = [face()] * 4 + [None] * 16 + [face()] * 4
    stretch = track_of(surveyed(noisy(120), finder=Seen(looks))).stretch
    assert (stretch[:18] == 0).all()
    assert (stretch[18:98] == -1).all()
    assert (stretch[98:] == 1).all()


def test_a_finder_that_slips_leaves_the_face_where_it_was():
    looks = [face()] * 4 + [None] * 3 + [face()] * 5
    stretch = track_of(surveyed(noisy(60), finder=Seen(looks))).stretch
    assert (stretch == 0).all()


def test_the_square_stays_until_the_face_leaves_it():
    rng = np.random.default_rng(0)
    looks = [face(10 + rng.normal(0, 0.5)) for _ in range(6)]
    looks += [face(30 + rng.normal(0, 0.5)) for _ in range(6)]
    track = track_of(surveyed(noisy(60), finder=Seen(looks)))
    assert len(np.unique(track.transforms, axis=0)) == 2
    assert (track.stretch[:28] == 0).all()
    assert (track.stretch[28:] == 1).all()


def test_images_without_a_frame_rate_ask_for_it():
    with pytest.raises(FrameError, match="--fps"):
        surveyed(noisy(3), times=[0, float("nan"), float("nan")])


def test_no_frame_at_all():
    recording = in_memory([(0.0, texture())])
    recording.given.clear()
    with pytest.raises(FrameError, match="no frame can be decoded"):
        survey(recording, CentreFinder())
