"""Random changes against closed forms on ramps and flat pictures."""

import cv2
import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.clips.normalisation import normalise_clip  # noqa: E402
from mer_keras.config.training import Augmentation  # noqa: E402
from mer_keras.training.augmentation import CHANGES, ClipAugmentation  # noqa: E402

AMOUNTS = {"colour_shift": 0.1, "smoothing": 5, "rotation": 10, "corner_crop": 0.9}
SIDE = 33


def layer_of(name, amount, seed, probability=1.0):
    return ClipAugmentation({name: amount, "probability": probability}, seed=seed)


@pytest.fixture(params=AMOUNTS)
def layer(request):
    return layer_of(request.param, AMOUNTS[request.param], seed=1)


def pictures(count=6, frames=None, channels=3):
    rng = np.random.default_rng(0)
    shape = (count, *([frames] if frames else []), SIDE, SIDE, channels)
    return rng.random(shape).astype("float32") * 0.6 + 0.2


def ramps(count, frames=None):
    """x / side and y / side as two channels."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    ramp = np.stack([x, y], axis=-1).astype("float32")
    shape = (count, *([frames] if frames else []), SIDE, SIDE, 2)
    return np.broadcast_to(ramp, shape).copy()


@pytest.mark.parametrize("frames", [None, 3])
def test_shape_type_and_rest(layer, frames):
    clips = pictures(frames=frames)
    np.testing.assert_array_equal(layer(clips), clips)  # It is not training.
    changed = np.array(layer(clips, training=True))
    assert changed.shape == clips.shape
    assert changed.dtype == np.float32
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert not np.allclose(changed, clips)
    chosen = np.array([1, 0, 1, 0, 0, 0], "float32")
    some = np.array(layer(clips, apply=chosen, training=True))
    np.testing.assert_array_equal(some[chosen == 0], clips[chosen == 0])
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


def test_all_frames_of_a_clip_change_alike(layer):
    still = np.repeat(pictures(5)[:, None], 4, axis=1)
    moved = np.array(layer(still, training=True))
    for frame in range(1, 4):
        np.testing.assert_allclose(moved[:, frame], moved[:, 0], atol=1e-6)


@pytest.mark.parametrize("name", AMOUNTS)
def test_half_of_the_clips_are_left_alone(name):
    layer = layer_of(name, AMOUNTS[name], seed=3, probability=0.5)
    clips = pictures(400, channels=1)[:, :16, :16]
    same = np.isclose(np.array(layer(clips, training=True)), clips).all(axis=(1, 2, 3))
    assert 0.4 < same.mean() < 0.6


def test_rotation_turns_ramps_by_one_angle_about_the_centre():
    turned = np.array(layer_of("rotation", 10, seed=2)(ramps(40), training=True)) * SIDE
    centre = (SIDE - 1) / 2
    y, x = np.mgrid[:SIDE, :SIDE] - centre
    inner = (np.hypot(x, y) < centre - 2)[..., None]
    angles = []
    for picture in turned - centre:
        # Each channel is a plane: its slopes are cosine and sine of the angle.
        cos = np.sum(picture[..., 0] * x, where=inner[..., 0]) / np.sum(x * x, where=inner[..., 0])
        sin = np.sum(picture[..., 1] * x, where=inner[..., 0]) / np.sum(x * x, where=inner[..., 0])
        expected = np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)
        assert np.abs((picture - expected) * inner).max() < 1e-3
        assert cos**2 + sin**2 == pytest.approx(1, abs=1e-3)
        angles.append(np.degrees(np.arctan2(sin, cos)))
    assert np.abs(angles).max() <= 10
    assert np.abs(angles).max() > 7
    assert min(angles) < 0 < max(angles)


def test_corner_crops_are_windows_at_the_four_corners():
    cut = np.array(layer_of("corner_crop", 0.9, seed=2)(ramps(60), training=True)) * SIDE
    positions = np.arange(SIDE) * 0.9
    far = 0.1 * (SIDE - 1)
    corners = set()
    for picture in cut:
        across, down = picture[0, :, 0], picture[:, 0, 1]
        corner = (across[0] > far / 2, down[0] > far / 2)
        np.testing.assert_allclose(across, positions + far * corner[0], atol=1e-3)
        np.testing.assert_allclose(down, positions + far * corner[1], atol=1e-3)
        corners.add(corner)
    assert len(corners) == 4


def test_smoothing_is_a_box_filter():
    clips = pictures(30, channels=1)
    smooth = np.array(layer_of("smoothing", 4, seed=5)(clips, training=True))
    boxes = {}
    for before, after in zip(clips[..., 0], smooth[..., 0], strict=True):
        for side in (2, 3, 4):
            # An even window reaches one pixel further right and down.
            anchor = ((side - 1) // 2, (side - 1) // 2)
            box = cv2.blur(before, (side, side), anchor=anchor)
            if np.allclose(box[4:-4, 4:-4], after[4:-4, 4:-4], atol=1e-5):
                boxes[side] = boxes.get(side, 0) + 1
    assert sum(boxes.values()) == 30
    assert set(boxes) == {2, 3, 4}
    flat = np.full((4, SIDE, SIDE, 1), 0.3, "float32")
    np.testing.assert_allclose(
        layer_of("smoothing", 6, seed=None)(flat, training=True), flat, atol=1e-6
    )


def test_colour_shift_adds_one_number_a_channel():
    clips = pictures(50)
    added = np.array(layer_of("colour_shift", 0.1, seed=4)(clips, training=True)) - clips
    assert np.abs(added - added[:, :1, :1]).max() < 1e-6
    numbers = added[:, 0, 0]
    assert np.abs(numbers).max() <= 0.1 + 1e-6
    assert np.abs(numbers).max() > 0.08
    assert np.abs(np.corrcoef(numbers.T)[0, 1]) < 0.4


def test_a_config_gives_its_changes():
    setting = Augmentation(
        flip=0.5, colour_shift=0.1, rotation=8, smoothing=4, corner_crop=0.9, probability=0.25
    )
    layer = ClipAugmentation(setting)
    assert layer.names == ["flip", "colour_shift", "rotation", "corner_crop", "smoothing"]
    assert ClipAugmentation.from_config(layer.get_config()).setting == setting
    assert ClipAugmentation({}).names == []
    assert {*CHANGES, "applies_to", "probability", "pixel_probability"} == set(
        Augmentation.model_fields
    )


class TestFlipsOfFlow:
    """A flip gives what flow of the mirrored face would be, for each form of flow."""

    FIELD = np.random.default_rng(3).normal(0.3, 1, (4, 6, 7, 3)).astype("float32")
    MIRRORED = FIELD[:, :, ::-1] * np.array([-1, 1, 1], "float32")

    @staticmethod
    def flipped(clips, *mirroring):
        layer = ClipAugmentation({"flip": 1.0}, seed=1, mirroring=mirroring)
        return np.array(layer(clips, training=True))

    @staticmethod
    def scaled(field, floor=0.0):
        """Each channel of each image by its own range to 0..255."""
        images = np.empty_like(field)
        for image in range(len(field)):
            for channel in range(3):
                values = field[image, ..., channel]
                spread = max(values.max() - values.min(), floor)
                images[image, ..., channel] = (values - values.min()) / spread * 255
        return images

    def test_fault_55_signed_flow_is_negated(self):
        flipped = self.flipped(self.FIELD, "negate", "keep", "keep")
        np.testing.assert_array_equal(flipped, self.MIRRORED)

    @pytest.mark.parametrize("how", ["range", "bytes"])
    def test_fault_55_scaled_flow_is_what_the_mirrored_field_is_scaled_to(self, how):
        flipped = self.flipped(self.scaled(self.FIELD), how, "keep", "keep")
        np.testing.assert_allclose(flipped, self.scaled(self.MIRRORED), atol=1e-3)

    def test_fault_55_also_where_a_range_is_below_the_floor(self):
        flipped = self.flipped(self.scaled(self.FIELD, 50.0), "range", "keep", "keep")
        np.testing.assert_allclose(flipped, self.scaled(self.MIRRORED, 50.0), atol=1e-3)

    def test_fault_55_also_where_the_clip_was_normalised(self):
        def of(field):
            return np.stack([normalise_clip(clip, "unit") for clip in self.scaled(field)])

        flipped = self.flipped(of(self.FIELD), "range", "keep", "keep")
        np.testing.assert_allclose(flipped, of(self.MIRRORED), atol=1e-5)

    def test_fault_55_stored_bytes_are_mirrored_about_the_middle_of_their_range(self):
        images = np.random.default_rng(0).integers(9, 240, (5, 6, 7, 3)).astype("float32")
        flipped = self.flipped(images, "bytes", "keep", "keep")
        np.testing.assert_array_equal(flipped[..., 0], 255 - images[:, :, ::-1, 0])
        np.testing.assert_array_equal(flipped[..., 1:], images[:, :, ::-1, 1:])

    @pytest.mark.parametrize("how", ["negate", "bytes", "range"])
    def test_two_flips_give_the_clip_back(self, how):
        images = self.scaled(self.FIELD)
        twice = self.flipped(self.flipped(images, how, "keep", "keep"), how, "keep", "keep")
        np.testing.assert_allclose(twice, images, atol=1e-3)

    def test_the_layer_can_be_made_anew_from_its_config(self):
        layer = ClipAugmentation({"flip": 0.5}, seed=1, mirroring=("bytes", "keep", "keep"))
        again = ClipAugmentation.from_config(layer.get_config())
        first, second = (np.array(each(self.FIELD, training=True)) for each in (layer, again))
        np.testing.assert_array_equal(first, second)
        assert again.get_config() == layer.get_config()
