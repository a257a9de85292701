import cv2
import numpy as np
import pytest

from mer_keras.clips.flow import METHODS
from mer_keras.clips.spotting import apex_error, spot
from mer_keras.errors import FrameError
from mer_keras.synthetic.face_traits import FaceTraits
from mer_keras.synthetic.faces import intensity_at, render_clip
from mer_keras.synthetic.stand_ins import LAYOUTS


def render(layout, clip, motion=True):
    seeds = [0, *layout.name.encode()]
    return render_clip(
        FaceTraits.draw(np.random.default_rng([*seeds, 0, clip.person])),
        clip.action_units,
        onset=clip.onset,
        apex=clip.apex,
        offset=clip.offset,
        rng=np.random.default_rng([*seeds, 1, clip.index]),
        peak=clip.peak,
        motion=motion,
    )


def smaller(frames, size):
    return np.stack([cv2.resize(f, (size, size), interpolation=cv2.INTER_AREA) for f in frames])


def moving_blob(moves, side=64):
    """A soft spot before a fixed texture, displaced to the right by ``moves`` pixels."""
    y, x = np.mgrid[:side, :side].astype(np.float32)
    ground = 90 + 25 * np.sin(x / 2.3) * np.cos(y / 3.1)
    return np.stack(
        [
            np.clip(ground + 90 * np.exp(-((x - 30 - m) ** 2 + (y - 30) ** 2) / 50), 0, 255)
            for m in moves
        ]
    ).astype(np.uint8)


@pytest.mark.parametrize("apex", [8, 15, 22])
def test_the_marks_of_one_clean_movement_are_found(apex):
    moves = [3 * intensity_at(k, 3, apex, 28) for k in range(31)]
    spotted = spot(moving_blob(moves))
    assert abs(spotted.apex - apex) <= 2
    assert abs(spotted.onset - 3) <= 4
    assert spotted.onset < spotted.apex < spotted.offset
    assert 0.5 < spotted.strength < 3.5


def test_a_drift_of_the_whole_picture_is_no_expression():
    rng = np.random.default_rng(0)
    wide = cv2.GaussianBlur(rng.random((80, 120)).astype(np.float32), (0, 0), 2)
    wide = ((wide - wide.min()) / np.ptp(wide) * 255).astype(np.float32)
    frames = []
    for k in range(30):
        shift = np.float32([[1, 0, 0.1 * k], [0, 1, 0]])
        frame = cv2.warpAffine(wide, shift, (120, 80), borderMode=cv2.BORDER_REFLECT)
        frames.append(frame[8:72, 28:92])
    assert spot(np.stack(frames).astype(np.uint8)).strength < 1


@pytest.mark.parametrize("count", [1, 2, 3, 25])
def test_a_still_clip_has_its_apex_in_the_middle(count):
    spotted = spot(np.full((count, 40, 40), 77, np.uint8))
    assert (spotted.onset, spotted.apex, spotted.offset) == (0, (count - 1) // 2, count - 1)
    assert spotted.strength == 0


@pytest.mark.parametrize("method", list(METHODS))
def test_two_frames_are_enough(method):
    spotted = spot(moving_blob([0, 2]), method)
    assert 0 <= spotted.onset <= spotted.apex <= spotted.offset <= 1


@pytest.mark.parametrize(
    "frames",
    [np.zeros((3, 4, 4), np.float32), np.zeros((4, 4), np.uint8), np.zeros((0, 4, 4), np.uint8)],
)
def test_other_shapes_and_types_are_refused(frames):
    with pytest.raises(FrameError, match="expected uint8"):
        spot(frames)


def test_the_error_is_a_share_of_the_clip():
    assert apex_error(12, 10, 20) == apex_error(8, 10, 20) == 0.1


def test_without_motion_nothing_breaks_and_less_is_found():
    clip = LAYOUTS["samm"].draw_clips(0)[10]
    still, moved = (spot(render(LAYOUTS["samm"], clip, on)).strength for on in (False, True))
    assert still < moved


@pytest.mark.slow
@pytest.mark.parametrize(("size", "step"), [(24, 8), (33, 8), (96, 12)])
def test_the_apex_of_nine_in_ten_synthetic_clips_is_found_within_a_tenth(size, step):
    errors = []
    for layout in (LAYOUTS["samm"], LAYOUTS["mmew"]):
        for clip in layout.draw_clips(1)[::step]:
            frames = smaller(render(layout, clip), size)
            errors.append(apex_error(spot(frames).apex + clip.onset, clip.apex, len(frames)))
    assert len(errors) >= 38
    assert np.mean(np.array(errors) <= 0.1) >= 0.9
