"""MDMO by landmarks: 36 regions, the head's own motion, and points that can't be used."""

import numpy as np
import pytest

from mer_keras.bench import flow_loops as loops
from mer_keras.errors import ConfigError
from mer_keras.features.mdmo import mdmo
from mer_keras.features.regions import landmark_regions, without_head_motion

SIDE = 112


def face():
    """68 points of a face as it stands in a square of 112 pixels."""
    points = np.zeros((68, 2))
    angles = np.linspace(np.pi, 0, 17)  # From the right ear over the chin to the left one.
    points[:17] = np.column_stack([56 + 46 * np.cos(angles), 45 + 60 * np.sin(angles)])
    points[17:22] = np.column_stack([np.linspace(18, 46, 5), [36, 32, 30, 31, 33]])
    points[22:27] = np.column_stack([np.linspace(66, 94, 5), [33, 31, 30, 32, 36]])
    points[27:31] = np.column_stack([np.full(4, 56), np.linspace(42, 62, 4)])
    points[31:36] = np.column_stack([np.linspace(47, 65, 5), [67, 68, 69, 68, 67]])
    points[36:42] = [[24, 44], [29, 41], [35, 41], [40, 45], [35, 47], [29, 47]]
    points[42:48] = [[72, 45], [77, 41], [83, 41], [88, 44], [83, 47], [77, 47]]
    angles = np.linspace(np.pi, 3 * np.pi, 13)[:12]
    points[48:60] = np.column_stack([56 + 17 * np.cos(angles), 82 - 7 * np.sin(angles)])
    angles = np.linspace(np.pi, 3 * np.pi, 9)[:8]
    points[60:68] = np.column_stack([56 + 11 * np.cos(angles), 82 - 3 * np.sin(angles)])
    return points


def inside(outline, y, x):
    """Whether a pixel is inside a quadrilateral or on its rim, by the signs of cross products."""
    crosses = []
    for (x1, y1), (x2, y2) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        crosses.append((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1))
    return all(c >= 0 for c in crosses) or all(c <= 0 for c in crosses)


def test_a_region_holds_the_pixels_between_its_corners():
    points = np.rint(face())
    regions = landmark_regions((SIDE, SIDE), points, 0.25, "mdmo")
    assert regions.total == 36
    # The second of the regions on the bridge of the nose: 28, 27, 22, 42.
    outline = points[[28, 27, 22, 42]]
    expected = {(y, x) for y in range(SIDE) for x in range(SIDE) if inside(outline, y, x)}
    pixels = regions.pixel[regions.region == 10]
    found = {(int(pixel) // SIDE, int(pixel) % SIDE) for pixel in pixels}
    # Pixels that an edge only touches may be counted on either side.
    assert expected <= found
    assert len(found - expected) < 0.2 * len(found)


def test_regions_above_the_brows_grow_with_the_lift():
    sizes = [
        np.bincount(landmark_regions((SIDE, SIDE), face(), lift, "mdmo").region)[:6]
        for lift in (0.1, 0.3)
    ]
    assert (sizes[1] > sizes[0]).all()


def test_it_is_the_literal_loop_over_the_pixels_of_each_region():
    clip = np.random.default_rng(0).normal(size=(2, SIDE, SIDE, 2)).astype(np.float32)
    regions = landmark_regions((SIDE, SIDE), face(), 1 / 3, "mdmo")
    members = [
        [(int(p) // SIDE, int(p) % SIDE) for p in regions.pixel[regions.region == number]]
        for number in range(36)
    ]
    fields = [(field[..., 0].tolist(), field[..., 1].tolist()) for field in clip.astype(float)]
    vector = mdmo(clip, landmarks=face(), align=False)
    assert vector.shape == (72,)
    np.testing.assert_allclose(vector, loops.mdmo(fields, members, 8), atol=1e-6)


def test_the_motion_of_the_head_is_subtracted():
    """An affine motion is the head's own and leaves nothing; a smile is left as it was."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    head = np.dstack([0.02 * x - 0.03 * y + 1, 0.01 * x + 0.02 * y - 2])
    points = np.rint(face())
    left = without_head_motion(head[np.newaxis], points)
    np.testing.assert_allclose(left, 0, atol=1e-9)
    smile = np.zeros((SIDE, SIDE, 2))
    smile[78:86, 36:44] = [-1, -1]
    left = without_head_motion((head + smile)[np.newaxis], points)[0]
    np.testing.assert_allclose(left, smile, atol=1e-9)


def test_cosines_and_sines_have_no_jump():
    field = np.tile(np.array([-1, 1e-4]), (24, 24, 1))
    other = field * [1, -1]
    polar = [mdmo(clip, grid=(2, 2)) for clip in (field, other)]
    smooth = [mdmo(clip, grid=(2, 2), angles="cos_sin") for clip in (field, other)]
    assert np.abs(polar[0] - polar[1]).max() > 6
    assert smooth[0].shape == (12,)
    assert np.abs(smooth[0] - smooth[1]).max() < 1e-3


def test_lengths_and_angles_are_weighed():
    field = np.random.default_rng(0).normal(size=(24, 24, 2))
    plain, weighed = mdmo(field), mdmo(field, beta=0.8)
    np.testing.assert_allclose(weighed[:36], 0.8 * plain[:36], rtol=1e-6)
    np.testing.assert_allclose(weighed[36:], 0.2 * plain[36:], rtol=1e-5)


@pytest.mark.parametrize(
    ("points", "complaint"),
    [
        (face()[:60], r"landmarks of shape \(60, 2\), expected 68"),
        (np.full((68, 2), np.nan), "expected 68 finite points"),
        (face() + 500, r"region 1 of 36, between the points 17, 17\^, .* has no pixel"),
    ],
)
def test_points_that_cannot_be_used_are_told(points, complaint):
    with pytest.raises(ConfigError, match=complaint):
        mdmo(np.ones((SIDE, SIDE, 2)), landmarks=points)
