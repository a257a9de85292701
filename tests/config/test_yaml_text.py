"""YAML text -> plain values: what is refused, at once and without harm."""

import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.config.yaml_text import MAX_DEPTH, parse_yaml
from mer_keras.errors import ConfigError

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(plain)
def test_what_is_written_is_read(value):
    assert parse_yaml(yaml.safe_dump(value)) == value


@pytest.mark.parametrize("level", ["[", "{a: ", "- ", "? "])
def test_a_text_too_deep_is_refused_before_it_takes_the_stack(level):
    started = time.perf_counter()
    with pytest.raises(ConfigError, match=f"more than {MAX_DEPTH} levels"):
        parse_yaml(level * 200_000)
    assert time.perf_counter() - started < 5


def test_the_deepest_text_is_read():
    assert parse_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    with pytest.raises(ConfigError, match="levels"):
        parse_yaml("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))
