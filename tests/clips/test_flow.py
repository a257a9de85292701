import numpy as np
import pytest

from mer_keras.clips import flow
from mer_keras.clips.flow import (
    FLOORS,
    METHODS,
    flow_field,
    flow_image,
    flow_magnitude,
    optical_flow,
    optical_strain,
)
from mer_keras.errors import FrameError

#: Each method's mean absolute error, in pixels, for a sub-pixel shift of a smooth texture.
BOUNDS = {"tvl1": 0.05, "farneback": 0.05, "dis": 0.05}
SHAPE = (72, 84)
MARGIN = 12


def texture():
    """The Fourier transform of a smooth random picture that repeats at its edges."""
    rng = np.random.default_rng(0)
    down, right = np.meshgrid(*(np.fft.fftfreq(n) for n in SHAPE), indexing="ij")
    soft = np.exp(-(right**2 + down**2) / (2 * 0.06**2))
    return np.fft.fft2(rng.standard_normal(SHAPE)) * soft, down, right


def shifted(dx, dy):
    """The texture moved to the right and down, exactly, as 8-bit gray values."""
    spectrum, down, right = texture()
    still = np.fft.ifft2(spectrum).real
    moved = np.fft.ifft2(spectrum * np.exp(-2j * np.pi * (right * dx + down * dy))).real
    return np.clip(np.rint((moved - still.min()) / np.ptp(still) * 255), 0, 255).astype(np.uint8)


def inside(field):
    return field[MARGIN:-MARGIN, MARGIN:-MARGIN]


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("shift", [(0.4, -0.7), (-0.3, 0.3), (0.0, 0.55)])
def test_a_known_sub_pixel_shift_is_found(method, shift):
    field = inside(optical_flow(shifted(0, 0), shifted(*shift), method))
    assert field.dtype == np.float32 and field.shape[-1] == 2
    errors = np.abs(field - np.array(shift, np.float32))
    assert errors.mean(axis=(0, 1)).max() < BOUNDS[method]


@pytest.mark.parametrize("method", list(METHODS))
def test_equal_frames_have_no_flow(method):
    frame = shifted(0, 0)
    assert np.abs(inside(optical_flow(frame, frame, method))).max() < 0.02


def test_strain_of_a_shift_and_of_a_turn_is_zero():
    y, x = np.mgrid[:9, :11].astype(np.float32)
    assert not optical_strain(np.full((9, 11, 2), 3.0, np.float32)).any()
    turn = np.dstack([-0.01 * y, 0.01 * x])
    np.testing.assert_allclose(optical_strain(turn), 0, atol=1e-6)


@pytest.mark.parametrize(
    "tensor", [(0.02, 0.0, 0.0), (0.0, -0.03, 0.0), (0.0, 0.0, 0.01), (0.02, -0.01, 0.015)]
)
def test_strain_of_a_linear_field_is_exact(tensor):
    along, across, shear = tensor
    y, x = np.mgrid[:9, :11].astype(np.float32)
    field = np.dstack([along * x + 2 * shear * y, across * y]).astype(np.float32)
    expected = np.sqrt(along**2 + across**2 + 2 * shear**2)
    np.testing.assert_allclose(optical_strain(field), expected, rtol=1e-4)


def test_a_flow_image_holds_three_channels_each_over_its_own_range():
    image = flow_image(shifted(0, 0), shifted(0.5, 0.5), method="dis")
    assert image.shape == (28, 28, 3) and image.dtype == np.float32
    for channel in range(3):
        assert image[..., channel].min() == 0
        assert image[..., channel].max() == pytest.approx(255, rel=1e-6)


def test_channels_of_a_flow_image_are_right_down_and_strain():
    y, x = np.mgrid[:64, :64].astype(np.float32)
    ground = 120 + 60 * np.sin(x / 2.5) + 60 * np.cos(y / 3.5)
    stretched = 120 + 60 * np.sin((32 + (x - 32) * 0.97) / 2.5) + 60 * np.cos(y / 3.5)
    image = flow_image(ground.astype(np.uint8), stretched.astype(np.uint8), size=16)
    middle = image[6:10]
    # The picture was stretched sideways about its middle: flow to the right grows to the right.
    assert middle[:, 12, 0].mean() > middle[:, 8, 0].mean() > middle[:, 3, 0].mean()


