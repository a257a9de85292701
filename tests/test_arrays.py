"""Clips as methods take them: an array, a list of different lengths, a tuple of inputs."""

import numpy as np
import pytest

from mer_keras.arrays import count, shape_of, shape_text, take
from mer_keras.errors import ConfigError

ARRAY = np.arange(24, dtype="float32").reshape(4, 3, 2)
LIST = [np.full((length, 2), length, "float32") for length in (3, 1, 4, 2)]


@pytest.mark.parametrize("rows", [[2, 0], [], [1, 1, 3], np.array([3, 2])])
def test_some_clips_in_the_order_that_is_asked_for(rows):
    np.testing.assert_array_equal(take(ARRAY, rows), [ARRAY[row] for row in rows] or ARRAY[:0])
    lists = take(LIST, rows)
    assert [len(clip) for clip in lists] == [len(LIST[row]) for row in rows]
    both = take((ARRAY, LIST), rows)
    assert isinstance(both, tuple)
    np.testing.assert_array_equal(both[0], take(ARRAY, rows))
    assert len(both[1]) == len(rows)


def test_taking_no_row_keeps_shape_and_type():
    nothing = take(ARRAY, [])
    assert nothing.shape == (0, 3, 2)
    assert nothing.dtype == np.float32


@pytest.mark.parametrize("inputs", [ARRAY, LIST, (ARRAY, ARRAY), (LIST, ARRAY)])
def test_clips_are_counted_once_however_many_inputs_see_them(inputs):
    assert count(inputs) == 4


def test_shapes():
    assert shape_of(ARRAY) == (3, 2)
    assert shape_of((ARRAY, ARRAY[:, 0])) == ((3, 2), (2,))
    assert all(type(side) is int for side in shape_of(ARRAY))
    for inputs in (LIST, (ARRAY, LIST)):
        with pytest.raises(ConfigError, match="choose another 'sampling' than 'whole'"):
            shape_of(inputs)


def test_shapes_as_text():
    assert shape_text((3, 2)) == "3x2"
    assert "3x2" in shape_text(((3, 2), (2,)))
