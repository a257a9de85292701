"""Which frames of a clip a network sees: pure functions on frame numbers.

Every sampling returns ``frames`` numbers that don't decrease, begin with the onset, end with the
offset and contain the apex. A number may repeat where the clip has too few frames.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from mer_keras.errors import ConfigError, InvariantError

Sampling = Callable[[int, int | None, int, int], tuple[int, ...]]


def middle(onset: int, offset: int) -> int:
    """Return the frame that stands in for an apex nobody annotated."""
    return (onset + offset) // 2


def around_apex(onset: int, apex: int | None, offset: int, frames: int) -> tuple[int, ...]:
    """Onset, frames up to the apex, the apex in the middle, as many frames after it, offset.

    The inner frames are evenly spaced on either side, so that the apex has the same place in every
    clip (index ``frames // 2``), however early it comes. 13 frames are 1 + 5 + 1 + 5 + 1.

    Args:
        onset: first frame number.
        apex: frame number of the strongest expression; ``None``: the middle frame.
        offset: last frame number.
        frames: how many numbers to return: odd, at least 3.

    Raises:
        ConfigError: ``frames`` is even or below 3.
        InvariantError: not onset <= apex <= offset.
    """
    if frames < 3 or frames % 2 == 0:
        raise ConfigError(
            f"sampling around_apex can't give {frames} frames: expected an odd number of at least "
            "3, with the apex in the middle; change data.clip.frames"
        )
    peak = _checked_apex(onset, apex, offset)
    inner = (frames - 3) // 2
    return (
        onset,
        *_between(onset, peak, inner),
        peak,
        *_between(peak, offset, inner),
        offset,
    )


def uniform_with_apex(onset: int, apex: int | None, offset: int, frames: int) -> tuple[int, ...]:
    """Onset, apex, offset and ``frames - 3`` frames evenly spaced between onset and offset.

    The apex falls among the others wherever it is, and stands twice if it is itself one of the
    evenly spaced frames.

    Args:
        onset: first frame number.
        apex: frame number of the strongest expression; ``None``: the middle frame.
        offset: last frame number.
        frames: how many numbers to return, at least 3.

    Raises:
        ConfigError: ``frames`` is below 3.
        InvariantError: not onset <= apex <= offset.
    """
    if frames < 3:
        raise ConfigError(
            f"sampling uniform_with_apex can't give {frames} frames: expected at least 3 (onset, "
            "apex, offset); change data.clip.frames"
        )
    peak = _checked_apex(onset, apex, offset)
    return tuple(sorted((onset, peak, offset, *_between(onset, offset, frames - 3))))


#: The samplings by the names that configs use.
SAMPLINGS: Mapping[str, Sampling] = MappingProxyType(
    {"around_apex": around_apex, "uniform_with_apex": uniform_with_apex}
)


def _checked_apex(onset: int, apex: int | None, offset: int) -> int:
    peak = middle(onset, offset) if apex is None else apex
    if not onset <= peak <= offset:
        raise InvariantError(f"expected onset <= apex <= offset, found {onset}, {apex}, {offset}")
    return peak


def _between(first: int, last: int, count: int) -> list[int]:
    """Return ``count`` evenly spaced numbers inside (first, last), each rounded to the nearest.

    In integers, halves upwards: no float decides which frame is taken.
    """
    parts = count + 1
    return [first + (2 * (last - first) * i + parts) // (2 * parts) for i in range(1, parts)]