def test_a_clip_without_motion_gives_zeros_and_no_nan():
    frame = np.full((40, 40), 90, np.uint8)
    image = flow_image(frame, frame, method="farneback")
    assert not image.any()


@pytest.mark.parametrize("method", list(METHODS))
def test_fault_54_a_field_is_signed_and_in_pixels(method):
    field = flow_field(shifted(0, 0), shifted(0.6, -0.8), size=9, method=method)
    assert field.shape == (9, 9, 3) and field.dtype == np.float32
    u, v, strain = (field[3:6, 3:6, channel].mean() for channel in range(3))
    assert (u, v) == (pytest.approx(0.6, abs=0.08), pytest.approx(-0.8, abs=0.08))
    assert 0 <= strain < 0.05


def test_an_image_is_the_field_scaled_channel_by_channel():
    pair = shifted(0, 0), shifted(0.5, 0.5)
    field, image = (of(*pair, size=12, method="dis") for of in (flow_field, flow_image))
    for channel in range(3):
        values = field[..., channel]
        expected = (values - values.min()) / (values.max() - values.min()) * 255
        np.testing.assert_allclose(image[..., channel], expected, atol=1e-3)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.999, 1.0, 1.5, 40.0])
def test_fault_53_a_range_below_the_floor_is_not_stretched(monkeypatch, share):
    """Flow whose u and v range over a share of the floor, from left to right."""
    ramp = np.linspace(-0.5, 0.5, 16, dtype=np.float32) * FLOORS[0] * share
    vectors = np.broadcast_to(ramp[None, :, None], (16, 16, 2)).copy()
    monkeypatch.setattr(flow, "METHODS", {"dis": lambda _first, _second: vectors})
    image = flow_image(*np.zeros((2, 16, 16), np.uint8), size=16, method="dis")
    assert image[..., 0].max() == pytest.approx(255 * min(1.0, share), abs=0.01)
    assert image[..., 0].min() == 0
    assert flow.is_still(image, "image") == (share < 0.9999)


@pytest.mark.parametrize("method", list(METHODS))
def test_fault_55_flow_of_mirrored_frames_moves_the_other_way(method):
    pair = shifted(0, 0), shifted(0.6, -0.4)
    mirrored = [np.ascontiguousarray(frame[:, ::-1]) for frame in pair]
    field, other = (flow_field(*frames, size=12, method=method) for frames in (pair, mirrored))
    expected = field[:, ::-1] * np.array([-1, 1, 1], np.float32)
    np.testing.assert_allclose(other[3:-3, 3:-3], expected[3:-3, 3:-3], atol=0.05)


@pytest.mark.parametrize(
    ("output", "normalise", "mirroring"),
    [
        ("field", "none", ("negate", "keep", "keep")),
        ("field", "standard", ("unknown", "keep", "keep")),
        ("image", "none", ("range", "keep", "keep")),
        ("image", "unit", ("range", "keep", "keep")),
        ("image", "standard", ("unknown", "keep", "keep")),
        ("magnitude", "none", ("keep",)),
    ],
)
def test_fault_55_what_a_mirrored_face_makes_of_each_form(output, normalise, mirroring):
    assert flow.form_of_flow(output, normalise).mirroring == mirroring


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.zeros((8, 8), np.uint8), np.zeros((8, 9), np.uint8)),
        (np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)),
        (np.zeros((8, 8), np.float32), np.zeros((8, 8), np.float32)),
    ],
)
def test_frames_of_other_shapes_and_types_are_refused(first, second):
    with pytest.raises(FrameError, match="expected two gray frames of one size"):
        optical_flow(first, second)


def test_flow_that_is_not_finite_is_refused(monkeypatch):
    broken = {"dis": lambda a, b: np.full((*a.shape, 2), np.nan, np.float32)}
    monkeypatch.setattr(flow, "METHODS", broken)
    with pytest.raises(FrameError, match="NaN or infinite"):
        optical_flow(np.zeros((8, 8), np.uint8), np.zeros((8, 8), np.uint8), "dis")


@pytest.mark.parametrize("method", list(METHODS))
def test_the_magnitude_of_a_shift_is_its_length(method):
    lengths = flow_magnitude(shifted(0, 0), shifted(0.6, -0.8), size=9, method=method)
    assert lengths.shape == (9, 9, 1)
    assert lengths.dtype == np.float32
    assert lengths[3:6, 3:6].mean() == pytest.approx(1.0, abs=0.08)
