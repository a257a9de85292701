"""What the arguments of features may be: type hints with ranges, and the one check of them.

A feature is decorated with ``checked``. Its type hints are then all that says which values an
argument takes, whether it is called by a user's own code or by the config of a method.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from typing import Annotated, Literal, ParamSpec, TypeAlias, get_type_hints

import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from mer_keras.arrays import Array
from mer_keras.errors import ConfigError, did_you_mean

Parameters = ParamSpec("Parameters")


class Expected(str):
    """Words of a type hint that name what it takes, in place of pydantic's."""

    __slots__ = ()


Whole: TypeAlias = Annotated[int, Field(ge=1)]
Positive: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
#: Blocks of a flow field.
Grid: TypeAlias = Annotated[
    Sequence[Whole],
    Field(min_length=2, max_length=2),
    Expected("two positive numbers (rows, columns)"),
]
#: Blocks of a volume.
Blocks: TypeAlias = Annotated[
    Sequence[Whole],
    Field(min_length=3, max_length=3),
    Expected("three positive numbers (rows, columns, time)"),
]
#: Share of a block that also belongs to the next one.
Overlap: TypeAlias = Annotated[
    float, Field(ge=0, lt=1), Expected("a number of at least 0 and below 1")
]
#: Which comes first, the division into blocks or the codes of the voxels: ``volumes.coded_blocks``.
BlockRule: TypeAlias = Literal["codes_then_blocks", "blocks_then_codes"]
Radius: TypeAlias = Annotated[
    Sequence[Positive],
    Field(min_length=3, max_length=3),
    Expected("three numbers above 0: (x, y, t)"),
]
#: Neighbours on a circle: a histogram of all patterns of 16 has 65,536 bins.
Points: TypeAlias = Annotated[int, Field(ge=2, le=16), Expected("a whole number from 2 to 16")]
#: Which value of a channel of flow means no motion (``fields.flow_fields``).
Zero: TypeAlias = Literal["none", "mode", "median", "mid"]


def checked(feature: Callable[Parameters, Array]) -> Callable[Parameters, Array]:
    """Have a feature check its arguments against their type hints each time it is called.

    Calls raise a ConfigError that names the feature, the argument, its value and what is expected.
    """
    name = feature.__name__

    @wraps(feature)
    def with_check(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Array:
        check_arguments(f"feature {name}", feature, kwargs)
        return feature(*args, **kwargs)

    return with_check


def check_arguments(
    owner: str, function: Callable[..., object], arguments: Mapping[str, object]
) -> None:
    """Check keyword arguments of a function against its type hints.

    Numbers are not converted: neither ``"8"`` nor ``True`` is a number.

    Args:
        owner: what has these arguments, for messages.
        function: has a type hint for each keyword argument.
        arguments: by name.

    Raises:
        ConfigError: there is no such argument, or it doesn't take this value.
    """
    if not arguments:
        return
    adapters = _adapters(inspect.unwrap(function))
    for name, value in arguments.items():
        if name not in adapters:
            raise ConfigError(
                f"{owner} has no argument {name!r}{did_you_mean(name, adapters)}; known: "
                f"{', '.join(adapters) or 'none'}"
            )
        adapter, expected = adapters[name]
        given = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        try:
            adapter.validate_python(given)
        except ValidationError as error:
            raise ConfigError(
                f"{owner}: {name} {given!r}, expected {expected or _expectation(error)}"
            ) from error


@cache
def _adapters(function: Callable[..., object]) -> dict[str, tuple[TypeAdapter[object], str]]:
    """What checks each keyword argument, and what it expects in words, if its hint says so."""
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError:  # A user's own feature names types that are imported for checkers alone.
        hints = {}
    config = ConfigDict(strict=True, arbitrary_types_allowed=True)
    adapters = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.default is not parameter.empty:
            hint = hints.get(name, object)  # Without a hint, any value will do.
            metadata = getattr(hint, "__metadata__", ())
            words = "".join(word for word in metadata if isinstance(word, Expected))
            adapters[name] = TypeAdapter[object](hint, config=config), words
    return adapters


def _expectation(error: ValidationError) -> str:
    """What pydantic expected in place of the value, all alternatives."""
    words = [detail["msg"].removeprefix("Input should be ") for detail in error.errors()]
    return " or ".join(dict.fromkeys(words))
