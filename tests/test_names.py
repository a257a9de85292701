"""Names that stand in keys, paths and file names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.names import MAX_KEY, slug


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Proposed ConvLSTM", "proposed-convlstm"),
        ("CNN + Optical Flow", "cnn-optical-flow"),
        ("shallow_convlstm/table1", "shallow-convlstm-table1"),
        ("../..", "x"),
        ("微表情", "x"),
        ("", "x"),
        ("a" * 99, "a" * MAX_KEY),
    ],
)
def test_examples(text, expected):
    assert slug(text) == expected


@given(st.text())
def test_any_text_becomes_a_name_that_is_safe_and_its_own_slug(text):
    name = slug(text)
    assert re.fullmatch(r"[a-z0-9-]+", name)
    assert len(name) <= MAX_KEY
    assert "--" not in name
    assert slug(name) == name
