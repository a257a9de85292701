"""What arguments of features may be: nonsense is refused at one place, by each argument's hint."""

import inspect
import math

import numpy as np
import pytest

from mer_keras.errors import ConfigError
from mer_keras.features.arguments import check_arguments
from mer_keras.features.registry import FEATURES, extract, get_feature

ARGUMENTS = [
    (name, parameter.name, parameter.default)
    for name in FEATURES
    for parameter in list(inspect.signature(get_feature(name)).parameters.values())[1:]
]


def nonsense(default):
    """Values of no meaning, by what an argument is by default."""
    values = ["nonsense", object]
    if isinstance(default, bool):
        return [*values, 1, None]
    if isinstance(default, int | float):
        return [*values, math.nan, math.inf, -1, True]
    if isinstance(default, tuple):
        return [
            *values,
            default[0],
            [],
            (*default, 1),
            (math.nan,) * len(default),
            (-1, *default[1:]),
        ]
    return values


@pytest.mark.parametrize(("feature", "argument", "default"), ARGUMENTS)
def test_nonsense_is_refused_and_named(feature, argument, default):
    function = get_feature(feature)
    check_arguments("feature x", function, {argument: default})
    for value in nonsense(default):
        with pytest.raises(ConfigError, match=rf"^feature x: {argument} .*, expected "):
            check_arguments("feature x", function, {argument: value})


@pytest.mark.parametrize(
    ("feature", "arguments", "message"),
    [
        ("lbp_top", {"tolerance": math.nan}, "tolerance nan, expected a finite number"),
        ("lbp_top", {"interpolation": "x"}, "interpolation 'x', expected 'bilinear' or 'nearest'"),
        ("lbp_top", {"radius": [1, -1, 4]}, r"radius \[1, -1, 4\], expected three numbers above 0"),
        ("fhofo", {"width": 0}, "width 0, expected greater than 0"),
        ("mdmo", {"beta": 1.2}, "beta 1.2, expected less than or equal to 1"),
        ("hoof", {"blocks": np.array([0, 2])}, r"blocks \[0, 2\], expected two positive numbers"),
        ("plain_flow", {"size": 0.5}, "size 0.5, expected a valid integer"),
    ],
)
def test_calls_and_configs_are_checked_alike(feature, arguments, message):
    """Nothing of the clip is looked at before."""
    with pytest.raises(ConfigError, match=f"^feature {feature}: {message}"):
        get_feature(feature)(None, **arguments)
    with pytest.raises(ConfigError, match=f"^feature '{feature}': {message}"):
        extract(feature, [], arguments)


def test_numbers_of_arrays_are_numbers():
    field = np.ones((6, 6, 2))
    few = get_feature("hoof")(field, blocks=np.array([2, 2]), bins=np.int64(4))
    assert few.shape == (16,)


def of_a_user(clip, *, counted: "imported.Elsewhere" = 1, plain=2):  # noqa: F821
    """A feature of somebody's own, whose hints say nothing that can be read here."""


def test_a_feature_without_hints_takes_any_value():
    check_arguments("feature x", of_a_user, {"counted": "a", "plain": None})
    with pytest.raises(ConfigError, match=r"no argument 'plane' \(did you mean 'plain'\?\)"):
        check_arguments("feature x", of_a_user, {"plane": 1})
