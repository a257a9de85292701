"""Trees of values as dotted keys."""

import pytest

from mer_keras.config.leaves import leaves


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({"a": {"b": 1, "c": {}}, "d": None}, {"a.b": 1, "a.c": {}, "d": None}),
        ({"a": [1, "x"]}, {"a": [1, "x"]}),
        ({"a": [{"b": 1}, {"b": [2]}]}, {"a.0.b": 1, "a.1.b": [2]}),
        ({"a": [[1], 2]}, {"a.0": [1], "a.1": 2}),
        ({"a": []}, {"a": []}),
    ],
)
def test_a_leaf_is_a_value_or_a_list_of_values(tree, expected):
    assert dict(leaves(tree)) == expected


def test_the_key_of_the_tree_stands_before():
    assert dict(leaves({"size": 5}, "inputs.clips")) == {"inputs.clips.size": 5}
    assert dict(leaves(7, "x")) == {"x": 7}
