from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras import config
from mer_keras.clips.sampling import SAMPLINGS, around_apex, middle, uniform_with_apex
from mer_keras.errors import ConfigError, InvariantError

marks = st.lists(st.integers(0, 20_000), min_size=3, max_size=3).map(sorted)
odd = st.integers(1, 40).map(lambda half: 2 * half + 1)


@given(marks, odd, st.sampled_from(sorted(SAMPLINGS)), st.booleans())
def test_every_sampling_keeps_the_marks_and_the_order(given_marks, frames, name, annotated):
    onset, apex, offset = given_marks
    numbers = SAMPLINGS[name](onset, apex if annotated else None, offset, frames)
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
    for sample in SAMPLINGS.values():
        moved = sample(onset + shift, apex + shift, offset + shift, frames)
        assert moved == tuple(n + shift for n in sample(onset, apex, offset, frames))


def test_thirteen_frames_are_1_5_1_5_1():
    assert around_apex(1, 13, 37, 13) == (1, 3, 5, 7, 9, 11, 13, 17, 21, 25, 29, 33, 37)


def test_nine_frames_spread_over_the_whole_clip():
    # six frames between 0 and 70, ten apart, and the apex among them
    assert uniform_with_apex(0, 33, 70, 9) == (0, 10, 20, 30, 33, 40, 50, 60, 70)


def test_an_apex_on_the_grid_stands_twice():
    assert uniform_with_apex(0, 30, 70, 9).count(30) == 2


def test_rounding_is_to_the_nearest_and_halves_go_up():
    assert around_apex(0, 5, 10, 5) == (0, 3, 5, 8, 10)  # 2.5 and 7.5
    assert around_apex(0, 7, 10, 7) == (0, 2, 5, 7, 8, 9, 10)  # 2.33, 4.67


def test_a_short_clip_repeats_frames():
    assert around_apex(4, 5, 6, 7) == (4, 4, 5, 5, 5, 6, 6)
    assert uniform_with_apex(9, 9, 9, 5) == (9,) * 5


def test_three_frames_are_the_marks_alone():
    for sample in SAMPLINGS.values():
        assert sample(3, 8, 20, 3) == (3, 8, 20)


def test_a_missing_apex_is_the_middle_frame():
    assert around_apex(10, None, 20, 3) == (10, 15, 20)


@pytest.mark.parametrize("frames", [1, 2, 4, 12])
def test_around_apex_refuses_what_has_no_middle(frames):
    with pytest.raises(ConfigError, match=r"odd.*data\.clip\.frames"):
        around_apex(0, 1, 2, frames)


def test_uniform_refuses_fewer_frames_than_marks():
    with pytest.raises(ConfigError, match="at least 3"):
        uniform_with_apex(0, 1, 2, 2)


@pytest.mark.parametrize("given_marks", [(5, 4, 9), (5, 10, 9), (9, None, 5)])
def test_marks_out_of_order_are_refused(given_marks):
    for sample in SAMPLINGS.values():
        with pytest.raises(InvariantError, match="onset <= apex <= offset"):
            sample(*given_marks, 5)


def test_configs_know_exactly_these_samplings():
    named = config.Clip.model_fields["sampling"].annotation.__args__
    assert set(named) == set(SAMPLINGS)
