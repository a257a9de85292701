from pathlib import Path

import numpy as np
import pytest

from mer_keras.clips.assemble import spotting_errors
from mer_keras.clips.clip_frames import ClipFrames
from mer_keras.clips.footage import Footage, UnusableClipError
from mer_keras.clips.marks import NO_APEX, Marks, annotated_marks, with_apex
from mer_keras.clips.sample import Sample
from mer_keras.clips.steps import spotting_error
from mer_keras.config.data import Policies
from mer_keras.config.inputs import Clip
from tests.clips.blob import COUNT, draw, load, samples


def frames_of(first, last, **marks):
    footage = Footage(
        Path("clip"), {number: Path(str(number)) for number in range(first, last + 1)}
    )
    return ClipFrames(Sample("d/1/a", "d", "1/a", Path("clip"), **marks), footage, Policies())


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ({"onset": 5, "apex": 9, "offset": 20}, (5, 9, 20)),
        ({"onset": 6, "offset": 19}, (6, None, 19)),
        ({"apex": 8}, (5, 8, 20)),
        ({}, (5, None, 20)),
    ],
)
def test_a_missing_onset_or_offset_is_the_first_or_last_frame(marks, expected):
    frames = frames_of(5, 20, **marks)
    assert annotated_marks(frames) == expected
    assert frames.remarks == set()


@pytest.mark.parametrize(
    ("marks", "expected"),
    [({"onset": 4}, (5, None, 20)), ({"offset": 21}, (5, None, 20)), ({"apex": 21}, (5, 20, 20))],
)
def test_a_mark_one_frame_beyond_is_the_end_and_remarked(marks, expected):
    frames = frames_of(5, 20, **marks)
    assert annotated_marks(frames) == expected
    assert frames.remarks == {
        "annotated one frame beyond the folder, its first or last frame stands in"
    }


@pytest.mark.parametrize("marks", [{"onset": 3}, {"apex": 22}, {"offset": 40}])
def test_a_mark_further_beyond_leaves_the_clip_out(marks):
    ((name, number),) = marks.items()
    with pytest.raises(UnusableClipError, match=f"{name} {number} is beyond.*5 to 20"):
        annotated_marks(frames_of(5, 20, **marks))


def test_the_middle_frame_stands_in_unless_a_policy_spots():
    frames = frames_of(5, 20)
    assert with_apex(frames, Marks(5, None, 20)) == (5, None, 20)
    assert frames.remarks == {NO_APEX}


def test_a_missing_apex_can_be_spotted(blob):
    plain = load(blob, apex=None)
    assert plain.warnings == ("apex not annotated, the middle frame stands in: 1 of 1 clips",)
    spotted = load(blob, policies=Policies(apex="spot"), apex=None)
    assert spotted.warnings == ("apex not annotated, spotted from optical flow: 1 of 1 clips",)


def test_all_three_marks_are_spotted_where_none_is_annotated(blob):
    marks = {"onset": None, "apex": None, "offset": None}
    loaded = load(blob, policies=Policies(apex="spot"), **marks)
    assert loaded.warnings == (
        "onset, apex and offset not annotated, spotted from optical flow: 1 of 1 clips",
    )


def test_the_spotted_apex_is_where_the_movement_is_largest(tmp_path):
    moves = [3 * np.exp(-((k - 14) ** 2) / 8) for k in range(COUNT)]
    late = draw(tmp_path / "late", moves)
    clip = Clip(kind="frames", frames=1, size=32, sampling="apex")
    spotted = load(late, clip, Policies(apex="spot"), apex=None).arrays
    near = [load(late, clip, apex=number).arrays for number in (14, 15, 16)]
    assert any(np.array_equal(spotted, image) for image in near)


def test_the_error_of_spotting_is_a_share_of_the_clip(tmp_path):
    moves = [3 * np.exp(-((k - 14) ** 2) / 8) for k in range(COUNT)]
    late = draw(tmp_path / "late", moves)
    near, far = (spotting_errors(samples(late, apex=apex))[0] for apex in (15, 5))
    assert near <= 1 / COUNT
    assert far == pytest.approx(10 / COUNT, abs=1 / COUNT)


def test_without_an_annotated_apex_there_is_no_error():
    frames = frames_of(1, 9)
    with pytest.raises(UnusableClipError, match="nothing to compare with"):
        spotting_error(frames.sample, frames.footage, frames.policies)
