import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.training.augmentation import ClipAugmentation  # noqa: E402

LAYERS = [
    ClipAugmentation({"flip": 0.5}, seed=1),
    ClipAugmentation({"brightness": 0.2}, seed=1),
    ClipAugmentation({"salt_pepper": 0.1}, seed=1),
    ClipAugmentation({"flip": 0.5, "brightness": 0.2, "salt_pepper": 0.1}, seed=1),
]
IDS = ["+".join(layer.names) for layer in LAYERS]


def clips(count=40, frames=4):
    rng = np.random.default_rng(0)
    return rng.uniform(0.3, 0.7, (count, frames, 8, 8, 1)).astype("float32")


@pytest.mark.parametrize("layer", LAYERS, ids=IDS)
def test_nothing_changes_at_inference(layer):
    batch = clips()
    np.testing.assert_array_equal(layer(batch, training=False), batch)
    np.testing.assert_array_equal(layer(batch), batch)


@pytest.mark.parametrize("layer", LAYERS, ids=IDS)
def test_only_chosen_clips_change(layer):
    batch = clips()
    apply = (np.arange(len(batch)) % 2).astype("float32")
    out = np.asarray(layer(batch, apply=apply, training=True))
    changed = np.any(out != batch, axis=(1, 2, 3, 4))
    assert not changed[apply == 0].any()
    assert changed[apply == 1].any()


@pytest.mark.parametrize("layer", LAYERS, ids=IDS)
def test_values_stay_in_range_and_shape(layer):
    for batch in (clips(), clips()[:, 0]):
        out = np.asarray(layer(batch, training=True))
        assert out.shape == batch.shape
        assert out.dtype == batch.dtype
        assert out.min() >= 0
        assert out.max() <= 1


@pytest.mark.parametrize("layer", LAYERS, ids=IDS)
def test_seeded_and_serialisable(layer):
    batch = clips()
    config = layer.get_config()
    layer, copy = (type(layer).from_config(config) for _ in range(2))
    assert layer.get_config() == config
    first = np.asarray(layer(batch, training=True))
    np.testing.assert_array_equal(first, copy(batch, training=True))
    assert np.any(first != np.asarray(layer(batch, training=True))), "each call draws anew"


def test_all_frames_of_a_clip_are_flipped_together():
    batch = clips()
    out = np.asarray(ClipAugmentation({"flip": 0.5}, seed=3)(batch, training=True))
    flipped = np.array([np.array_equal(o, b[:, :, ::-1]) for o, b in zip(out, batch, strict=True)])
    same = np.array([np.array_equal(o, b) for o, b in zip(out, batch, strict=True)])
    assert np.all(flipped ^ same)
    assert 5 < flipped.sum() < 35


def test_one_brightness_a_clip():
    batch = clips()
    shift = np.asarray(ClipAugmentation({"brightness": 0.2}, seed=3)(batch, training=True)) - batch
    spread = shift.reshape(len(batch), -1)
    assert np.ptp(spread, axis=1).max() < 1e-6
    assert np.ptp(spread[:, 0]) > 0.1
    assert np.abs(spread).max() <= 0.2 + 1e-6


def test_share_of_salt_and_pepper():
    batch = np.full((200, 3, 16, 16, 1), 0.5, "float32")
    out = np.asarray(ClipAugmentation({"salt_pepper": 0.1}, seed=3)(batch, training=True))
    salt, pepper = (out == 1).mean(), (out == 0).mean()
    # Shares are uniform in 0..0.1, half salt and half pepper.
    assert salt == pytest.approx(0.025, abs=0.006)
    assert pepper == pytest.approx(0.025, abs=0.006)
    assert np.any(out[:, 0] != out[:, 1]), "noise differs from frame to frame"


def test_brightness_and_noise_may_be_drawn_apart():
    """With one half, a quarter of the clips gets both, and a quarter neither."""
    setting = {"brightness": 0.2, "salt_pepper": 0.5, "pixel_probability": 0.5}
    batch = np.full((400, 8, 8, 1), 0.5, "float32")
    out = np.asarray(ClipAugmentation(setting, seed=3)(batch, training=True))
    noisy = np.isin(out, (0, 1)).any(axis=(1, 2, 3))
    brighter = np.median(out, axis=(1, 2, 3)) != 0.5
    shares = [np.mean(a & b) for a in (noisy, ~noisy) for b in (brighter, ~brighter)]
    np.testing.assert_allclose(shares, 0.25, atol=0.07)


def test_zero_strength_leaves_a_step_out():
    assert ClipAugmentation({"flip": 0.0, "brightness": 0.0}).names == []
    assert ClipAugmentation({"flip": 0.5}).names == ["flip"]
