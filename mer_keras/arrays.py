"""Clips as methods take them: one input, several, or clips of different lengths.

An array holds clips of equal shape, clips first. A list holds clips of different lengths, one array
each. A tuple holds the same clips as several inputs see them, in the order of the method's inputs.
"""

from collections.abc import Sequence
from math import prod
from typing import TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from mer_keras.errors import ConfigError

Array: TypeAlias = NDArray[np.float32]
#: Class numbers, (clips,).
Labels: TypeAlias = NDArray[np.int32]
#: What one input holds: (clips, ...), or a list of clips of different lengths.
OneInput: TypeAlias = Array | list[Array]
Inputs: TypeAlias = OneInput | tuple[OneInput, ...]
#: Shape of one clip, without the clips' axis, or one shape for each of several inputs.
Shape: TypeAlias = tuple[int, ...] | tuple[tuple[int, ...], ...]


@overload
def take(inputs: OneInput, rows: Sequence[int] | NDArray[np.int64]) -> OneInput: ...


@overload
def take(inputs: Inputs, rows: Sequence[int] | NDArray[np.int64]) -> Inputs: ...


def take(inputs: Inputs, rows: Sequence[int] | NDArray[np.int64]) -> Inputs:
    """Return some clips, in the order of ``rows``, of every input."""
    if isinstance(inputs, tuple):
        return tuple(_take_one(clips, rows) for clips in inputs)
    return _take_one(inputs, rows)


def count(inputs: Inputs) -> int:
    """Number of clips."""
    return len(inputs[0]) if isinstance(inputs, tuple) else len(inputs)


def shape_of(inputs: Inputs) -> Shape:
    """Shape of one clip, or, of several inputs, one shape each.

    Raises:
        ConfigError: clips differ in length, so that they have no common shape.
    """
    if isinstance(inputs, tuple):
        return tuple(_shape_of_one(clips) for clips in inputs)
    return _shape_of_one(inputs)


def each_shape(shape: Shape) -> tuple[tuple[int, ...], ...]:
    """Shapes of one clip in every input: a single one where there is one input."""
    shapes = [side for side in shape if isinstance(side, tuple)]
    return tuple(shapes) or (tuple(side for side in shape if isinstance(side, int)),)


def shape_text(shape: Shape) -> str:
    """Return ``28x28x3``, or of several inputs ``28x28x3 + 9x90x90x1``."""
    return " + ".join("x".join(map(str, sides)) for sides in each_shape(shape))


def values_of(shape: Shape) -> int:
    """Number of values of one clip in all inputs."""
    return sum(prod(sides) for sides in each_shape(shape))


def _take_one(clips: OneInput, rows: Sequence[int] | NDArray[np.int64]) -> OneInput:
    if isinstance(clips, list):
        return [clips[row] for row in rows]
    return clips[np.asarray(rows, "int64")]


def _shape_of_one(clips: OneInput) -> tuple[int, ...]:
    if isinstance(clips, list):
        raise ConfigError(
            "this method needs clips of one shape, its input has clips of different lengths: "
            "choose another 'sampling' than 'whole' for the input"
        )
    return tuple(int(side) for side in clips.shape[1:])
