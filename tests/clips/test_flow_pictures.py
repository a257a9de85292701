"""Flow as pictures of 8 bits and as colours."""

import numpy as np
import pytest

from mer_keras.clips.flow import form_of_flow, form_of_sequence, is_still
from mer_keras.clips.flow_pictures import (
    colour_of,
    flow_colours,
    flow_parts,
    flow_picture,
    picture_of,
    resized,
    strain_of_neighbours,
)
from mer_keras.config.inputs import Clip, Flow
from tests.clips.blob import load


def field(u, v, shape=(3, 4)):
    return np.dstack([np.full(shape, u), np.full(shape, v)]).astype(np.float32)


def test_strain_is_of_backward_differences():
    """A literal loop: strain at a pixel looks at the one on its left and the one above."""
    flow = np.random.default_rng(0).normal(size=(4, 5, 2)).astype(np.float32)
    strain = strain_of_neighbours(flow)
    for y in range(4):
        for x in range(5):
            u_x, v_x = flow[y, x] - flow[y, max(x - 1, 0)]
            u_y, v_y = flow[y, x] - flow[max(y - 1, 0), x]
            expected = np.sqrt(u_x**2 + v_y**2 + 0.5 * (u_y + v_x) ** 2)
            assert strain[y, x] == pytest.approx(expected, rel=1e-5)


def test_a_picture_has_sixteen_steps_a_pixel():
    picture = picture_of(field(0.5, -1.0), ("u", "v", "magnitude", "strain"))
    length = np.rint(16 * np.sqrt(1.25) + 128)
    np.testing.assert_array_equal(picture[1, 1], [136, 112, length, 0])
    np.testing.assert_array_equal(picture_of(field(90, -90), ("u", "v"))[0, 0], [255, 0])
    np.testing.assert_allclose(flow_parts(field(3, 4))[0, 0], [3, 4, 5])


def test_hue_is_the_direction_and_brightness_the_length():
    flow = np.zeros((1, 4, 2), np.float32)
    flow[0, 1:] = [[2, 0], [0, 2], [-1, 0]]
    red, _, _ = colour_of(flow)[0, 1]
    np.testing.assert_array_equal(colour_of(flow)[0, 0], 0)
    np.testing.assert_array_equal(colour_of(flow)[0, 1], [255, 0, 0])
    np.testing.assert_allclose(colour_of(flow)[0, 2], [128, 255, 0], atol=1)  # 90 degrees
    np.testing.assert_allclose(colour_of(flow)[0, 3], [0, 128, 128], atol=1)  # 180 degrees
    assert red == 255
    assert not colour_of(field(1, 1)).any()


def test_a_picture_is_made_smaller_or_larger():
    assert resized(np.ones((8, 8, 1), np.float32), 3).shape == (3, 3, 1)
    assert resized(np.ones((8, 8, 2), np.float32), 20).shape == (20, 20, 2)


def test_clips_can_be_given_as_pictures(blob):
    for output, make in (("picture", flow_picture), ("colour", flow_colours)):
        clip = Clip(
            kind="flow",
            size=16,
            flow=Flow(method="farneback", compute_size=64, output=output),
        )
        loaded = load(blob, clip)
        assert loaded.arrays.shape == (1, 16, 16, 3) == (1, *clip.shape)
        gray = load(blob, Clip(kind="frames", frames=20, size=64, sampling="interpolated"))
        stack = np.rint(gray.arrays[0, ..., 0] * 255).astype(np.uint8)
        expected = make(stack[0], stack[10], size=16, method="farneback")
        np.testing.assert_allclose(loaded.arrays[0], expected, atol=1e-4)
        assert set(loaded.flow.mirroring) == {"unknown"}


def test_pictures_without_motion_are_told():
    assert is_still(picture_of(field(0.01, 0.02)), "picture")
    moving = field(0, 0)
    moving[0, 0] = 1
    assert not is_still(picture_of(moving), "picture")
    assert is_still(colour_of(field(2, 1)), "colour")


def test_what_a_mirrored_face_makes_of_the_channels():
    assert form_of_flow("picture", "none", ("u", "strain")).channels == ("u", "strain")
    form = form_of_sequence(("u", "magnitude"), "field", "none")
    assert form.mirroring == ("negate", "keep")
    assert set(form_of_sequence(("u", "v"), "field", "unit").mirroring) == {"unknown"}
