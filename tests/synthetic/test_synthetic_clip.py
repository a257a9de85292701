"""Who shows what in a synthetic database: roles, spacing, renaming; the seed decides all."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.errors import InvariantError
from mer_keras.synthetic.synthetic_clip import (
    PEAK,
    PEAK_MIXED,
    PROTOTYPES,
    Role,
    assign_roles,
    draw_clip,
    evenly_spaced,
    rename_clip,
)

counts = st.dictionaries(st.sampled_from(sorted(PROTOTYPES)), st.integers(1, 12), min_size=1)


def rng(seed=0):
    return np.random.default_rng(seed)


def clips_of(*subjects):
    roles = [Role(k, k, subject, "anger") for k, subject in enumerate(subjects)]
    return [draw_clip(rng(), r, name=f"c{r.index}", onset=1, frames=9) for r in roles]


@given(counts, st.integers(1, 5), st.integers(0, 9))
def test_roles_have_the_counts_and_every_subject_has_one(emotions, people, seed):
    subjects = [f"s{number}" for number in range(min(people, sum(emotions.values())))]
    roles = assign_roles(rng(seed), emotions, subjects)
    assert Counter(role.emotion for role in roles) == emotions
    assert [role.index for role in roles] == list(range(len(roles)))
    assert [role.person for role in roles] == sorted(role.person for role in roles)
    assert {role.subject for role in roles} == set(subjects)
    assert all(subjects[role.person] == role.subject for role in roles)
    assert roles == assign_roles(rng(seed), emotions, subjects)


def test_a_subject_may_be_kept_to_some_emotions():
    roles = assign_roles(rng(), {"anger": 30, "other": 30}, ["a", "b", "c"], {"b": ("other",)})
    assert {role.emotion for role in roles if role.subject == "b"} == {"other"}


@given(st.lists(st.integers(), min_size=1, unique=True), st.data())
def test_evenly_spaced_items_keep_their_order_and_gaps_differ_by_one(items, data):
    count = data.draw(st.integers(1, len(items)))
    positions = [items.index(item) for item in evenly_spaced(items, count)]
    assert len(positions) == count and positions[0] == 0
    gaps = np.diff([*positions, len(items)])
    assert gaps.min() >= 1 and gaps.max() - gaps.min() <= 1


@pytest.mark.parametrize(("emotion", "peak"), [("anger", PEAK), ("repression", PEAK_MIXED)])
@pytest.mark.parametrize("frames", [2, 9, 100])
def test_a_clip_shows_a_prototype_of_its_emotion(emotion, peak, frames):
    for seed in range(20):
        clip = draw_clip(rng(seed), Role(0, 0, "s", emotion), name="c", onset=5, frames=frames)
        assert set(clip.action_units) in [set(variant) for variant in PROTOTYPES[emotion]]
        assert peak[0] <= clip.peak <= peak[1]
        assert (clip.onset, clip.offset) == (5, 4 + frames)
        assert clip.onset <= clip.apex <= clip.offset
        assert clip.frame_numbers == range(5, 5 + frames)


def test_further_units_and_another_prototype():
    role = Role(0, 0, "s", "disgust")
    clip = draw_clip(
        rng(), role, name="c", onset=1, frames=9, prototype="contempt", extra_units={"17": 0.3}
    )
    assert clip.emotion == "disgust" and "17" in clip.action_units
    assert clip.action_unit_text in ("R14+17", "L14+17")


def test_the_subjects_clip_of_that_name_or_its_first_one_is_renamed():
    clips = clips_of("a", "b", "b", "b")
    assert rename_clip(clips, "b", "new") == 1
    assert [clip.name for clip in clips] == ["c0", "new", "c2", "c3"]
    assert rename_clip(clips, "b", "c3") == 3
    assert [clip.name for clip in clips] == ["c0", "new", "c2", "c3"]
    with pytest.raises(InvariantError, match="subject x"):
        rename_clip(clips, "x", "new")
