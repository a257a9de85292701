"""Clips in which nothing moves: kept with a remark, or left out by a policy."""

import shutil

import cv2
import numpy as np
import pytest

from mer_keras.clips.assemble import check_frames
from mer_keras.clips.motionless import STILL_FLOW
from mer_keras.config.data import Policies
from mer_keras.config.inputs import Clip, Flow
from mer_keras.errors import FrameError
from tests.clips.blob import CLIP, COUNT, draw, load, samples

FLOW = Clip(kind="flow", size=16, flow=Flow(method="farneback", compute_size=32))
WHOLE = Clip(kind="frames", size=16, sampling="whole")
LEAVE_OUT = Policies(motionless="exclude")
FORMS = ("image", "field", "magnitude")


def of_form(output):
    return FLOW.model_copy(update={"flow": FLOW.flow.model_copy(update={"output": output})})


def check(folder, clip, remark, **marks):
    """The clip is kept with a remark, and left out by the policy."""
    loaded = load(folder, clip, **marks)
    assert f"{remark}: 1 of 1 clips" in loaded.warnings
    with pytest.raises(FrameError, match=remark):
        load(folder, clip, LEAVE_OUT, **marks)
    return loaded


@pytest.mark.parametrize("output", FORMS)
def test_fault_53_the_apex_is_the_onset(blob, output):
    remark = "onset and apex are one frame, so that nothing moves"
    loaded = check(blob, of_form(output), remark, onset=5, apex=5)
    np.testing.assert_allclose(loaded.arrays, 0, atol=128 if output == "image" else 0.02)


def test_fault_53_a_frame_stands_in_that_is_the_onset(blob):
    for number in (4, 5, 6):
        (blob / f"img{number}.png").unlink()
    check(blob, FLOW, "onset and apex are one frame, so that nothing moves", onset=3, apex=5)
    # The nearest frame is another one: something moves.
    assert not any("moves" in line for line in load(blob, FLOW, onset=3, apex=6).warnings)


def test_fault_53_a_clip_of_one_frame(tmp_path):
    one = draw(tmp_path / "one", [0.0])
    marks = {"onset": 1, "apex": 1, "offset": 1}
    check(one, FLOW, "onset and apex are one frame, so that nothing moves", **marks)
    remark = "one frame stands for the whole clip, so that nothing moves"
    for clip in (CLIP, WHOLE):
        check(one, clip, remark, **marks)
    still = Clip(kind="frames", frames=1, size=16, sampling="apex")
    assert load(one, still, LEAVE_OUT, **marks).warnings == (), "one image needs no motion"


@pytest.mark.parametrize("clip", [FLOW, CLIP, WHOLE], ids=["flow", "frames", "whole"])
def test_fault_53_files_that_hold_one_picture(blob, clip):
    for number in range(2, COUNT + 1):
        shutil.copyfile(blob / "img1.png", blob / f"img{number}.png")
    check(blob, clip, "all frames are identical")


@pytest.mark.parametrize("clip", [FLOW, CLIP, WHOLE], ids=["flow", "frames", "whole"])
def test_clips_in_which_something_moves_stay(blob, clip):
    assert load(blob, clip, LEAVE_OUT).warnings == load(blob, clip).warnings == ()


@pytest.mark.parametrize("output", FORMS)
def test_fault_53_a_pair_that_differs_and_does_not_move(tmp_path, output):
    """One pixel of a corner is brighter by one gray value."""
    folder = draw(tmp_path / "clip", [0.0, 0.0])
    picture = cv2.imread(str(folder / "img2.png"))
    picture[0:2, 0:2] += 1
    cv2.imwrite(str(folder / "img2.png"), picture)
    still = {"onset": 1, "apex": 2, "offset": 2}
    loaded = check(folder, of_form(output), STILL_FLOW, **still)
    if output == "image":
        assert loaded.arrays[..., :2].max() < 128, "noise isn't stretched over the whole range"


def test_fault_53_a_check_of_all_frames_says_it(blob):
    def warnings(**marks):
        return check_frames(samples(blob, **marks))[1]

    remark = "onset and apex are one frame, so that nothing moves: 1 of 1 clips"
    assert warnings() == ()
    assert warnings(onset=5, apex=5) == (remark,)
    assert remark in warnings(onset=5, apex=None, offset=6)
