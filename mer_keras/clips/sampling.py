"""Which frames of a clip a method sees: pure functions on frame numbers.

Every sampling returns numbers between onset and offset that don't decrease, ``frames`` of them
unless it takes the whole clip. Those that span the clip begin with the onset, end with the offset
and contain the apex. A number may repeat where the clip has too few frames.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from mer_keras.config.inputs import Clip, input_key
from mer_keras.errors import ConfigError, InvariantError

#: A function of onset, apex, offset and the number of frames that returns frame numbers.
SamplingFunction: TypeAlias = Callable[[int, int | None, int, int], tuple[int, ...]]


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
        raise _refusal(
            "around_apex", frames, "an odd number of at least 3, with the apex in the middle"
        )
    peak = _checked_apex(onset, apex, offset)
    inner = (frames - 3) // 2
    before, after = _between(onset, peak, inner), _between(peak, offset, inner)
    return (onset, *before, peak, *after, offset)


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
        raise _refusal("uniform_with_apex", frames, "at least 3 (onset, apex, offset)")
    peak = _checked_apex(onset, apex, offset)
    return tuple(sorted((onset, peak, offset, *_between(onset, offset, frames - 3))))


def apex_window(onset: int, apex: int | None, offset: int, frames: int) -> tuple[int, ...]:
    """``frames`` successive frames around the apex; the clip's first and last one are repeated.

    With an even number, one more frame comes before the apex than after it (MERANet: 16 frames
    around the apex, edge frames replicated).

    Args:
        onset: first frame number.
        apex: frame number of the strongest expression; ``None``: the middle frame.
        offset: last frame number.
        frames: how many numbers to return.

    Raises:
        InvariantError: not onset <= apex <= offset.
    """
    peak = _checked_apex(onset, apex, offset)
    first = peak - frames // 2
    return tuple(min(max(number, onset), offset) for number in range(first, first + frames))


def apex_only(onset: int, apex: int | None, offset: int, frames: int) -> tuple[int, ...]:
    """Only the apex frame.

    Args:
        onset: first frame number.
        apex: frame number of the strongest expression; ``None``: the middle frame.
        offset: last frame number.
        frames: must be 1.

    Raises:
        ConfigError: ``frames`` is not 1.
        InvariantError: not onset <= apex <= offset.
    """
    if frames != 1:
        raise _refusal("apex", frames, "1")
    return (_checked_apex(onset, apex, offset),)


def last(onset: int, apex: int | None, offset: int, frames: int) -> tuple[int, ...]:
    """The last ``frames`` frames, the strongest of a sequence from neutral to apex (CK+).

    The first frame is repeated where there are fewer. Arguments are those of ``apex_window``.
    """
    _checked_apex(onset, apex, offset)
    return tuple(max(onset, number) for number in range(offset - frames + 1, offset + 1))


def interpolation_weights(length: int, frames: int) -> tuple[list[int], list[float]]:
    """Say how ``frames`` evenly spaced moments lie between the frames of a clip.

    Linear interpolation in time (for TIM, see ``clips.interpolation``).

    Args:
        length: frames of the clip.
        frames: moments, the first one on the first frame, the last one on the last.

    Returns:
        For each moment the index of the frame before it, and the share of the frame after that.
    """
    if length == 1 or frames == 1:
        return [(length - 1) // 2 if frames == 1 else 0] * frames, [0.0] * frames
    moments = [k * (length - 1) / (frames - 1) for k in range(frames)]
    before = [min(int(moment), length - 2) for moment in moments]
    return before, [moment - index for moment, index in zip(moments, before, strict=True)]


def every(onset: int, apex: int | None, offset: int, frames: int) -> tuple[int, ...]:
    """Every frame from onset to offset, whatever ``frames`` is.

    Interpolation needs them all, and so do methods that take clips of any length.

    Raises:
        InvariantError: not onset <= apex <= offset.
    """
    _checked_apex(onset, apex, offset)
    return tuple(range(onset, offset + 1))


#: The samplings that don't look at the apex.
WITHOUT_APEX = frozenset({"last", "interpolated", "tim", "whole"})
#: All samplings by the names that configs use.
SAMPLINGS: Mapping[str, SamplingFunction] = {
    "around_apex": around_apex,
    "uniform_with_apex": uniform_with_apex,
    "apex_window": apex_window,
    "apex": apex_only,
    "last": last,
    "interpolated": every,
    "tim": every,
    "whole": every,
}


def sampled(clip: Clip, onset: int, apex: int | None, offset: int) -> tuple[int, ...]:
    """Return the numbers of the frames that an input takes of a clip.

    Args:
        clip: the input, of kind ``frames``.
        onset: first frame number.
        apex: frame number of the strongest expression; ``None``: the middle frame.
        offset: last frame number.

    Raises:
        ConfigError: the sampling can't give so many frames.
        InvariantError: not onset <= apex <= offset.
    """
    return SAMPLINGS[clip.sampling](onset, apex, offset, clip.frames or 0)


def _refusal(sampling: str, frames: int, expected: str) -> ConfigError:
    return ConfigError(
        f"sampling {sampling} can't give {frames} frames: expected {expected}; change "
        f"{input_key('frames')}"
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
