"""Declared layouts: every field means something, and what is declared can be drawn and written."""

from collections import Counter

import numpy as np
import pytest
from pydantic import ValidationError

from mer_keras.synthetic.layout import Layout, draw_number
from mer_keras.synthetic.stand_ins import LAYOUTS
from mer_keras.synthetic.synthetic_clip import PROTOTYPES

SMALL = Layout(
    name="small",
    folder="SMALL",
    last="table.xlsx",
    native=(32, 32),
    frame_file="{clip.subject}/{clip.name}/{frame:0{clip.digits}d}.jpg",
    emotions={"anger": 3, "fear": 2},
    subjects=("p10", "p9"),
    codes={"anger": "a", "fear": "f"},
    clip_name="{code}{take}-{number}",
    frames=(5, 9),
    digits=3,
    columns=(("Clip", "name"), (None, None), ("Person", "subject_number"), ("Apex", "apex")),
)


def test_a_misspelt_field_is_an_error():
    with pytest.raises(ValidationError, match="emotoins"):
        Layout(name="x", folder="X", last="x", native=(1, 1), emotoins={})


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_what_a_layout_declares_exists(name):
    layout = LAYOUTS[name]
    assert set(layout.parts) <= set(LAYOUTS)
    shown = {e for emotions in layout.shown.values() for e in emotions}
    assert shown | (set(layout.emotions) - set(layout.shown)) <= set(PROTOTYPES)
    assert set(layout.only) <= set(layout.subjects)
    for shares in layout.objective_classes.values():
        assert all(count <= layout.emotions[emotion] for emotion, count in shares.items())
    assert (layout.camera is None) == (layout.camera_file is None)


def test_takes_are_counted_by_subject_and_code():
    clips = SMALL.draw_clips(0)
    assert [clip.subject for clip in clips] == sorted(clip.subject for clip in clips)
    takes = Counter((clip.subject, clip.name.split("-")[0]) for clip in clips)
    assert set(takes.values()) == {1}
    assert sorted(int(clip.name.split("-")[1]) for clip in clips) == [1, 2, 3, 4, 5]
    assert all(5 <= len(clip.frame_numbers) < 9 for clip in clips)
    assert SMALL.frame_path(clips[0], 7).name == "007.jpg"


def test_emotions_may_be_counted_for_each_subject():
    clips = SMALL.model_copy(update={"each_subject": True}).draw_clips(0)
    counts = Counter((clip.subject, clip.emotion) for clip in clips)
    assert counts == {(s, e): n for s in SMALL.subjects for e, n in SMALL.emotions.items()}


@pytest.mark.parametrize(
    ("course", "apex_at_end", "frames"), [("to_apex", True, 5), ("apex_alone", False, 1)]
)
def test_a_clip_may_end_at_its_apex_or_be_the_apex(course, apex_at_end, frames):
    layout = SMALL.model_copy(update={"course": course, "frames": 5})
    for clip in layout.draw_clips(0):
        assert (clip.apex == clip.offset) is apex_at_end
        assert len(clip.frame_numbers) == frames and clip.apex in clip.frame_numbers


def test_rows_hold_fields_what_the_table_says_instead_and_empty_cells():
    clip = SMALL.draw_clips(0)[0]
    assert SMALL.rows([clip]) == [[clip.name, None, clip.subject_number, clip.apex]]
    changed = SMALL.model_copy(update={"columns": (("Apex", "apex"), ("Remark", None))})
    odd = type(clip)(**{**vars(clip), "cells": {"Apex": "/", "Remark": "soft"}})
    unlisted = type(clip)(**{**vars(clip), "listed": False})
    assert changed.rows([odd, unlisted]) == [["/", "soft"]]


def test_a_number_is_fixed_or_drawn_from_its_range():
    rng = np.random.default_rng(0)
    assert draw_number(rng, 4) == 4
    assert {draw_number(rng, (2, 4)) for _ in range(50)} == {2, 3}
