"""Flow images of a database: their channels as declared, whatever the file's order is."""

import struct
from dataclasses import replace
from itertools import permutations

import cv2
import numpy as np
import pytest

from mer_keras.clips.assemble import load_clips
from mer_keras.config.data import Policies
from mer_keras.config.inputs import Clip
from mer_keras.databases.samples import FlowImage, pool
from mer_keras.errors import ConfigError, FrameError
from mer_keras.flow_channels import FLOW_CHANNELS
from tests.clips.blob import samples

CLIP = Clip(kind="flow_image", size=8)
FIELD = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)


def stored(path, image=FIELD, channels=FLOW_CHANNELS, *, declared=True, name="onset_apex"):
    """Write an image whose red, green and blue are some channels; return the table of its clip."""
    in_file = np.stack([image[..., FLOW_CHANNELS.index(c)] for c in channels], axis=-1)
    assert cv2.imwrite(str(path), in_file[..., ::-1])  # OpenCV takes blue, green, red.
    table = samples(path, onset=None, apex=None, offset=None)
    images = {"demo/01/a": {name: FlowImage(path, channels)}} if declared else {}
    return replace(table, flow_images=images)


@pytest.mark.parametrize("channels", permutations(FLOW_CHANNELS))
def test_fault_54_files_of_every_order_give_u_v_strain(tmp_path, channels):
    loaded = load_clips(stored(tmp_path / "a.png", channels=channels), CLIP)
    np.testing.assert_array_equal(loaded.arrays[0], FIELD)
    assert loaded.flow.channels == ("u", "v", "strain")
    assert loaded.warnings == ()


def test_fault_54_images_that_nobody_declares_are_refused_or_declared_by_the_config(tmp_path):
    table = stored(tmp_path / "a.png", channels=("strain", "v", "u"), declared=False)
    with pytest.raises(ConfigError, match=r"nothing says what red, green and blue.*channel_order"):
        load_clips(table, CLIP)
    said = CLIP.model_copy(update={"channel_order": ("strain", "v", "u")})
    np.testing.assert_array_equal(load_clips(table, said).arrays[0], FIELD)


def test_fault_54_config_and_database_that_differ_are_refused(tmp_path):
    table = stored(tmp_path / "a.png")
    other = CLIP.model_copy(update={"channel_order": ("strain", "v", "u")})
    with pytest.raises(ConfigError, match="u, v, strain by its database and strain, v, u by"):
        load_clips(table, other)
    same = CLIP.model_copy(update={"channel_order": FLOW_CHANNELS})
    np.testing.assert_array_equal(load_clips(table, same).arrays[0], FIELD)


@pytest.mark.parametrize(("orientation", "is_taken"), [(1, True), (2, False), (3, False)])
def test_fault_54_displacements_are_not_turned_with_their_picture(tmp_path, orientation, is_taken):
    """A viewer's note on how a photograph was held, which OpenCV follows when it reads pixels."""
    table = stored(tmp_path / "a.jpg")
    tag = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    note = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + tag + bytes(4)
    content = (tmp_path / "a.jpg").read_bytes()
    segment = b"\xff\xe1" + struct.pack(">H", len(note) + 2) + note
    (tmp_path / "a.jpg").write_bytes(content[:2] + segment + content[2:])
    if is_taken:
        assert len(load_clips(table, CLIP).arrays) == 1
        return
    with pytest.raises(FrameError, match="EXIF data turns or mirrors the picture"):
        load_clips(table, CLIP)


def test_fault_54_databases_of_two_orders_are_pooled_in_one(tmp_path):
    first = stored(tmp_path / "a.png")
    second = stored(tmp_path / "b.png", channels=("v", "strain", "u"))
    second.table["sample_id"] = "other/01/a"
    images = {"other/01/a": second.flow_images["demo/01/a"]}
    pooled = pool([first, replace(second, flow_images=images)])
    arrays = load_clips(pooled, CLIP).arrays
    np.testing.assert_array_equal(arrays[0], arrays[1])


