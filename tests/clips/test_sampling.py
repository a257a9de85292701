from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.clips.sampling import (
    SAMPLINGS,
    apex_only,
    apex_window,
    around_apex,
    interpolation_weights,
    last,
    middle,
    sampled,
    uniform_with_apex,
)
from mer_keras.config.inputs import Clip, Sampling
from mer_keras.errors import ConfigError, InvariantError

marks = st.lists(st.integers(0, 20_000), min_size=3, max_size=3).map(sorted)
SPANNING = {"around_apex": around_apex, "uniform_with_apex": uniform_with_apex}
odd = st.integers(1, 40).map(lambda half: 2 * half + 1)


@given(marks, odd, st.sampled_from(sorted(SPANNING)), st.booleans())
def test_spanning_samplings_keep_the_marks_and_the_order(given_marks, frames, name, annotated):
    onset, apex, offset = given_marks
    numbers = SPANNING[name](onset, apex if annotated else None, offset, frames)
    assert len(numbers) == frames
    assert numbers[0] == onset
    assert numbers[-1] == offset
    assert (apex if annotated else middle(onset, offset)) in numbers
    assert list(numbers) == sorted(numbers)


@given(marks, odd)
def test_around_apex_has_the_apex_in_the_middle(given_marks, frames):
    onset, apex, offset = given_marks
    assert around_apex(onset, apex, offset, frames)[frames // 2] == apex


@given(marks, odd)
def test_around_apex_is_evenly_spaced_on_each_side(given_marks, frames):
    onset, apex, offset = given_marks
    numbers = around_apex(onset, apex, offset, frames)
    for side in (numbers[: frames // 2 + 1], numbers[frames // 2 :]):
        steps = {b - a for a, b in pairwise(side)}
        assert max(steps) - min(steps) <= 1


@given(marks, st.integers(3, 40))
def test_uniform_is_evenly_spaced_but_for_the_apex(given_marks, frames):
    onset, apex, offset = given_marks
    numbers = list(uniform_with_apex(onset, apex, offset, frames))
    numbers.remove(apex)
    steps = {b - a for a, b in pairwise(numbers)}
    assert max(steps) - min(steps) <= 1


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 500), odd)
def test_shifting_a_clip_shifts_its_frames(onset, length, shift, frames):
    apex, offset = onset + length // 3, onset + length
    for sample in (*SPANNING.values(), apex_window, last):
        moved = sample(onset + shift, apex + shift, offset + shift, frames)
        assert moved == tuple(n + shift for n in sample(onset, apex, offset, frames))


def test_thirteen_frames_are_1_5_1_5_1():
    assert around_apex(1, 13, 37, 13) == (1, 3, 5, 7, 9, 11, 13, 17, 21, 25, 29, 33, 37)


def test_nine_frames_spread_over_the_whole_clip():
    # Six frames are between 0 and 70, ten apart, and the apex is among them.
    assert uniform_with_apex(0, 33, 70, 9) == (0, 10, 20, 30, 33, 40, 50, 60, 70)


def test_an_apex_on_the_grid_stands_twice():
    assert uniform_with_apex(0, 30, 70, 9).count(30) == 2


def test_rounding_is_to_the_nearest_and_halves_go_up():
    assert around_apex(0, 5, 10, 5) == (0, 3, 5, 8, 10)  # They are 2.5 and 7.5 before.
    assert around_apex(0, 7, 10, 7) == (0, 2, 5, 7, 8, 9, 10)  # They are 2.33 and 4.67 before.


def test_fault_27_a_short_clip_repeats_frames():
    assert around_apex(4, 5, 6, 7) == (4, 4, 5, 5, 5, 6, 6)
    assert uniform_with_apex(9, 9, 9, 5) == (9,) * 5


def test_three_frames_are_the_marks_alone():
    for sample in SPANNING.values():
        assert sample(3, 8, 20, 3) == (3, 8, 20)


def test_a_missing_apex_is_the_middle_frame():
    assert around_apex(10, None, 20, 3) == (10, 15, 20)


@pytest.mark.parametrize("frames", [1, 2, 4, 12])
def test_around_apex_refuses_what_has_no_middle(frames):
    with pytest.raises(
        ConfigError, match=r"odd.*change 'frames' of the input \(inputs\.NAME\.frames\)"
    ):
        around_apex(0, 1, 2, frames)


def test_uniform_refuses_fewer_frames_than_marks():
    with pytest.raises(ConfigError, match="at least 3"):
        uniform_with_apex(0, 1, 2, 2)


@pytest.mark.parametrize("given_marks", [(5, 4, 9), (5, 10, 9), (9, None, 5)])
def test_marks_out_of_order_are_refused(given_marks):
    for name, sample in SAMPLINGS.items():
        with pytest.raises(InvariantError, match="onset <= apex <= offset"):
            sample(*given_marks, 1 if name == "apex" else 5)


@given(marks, st.integers(1, 64))
def test_a_window_holds_successive_frames_of_the_clip_around_the_apex(given_marks, frames):
    onset, apex, offset = given_marks
    numbers = apex_window(onset, apex, offset, frames)
    assert len(numbers) == frames and apex in numbers
    assert all(onset <= n <= offset for n in numbers)
    assert all(b - a in (0, 1) for a, b in pairwise(numbers))


def test_fault_27_a_window_of_sixteen_has_eight_before_the_apex_and_repeats_the_edges():
    assert apex_window(0, 20, 40, 16) == tuple(range(12, 28))
    assert apex_window(10, 12, 14, 8) == (10, 10, 10, 11, 12, 13, 14, 14)


def test_only_the_apex_is_one_frame():
    assert apex_only(3, 8, 20, 1) == (8,)
    assert apex_only(3, None, 20, 1) == (11,)
    with pytest.raises(ConfigError, match=r"expected 1; change 'frames' of the input"):
        apex_only(3, 8, 20, 2)


def test_the_last_frames_end_with_the_offset_and_repeat_the_first():
    assert last(1, None, 18, 3) == (16, 17, 18)
    assert last(17, None, 18, 4) == (17, 17, 17, 18)


@given(st.integers(1, 60), st.integers(1, 60))
def test_interpolation_of_a_straight_line_is_the_line(length, frames):
    before, share = interpolation_weights(length, frames)
    assert len(before) == len(share) == frames
    after = [min(index + 1, length - 1) for index in before]
    values = [a * (1 - w) + b * w for a, b, w in zip(before, after, share, strict=True)]
    if frames > 1:
        expected = [k * (length - 1) / (frames - 1) for k in range(frames)]
        assert values == pytest.approx(expected)
    assert all(0 <= w <= 1 for w in share)


@given(marks, st.booleans())
def test_a_whole_clip_is_every_frame(given_marks, annotated):
    onset, apex, offset = given_marks
    clip = Clip(kind="frames", sampling="whole")
    expected = []
    number = onset
    while number <= offset:
        expected.append(number)
        number += 1
    assert list(sampled(clip, onset, apex if annotated else None, offset)) == expected


def test_an_input_says_which_frames():
    clip = Clip(kind="frames", frames=9, sampling="uniform_with_apex")
    assert sampled(clip, 0, 33, 70) == uniform_with_apex(0, 33, 70, 9)


def test_configs_know_exactly_these_samplings():
    assert {*get_args(Sampling), "whole"} == set(SAMPLINGS)
