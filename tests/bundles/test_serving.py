"""Frames of a video become the inputs that training clips became."""

import cv2
import numpy as np
import pytest

from mer_keras.bundles.card import BundledInput
from mer_keras.bundles.serving import inputs_of_frames, serving_of
from mer_keras.clips.assemble import load_clips
from mer_keras.config.inputs import Clip
from mer_keras.databases.samples import make_samples
from mer_keras.errors import FrameError, UserError
from mer_keras.flow_channels import FLOW_CHANNELS

FPS = 50.0
ONSET, APEX, OFFSET = 2, 9, 15
RECIPES = {
    "around the apex": {"kind": "frames", "frames": 5, "size": 24},
    "colour": {"kind": "frames", "frames": 3, "size": 24, "channels": 3},
    "whole": {"kind": "frames", "sampling": "whole", "size": 16},
    "interpolated": {"kind": "frames", "frames": 7, "size": 16, "sampling": "tim"},
    "normalised": {"kind": "frames", "frames": 3, "size": 16, "normalise": "standard"},
    "flow": {"kind": "flow", "size": 28, "flow": {"method": "dis", "output": "image"}},
    "field": {"kind": "flow", "size": 28, "flow": {"method": "farneback", "output": "field"}},
    "magnified": {
        "kind": "frames",
        "frames": 5,
        "size": 16,
        "magnification": {"alpha": 5, "low": 2.0, "high": 8.0},
    },
}


@pytest.fixture(scope="module")
def frames():
    """Pictures in which a patch moves, uint8 (60, 80, 3)."""
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    still = cv2.GaussianBlur(noise, (9, 9), 3)
    moved = []
    for number in range(18):
        picture = still.copy()
        shift = 3 * np.sin(np.pi * number / 17)
        turn = np.array([[1, 0, shift], [0, 1, shift / 2]])
        picture[20:40, 20:60] = cv2.warpAffine(still, turn, (80, 60))[20:40, 20:60]
        moved.append(picture)
    return moved


@pytest.fixture
def samples(frames, places):
    """The same pictures as the frames of a database's clip; PNG loses nothing."""
    folder = places / "clip"
    folder.mkdir()
    for number, picture in enumerate(frames):
        # Gray values are the same whoever takes them of a gray picture.
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    row = {
        "database": "samm",
        "subject": "001",
        "clip": "c",
        "path": str(folder),
        "emotion": "happiness",
        "onset": ONSET,
        "apex": APEX,
        "offset": OFFSET,
        "fps": FPS,
        "data_kind": "synthetic",
    }
    return make_samples([row], source="drawn")


def card_for(svm, recipe, channels=None):
    """A card whose only input has a recipe."""
    clip = Clip.model_validate(recipe)
    serving = serving_of(clip, channels)
    shape = clip.shape if clip.frames else (None, *clip.shape[1:])
    entry = BundledInput(
        clip=clip,
        shape=shape,
        low=0,
        high=1,
        serving=serving.clip,
        matched=serving.matched,
        remarks=serving.remarks,
    )
    return svm[0].card.model_copy(update={"inputs": {"clips": entry}})


@pytest.mark.parametrize("name", RECIPES)
def test_the_same_frames_give_the_same_input(name, frames, samples, svm, places):
    recipe = {**RECIPES[name], "crop": "centre"}
    trained = load_clips(samples, Clip.model_validate(recipe)).arrays
    before = sorted((places / "cache").rglob("*"))
    card = card_for(svm, recipe)
    assert card.matched
    if recipe.get("channels") != 3:  # Gray is taken of the decoded picture by the same function.
        frames = [cv2.imread(str(places / f"clip/{n}.png"), 0) for n in range(len(frames))]
    times = [number / FPS for number in range(len(frames))]
    clips = inputs_of_frames(card, frames, times, ONSET, APEX, OFFSET)["clips"]
    assert len(clips) == 1
    assert clips[0].dtype == np.float32
    np.testing.assert_array_equal(clips[0], trained[0])
    assert sorted((places / "cache").rglob("*")) == before  # Nothing of a user's video is kept.


def test_a_missing_apex_is_the_middle_frame(frames, svm):
    card = card_for(svm, {"kind": "frames", "frames": 1, "size": 16, "sampling": "apex"})
    times = list(range(len(frames)))
    remarks = set()
    clips = inputs_of_frames(card, frames, times, 2, None, 14, remarks)["clips"]
    expected = inputs_of_frames(card, frames, times, 2, 8, 14)["clips"]
    np.testing.assert_array_equal(clips, expected)
    assert any("apex not annotated" in remark for remark in remarks)


def test_frames_that_others_cropped_are_not_matched(frames, svm):
    card = card_for(svm, {"kind": "frames", "frames": 3, "size": 16})
    assert not card.matched
    assert card.inputs["clips"].serving.crop == "haar"
    remarks = set()
    inputs_of_frames(card, frames, list(range(18)), 0, 5, 9, remarks)
    assert any("no face was found" in remark for remark in remarks)


def test_stored_flow_is_computed_and_not_matched(frames, svm):
    recipe = {"kind": "flow_image", "size": 28, "resize_to": 40}
    card = card_for(svm, recipe, FLOW_CHANNELS)
    assert not card.matched
    assert "TV-L1" in card.inputs["clips"].remarks[0]
    clips = inputs_of_frames(card, frames, list(range(18)), 0, 9, 17)["clips"]
    assert clips.shape == (1, 40, 40, 3)
    assert 200 < clips.max() <= 255


def test_stored_flow_is_resized_before_it_is_normalised(frames, svm):
    recipe = {"kind": "flow_image", "size": 28, "resize_to": 41}
    pixels, unit = (
        inputs_of_frames(
            card_for(svm, recipe | {"normalise": how}, FLOW_CHANNELS), frames, range(18), 0, 9, 17
        )["clips"]
        for how in ("none", "unit")
    )
    assert (unit.min(), unit.max()) == (0, 1)
    np.testing.assert_allclose(unit, (pixels - pixels.min()) / np.ptp(pixels), atol=1e-6)


def test_images_of_something_else_cannot_be_made(frames, svm):
    card = card_for(svm, {"kind": "flow_image", "size": 28}, ("a", "b", "c"))
    with pytest.raises(UserError, match=r"can't be made from frames: .* hold a, b, c"):
        inputs_of_frames(card, frames, list(range(18)), 0, 9, 17)


@pytest.mark.parametrize(
    ("onset", "apex", "offset"), [(-1, 5, 9), (5, 4, 9), (0, 9, 8), (0, 5, 18), (3, None, 2)]
)
def test_positions_out_of_order(frames, svm, onset, apex, offset):
    card = card_for(svm, RECIPES["colour"])
    with pytest.raises(UserError, match="expected 0 <= onset <= apex <= offset < frames"):
        inputs_of_frames(card, frames, list(range(18)), onset, apex, offset)


def test_frames_of_another_form(frames, svm):
    card = card_for(svm, RECIPES["colour"])
    times = list(range(18))
    for other in (frames[0][:50], frames[0].astype("float32"), frames[0][..., :2]):
        with pytest.raises(FrameError, match="expected uint8"):
            inputs_of_frames(card, [*frames[:-1], other], times, 0, 5, 9)
    with pytest.raises(UserError, match="17 times"):
        inputs_of_frames(card, frames, times[:-1], 0, 5, 9)