def test_an_image_is_chosen_by_name_and_what_is_no_flow_stays_as_it_is(tmp_path):
    table = stored(tmp_path / "a.png")
    other = FIELD[::-1].copy()
    cv2.imwrite(str(tmp_path / "b.png"), other[..., ::-1])
    images = table.flow_images["demo/01/a"] | {
        "direction": FlowImage(tmp_path / "b.png", ("red", "green", "empty"))
    }
    table = replace(table, flow_images={"demo/01/a": images})
    np.testing.assert_array_equal(load_clips(table, CLIP).arrays[0], FIELD)
    loaded = load_clips(table, CLIP.model_copy(update={"image": "direction"}))
    np.testing.assert_array_equal(loaded.arrays[0], other)
    assert loaded.flow.mirroring == ("unknown",) * 3
    with pytest.raises(ConfigError, match=r"'directions' \(did you mean 'direction'\?\)"):
        load_clips(table, CLIP.model_copy(update={"image": "directions"}))


def test_channels_are_exchanged_before_the_image_is_enlarged_and_normalised(tmp_path):
    table = stored(tmp_path / "a.png", channels=("strain", "v", "u"))
    large = CLIP.model_copy(update={"resize_to": 16, "normalise": "unit"})
    expected = cv2.resize(FIELD, (16, 16), interpolation=cv2.INTER_LINEAR).astype("float32")
    expected = (expected - expected.min()) / np.ptp(expected)
    loaded = load_clips(table, large)
    np.testing.assert_allclose(loaded.arrays[0], expected, atol=1e-6)
    assert loaded.flow.mirroring == ("range", "keep", "keep")


def test_a_gray_image_is_no_flow(tmp_path):
    gray = np.repeat(FIELD[..., :1], 3, axis=-1)
    with pytest.raises(FrameError, match=r"a\.png: gray, expected three channels"):
        load_clips(stored(tmp_path / "a.png", gray), CLIP)


def test_fault_53_an_image_without_motion_is_remarked_or_left_out(tmp_path):
    still = FIELD.copy()
    still[..., :2] = (125, 140)
    table = stored(tmp_path / "a.png", still)
    assert load_clips(table, CLIP).warnings == (
        "the flow is the same everywhere, so that nothing moves in the face: 1 of 1 clips",
    )
    with pytest.raises(FrameError, match="so that nothing moves"):
        load_clips(table, CLIP, Policies(motionless="exclude"))


@pytest.mark.parametrize(
    ("normalise", "sign"), [("none", "bytes"), ("unit", "range"), ("standard", "unknown")]
)
def test_fault_55_what_a_mirrored_face_makes_of_a_stored_image(tmp_path, normalise, sign):
    clip = CLIP.model_copy(update={"normalise": normalise})
    form = load_clips(stored(tmp_path / "a.png"), clip).flow
    assert form.mirroring == (sign, "keep", "keep")


def published(field):
    """Bytes as publishers make them of a field: each channel by its own range to 0..255."""
    low, spread = field.min(axis=(0, 1)), np.ptp(field, axis=(0, 1))
    return np.rint((field - low) / spread * 255).astype(np.uint8)


@pytest.mark.parametrize("normalise", ["none", "unit"])
@pytest.mark.parametrize("channels", permutations(FLOW_CHANNELS))
def test_fault_55_a_flip_of_a_file_of_any_order_is_the_file_of_the_mirrored_face(
    tmp_path, channels, normalise
):
    pytest.importorskip("keras")
    from mer_keras.training.augmentation import ClipAugmentation

    field = np.random.default_rng(1).normal(0.3, 1, (8, 8, 3))
    mirrored = field[:, ::-1] * (-1, 1, 1)  # A mirrored face moves to the other side.
    clip = CLIP.model_copy(update={"normalise": normalise})
    face = load_clips(stored(tmp_path / "a.png", published(field), channels), clip)
    other_face = load_clips(stored(tmp_path / "b.png", published(mirrored), channels), clip)
    flip = ClipAugmentation({"flip": 1.0}, seed=1, mirroring=face.flow.mirroring)
    flipped = np.array(flip(face.arrays, training=True))
    level = 1 if normalise == "none" else 1 / 255
    np.testing.assert_allclose(flipped, other_face.arrays, atol=1.01 * level)
    assert np.abs(flipped - face.arrays).mean() > 20 * level
