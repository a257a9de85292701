import numpy as np
import pytest

from mer_keras.features.local_binary_patterns import bin_table, circle, neighbour, plane_steps
from tests.features.pattern_loop import PLANES, place_of, uniform_bin, value_at
from tests.features.volume import noise


@pytest.mark.parametrize("points", [2, 3, 4, 8])
def test_uniform_patterns_have_bins_of_their_own(points):
    table, bins = bin_table(points, "uniform", "ascending")
    assert bins == (points * (points - 1) + 3 if points > 2 else 5)
    assert table.tolist() == [uniform_bin(code, points) for code in range(2**points)]


@pytest.mark.parametrize("order", ["oulu_file", "nri_uniform"])
def test_other_orders_are_permutations(order):
    ascending, bins = bin_table(8, "uniform", "ascending")
    other, same_bins = bin_table(8, "uniform", order)
    assert same_bins == bins == 59
    pairs = set(zip(ascending.tolist(), other.tolist(), strict=True))
    assert len(pairs) == 59
    assert dict(pairs)[58] == (0 if order == "oulu_file" else 58)


def test_all_patterns_have_a_bin_without_a_mapping():
    table, bins = bin_table(4, "none", "ascending")
    assert (table.tolist(), bins) == (list(range(16)), 16)


def test_exact_neighbours_are_exact():
    assert circle(4) == [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (-0.0, -1.0)]


@pytest.mark.parametrize("plane", PLANES)
def test_neighbours_go_round_in_their_plane(plane):
    radius = (2, 3, 4)
    for points in (4, 8, 12):
        expected = [place_of(plane, point, points, radius) for point in range(points)]
        np.testing.assert_allclose(plane_steps(plane, radius, points), expected, atol=1e-9)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("step", [(0, 0, 0), (1, -2, 0), (0.25, -1.5, 1.75), (-0.5, 0.5, -0.5)])
def test_a_neighbour_is_read_between_voxels(step, interpolation):
    volume, margins = noise(5, 7, 8).astype(float), (1, 2, 2)
    found = neighbour(volume, step, margins, interpolation)
    assert found.shape == (3, 3, 4)
    for t, y, x in np.ndindex(found.shape):
        place = [a + b + c for a, b, c in zip((t, y, x), margins, step, strict=True)]
        assert found[t, y, x] == pytest.approx(value_at(volume, *place, interpolation))
